//! What `explain.json` says of an image.

use serde::Serialize;

use crate::cli::output::rounded;
use crate::explain::{GroupArea, Layer, Layers};
use crate::vit::Grid;

/// One line of `explain.json`.
#[derive(Serialize)]
pub struct Line<'a> {
    pub image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(flatten)]
    pub explained: Option<Facts<'a>>,
    pub model: &'a str,
}

/// What was seen on an image.
#[derive(Serialize)]
pub struct Facts<'a> {
    /// Width and height of the image, and of the network's input, in pixels.
    pub size: [u32; 2],
    pub input: [usize; 2],
    /// Rows and columns of patches.
    pub grid: [usize; 2],
    pub blocks: &'a [usize],
    pub what_tap: String,
    pub where_affinity: String,
    /// "gap" or "asked".
    pub groups_by: &'static str,
    pub what: PathwayFacts,
    #[serde(rename = "where")]
    pub where_: PathwayFacts,
    pub ms: Times,
}

/// One pathway.
#[derive(Serialize)]
pub struct PathwayFacts {
    pub together: LayerFacts,
    pub by_block: Vec<LayerFacts>,
}

/// All blocks together, or one alone.
#[derive(Serialize)]
pub struct LayerFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<usize>,
    eigenvalues: Vec<f64>,
    residuals: Vec<f64>,
    iterations: usize,
    products: usize,
    converged: bool,
    /// R^2 of row and column from the eigenvectors.
    place: f64,
    pub groups: Vec<GroupArea>,
}

/// Milliseconds by stage.
#[derive(Clone, Copy, Serialize)]
pub struct Times {
    pub decode: f64,
    pub backbone: f64,
    /// Eigenvectors of both pathways, all blocks together and each alone.
    pub spectral: f64,
    /// Cutting all of them into groups.
    pub groups: f64,
}

impl PathwayFacts {
    /// Of an image of `size` (width, height) in pixels.
    pub fn new(layers: &Layers, size: (u32, u32)) -> Self {
        let facts = |block, layer| layer_facts(block, layer, layers.grid, size);
        let alone = layers.blocks.iter();
        Self {
            together: facts(None, &layers.together),
            by_block: alone
                .map(|(block, layer)| facts(Some(*block), layer))
                .collect(),
        }
    }
}

fn layer_facts(block: Option<usize>, layer: &Layer, grid: Grid, size: (u32, u32)) -> LayerFacts {
    let spectrum = &layer.spectrum;
    let six_digits = |v: &f64| (v * 1e6).round() / 1e6;
    let mut groups = layer.groups.areas(size);
    groups.iter_mut().for_each(|g| g.share = rounded(g.share));
    LayerFacts {
        block,
        eigenvalues: spectrum.values.iter().map(six_digits).collect(),
        residuals: spectrum.residuals.iter().map(six_digits).collect(),
        iterations: spectrum.iterations,
        products: spectrum.products,
        converged: spectrum.converged,
        place: rounded(spectrum.place(grid)),
        groups,
    }
}
