//! `andon eval`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::files;
use super::output::{identity, json_line, now, peak_rss_mb, rounded, write_page};
use super::progress;
use super::source::{Engine, RecipeFile};
use super::stress;
use crate::evaluate::{
    Evaluation, Figures, HitRule, PixelMetrics, Rate, RegionTruth, TruthFolders,
};
use crate::hash::sha256;
use crate::image;
use crate::pipeline::{Judged, Pipeline};
use crate::report::{EvaluationReport, Gallery, JudgedImage, Outcome, Picture, overlay_with_truth};
use crate::stress::{Levels, StressFigures};

/// A defect counts as found when a tenth of it is flagged.
const RULE: HitRule = HitRule::Cover(0.1);

/// Pictures of each sort in a report.
const GALLERY: usize = 6;

/// Arguments of `andon eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon eval -r bracket.andon --good parts/good --bad parts/bad --report report.html
  andon eval -r bracket.andon --good parts/good --bad parts/bad --stress noise=4,8 rotation

Images that the recipe was learned from are recognised by their content and left out: a recipe must
not be measured on what it has seen.")]
pub struct Args {
    #[command(flatten)]
    recipe: RecipeFile,
    /// Images of good parts
    #[arg(long, value_name = "DIR")]
    good: Vec<PathBuf>,
    /// Images of bad parts
    #[arg(long, value_name = "DIR")]
    bad: Vec<PathBuf>,
    /// Masks of the defects: white where it is bad, named like the image
    #[arg(long, value_name = "DIR")]
    masks: Option<PathBuf>,
    /// Boxes of the defects: text files of lines `x1 y1 x2 y2 kind`, named like the image
    #[arg(long, value_name = "DIR")]
    boxes: Option<PathBuf>,
    /// Judge also the good parts that the recipe was learned from
    #[arg(long)]
    with_learned: bool,
    /// Judge the images under stress as well: KIND or KIND=LEVEL,LEVEL; every kind if none is
    /// named. Kinds: brightness and temperature (%), gamma, noise (grey levels), blur, motion-blur
    /// and shift (% of the shorter side), jpeg (quality), rotation (degrees)
    #[arg(long, value_name = "KIND", num_args = 0..)]
    stress: Option<Vec<Levels>>,
    /// Print one JSON object with the figures
    #[arg(long)]
    json: bool,
    /// Write a page with plots, tables and pictures of the worst cases
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    figures: Figures,
    ms_median: Option<f64>,
    rss_mb: Option<f64>,
    left_out: usize,
    errors: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    stress: Option<&'a [StressFigures]>,
    recipe: &'a str,
    model: &'a str,
}

