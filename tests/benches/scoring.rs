//! How well scores tell good parts from bad ones on the real images of `../shared/data`, beside two
//! rivals on the very same features: full nearest neighbour (every patch of every part remembered,
//! no subspace) and residual only (95 % of the variance, no memory).
//!
//! `cargo bench --bench scoring` runs it with the built-in model; a manifest named by the variable
//! `ANDON_BENCH_MODEL` is measured instead, such as that of the float model. `ANDON_BENCH_SETS`
//! names the sets, `screws,tiles,pcb` by default.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use andon::evaluate::{Evaluation, HitRule, TruthFolders, auroc};
use andon::image::{self, InputShape, InputSize, Roi, Tiles};
use andon::inspect::{Inspector, Verdict};
use andon::normal::{Centre, Features, Moments};
use andon::pipeline::{BLOCKS, FrontEnd, LearnSettings, Lesson, Pipeline};
use andon::recipe::{LearnOptions, PartRecord, Place, Recipe, ViewSettings};
use andon::vit::{Model, Threads};
use anyhow::{Context, Result};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand::seq::SliceRandom;

const DATA: &str = "../shared/data";
const SIDE: usize = 448;
const SEEDS: u64 = 3;

fn main() -> Result<()> {
    if !Path::new(DATA).is_dir() {
        eprintln!("SKIPPED: {DATA} is not there, so nothing was measured");
        return Ok(());
    }
    let model = match env::var_os("ANDON_BENCH_MODEL") {
        Some(path) => Model::open(Path::new(&path))?,
        None => Model::embedded()?,
    };
    println!("model {}", model.manifest().name);
    let sets = env::var("ANDON_BENCH_SETS").unwrap_or_else(|_| "screws,tiles,pcb".into());
    for set in sets.split(',') {
        match set {
            "screws" => drawn(&model, "screws", 8)?,
            "tiles" => drawn(&model, "tiles", 16)?,
            "pcb" => boards(&model)?,
            other => anyhow::bail!("no set is called {other:?}"),
        }
    }
    Ok(())
}

/// A set of which some good parts are drawn and learned, and all others judged.
fn drawn(model: &Model, set: &str, learn: usize) -> Result<()> {
    let good_paths = images(&format!("{DATA}/{set}/good"))?;
    let bad = images(&format!("{DATA}/{set}/bad"))?;
    let mut shapes = good_paths
        .iter()
        .map(|p| image::read_dimensions(p))
        .collect::<Result<Vec<_>, _>>()?;
    shapes.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
    // As `andon learn` decides it.
    let view = match InputShape::for_contents(&shapes) {
        InputShape::Common => view(SIDE, shapes[shapes.len() / 2]),
        InputShape::Own => ViewSettings {
            shape: InputShape::Own,
            ..view(SIDE, (1, 1))
        },
    };
    let front = FrontEnd::new(model, &view, &BLOCKS, &THREADS)?;
    let see = |paths: &[PathBuf]| -> Result<Vec<Features>> {
        paths
            .iter()
            .map(|path| Ok(front.see(&image::read(path)?)?.features))
            .collect()
    };
    let (good, bad) = (see(&good_paths)?, see(&bad)?);
    let mut table: Vec<[f64; 5]> = Vec::new();
    for seed in 1..=SEEDS {
        let mut order: Vec<usize> = (0..good.len()).collect();
        order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
        let parts: Vec<&Features> = order[..learn].iter().map(|&i| &good[i]).collect();
        let others: Vec<&Features> = order[learn..].iter().map(|&i| &good[i]).collect();
        let compare = |score: &dyn Fn(&Features) -> f64| {
            let good: Vec<f64> = others.iter().map(|f| score(f)).collect();
            let bad: Vec<f64> = bad.iter().map(score).collect();
            let share = |scores: &[f64], count: usize| count as f64 / scores.len() as f64;
            let rejected = good.iter().filter(|s| **s >= 1.0).count();
            let missed = bad.iter().filter(|s| **s < 1.0).count();
            (
                auroc(&good, &bad).unwrap_or(f64::NAN),
                share(&good, rejected),
                share(&bad, missed),
            )
        };
        let paths: Vec<&PathBuf> = order[..learn].iter().map(|&i| &good_paths[i]).collect();
        let recipe = learned(model, view.clone(), Place::default(), &paths)?;
        println!(
            "  measured from {:?}, place {:?}",
            recipe.normal.centre(),
            recipe.normal.gate
        );
        let inspector = Inspector::new(recipe.normal, recipe.limits)?;
        let ours = compare(&|features| judged(&inspector, features));
        let neighbour = compare(&|features| full_nearest_neighbour(&parts, features));
        let residual = residual_only(&parts);
        let residual = compare(&|features| residual(features));
        println!(
            "{set} seed {seed}: {learn} parts, AUROC ours {:.3}, full nearest neighbour {:.3}, \
             residual only {:.3}; at our limit {:.3} false rejects, {:.3} misses",
            ours.0, neighbour.0, residual.0, ours.1, ours.2
        );
        table.push([ours.0, neighbour.0, residual.0, ours.1, ours.2]);
    }
    let mean = |k: usize| table.iter().map(|row| row[k]).sum::<f64>() / table.len() as f64;
    println!(
        "{set} mean of {SEEDS}: ours {:.3}, full nearest neighbour {:.3}, residual only {:.3}; \
         false rejects {:.3}, misses {:.3}",
        mean(0),
        mean(1),
        mean(2),
        mean(3),
        mean(4)
    );
    Ok(())
}

