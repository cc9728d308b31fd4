//! `andon learn`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::explain::blocks::BlockList;
use super::files;
use super::output::{json_line, now, peak_rss_mb, rounded};
use super::progress;
use super::source::{Engine, check_size};
use super::tiles::{self, TilesArg};
use crate::hash::sha256;
use crate::image::{self, InputShape, Mask, Roi};
use crate::normal::Centre;
use crate::pipeline::{BLOCKS, LearnSettings, Lesson, LessonError};
use crate::recipe::{LearnOptions, PartRecord, Place, ViewSettings};

/// Arguments of `andon learn`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  andon learn --good parts/good -o bracket.andon --roi 120,80,640,480

8 to 16 good parts are a sound start; take them over a whole shift, so that the light and the
positions that occur are all among them. Unreadable images are named and left out.")]
pub struct Args {
    /// Folder of images of good parts
    #[arg(long, value_name = "DIR", required = true)]
    good: Vec<PathBuf>,
    /// Recipe to write
    #[arg(short, long, value_name = "FILE.andon")]
    output: PathBuf,
    /// Share of good parts that may be rejected
    #[arg(long, value_name = "RATE", default_value_t = 0.01)]
    false_reject: f64,
    /// What to inspect of each image, in pixels; all of it by default
    #[arg(long, value_name = "X,Y,W,H")]
    roi: Option<Roi>,
    /// Picture, stretched over what is inspected: white (128 or above) is looked at, black is
    /// ignored and costs no time. A patch (14 px of the input) is looked at if a twentieth of it is
    /// white
    #[arg(long, value_name = "FILE.png")]
    mask: Option<PathBuf>,
    /// Side of a square of the same area as the network's input, in pixels: larger sees smaller
    /// defects and takes longer
    #[arg(long, value_name = "PX", default_value_t = 448)]
    size: usize,
    /// How many inputs what is inspected is cut into, so that small defects of large images are seen:
    /// each tile takes as long as one input, and they are judged together. All images share one
    /// shape then. `auto`: as many as the images hold without being enlarged, up to 16 of 448 px
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "1x1")]
    tiles: TilesArg,
    /// Blocks of the network whose tokens are compared, together, such as 9 or 5-8; nothing behind
    /// the last one is computed [default: 5-8]
    #[arg(long, value_name = "LIST")]
    blocks: Option<BlockList>,
    /// Whether it counts where on the image things lie: only if every part lies alike, within two
    /// patches (28 px of the input)
    #[arg(long, value_enum, default_value_t = PlaceArg::Auto)]
    place: PlaceArg,
    /// What patches are measured from: the mean of all good parts, or of their own image, which
    /// takes out light and white balance that change from image to image but blurs the sight of
    /// defects that fill much of one [default: image if white balance changes from image to image
    /// or there are fewer than 4 parts, otherwise parts]
    #[arg(long, value_enum)]
    centre: Option<CentreArg>,
    /// Whether all images share one shape of input or each has its own
    #[arg(long, value_enum, default_value_t = ShapeArg::Auto)]
    shape: ShapeArg,
    /// Name of the product [default: the recipe's file name]
    #[arg(long)]
    name: Option<String>,
    /// Learn only N of the images, drawn at random
    #[arg(long, value_name = "N")]
    take: Option<usize>,
    /// Which N are drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "take")]
    seed: u64,
    /// Print one JSON object with the figures
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: Engine,
}

/// Values of `--place`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum PlaceArg {
    /// The good parts decide; with fewer than 4 of them it does not count
    Auto,
    /// It counts
    Yes,
    /// It does not
    No,
}

/// Values of `--centre`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum CentreArg {
    /// The mean of all good parts
    Parts,
    /// The mean of the image itself
    Image,
}