/// One image and what came of it, for the report.
struct Row<'a> {
    path: &'a Path,
    judged: JudgedImage,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let good = files::collect(&args.good)?;
    let bad = files::collect(&args.bad)?;
    good.report_skipped();
    bad.report_skipped();
    if good.images.is_empty() && bad.images.is_empty() {
        bail!("nothing to evaluate: give --good, --bad or both");
    }
    let (recipe, pipeline) = args.recipe.open(&args.engine)?;
    let truth = TruthFolders {
        masks: args.masks.clone(),
        boxes: args.boxes.clone(),
    };
    let learned: HashSet<&str> = match args.with_learned {
        true => HashSet::new(),
        false => recipe
            .origin
            .parts
            .iter()
            .map(|part| part.sha256.as_str())
            .collect(),
    };
    let mut evaluation = Evaluation::new(RULE, args.masks.is_some());
    let mut rows = Vec::new();
    let mut times = Vec::new();
    let mut left_out = 0;
    let bar = progress::bar(good.images.len() + bad.images.len(), "evaluate");
    let images = good
        .images
        .iter()
        .map(|path| (path, false))
        .chain(bad.images.iter().map(|path| (path, true)));
    for (path, is_bad) in images {
        let outcome = match judge(&pipeline, path, &learned) {
            Ok(None) => {
                left_out += 1;
                bar.inc(1);
                continue;
            }
            Ok(Some((judged, size))) => {
                times.push(judged.times.total().as_secs_f64() * 1e3);
                let inspection = &judged.inspection;
                let hits = if is_bad {
                    let known = truth.load(path, size)?;
                    evaluation.add_bad(inspection, size, &known)?.regions
                } else {
                    evaluation.add_good(inspection, size)?.regions
                };
                Outcome::Judged {
                    verdict: inspection.verdict,
                    score: inspection.score,
                    regions: inspection.regions.len(),
                    hits,
                }
            }
            Err(error) => {
                bar.suspend(|| eprintln!("error: {}: {error:#}", path.display()));
                Outcome::Failed(format!("{error:#}"))
            }
        };
        rows.push(Row {
            path,
            judged: JudgedImage {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                bad: is_bad,
                kind: None,
                outcome,
                picture: None,
            },
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    times.sort_by(f64::total_cmp);
    let ms_median = times.get(times.len() / 2).copied().map(rounded);
    let figures = evaluation.figures();
    let errors = rows
        .iter()
        .filter(|row| row.judged.score().is_none())
        .count();
    let stressed = match &args.stress {
        None => None,
        Some(levels) => {
            let judged = rows.iter().filter(|row| row.judged.score().is_some());
            let images: Vec<_> = judged.map(|row| (row.path, row.judged.bad)).collect();
            Some(stress::sweep(&pipeline, &images, levels)?)
        }
    };
    if args.json {
        json_line(&Line {
            figures: figures.clone(),
            ms_median,
            rss_mb: peak_rss_mb(),
            left_out,
            errors,
            stress: stressed.as_deref(),
            recipe: &recipe.id,
            model: &recipe.origin.model_sha256,
        })?;
    } else {
        print_figures(&evaluation, &figures, left_out, errors);
        if let Some(stressed) = &stressed {
            stress::print(stressed);
        }
    }
    if let Some(path) = &args.report {
        add_pictures(&pipeline, &truth, &mut rows)?;
        let pixels = evaluation.pixels();
        let report = EvaluationReport {
            title: recipe.origin.name.clone(),
            date: now(),
            identity: identity(&recipe),
            figures,
            rule: RULE,
            pixel_auroc_error: pixels.and_then(PixelMetrics::auroc_error),
            pro_error: pixels.and_then(PixelMetrics::pro_error),
            pro_curve: pixels
                .map(|pixels| pixels.pro_curve(200))
                .unwrap_or_default(),
            stress: stressed.unwrap_or_default(),
            ms_median,
            rss_mb: peak_rss_mb(),
            images: rows.into_iter().map(|row| row.judged).collect(),
        };
        write_page(path, &report.html())?;
    }
    Ok(ExitCode::from(if errors > 0 { 2 } else { 0 }))
}

/// Judges an image and gives its size; nothing when the recipe was learned from it.
fn judge(
    pipeline: &Pipeline,
    path: &Path,
    learned: &HashSet<&str>,
) -> Result<Option<(Judged, [u32; 2])>> {
    let bytes =
        std::fs::read(path).with_context(|| format!("cannot read image {}", path.display()))?;
    if learned.contains(sha256(&bytes).as_str()) {
        return Ok(None);
    }
    let picture = image::decode(&bytes, &path.display().to_string())?;
    let size = [picture.width(), picture.height()];
    Ok(Some((pipeline.inspect(&picture)?, size)))
}

/// Draws the overlays of the images worth a look. They are judged once more for it, so that an
/// evaluation of thousands of images need not keep every map.
fn add_pictures(pipeline: &Pipeline, truth: &TruthFolders, rows: &mut [Row<'_>]) -> Result<()> {
    let judged: Vec<_> = rows.iter().map(|row| row.judged.clone()).collect();
    let chosen: Vec<usize> = Gallery::pick(&judged, GALLERY).indices().collect();
    let bar = progress::bar(chosen.len(), "pictures");
    for index in chosen {
        let row = &mut rows[index];
        let picture = image::read(row.path)?;
        let inspection = pipeline.inspect(&picture)?.inspection;
        let size = [picture.width(), picture.height()];
        let known = if row.judged.bad {
            RegionTruth::new(&truth.load(row.path, size)?)
        } else {
            None
        };
        let boxes = known.as_ref().map_or(&[][..], RegionTruth::boxes);
        let drawn = overlay_with_truth(&picture, &inspection, &row.judged.name, boxes);
        row.judged.picture = Some(Picture::thumbnail(&drawn, 1000)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

fn print_figures(evaluation: &Evaluation, figures: &Figures, left_out: usize, errors: usize) {
    let number = |value: Option<f64>| value.map_or("-".into(), |v| format!("{v:.3}"));
    println!(
        "good parts         {} ({left_out} left out: learned from)",
        figures.good
    );
    println!("bad parts          {}", figures.bad);
    println!("not judged         {errors}");
    println!("false rejects      {}", share(evaluation.false_reject()));
    println!("misses             {}", share(evaluation.miss()));
    println!("image AUROC        {}", number(figures.image_auroc));
    if figures.layout_auroc.is_some() {
        println!(
            "layout AUROC       {} (decides nothing)",
            number(figures.layout_auroc)
        );
    }
    println!("pixel AUROC        {}", number(figures.pixel_auroc));
    println!("AU-PRO (0.3)       {}", number(figures.pro));
    println!("region recall      {}", number(figures.region_recall));
    println!("region precision   {}", number(figures.region_precision));
    println!("regions per good   {}", number(figures.regions_per_good));
}

/// A count, its share, and the share's 95 % interval.
fn share(rate: Rate) -> String {
    match (rate.share(), rate.interval()) {
        (Some(share), Some([low, high])) => format!(
            "{} of {}: {:.1} % (95 %: {:.1} to {:.1} %)",
            rate.count,
            rate.of,
            100.0 * share,
            100.0 * low,
            100.0 * high
        ),
        _ => "-".into(),
    }
}