/// Boards that are each learned from their own single template.
fn boards(model: &Model) -> Result<()> {
    let every: usize = env::var("ANDON_BENCH_EVERY")
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(3);
    let side: usize = env::var("ANDON_BENCH_SIDE")
        .ok()
        .and_then(|v| v.parse().ok())
        .unwrap_or(SIDE);
    let templates = images(&format!("{DATA}/pcb/good"))?;
    let truth = TruthFolders {
        masks: None,
        boxes: Some(format!("{DATA}/pcb/boxes").into()),
    };
    for place in [Place::Counts, Place::DoesNot] {
        // A box is found when a tenth of it is flagged.
        let mut evaluation = Evaluation::new(HitRule::Cover(0.1), false);
        for template in templates.iter().step_by(every) {
            let name = template.file_name().context("a board without a name")?;
            let board = Path::new(DATA).join("pcb/bad").join(name);
            let picture = image::read(template)?;
            let view = view(side, picture.dimensions());
            let recipe = learned(model, view, place, &[template])?;
            let pipeline = Pipeline::new(model, &recipe, &THREADS)?;
            evaluation.add_good(&pipeline.inspect(&picture)?.inspection, size(&picture))?;
            let picture = image::read(&board)?;
            let inspection = pipeline.inspect(&picture)?.inspection;
            let known = truth.load(&board, size(&picture))?;
            evaluation.add_bad(&inspection, size(&picture), &known)?;
        }
        let figures = evaluation.figures();
        println!(
            "pcb at {side} px, {} boards, place {place:?}: region F {:.3} (recall {:.3}, precision \
             {:.3}), boards missed {:.3}",
            figures.bad,
            figures.region_f.unwrap_or(f64::NAN),
            figures.region_recall.unwrap_or(f64::NAN),
            figures.region_precision.unwrap_or(f64::NAN),
            figures.miss.unwrap_or(f64::NAN),
        );
    }
    Ok(())
}

fn learned(model: &Model, view: ViewSettings, place: Place, parts: &[&PathBuf]) -> Result<Recipe> {
    let settings = LearnSettings {
        name: "bench".into(),
        view,
        blocks: BLOCKS.into(),
        options: LearnOptions {
            place,
            ..LearnOptions::default()
        },
        created: String::new(),
    };
    let mut lesson = Lesson::new(model, settings, &THREADS)?;
    for path in parts {
        let record = PartRecord {
            file: path.display().to_string(),
            sha256: String::new(),
        };
        lesson.add(record, &image::read(path)?)?;
    }
    Ok(lesson.finish(|_, _| {})?)
}

fn judged(inspector: &Inspector, features: &Features) -> f64 {
    let whole = Roi::whole(1000, 1000);
    let Ok(scores) = inspector.score(features) else {
        return f64::NAN;
    };
    let inspection = inspector.judge(features, &scores, whole);
    assert_eq!(inspection.verdict == Verdict::Ng, inspection.score >= 1.0);
    f64::from(inspection.score)
}

/// The same statistic for all: the mean over the most deviating 0.5 % of the patches.
fn statistic(mut scores: Vec<f32>) -> f64 {
    let count = ((scores.len() as f64 * 0.005).ceil() as usize).max(1);
    scores.sort_by(|a, b| b.total_cmp(a));
    scores[..count].iter().map(|&s| f64::from(s)).sum::<f64>() / count as f64
}

fn full_nearest_neighbour(parts: &[&Features], features: &Features) -> f64 {
    let mut nearest = vec![f32::INFINITY; features.total.ncols()];
    for part in parts {
        let products = part.total.transpose() * &features.total;
        for (least, column) in nearest.iter_mut().zip(products.column_iter()) {
            // Unit vectors: |a - b|^2 = 2 - 2 a b.
            *least = least.min(2.0 - 2.0 * column.max());
        }
    }
    statistic(nearest)
}

fn residual_only(parts: &[&Features]) -> impl Fn(&Features) -> f64 + use<> {
    let mut moments = Moments::new(parts[0].dim(), BLOCKS.len(), 1);
    parts.iter().for_each(|part| moments.add(part));
    let whole = moments.whole();
    let eigen = whole.covariance(Centre::Parts).symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let total: f64 = eigen.eigenvalues.sum();
    let mut held = 0.0;
    let kept: Vec<usize> = order
        .into_iter()
        .take_while(|&k| {
            let before = held;
            held += eigen.eigenvalues[k];
            before < 0.95 * total
        })
        .collect();
    let basis: DMatrix<f32> = eigen.eigenvectors.select_columns(&kept).cast();
    let mean = whole.mean().cast::<f32>();
    move |features| {
        let mut relative = features.total.clone();
        relative
            .column_iter_mut()
            .for_each(|mut column| column -= &mean);
        let inside = basis.transpose() * &relative;
        let pairs = relative.column_iter().zip(inside.column_iter());
        statistic(
            pairs
                .map(|(f, c)| f.norm_squared() - c.norm_squared())
                .collect(),
        )
    }
}

fn view(side: usize, shape: (u32, u32)) -> ViewSettings {
    ViewSettings {
        roi: None,
        input: InputSize::for_content(side, 14, shape),
        shape: InputShape::Common,
        tiles: Tiles::ONE,
        kept: None,
    }
}

/// For all networks.
static THREADS: LazyLock<Threads> = LazyLock::new(|| Threads::asked(None, &[]).expect("threads"));

fn size(picture: &::image::RgbImage) -> [u32; 2] {
    [picture.width(), picture.height()]
}

fn images(folder: &str) -> Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list {folder}"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
