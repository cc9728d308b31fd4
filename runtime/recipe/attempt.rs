//! What one way of learning makes of the parts, and how parts that are left out score by it.

use andon_spectral::Error;
use nalgebra::DMatrix;

use crate::inspect::image_statistic;
use crate::normal::{Centre, NormalModel, NormalParts, Places, Subspace, WholeMoments};
use crate::vit::Grid;

/// How far a remembered patch may lie from where it was seen, in patches, when place counts.
const REACH: usize = 2;

/// Share of patches that find their like at their own place, from which parts are taken to lie
/// alike. Left-out parts: 0.67 to 0.82 on hand-held screws, 0.62 on tiles, 0.95 to 0.99 on boards
/// that lie within 2 px.
const PLACE_KEPT: f32 = 0.97;

/// Factor by which scores may rise when place counts: 1.0 to 1.15 on boards, 1.2 on rendered parts that
/// shake by a few pixels. On screws (1.1 to 1.33) and tiles (1.31) patches do not keep their places.
const PLACE_COST: f32 = 1.3;

/// Left-out parts after which it is given up that place counts, if none of them lay like the others.
const PROBED: usize = 4;

/// What was learned, before it is known whether place counts.
pub(super) struct Attempt {
    pub centre: Centre,
    pub subspace: Subspace,
    pub memory: Memory,
    /// Without a gate.
    pub normal: NormalParts,
}

/// What is remembered of the parts.
pub(super) struct Memory {
    /// Features, measured from the centre, `[dim, memory]`.
    pub features: DMatrix<f32>,
    /// Coordinates in the subspace of all parts, `[rank, memory]`.
    pub coordinates: DMatrix<f32>,
    /// Which part each one is of.
    pub part: Vec<usize>,
    /// Features of the patch of another part that is most like each one, `[dim, memory]`.
    pub understudies: DMatrix<f32>,
    /// For each part and patch, the remembered patch that it is most like; `None` where it must be
    /// looked up again.
    pub seen: Option<Vec<Vec<u32>>>,
}

/// Raw scores of left-out parts, or of checks.
#[derive(Default)]
pub(super) struct Judged {
    /// One an image.
    pub images: Vec<f32>,
    /// One a patch, of all images.
    pub patches: Vec<f32>,
}

impl Judged {
    /// Adds the scores of an image's patches.
    pub fn add(&mut self, patches: Vec<f32>) {
        self.images.push(image_statistic(&patches));
        self.patches.extend(patches);
    }
}

impl Attempt {
    /// The model that would have been learned without some parts: `rest` are the moments of the
    /// others, and those patches of the missing ones that were remembered are stood in for by their
    /// understudies.
    pub fn without(
        &self,
        whole: &WholeMoments,
        rest: &WholeMoments,
        left_out: &impl Fn(usize) -> bool,
    ) -> Result<NormalParts, Error> {
        let rank = self.subspace.basis.ncols();
        let subspace = Subspace::near(rest, self.centre, rank, &self.subspace.basis)?;
        let memory = &self.memory;
        let mut remembered = memory.features.clone();
        for (element, &part) in memory.part.iter().enumerate() {
            if left_out(part) {
                remembered.set_column(element, &memory.understudies.column(element));
            }
        }
        let basis = subspace.basis.cast::<f32>();
        // The memory holds features measured from the mean of all parts; the mean of the rest is a
        // little elsewhere.
        let mean = (self.centre == Centre::Parts).then(|| {
            let shift = (rest.mean() - whole.mean()).cast::<f32>();
            remembered
                .column_iter_mut()
                .for_each(|mut column| column -= &shift);
            vec![rest.mean().cast::<f32>()]
        });
        Ok(NormalParts {
            // Only whole features are scored here, so one block stands for all.
            blocks: vec![0],
            block_means: mean,
            memory: basis.transpose() * remembered,
            block_bases: vec![basis],
            grid: self.normal.grid,
            kept: self.normal.kept.clone(),
            places: Places::new(self.normal.grid, memory.part.len()),
            gate: None,
        })
    }
}

/// Where on their grid parts show what was remembered, and what becomes of their scores if that
/// counts.
pub(super) struct Layout {
    grid: Grid,
    /// For each part and patch, the remembered patch that it is most like.
    seen: Vec<Vec<u32>>,
    /// Scores of left-out parts when place counts.
    pub scores: Judged,
    /// Share of the patches of each that were most like something seen at their own place.
    kept: Vec<f32>,
}

impl Layout {
    /// Of parts that lie on `grid`, and for each of them and each patch the remembered patch that
    /// it is most like.
    pub fn new(grid: Grid, seen: Vec<Vec<u32>>) -> Self {
        Self {
            grid,
            seen,
            scores: Judged::default(),
            kept: Vec::new(),
        }
    }

    /// Makes place count in `normal`, as the parts show it for which `counts` holds.
    pub fn gate(&self, normal: NormalParts, counts: impl Fn(usize) -> bool) -> NormalParts {
        let mut places = Places::new(self.grid, normal.memory.ncols());
        let parts = self.seen.iter().enumerate();
        for (_, seen) in parts.filter(|(part, _)| counts(*part)) {
            for (patch, &element) in seen.iter().enumerate() {
                places.see(element as usize, normal.place(patch));
            }
        }
        NormalParts {
            places,
            gate: Some(REACH),
            ..normal
        }
    }

    /// Scores a part that `model`, with its gate, does not know; gives its scores without the gate.
    pub fn judge(&mut self, model: &NormalModel, features: &DMatrix<f32>) -> Vec<f32> {
        let scores = model.score_total(features);
        self.kept.push(scores.share_in_place());
        self.scores.add(scores.score);
        scores.anywhere
    }

    /// Whether the parts that were left out so far lie so little alike that the others need not be
    /// looked at.
    pub fn is_hopeless(&self) -> bool {
        self.kept.len() >= PROBED && self.kept.iter().all(|&kept| kept < PLACE_KEPT)
    }

    /// Whether parts lie so much alike that place can count: most patches find their like at their
    /// own place, and having to look there only does not raise the scores above `anywhere` much.
    pub fn is_kept(&self, anywhere: &Judged) -> bool {
        let cost = median(&self.scores.images) / median(&anywhere.images);
        median(&self.kept) >= PLACE_KEPT && cost <= PLACE_COST
    }
}

/// The middle value; 0 of nothing.
fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
