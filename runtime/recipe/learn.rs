//! Learning: features of good parts in, normal model and limits out. Parts are looked at one at a
//! time; what is kept of each is a file on disk and 4 bytes a patch.

use nalgebra::DMatrix;

use super::calibration::{Calibration, Ground, Limit};
use super::error::LearnError;
use super::pool::{Memory, Pool};
use super::spill::Spill;
use crate::image::Roi;
use crate::inspect::{Limits, image_statistic, refine};
use crate::normal::{
    Features, Moments, NormalModel, NormalParts, Places, Subspace, WholeMoments,
};
use crate::vit::Grid;

/// How much is learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnOptions {
    /// Dimensions of the subspace.
    pub rank: usize,
    /// Patches to remember; at least as many as an image has, when there is one part only.
    pub memory: usize,
    /// Share of good parts that may be rejected.
    pub false_reject: f64,
}

impl Default for LearnOptions {
    /// As measured on the development sets: see `docs/scoring.md`.
    fn default() -> Self {
        Self {
            rank: 128,
            memory: 1024,
            false_reject: 0.01,
        }
    }
}

/// What was learned.
#[derive(Debug, Clone)]
pub struct Learned {
    /// What good parts look like.
    pub normal: NormalParts,
    /// Where good ends.
    pub limits: Limits,
    /// What the limits promise.
    pub calibration: Calibration,
}

/// Folds for leaving parts out: with more parts than this, several are left out together.
const MOST_FOLDS: usize = 24;

/// Parts whose patches are held in memory at once while choosing what to remember.
const POOLED_PARTS: usize = 16;

/// Parts below which limits are taken from views instead.
const FEWEST_LEFT_OUT: usize = 2;

/// Learns one product. Calls, in order: [`new`](Self::new); [`add`](Self::add) for each part;
/// [`add_view`](Self::add_view) for altered views if [`needs_views`](Self::needs_views);
/// [`finish`](Self::finish).
pub struct Learner {
    options: LearnOptions,
    grid: Grid,
    blocks: Vec<usize>,
    dim: usize,
    moments: Moments,
    parts: Spill,
    views: Spill,
}

impl Learner {
    /// For features of `dim` numbers on `grid`, fused from `blocks` (1-based).
    ///
    /// # Errors
    /// [`LearnError::Spill`] when no temporary file can be made.
    pub fn new(
        options: LearnOptions,
        grid: Grid,
        blocks: &[usize],
        dim: usize,
    ) -> Result<Self, LearnError> {
        Ok(Self {
            options,
            grid,
            blocks: blocks.to_vec(),
            dim,
            moments: Moments::new(dim, blocks.len()),
            parts: Spill::new(dim, grid.patches())?,
            views: Spill::new(dim, grid.patches())?,
        })
    }

    /// Adds a good part.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses.
    pub fn add(&mut self, features: &Features) -> Result<(), LearnError> {
        self.parts.push(&features.total)?;
        self.moments.add(features);
        Ok(())
    }

    /// Adds an altered view of a part that was added: it widens the limits, and is not a part.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses.
    pub fn add_view(&mut self, features: &Features) -> Result<(), LearnError> {
        self.views.push(&features.total)
    }

    /// Parts so far.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are too few parts to leave one out, so that views are needed for the limits.
    pub fn needs_views(&self) -> bool {
        self.parts() < FEWEST_LEFT_OUT
    }

    /// Learns; `step` is called with the number of steps done and to do.
    ///
    /// # Errors
    /// [`LearnError`] when there is no part, or the disk refuses.
    pub fn finish(self, mut step: impl FnMut(usize, usize)) -> Result<Learned, LearnError> {
        let parts = self.parts();
        if parts == 0 {
            return Err(LearnError::NoParts);
        }
        let folds = if self.needs_views() { 0 } else { parts.min(MOST_FOLDS) };
        let steps = 2 + folds;
        step(0, steps);
        let whole = self.moments.whole();
        let subspace = Subspace::leading(&whole, self.options.rank, None)?;
        let memory = self.remember(&subspace)?;
        step(1, steps);
        let normal = self.normal(&subspace, &memory)?;
        let seen = self.seen(&normal)?;
        let mut normal = normal;
        normal.places = places(self.grid, memory.part.len(), &seen, |_| true);
        step(2, steps);
        let scores = if folds == 0 {
            self.view_scores(&normal)?
        } else {
            let mut scores = vec![0.0; parts];
            for fold in 0..folds {
                let left_out = |part: usize| part % folds == fold;
                let model = self.without(&whole, &subspace, &memory, &seen, &left_out)?;
                for part in (0..parts).filter(|&part| left_out(part)) {
                    scores[part] = self.statistic(&model, &self.parts.part(part)?);
                }
                step(3 + fold, steps);
            }
            scores
        };
        let ground = (folds == 0).then_some(Ground::Views);
        let limit = Limit::new(&scores, parts, self.options.false_reject, ground);
        Ok(Learned {
            normal,
            limits: Limits { image: limit.value },
            calibration: limit.calibration,
        })
    }

