//! `andon demo`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use image::RgbImage;

use super::output::{identity, now, write_page};
use super::progress;
use super::source::Engine;
use crate::camera::rendered::{DefectKind, LineConfig, RenderedLine, RenderedPart};
use crate::evaluate::{HitRule, RegionTally, RegionTruth};
use crate::hash::sha256;
use crate::image::{InputShape, InputSize, Tiles};
use crate::inspect::Verdict;
use crate::pipeline::{BLOCKS, LearnSettings, Lesson, Pipeline};
use crate::recipe::{LearnOptions, PartRecord, Recipe, ViewSettings};
use crate::report::{
    DemonstrationReport, Gallery, JudgedImage, Outcome, Picture, overlay_with_truth,
};
use crate::vit::{Model, Threads};

/// Side of a square of the area of the network's input: small, so that the demo is quick.
const SIZE: usize = 448;

/// Pictures of each sort in the report.
const GALLERY: usize = 8;

/// Arguments of `andon demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon demo
  andon demo --seed 7 --parts 60 -o line.html

Everything is drawn by the program: a part with four screws, a label and a sticker on a belt, under
drifting light, with vibration and camera noise. The same seed gives the same line again.")]
pub struct Args {
    /// Which line is rendered
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Good parts to learn from
    #[arg(long, value_name = "N", default_value_t = 12)]
    learn: u64,
    /// Parts to judge
    #[arg(long, value_name = "N", default_value_t = 33)]
    parts: u64,
    /// Report to write
    #[arg(
        short,
        long,
        value_name = "FILE.html",
        default_value = "andon-demo.html"
    )]
    output: PathBuf,
    #[command(flatten)]
    engine: Engine,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let start = Instant::now();
    let config = LineConfig {
        seed: args.seed,
        defect_rate: 0.33,
        severity: [0.3, 1.0],
        ..LineConfig::default()
    };
    let line = RenderedLine::new(config.clone())?;
    let model = args.engine.load()?;
    let threads = args.engine.threads()?;
    let (recipe, learned_pictures) = learn(args, &line, &model, &threads)?;
    let pipeline = Pipeline::new(&model, &recipe, &threads)?;
    let parts = judge(args, &line, &pipeline)?;
    let seconds = start.elapsed().as_secs_f64();
    summary(&parts, &recipe, seconds);
    let report = DemonstrationReport {
        title: "A rendered line".into(),
        date: now(),
        line: facts(&config),
        learned_pictures,
        learned: recipe.origin.parts.len(),
        identity: identity(&recipe),
        parts,
        seconds,
    };
    write_page(&args.output, &report.html())?;
    Ok(ExitCode::SUCCESS)
}

