//! `andon eval`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::files;
use super::output::{json_line, peak_rss_mb, rounded};
use super::progress;
use super::source::{Engine, RecipeFile};
use crate::evaluate::{Evaluation, Figures, HitRule, TruthFolders};
use crate::hash::sha256;
use crate::image;
use crate::pipeline::{Judged, Pipeline};

/// Arguments of `andon eval`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  andon eval -r bracket.andon --good parts/good --bad parts/bad --report report.html

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
    /// Print one JSON object with the figures
    #[arg(long)]
    json: bool,
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
    recipe: &'a str,
    model: &'a str,
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
    let mut evaluation = Evaluation::new(HitRule::default(), args.masks.is_some());
    let mut times = Vec::new();
    let (mut left_out, mut errors) = (0, 0);
    let bar = progress::bar(good.images.len() + bad.images.len(), "evaluate");
    let images = good
        .images
        .iter()
        .map(|p| (p, true))
        .chain(bad.images.iter().map(|p| (p, false)));
    for (path, is_good) in images {
        match judge(&pipeline, path, &learned) {
            Ok(None) => left_out += 1,
            Ok(Some((judged, size))) => {
                times.push(judged.times.total().as_secs_f64() * 1e3);
                if is_good {
                    evaluation.add_good(&judged.inspection, size)?;
                } else {
                    let known = truth.load(path, size)?;
                    evaluation.add_bad(&judged.inspection, size, &known)?;
                }
            }
            Err(error) => {
                errors += 1;
                bar.suspend(|| eprintln!("error: {}: {error:#}", path.display()));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    times.sort_by(f64::total_cmp);
    let figures = evaluation.figures();
    if args.json {
        json_line(&Line {
            figures,
            ms_median: times.get(times.len() / 2).copied().map(rounded),
            rss_mb: peak_rss_mb(),
            left_out,
            errors,
            recipe: &recipe.id,
            model: &recipe.origin.model_sha256,
        })?;
    } else {
        println!("{figures:#?}");
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