    /// Chooses the patches to remember.
    fn remember(&self, subspace: &Subspace) -> Result<Memory, LearnError> {
        let rows = subspace.basis.transpose().cast::<f32>();
        let patches = self.grid.patches();
        let count = match self.parts() {
            1 => self.options.memory.max(patches),
            _ => self.options.memory,
        };
        let capacity = (POOLED_PARTS * 1024).max(4 * patches).max(4 * count);
        let mut pool = Pool::new(self.dim, rows.nrows(), capacity);
        for part in 0..self.parts() {
            let features = self.parts.part(part)?;
            pool.add(part as u32, &features, &(&rows * &features));
        }
        Ok(pool.remember(count))
    }

    /// The normal model of all parts, places still empty.
    fn normal(&self, subspace: &Subspace, memory: &Memory) -> Result<NormalParts, LearnError> {
        // Best linear prediction of a block's contribution from the coordinates:
        // U_b = Cov(f_b, c) Cov(c)^-1 = Cov(f_b, f) U L^-1; summed over blocks this is U.
        let mut scaled = subspace.basis.clone();
        for (mut column, variance) in scaled.column_iter_mut().zip(subspace.variances.iter()) {
            column /= variance.max(f64::MIN_POSITIVE);
        }
        let bases: Vec<DMatrix<f64>> = self
            .moments
            .block_covariances()
            .map(|covariance| covariance * &scaled)
            .collect();
        // Directions without variance have no prediction; give the rest of U to each block alike,
        // so that the blocks add up to U whatever happens.
        let missing = (&subspace.basis - bases.iter().sum::<DMatrix<f64>>()) / bases.len() as f64;
        Ok(NormalParts {
            grid: self.grid,
            blocks: self.blocks.clone(),
            block_bases: bases.iter().map(|b| (b + &missing).cast::<f32>()).collect(),
            memory: memory.coordinates.clone(),
            places: Places::new(self.grid, memory.part.len()),
            gate: None,
        })
    }

    /// For each part and patch, the remembered patch that it is most like.
    fn seen(&self, normal: &NormalParts) -> Result<Vec<Vec<u32>>, LearnError> {
        let model = NormalModel::new(normal.clone())?;
        (0..self.parts())
            .map(|part| Ok(model.score_total(&self.parts.part(part)?).nearest))
            .collect()
    }

    /// The model that would have been learned without some parts: their patches leave the
    /// subspace, and those of them that were remembered are stood in for by their understudies.
    fn without(
        &self,
        whole: &WholeMoments,
        subspace: &Subspace,
        memory: &Memory,
        seen: &[Vec<u32>],
        left_out: &impl Fn(usize) -> bool,
    ) -> Result<NormalModel, LearnError> {
        let mut rest = whole.clone();
        for part in (0..self.parts()).filter(|&part| left_out(part)) {
            rest.remove(&self.parts.part(part)?);
        }
        let subspace =
            Subspace::leading(&rest, self.options.rank, Some(&subspace.basis))?;
        let mut remembered = memory.features.clone();
        for (element, &part) in memory.part.iter().enumerate() {
            if left_out(part as usize) {
                remembered.set_column(element, &memory.understudies.column(element));
            }
        }
        let basis = subspace.basis.cast::<f32>();
        let parts = NormalParts {
            grid: self.grid,
            // Only whole features are scored here, so one block stands for all.
            blocks: vec![0],
            memory: basis.transpose() * remembered,
            block_bases: vec![basis],
            places: places(self.grid, memory.part.len(), seen, |part| !left_out(part)),
            gate: None,
        };
        Ok(NormalModel::new(parts)?)
    }

    /// Scores of the views under the model of all parts.
    fn view_scores(&self, normal: &NormalParts) -> Result<Vec<f32>, LearnError> {
        let model = NormalModel::new(normal.clone())?;
        (0..self.views.len())
            .map(|view| Ok(self.statistic(&model, &self.views.part(view)?)))
            .collect()
    }

    /// The number by which an image is judged, of `[dim, patches]` features.
    fn statistic(&self, model: &NormalModel, features: &DMatrix<f32>) -> f32 {
        let scores = model.score_total(features);
        // Where the picture lies does not matter for the statistic.
        image_statistic(&refine(&scores.score, self.grid, 1.0, Roi::whole(1, 1)))
    }
}

/// Where each remembered patch was seen on the parts that count.
fn places(
    grid: Grid,
    memory: usize,
    seen: &[Vec<u32>],
    counts: impl Fn(usize) -> bool,
) -> Places {
    let mut places = Places::new(grid, memory);
    for (_, seen) in seen.iter().enumerate().filter(|(part, _)| counts(*part)) {
        for (patch, &element) in seen.iter().enumerate() {
            places.see(element as usize, patch);
        }
    }
    places
}
