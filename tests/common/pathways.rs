//! Pathways of flagged regions on rendered parts whose defect is known.

// Each target that includes this uses a part of it.
#![allow(dead_code)]
#![allow(clippy::unwrap_used)]

use andon::camera::rendered::{DefectKind, LineConfig, RenderedLine, RenderedPart};
use andon::image::{InputSize, Roi};
use andon::inspect::{Inspector, Region, Verdict};
use andon::normal::{Features, PatchScores};
use andon::pipeline::{FrontEnd, Lesson};
use andon::recipe::{PartRecord, Recipe};
use andon::vit::{Model, Threads};

use crate::common;

/// A region belongs to the defect when this share of it lies on the defect's mask.
const ON_DEFECT: f64 = 0.1;

/// A learned line, in the pieces that are measured.
pub struct Product {
    pub line: RenderedLine,
    pub recipe: Recipe,
    front: FrontEnd,
    inspector: Inspector,
    /// The same without the patches of turned parts.
    plain: Inspector,
}

/// What became of a part.
pub struct Judged {
    /// Of the most deviating patches, in units of the limit.
    pub score: f32,
    /// Of all patches together, in units of its own limit.
    pub layout: f32,
    /// None if it passed, else its regions.
    pub flagged: Option<Vec<Flagged>>,
}

/// What became of one region of a part.
pub struct Flagged {
    /// Share of *what*, as the program reports it.
    pub what: f32,
    /// The same without turned patches.
    pub plain: f32,
    /// The score anywhere over the score within the gate.
    pub gated: f32,
    /// Whether it lies on the defect.
    pub on_defect: bool,
}

impl Product {
    /// Learns the first `parts` good parts of the line `seed`, at full size.
    pub fn learn(seed: u64, parts: u64, threads: &Threads) -> Self {
        let line = RenderedLine::new(LineConfig {
            seed,
            severity: [0.3, 1.0],
            ..LineConfig::default()
        })
        .unwrap();
        let model = Model::embedded().unwrap();
        let mut settings = common::settings();
        settings.view.input = InputSize::for_content(448, 14, (640, 480));
        let mut lesson = Lesson::new(&model, settings.clone(), threads).unwrap();
        for index in 0..parts {
            let record = PartRecord {
                file: String::new(),
                sha256: String::new(),
            };
            lesson.add(record, &line.part(index, None).image).unwrap();
        }
        let recipe = lesson.finish(|_, _| {}).unwrap();
        let plain = Inspector::new(recipe.normal.clone(), recipe.limits).unwrap();
        Self {
            line,
            front: FrontEnd::new(&model, &settings.view, &recipe.normal.blocks, threads).unwrap(),
            inspector: plain
                .clone()
                .with_turned(recipe.turned.clone())
                .with_composition(recipe.composition.clone()),
            plain,
            recipe,
        }
    }

    /// Judges part `index` with this defect.
    pub fn judge(&self, index: u64, kind: Option<DefectKind>) -> Judged {
        let part = self.line.part(index, kind);
        let features = self.front.see(&part.image).unwrap().features;
        let scores = self.inspector.score(&features).unwrap();
        let area = Roi::whole(part.image.width(), part.image.height());
        let found = self.inspector.judge(&features, &scores, area);
        let plain = self.plain.judge(&features, &scores, area);
        assert_eq!(
            (found.verdict, found.score),
            (plain.verdict, plain.score),
            "the layout decides nothing"
        );
        let cols = found.map.cols;
        let regions = found.regions.iter().zip(&plain.regions);
        let flagged = regions.map(|(region, plain)| Flagged {
            what: region.what,
            plain: plain.what,
            gated: gated(region, cols, &features, &scores),
            on_defect: on_defect(region, cols, found.map.rows, &part),
        });
        Judged {
            score: found.score,
            layout: found.layout.unwrap(),
            flagged: (found.verdict == Verdict::Ng).then(|| flagged.collect()),
        }
    }
}

/// The share that the score anywhere has in the score within the gate.
fn gated(region: &Region, cols: usize, features: &Features, scores: &PatchScores) -> f32 {
    let cells_per_patch = cols / features.grid.cols;
    let mut patches: Vec<usize> = region
        .cells
        .iter()
        .map(|&cell| {
            let (row, col) = (cell as usize / cols, cell as usize % cols);
            row / cells_per_patch * features.grid.cols + col / cells_per_patch
        })
        .collect();
    patches.sort_unstable();
    patches.dedup();
    let sum = |of: &[f32]| patches.iter().map(|&p| of[p]).sum::<f32>();
    sum(&scores.anywhere) / sum(&scores.score)
}

fn on_defect(region: &Region, cols: usize, rows: usize, part: &RenderedPart) -> bool {
    let (width, height) = part.mask.dimensions();
    let marked = region.cells.iter().filter(|&&cell| {
        let (row, col) = (cell / cols as u32, cell % cols as u32);
        let x = (col * 2 + 1) * width / (2 * cols as u32);
        let y = (row * 2 + 1) * height / (2 * rows as u32);
        part.mask.get_pixel(x, y).0[0] > 0
    });
    marked.count() as f64 >= ON_DEFECT * region.cells.len() as f64
}
