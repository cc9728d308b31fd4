//! `andon explain`.

pub(super) mod blocks;
mod record;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use image::RgbImage;

use self::blocks::BlockList;
use self::record::{Facts, Line, PathwayFacts, Times};
use super::files;
use super::output::{json_line, ms, now, write_page};
use super::progress;
use super::source::{Engine, check_size};
use crate::explain::{Explainer, Layers, MOST_GROUPS, Settings, WhatTap, WhereAffinity};
use crate::image::{InputSize, Preparation, read};
use crate::inspect::Pathway;
use crate::report::{
    ExplainedImage, ExplanationReport, block_sheet, eigenvector_sheet, group_sheet,
};
use crate::vit::{Backbones, Grid, Model, Taps};

/// Longer side of a picture of groups, of an eigenvector, and of a block, in the PNG files.
const GROUP_TILE: u32 = 640;
const EIGENVECTOR_TILE: u32 = 320;
const BLOCK_TILE: u32 = 180;

/// Arguments of `andon explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon explain part.jpg -o out
  andon explain parts/good -o out --blocks 5-8 --groups 4

Into the folder go, for each image, NAME.groups.png (the image beside its groups by what and by
where), NAME.eigenvectors.png and NAME.blocks.png; explain.json with one line an image; and
explain.html, one page that shows all of it, block by block and all blocks together.