/// Learns the first parts of the line, all of them good.
fn learn(
    args: &Args,
    line: &RenderedLine,
    model: &Model,
    threads: &Threads,
) -> Result<(Recipe, Vec<Picture>)> {
    let config = line.config();
    let patch = model.manifest().architecture.patch;
    let settings = LearnSettings {
        name: "rendered line".into(),
        view: ViewSettings {
            roi: None,
            input: InputSize::for_content(SIZE, patch, (config.width, config.height)),
            shape: InputShape::Common,
            tiles: Tiles::ONE,
            kept: None,
        },
        blocks: BLOCKS.into(),
        options: LearnOptions::default(),
        created: now(),
    };
    let mut lesson = Lesson::new(model, settings, threads)?;
    let bar = progress::bar(args.learn as usize, "learn");
    let mut pictures = Vec::new();
    for index in 0..args.learn {
        let RenderedPart { image, .. } = line.part(index, None);
        lesson.add(
            PartRecord {
                file: format!("part {index}"),
                sha256: sha256(image.as_raw()),
            },
            &image,
        )?;
        if pictures.len() < 6 {
            pictures.push(Picture::thumbnail(&image, 320)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let bar = progress::bar(1, "calibrate");
    let mut recipe = lesson.finish(|done, steps| {
        bar.set_length(steps as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    // The recipe gets its identity from being written; nothing of the demo stays but the report.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    recipe.write(&folder.path().join("demo.andon"))?;
    Ok((recipe, pictures))
}

/// Judges the parts that follow.
fn judge(args: &Args, line: &RenderedLine, pipeline: &Pipeline) -> Result<Vec<JudgedImage>> {
    let bar = progress::bar(args.parts as usize, "judge");
    let mut parts = Vec::new();
    for part in line.parts_from(args.learn).take(args.parts as usize) {
        let judged = judge_part(pipeline, &part)?;
        bar.set_message(match judged.0.outcome {
            Outcome::Judged {
                verdict: Verdict::Ng,
                ..
            } => "NG",
            _ => "OK",
        });
        parts.push(judged);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let rows: Vec<JudgedImage> = parts.iter().map(|(row, _)| row.clone()).collect();
    let chosen: Vec<usize> = Gallery::pick(&rows, GALLERY).indices().collect();
    let picture = |(index, (row, drawn)): (usize, (JudgedImage, RgbImage))| {
        let picture = if chosen.contains(&index) {
            Some(Picture::thumbnail(&drawn, 1000)?)
        } else {
            None
        };
        Ok(JudgedImage { picture, ..row })
    };
    parts.into_iter().enumerate().map(picture).collect()
}

fn judge_part(pipeline: &Pipeline, part: &RenderedPart) -> Result<(JudgedImage, RgbImage)> {
    let inspection = pipeline.inspect(&part.image)?.inspection;
    let name = format!("part {}", part.index);
    let boxes: Vec<[u32; 4]> = part.defects.iter().map(|defect| defect.bbox).collect();
    let hits = (!part.is_good()).then(|| {
        let truth = RegionTruth::from_mask(&part.mask);
        RegionTally::of(
            &inspection.regions,
            &inspection.map,
            &truth,
            HitRule::default(),
        )
    });
    let kind = part.defects.first().map(|defect| spoken(defect.kind));
    let drawn = overlay_with_truth(&part.image, &inspection, &name, &boxes);
    let row = JudgedImage {
        name,
        bad: !part.is_good(),
        kind,
        outcome: Outcome::Judged {
            verdict: inspection.verdict,
            score: inspection.score,
            regions: inspection.regions.len(),
            hits,
        },
        picture: None,
    };
    Ok((row, drawn))
}

/// `missing_screw` as people write it.
fn spoken(kind: DefectKind) -> String {
    kind.as_str().replace('_', " ")
}

fn summary(parts: &[JudgedImage], recipe: &Recipe, seconds: f64) {
    let count = |bad: bool, verdict: Verdict| {
        parts
            .iter()
            .filter(|part| part.bad == bad)
            .filter(
                |part| matches!(part.outcome, Outcome::Judged { verdict: v, .. } if v == verdict),
            )
            .count()
    };
    let (caught, missed) = (count(true, Verdict::Ng), count(true, Verdict::Ok));
    let (rejected, passed) = (count(false, Verdict::Ng), count(false, Verdict::Ok));
    println!("learned   {} good parts", recipe.origin.parts.len());
    println!(
        "judged    {} parts in {seconds:.0} s, all told",
        parts.len()
    );
    println!("bad       {caught} of {} caught", caught + missed);
    println!("good      {passed} of {} passed", rejected + passed);
    for part in parts.iter().filter(|part| part.bad) {
        let kind = part.kind.as_deref().unwrap_or("defect");
        if let Outcome::Judged {
            verdict: Verdict::Ok,
            score,
            ..
        } = part.outcome
        {
            println!("missed    {}: {kind}, score {score:.2}", part.name);
        }
    }
}

fn facts(config: &LineConfig) -> Vec<(String, String)> {
    [
        ("seed", config.seed.to_string()),
        ("frame", format!("{} x {} px", config.width, config.height)),
        (
            "defective",
            format!("{:.0} % of the parts", 100.0 * config.defect_rate),
        ),
        (
            "vibration",
            format!(
                "{} px, {} degrees",
                config.vibration_px, config.vibration_deg
            ),
        ),
        (
            "light",
            format!("drifts by {:.0} %", 100.0 * config.brightness_drift),
        ),
        ("noise", format!("{} grey levels", config.noise_levels)),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec()
}