/// Values of `--shape`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ShapeArg {
    /// The images decide: if their shapes differ by more than a quarter, each has its own
    Auto,
    /// One for all; images of another shape are stretched to it
    Common,
    /// Each image's own, at the same area: for parts that are cut out of larger pictures. Place
    /// cannot count
    Own,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    recipe: String,
    parts: usize,
    skipped: Vec<String>,
    model: String,
    size: [usize; 2],
    shape: InputShape,
    /// Columns and rows of inputs.
    tiles: [usize; 2],
    mask: Option<MaskReport>,
    blocks: Vec<usize>,
    rank: usize,
    memory: usize,
    centre: Centre,
    gate: Option<usize>,
    threshold: f64,
    false_reject: f64,
    false_reject_bound: f64,
    parts_needed: usize,
    bytes: u64,
    seconds: f64,
    /// What the network alone took for the parts.
    backbone_seconds: f64,
    rss_mb: Option<f64>,
}

/// How much of each input a mask leaves to look at.
#[derive(Serialize)]
struct MaskReport {
    /// Patches that are looked at.
    kept: usize,
    /// Patches of an input.
    patches: usize,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let start = Instant::now();
    if !(args.false_reject > 0.0 && args.false_reject < 0.5) {
        bail!(
            "--false-reject must lie between 0 and 0.5, not {}",
            args.false_reject
        );
    }
    let found = files::collect(&args.good)?;
    found.report_skipped();
    let images = match args.take {
        Some(count) => files::draw(found.images, count, args.seed),
        None => found.images,
    };
    let model = args.engine.load()?;
    let patch = model.manifest().architecture.patch;
    check_size(args.size, patch)?;
    let known = model.manifest().architecture.blocks;
    let blocks = BlockList::or(args.blocks.as_ref(), BLOCKS.into(), known)?;
    let view = view(args, patch, &images)?;
    if let Some(kept) = &view.kept {
        eprintln!("mask: {kept} are looked at");
    }
    let settings = LearnSettings {
        name: args.name.clone().unwrap_or_else(|| stem(&args.output)),
        view,
        blocks,
        options: LearnOptions {
            false_reject: args.false_reject,
            place: match args.place {
                PlaceArg::Auto => Place::Decide,
                PlaceArg::Yes => Place::Counts,
                PlaceArg::No => Place::DoesNot,
            },
            centre: args.centre.map(|centre| match centre {
                CentreArg::Parts => Centre::Parts,
                CentreArg::Image => Centre::Image,
            }),
            ..LearnOptions::default()
        },
        created: now(),
    };
    let mut lesson = Lesson::new(&model, settings, &args.engine.threads()?)?;
    let skipped = learn_parts(&mut lesson, &images)?;
    let parts = lesson.parts();
    let backbone = lesson.backbone();
    let bar = progress::bar(1, "calibrate");
    let mut recipe = lesson.finish(|done, steps| {
        bar.set_length(steps as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    let bytes = recipe.write(&args.output)?;
    let seconds = start.elapsed().as_secs_f64();
    if let Some(warning) = recipe.calibration.too_few() {
        eprintln!("note: {warning}");
    }
    match &recipe.drift {
        Some(drift) if drift.missing().is_empty() => {}
        Some(drift) => eprintln!(
            "note: these pictures do not tell what is normal for {}: a station learns it in place",
            drift.missing().join(", ")
        ),
        None => eprintln!(
            "note: these pictures are too few, or of several sizes: a station learns in place what \
             light, sharpness and position are normal"
        ),
    }
    eprintln!(
        "learned {parts} parts in {seconds:.1} s: {} ({:.1} MB)",
        args.output.display(),
        bytes as f64 / 1e6
    );
    if args.json {
        let normal = &recipe.normal;
        json_line(&Report {
            recipe: recipe.id,
            parts,
            skipped,
            model: recipe.origin.model_sha256,
            size: [recipe.view.input.width, recipe.view.input.height],
            shape: recipe.view.shape,
            tiles: [recipe.view.tiles.columns, recipe.view.tiles.rows],
            mask: recipe.view.kept.as_ref().map(|kept| MaskReport {
                kept: kept.patches().len(),
                patches: kept.grid().patches(),
            }),
            rank: normal.memory.nrows(),
            memory: normal.memory.ncols(),
            centre: normal.centre(),
            gate: normal.gate,
            blocks: normal.blocks.clone(),
            threshold: recipe.limits.image.into(),
            false_reject: args.false_reject,
            false_reject_bound: rounded(recipe.calibration.false_reject_bound),
            parts_needed: recipe.calibration.parts_needed,
            bytes,
            seconds: rounded(seconds),
            backbone_seconds: rounded(backbone.as_secs_f64()),
            rss_mb: peak_rss_mb(),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Learns all images that can be used and names the others.
fn learn_parts(lesson: &mut Lesson, images: &[PathBuf]) -> Result<Vec<String>> {
    let bar = progress::bar(images.len(), "learn");
    let mut skipped = Vec::new();
    for path in images {
        match learn_part(lesson, path) {
            Ok(()) => {}
            // A full disk is not the picture's fault.
            Err(error) if matches!(error.downcast_ref(), Some(LessonError::Learn(_))) => {
                return Err(error);
            }
            Err(error) => {
                bar.suspend(|| eprintln!("skipped {}: {error:#}", path.display()));
                skipped.push(path.display().to_string());
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(skipped)
}

fn learn_part(lesson: &mut Lesson, path: &Path) -> Result<()> {
    let bytes =
        std::fs::read(path).with_context(|| format!("cannot read image {}", path.display()))?;
    let picture = image::decode(&bytes, &path.display().to_string())?;
    let record = PartRecord {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        sha256: sha256(&bytes),
    };
    Ok(lesson.add(record, &picture)?)
}

/// How the images become input, as asked and as they are.
fn view(args: &Args, patch: usize, images: &[PathBuf]) -> Result<ViewSettings> {
    let contents = match args.roi {
        Some(roi) => vec![(roi.width, roi.height)],
        None => sizes(images)?,
    };
    let place_counts = matches!(args.place, PlaceArg::Yes);
    let one_input = args.tiles == TilesArg::default();
    let shape = match args.shape {
        ShapeArg::Auto if place_counts || args.mask.is_some() || !one_input => InputShape::Common,
        ShapeArg::Auto => InputShape::for_contents(&contents),
        ShapeArg::Common => InputShape::Common,
        ShapeArg::Own => InputShape::Own,
    };
    let content = match shape {
        InputShape::Common => common_size(contents.clone()),
        InputShape::Own if !one_input => bail!(
            "--tiles needs one shape for all images: a frame is cut alike for all of them; leave out \
             --shape own or --tiles"
        ),
        InputShape::Own if place_counts => bail!(
            "--place yes needs one shape for all images: a place on one shape is none on another; \
             leave out --shape own"
        ),
        InputShape::Own => {
            if args.shape == ShapeArg::Auto {
                eprintln!(
                    "note: these images come in several shapes, so each has an input of its own \
                     shape (--shape common stretches them all to one)"
                );
            }
            (1, 1)
        }
    };
    let (tiles, input) = args.tiles.of(args.size, patch, content)?;
    if !one_input {
        tiles::tell(tiles, input, &contents);
    }
    let view = ViewSettings {
        roi: args.roi,
        input,
        shape,
        tiles,
        kept: None,
    };
    match &args.mask {
        Some(path) => {
            let mask = Mask::read(path).context("cannot use the mask")?;
            Ok(view.with_mask(&mask, patch, &path.display().to_string())?)
        }
        None => Ok(view),
    }
}

/// Width and height of the images that can be read.
pub(super) fn sizes(images: &[PathBuf]) -> Result<Vec<(u32, u32)>> {
    let sizes: Vec<_> = images
        .iter()
        .filter_map(|path| image::read_dimensions(path).ok())
        .collect();
    if sizes.is_empty() {
        bail!(
            "none of the {} images can be read: see that they are images",
            images.len()
        );
    }
    Ok(sizes)
}

/// The middle one of the shapes: what most of the images look like.
pub(super) fn common_size(mut sizes: Vec<(u32, u32)>) -> (u32, u32) {
    sizes.sort_by(|a, b| {
        let aspect = |size: &(u32, u32)| f64::from(size.0) / f64::from(size.1);
        aspect(a).total_cmp(&aspect(b)).then(a.cmp(b))
    });
    sizes.get(sizes.len() / 2).copied().unwrap_or((1, 1))
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
