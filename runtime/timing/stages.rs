//! Inspection by stage, and the fused network against the plain one.

use std::time::{Duration, Instant};

use image::RgbImage;
use serde::Serialize;

use super::statistics::median;
use crate::normal::Features;
use crate::pipeline::{InspectError, Pipeline, StageTimes};
use crate::recipe::Recipe;
use crate::vit::{Backbone, Engine, Model, ModelError, Mosaic, Threads};

/// Runs that are not counted: the first ones fetch memory from the system.
const WARM_UP: usize = 2;

/// One stage over all images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stage {
    /// Median, milliseconds.
    pub ms: f64,
    /// Median of its ratio to the network's time for the same image.
    pub of_network: f64,
}

/// Inspection by stage; decoding a file or a camera's format is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stages {
    /// Images that were judged.
    pub images: usize,
    /// The network, milliseconds, median.
    pub network_ms: f64,
    /// Cutting out, stretching, normalising.
    pub prepare: Stage,
    /// Features and distances.
    pub spectral: Stage,
    /// Map, regions, shares.
    pub regions: Stage,
    /// All stages, the network among them.
    pub whole: Stage,
}

/// Inspects `images` pictures, one after the other and from the front again. `step` is called after
/// each.
///
/// # Errors
/// [`InspectError`] when a picture cannot be judged.
pub fn stages(
    pipeline: &Pipeline,
    pictures: &[RgbImage],
    images: usize,
    mut step: impl FnMut(),
) -> Result<Stages, InspectError> {
    let mut times = Vec::with_capacity(images);
    for (n, picture) in pictures.iter().cycle().take(images + WARM_UP).enumerate() {
        let judged = pipeline.inspect(picture)?;
        if n >= WARM_UP {
            times.push(judged.times);
            step();
        }
    }
    let of = |stage: fn(&StageTimes) -> Duration| {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let all: Vec<f64> = times.iter().map(|t| ms(stage(t))).collect();
        let ratios: Vec<f64> = times
            .iter()
            .map(|t| ms(stage(t)) / ms(t.backbone))
            .collect();
        Stage {
            ms: median(&all),
            of_network: median(&ratios),
        }
    };
    Ok(Stages {
        images: times.len(),
        network_ms: of(|t| t.backbone).ms,
        prepare: of(|t| t.prepare),
        spectral: of(|t| t.spectral),
        regions: of(|t| t.regions),
        whole: of(StageTimes::total),
    })
}

/// The fused network against the plain one, for the blocks that a recipe asks for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Against {
    /// Pairs of runs.
    pub rounds: usize,
    /// The fused network, milliseconds, median.
    pub fused_ms: f64,
    /// `tract` alone, milliseconds, median.
    pub plain_ms: f64,
    /// Median of fused / plain over the pairs.
    pub ratio: f64,
}

/// Runs both engines in turn on one picture of the recipe, or the first of its tiles that is looked
/// at, `rounds` times each. `step` is called after each pair.
///
/// # Errors
/// [`ModelError`] when the network cannot serve the recipe's view.
pub fn against_plain(
    model: &Model,
    recipe: &Recipe,
    threads: &Threads,
    rounds: usize,
    mut step: impl FnMut(),
) -> Result<Against, ModelError> {
    let input = recipe.view.input;
    let request = Features::request(&recipe.normal.blocks);
    let tile = Backbone::check(model, (input.width, input.height), &request)?;
    let tiles = recipe.view.tiles;
    let mosaic = Mosaic::new(tile, [tiles.columns, tiles.rows], recipe.view.kept.clone());
    let kept = mosaic.tiles().first().and_then(|tile| tile.kept.as_ref());
    let prepare = |engine| {
        Backbone::with_kept(
            model,
            (input.width, input.height),
            kept,
            &request,
            threads,
            engine,
        )
    };
    let (fused, plain) = (prepare(Engine::Fused)?, prepare(Engine::Plain)?);
    // What a picture shows does not change the time: no step of the network depends on values.
    let picture = vec![0.5; 3 * input.width * input.height];
    let ms = |backbone: &Backbone| -> Result<f64, ModelError> {
        let start = Instant::now();
        backbone.run(&picture)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let (mut of_fused, mut of_plain, mut ratios) = (vec![], vec![], vec![]);
    for round in 0..rounds + 1 {
        let (plain, fused) = (ms(&plain)?, ms(&fused)?);
        if round > 0 {
            of_plain.push(plain);
            of_fused.push(fused);
            ratios.push(fused / plain);
            step();
        }
    }
    Ok(Against {
        rounds,
        fused_ms: median(&of_fused),
        plain_ms: median(&of_plain),
        ratio: median(&ratios),
    })
}
