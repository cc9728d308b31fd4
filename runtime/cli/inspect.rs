//! `andon inspect`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::files;
use super::output::{json_line, ms, rounded};
use super::progress;
use super::source::{Engine, RecipeFile};
use crate::group::{Grouping, RegionGroups};
use crate::image;
use crate::inspect::{Inspection, Region, Verdict};
use crate::pipeline::{Pipeline, StageTimes};
use crate::report::overlay_with_notes;
use crate::vit::TapRequest;

/// Arguments of `andon inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon inspect -r bracket.andon part.jpg
  andon inspect -r bracket.andon parts/new --json --overlay out > results.jsonl
  andon inspect -r bracket.andon parts/new --groups out/groups.safetensors

Exit status: 0 all parts OK, 1 some NG and no error, 2 any error. An image that cannot be judged is
an error and never OK; the others are still judged.")]
pub struct Args {
    #[command(flatten)]
    recipe: RecipeFile,
    /// Images, or folders of images
    #[arg(required = true, value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Write a picture of each judged image into this folder: flagged regions, heat, score
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
    /// Say of each region on which group of `andon group` it lies
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    #[command(flatten)]
    engine: Engine,
}

/// What is printed of one image.
#[derive(Serialize)]
struct Line<'a> {
    image: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<f64>,
    threshold: f64,
    regions: Vec<NamedRegion<'a>>,
    recipe: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<Stages>,
}

/// A region, and what it lies on if groups were given.
#[derive(Serialize)]
struct NamedRegion<'a> {
    #[serde(flatten)]
    region: &'a Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a RegionGroups>,
}

/// Milliseconds by stage.
#[derive(Clone, Serialize)]
struct Stages {
    decode: f64,
    prepare: f64,
    backbone: f64,
    spectral: f64,
    regions: f64,
    total: f64,
}

impl Stages {
    fn new(decode: Duration, times: &StageTimes) -> Self {
        Self {
            decode: ms(decode),
            prepare: ms(times.prepare),
            backbone: ms(times.backbone),
            spectral: ms(times.spectral),
            regions: ms(times.regions),
            total: ms(decode + times.total()),
        }
    }
}

/// What became of one image.
struct Judged {
    inspection: Inspection,
    /// What each region lies on; empty without groups.
    on: Vec<RegionGroups>,
    stages: Stages,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let found = files::collect(&args.images)?;
    found.report_skipped();
    let mut overlays = args.overlay.as_deref().map(Overlays::new).transpose()?;
    let grouping = args.groups.as_deref().map(Grouping::read).transpose()?;
    let besides = grouping.as_ref().map(Grouping::request);
    let besides = besides.unwrap_or_else(|| TapRequest::new([]));
    let (recipe, pipeline) = args.recipe.open_with(&args.engine, &besides)?;
    if let Some(grouping) = &grouping {
        grouping.check_model(&recipe.origin.model_sha256)?;
    }
    let bar = progress::bar(found.images.len(), "inspect");
    let (mut ng, mut errors) = (0, 0);
    for path in &found.images {
        let judged = judge(&pipeline, grouping.as_ref(), path, overlays.as_mut());
        match &judged {
            Ok(judged) if judged.inspection.verdict == Verdict::Ng => ng += 1,
            Ok(_) => {}
            Err(_) => errors += 1,
        }
        let print = || {
            if args.json {
                print_json(path, &judged, &recipe.id, &recipe.origin.model_sha256)
            } else {
                print_row(path, &judged);
                Ok(())
            }
        };
        bar.suspend(print)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !args.json {
        let ok = found.images.len() - ng - errors;
        eprintln!("{ok} OK, {ng} NG, {errors} errors");
    }
    Ok(ExitCode::from(match (ng, errors) {
        (_, 1..) => 2,
        (1.., 0) => 1,
        (0, 0) => 0,
    }))
}

/// The folder of overlays. Images of one name, from several folders, each get their own.
struct Overlays<'a> {
    folder: &'a Path,
    taken: HashSet<String>,
}

impl<'a> Overlays<'a> {
    fn new(folder: &'a Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make overlay folder {}", folder.display()))?;
        Ok(Self {
            folder,
            taken: HashSet::new(),
        })
    }

    /// Where the overlay of an image of this name goes: `name.png`, `name-2.png` and so on.
    fn target(&mut self, name: &str) -> PathBuf {
        let mut file = format!("{name}.png");
        let mut number = 2;
        while !self.taken.insert(file.clone()) {
            file = format!("{name}-{number}.png");
            number += 1;
        }
        self.folder.join(file)
    }
}

fn judge(
    pipeline: &Pipeline,
    grouping: Option<&Grouping>,
    path: &Path,
    overlays: Option<&mut Overlays<'_>>,
) -> Result<Judged> {
    let start = Instant::now();
    let picture = image::read(path)?;
    let decode = start.elapsed();
    let seen = pipeline.inspect(&picture)?;
    let on = match (grouping, &seen.taps) {
        (Some(grouping), Some(taps)) if !seen.inspection.regions.is_empty() => {
            grouping.regions(&grouping.labels(taps)?, &seen.inspection)
        }
        _ => Vec::new(),
    };
    if let Some(overlays) = overlays {
        let notes: Vec<String> = on.iter().map(ToString::to_string).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = overlays.target(&name);
        overlay_with_notes(&picture, &seen.inspection, &name, &notes)
            .save(&target)
            .with_context(|| format!("cannot write overlay {}", target.display()))?;
    }
    Ok(Judged {
        stages: Stages::new(decode, &seen.times),
        inspection: seen.inspection,
        on,
    })
}

fn print_json(path: &Path, judged: &Result<Judged>, recipe: &str, model: &str) -> Result<()> {
    let image = path.display().to_string();
    let line = match judged {
        Ok(Judged {
            inspection,
            on,
            stages,
        }) => Line {
            image,
            verdict: inspection.verdict.as_str(),
            error: None,
            score: Some(printed(inspection)),
            layout: inspection.layout.map(|layout| rounded(layout.into())),
            threshold: 1.0,
            regions: inspection
                .regions
                .iter()
                .enumerate()
                .map(|(index, region)| NamedRegion {
                    region,
                    groups: on.get(index),
                })
                .collect(),
            recipe,
            model,
            ms: Some(stages.clone()),
        },
        Err(error) => Line {
            image,
            verdict: "error",
            error: Some(format!("{error:#}")),
            score: None,
            layout: None,
            threshold: 1.0,
            regions: Vec::new(),
            recipe,
            model,
            ms: None,
        },
    };
    json_line(&line)
}

/// The score to three digits, and never 1.0 when the verdict is OK.
fn printed(inspection: &Inspection) -> f64 {
    let score = rounded(inspection.score.into());
    match inspection.verdict {
        Verdict::Ok => score.min(0.999),
        Verdict::Ng => score,
    }
}

fn print_row(path: &Path, judged: &Result<Judged>) {
    let path = path.display();
    match judged {
        Err(error) => println!("ERROR  {path}: {error:#}"),
        Ok(Judged { inspection, on, .. }) => {
            let word = match inspection.verdict {
                Verdict::Ok => "OK   ",
                Verdict::Ng => "NG   ",
            };
            println!("{word} {:6.2}  {path}", inspection.score);
            for (index, region) in inspection.regions.iter().enumerate() {
                match on.get(index) {
                    Some(on) => println!("             {region}, {on}"),
                    None => println!("             {region}"),
                }
            }
            if let Some(note) = inspection.layout_note() {
                println!("             {note}");
            }
        }
    }
}