What: patches whose values are alike, the same kind of thing. Where: patches that ask for each other
(queries against keys), which follows the layout. See arXiv 2312.06716.")]
pub struct Args {
    /// Images, or folders of images
    #[arg(required = true, value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    /// Folder to write into; it is made if need be
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Side of a square of the area of the network's input, in pixels
    #[arg(long, value_name = "PX", default_value_t = 448)]
    size: usize,
    /// Blocks to look at, such as 5,6,7,8 or 5-8 [default: all]
    #[arg(long, value_name = "LIST")]
    blocks: Option<BlockList>,
    /// Whose rows are compared for what
    #[arg(long, value_enum, default_value_t = What::Value)]
    what: What,
    /// How queries and keys are compared for where
    #[arg(long = "where", value_enum, default_value_t = Where::Attention)]
    where_: Where,
    /// Groups to cut into, 2 to 8 [default: as many as the largest gap of the eigenvalues says]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=MOST_GROUPS as i64))]
    groups: Option<u8>,
    /// Only all blocks together, not each block alone: faster
    #[arg(long)]
    together: bool,
    /// Print the lines of explain.json as well
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: Engine,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Values, as in the paper
    Value,
    /// Keys
    Key,
    /// Output tokens
    Tokens,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Where {
    /// Softmax attention, averaged over heads and symmetrised
    Attention,
    /// Their cosine: faster, without a patches x patches matrix
    Cosine,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let found = files::collect(&args.images)?;
    found.report_skipped();
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make folder {}", args.output.display()))?;
    let model = args.engine.load()?;
    let mut lens = Lens::new(args, &model)?;
    let bar = progress::bar(found.images.len(), "explain");
    let mut names = Names::default();
    let (mut images, mut failed, mut lines) = (Vec::new(), Vec::new(), String::new());
    let mut all_times = Vec::new();
    for path in &found.images {
        let name = names.name(path);
        bar.set_message(name.clone());
        let seen = lens.explain(path).and_then(|seen| {
            images.push(seen.draw(&args.output, &name)?);
            Ok(seen)
        });
        let (error, explained) = match &seen {
            Ok(seen) => {
                all_times.push(seen.times);
                bar.suspend(|| eprintln!("{}", seen.summary(&name)));
                (None, Some(seen.facts(args, &lens)))
            }
            Err(error) => {
                let error = format!("{error:#}");
                bar.suspend(|| eprintln!("{}: {error}", path.display()));
                failed.push((path.display().to_string(), error.clone()));
                (Some(error), None)
            }
        };
        let line = Line {
            image: path.display().to_string(),
            error,
            explained,
            model: &model.manifest().sha256,
        };
        let text = serde_json::to_string(&line).context("cannot write JSON")?;
        writeln!(lines, "{text}")?;
        if args.json {
            bar.suspend(|| json_line(&line))?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let json = args.output.join("explain.json");
    std::fs::write(&json, lines).with_context(|| format!("cannot write {}", json.display()))?;
    let errors = failed.len();
    let report = ExplanationReport {
        title: "What and where".into(),
        date: now(),
        images,
        failed,
        identity: identity(args, &lens, &model, &all_times),
    };
    write_page(&args.output.join("explain.html"), &report.html())?;
    Ok(ExitCode::from(if errors == 0 { 0 } else { 2 }))
}

/// The network and the explainer behind it.
struct Lens<'a> {
    args: &'a Args,
    model: &'a Model,
    explainer: Explainer,
    backbones: Backbones,
}

impl<'a> Lens<'a> {
    fn new(args: &'a Args, model: &'a Model) -> Result<Self> {
        let sizes = model.manifest().architecture;
        check_size(args.size, sizes.patch)?;
        let all = || (1..=sizes.blocks).collect();
        let blocks = BlockList::or(args.blocks.as_ref(), all(), sizes.blocks)?;
        let settings = Settings {
            blocks,
            what: match args.what {
                What::Value => WhatTap::Value,
                What::Key => WhatTap::Key,
                What::Tokens => WhatTap::Tokens,
            },
            where_: match args.where_ {
                Where::Cosine => WhereAffinity::Cosine,
                Where::Attention => WhereAffinity::Attention,
            },
            together_only: args.together,
        };
        let threads = args.engine.threads()?;
        let explainer = Explainer::new(settings, sizes.heads, Arc::clone(threads.pool()))?;
        Ok(Self {
            args,
            model,
            backbones: Backbones::new(model.clone(), explainer.request(), threads),
            explainer,
        })
    }

    fn explain(&mut self, path: &Path) -> Result<Seen> {
        let start = Instant::now();
        let picture = read(path)?;
        let decode = start.elapsed();
        let patch = self.model.manifest().architecture.patch;
        let input = InputSize::for_content(self.args.size, patch, picture.dimensions());
        let (taps, backbone) = self.look(&picture, input)?;
        let both = [Pathway::What, Pathway::Where];

        let start = Instant::now();
        let [what, where_] = both.map(|pathway| self.explainer.spectra(&taps, pathway));
        let spectra = [what?, where_?];
        let spectral = start.elapsed();

        let start = Instant::now();
        let groups = self.args.groups.map(usize::from);
        let [what, where_] = spectra;
        let layers = [
            Layers::new(Pathway::What, what, taps.grid, groups),
            Layers::new(Pathway::Where, where_, taps.grid, groups),
        ];
        Ok(Seen {
            picture,
            input,
            grid: taps.grid,
            layers,
            times: Times {
                decode: ms(decode),
                backbone: ms(backbone),
                spectral: ms(spectral),
                groups: ms(start.elapsed()),
            },
        })
    }

    /// Runs the network; preparing it is not part of the time.
    fn look(&mut self, picture: &RgbImage, input: InputSize) -> Result<(Taps, Duration)> {
        let backbone = self.backbones.of((input.width, input.height), None)?;
        let levels = &self.model.manifest().input;
        let preparation = Preparation::new(None, input, levels.mean, levels.std);
        let tensor = preparation.normalise(&preparation.crop(picture)?);
        let start = Instant::now();
        Ok((backbone.run(&tensor)?, start.elapsed()))
    }
}

/// An image and its explanation.
struct Seen {
    picture: RgbImage,
    input: InputSize,
    grid: Grid,
    layers: [Layers; 2],
    times: Times,
}

impl Seen {
    /// Writes the pictures, and gives those of the page.
    fn draw(&self, folder: &Path, name: &str) -> Result<ExplainedImage> {
        let layers = self.layers.each_ref();
        let save = |sheet: RgbImage, kind: &str| {
            let target = folder.join(format!("{name}.{kind}.png"));
            let saved = sheet.save(&target);
            saved.with_context(|| format!("cannot write {}", target.display()))
        };
        save(
            group_sheet(&self.picture, layers, name, GROUP_TILE),
            "groups",
        )?;
        let eigenvectors = eigenvector_sheet(&self.picture, layers, name, EIGENVECTOR_TILE);
        save(eigenvectors, "eigenvectors")?;
        if layers.iter().any(|layers| !layers.blocks.is_empty()) {
            let blocks = block_sheet(&self.picture, layers, name, BLOCK_TILE);
            save(blocks, "blocks")?;
        }
        Ok(ExplainedImage::new(name, &self.picture, layers)?)
    }

    fn summary(&self, name: &str) -> String {
        let [what, where_] = self.layers.each_ref().map(|l| l.together.groups.count);
        let Times {
            backbone,
            spectral,
            groups,
            ..
        } = self.times;
        format!(
            "{name}: {what} groups by what, {where_} by where; backbone {backbone:.0} ms, \
             eigenvectors {spectral:.0} ms, groups {groups:.0} ms"
        )
    }

    fn facts<'a>(&self, args: &Args, lens: &'a Lens<'_>) -> Facts<'a> {
        let size = self.picture.dimensions();
        let [what, where_] = self.layers.each_ref().map(|l| PathwayFacts::new(l, size));
        Facts {
            size: size.into(),
            input: [self.input.width, self.input.height],
            grid: [self.grid.rows, self.grid.cols],
            blocks: &lens.explainer.settings().blocks,
            what_tap: named(args.what),
            where_affinity: named(args.where_),
            groups_by: if args.groups.is_some() {
                "asked"
            } else {
                "gap"
            },
            what,
            where_,
            ms: self.times,
        }
    }
}

/// The word for an option, as it is written on the command line.
fn named(value: impl clap::ValueEnum) -> String {
    let word = value.to_possible_value();
    word.map(|word| word.get_name().to_owned())
        .unwrap_or_default()
}

fn identity(args: &Args, lens: &Lens<'_>, model: &Model, times: &[Times]) -> Vec<(String, String)> {
    let manifest = model.manifest();
    let settings = lens.explainer.settings();
    let blocks: Vec<String> = settings.blocks.iter().map(ToString::to_string).collect();
    let median = |of: fn(&Times) -> f64| {
        let mut all: Vec<f64> = times.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let mut facts = vec![
        ("program".to_owned(), format!("andon {}", crate::VERSION)),
        (
            "model".to_owned(),
            format!("{} ({})", manifest.name, manifest.sha256),
        ),
        ("blocks".to_owned(), blocks.join(", ")),
        (
            "what".to_owned(),
            format!("cosine of {} rows", named(args.what)),
        ),
        (
            "where".to_owned(),
            format!("{} of queries and keys", named(args.where_)),
        ),
    ];
    if !times.is_empty() {
        facts.push((
            "time an image, median".to_owned(),
            format!(
                "network {:.0} ms, all eigenvectors {:.0} ms, groups {:.0} ms",
                median(|t| t.backbone),
                median(|t| t.spectral),
                median(|t| t.groups)
            ),
        ));
    }
    facts
}

/// File names for pictures, each given once.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// The file name of the image; where two folders hold the same, a number follows.
    pub(in crate::cli) fn name(&mut self, path: &Path) -> String {
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let numbered = (2..).map(|number| format!("{own}.{number}"));
        let mut names = std::iter::once(own.clone().into_owned()).chain(numbered);
        // The numbers do not end before a free name is found.
        let free = names
            .find(|name| !self.0.contains(name))
            .unwrap_or_default();
        self.0.insert(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_one_name_from_two_folders_get_two_names() {
        let mut names = Names::default();
        let given = ["a/1.png", "b/1.png", "b/2.png"].map(|p| names.name(Path::new(p)));
        assert_eq!(given, ["1.png", "1.png.2", "2.png"]);
    }
}
