//! Learning: features of good parts in, normal model and limits out. Parts are looked at one at a
//! time; what is kept of each is a file on disk and a few bytes a patch.

use nalgebra::{DMatrix, DVector};

use super::calibration::{Calibration, Limit};
use super::error::LearnError;
use super::pool::{Memory, Pool};
use super::spill::Spill;
use crate::inspect::{Limits, image_statistic};
use crate::normal::{
    Centre, Features, Moments, NormalModel, NormalParts, Places, Subspace, WholeMoments,
    relative_to,
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
    /// Whether place counts.
    pub place: Place,
}

impl Default for LearnOptions {
    /// As measured on the development sets: see `docs/scoring.md`.
    fn default() -> Self {
        Self {
            rank: 128,
            memory: 1024,
            false_reject: 0.01,
            place: Place::Decide,
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

/// Parts below which altered views help out: with fewer, leaving one out leaves too little.
const FEWEST: usize = 4;

/// How far a remembered patch may lie from where it was seen, in patches, when place counts.
const REACH: usize = 2;

/// Share of patches that find their like at their own place, from which parts are taken to lie
/// alike. Left-out parts: 0.67 to 0.82 on hand-held screws, 0.62 on tiles, 0.95 to 0.99 on boards
/// that lie within 2 px.
const PLACE_KEPT: f32 = 0.97;

/// Factor by which scores may rise when place counts: 1.1 to 1.33 on screws, 1.31 on tiles, 1.0 to
/// 1.15 on boards.
const PLACE_COST: f32 = 1.2;

/// Whether it counts where on the image a patch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The good parts decide; with too few of them it does not.
    #[default]
    Decide,
    /// It counts: parts always lie alike, within two patches.
    Counts,
    /// It does not: parts lie anywhere.
    DoesNot,
}

/// Learns one product. Calls, in order: [`new`](Self::new); [`add`](Self::add) for each part; if
/// [`needs_views`](Self::needs_views), [`add_view`](Self::add_view) and
/// [`add_check`](Self::add_check) for altered views of the parts; [`finish`](Self::finish).
pub struct Learner {
    options: LearnOptions,
    grid: Grid,
    blocks: Vec<usize>,
    dim: usize,
    moments: Moments,
    /// Parts, then views to learn from.
    learned: Spill,
    /// How many of them are parts.
    parts: usize,
    /// Views to set the limit by.
    checks: Spill,
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
            learned: Spill::new(dim, grid.patches())?,
            parts: 0,
            checks: Spill::new(dim, grid.patches())?,
        })
    }

    /// Adds a good part.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses.
    pub fn add(&mut self, features: &Features) -> Result<(), LearnError> {
        self.add_view(features)?;
        self.parts += 1;
        Ok(())
    }

    /// Adds an altered view of a part, to be learned like a part but not counted as one. Parts
    /// come first.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses.
    pub fn add_view(&mut self, features: &Features) -> Result<(), LearnError> {
        self.learned.push(&features.total)?;
        self.moments.add(features);
        Ok(())
    }

    /// Adds an altered view of a part to set the limit by: it must pass.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses.
    pub fn add_check(&mut self, features: &Features) -> Result<(), LearnError> {
        self.checks.push(&features.total)
    }

    /// Whether there are too few parts to learn from them alone and to leave one out.
    pub fn needs_views(&self) -> bool {
        self.parts < FEWEST
    }

    /// Learns; `step` is called with the number of steps done and to do.
    ///
    /// Whether patches are measured from their image's mean or from that of all parts, and whether
    /// place counts, is decided by the parts: that setting is taken under which left-out parts
    /// score most alike, as the limit then lies closest to them.
    ///
    /// # Errors
    /// [`LearnError`] when there is no part, or the disk refuses.
    pub fn finish(self, mut step: impl FnMut(usize, usize)) -> Result<Learned, LearnError> {
        if self.parts == 0 {
            return Err(LearnError::NoParts);
        }
        let centres: &[Centre] = if self.needs_views() {
            &[Centre::Image]
        } else {
            &[Centre::Image, Centre::Parts]
        };
        let steps = centres.len() + self.folds();
        let mut done = 0;
        let mut step = || {
            done += 1;
            step(done, steps);
        };
        let whole = self.moments.whole();
        let mut attempts = Vec::new();
        for &centre in centres {
            attempts.push(self.attempt(&whole, centre)?);
            step();
        }
        self.leave_out(&whole, &mut attempts, &mut step)?;
        for attempt in &mut attempts {
            self.check(attempt)?;
        }
        let spread = |attempt: &Attempt| spread_of_logarithms(&attempt.anywhere.images);
        attempts.sort_by(|a, b| spread(a).total_cmp(&spread(b)));
        let Some(mut best) = attempts.into_iter().next() else {
            return Err(LearnError::NoParts);
        };
        let place_counts = match self.options.place {
            Place::Counts => true,
            Place::DoesNot => false,
            Place::Decide => !self.needs_views() && best.place_is_kept(),
        };
        let scores = if place_counts {
            best.in_place
        } else {
            best.normal.gate = None;
            best.anywhere
        };
        let rate = self.options.false_reject;
        let limit = if self.needs_views() {
            Limit::from_views(&scores.images, self.parts, rate)
        } else {
            Limit::from_left_out(&scores.images, rate)
        };
        Ok(Learned {
            normal: best.normal,
            limits: Limits {
                image: limit.value,
                patch: highest_but_few(scores.patches).min(limit.value),
            },
            calibration: limit.calibration,
        })
    }

    /// How often some parts are left out and judged by the others.
    fn folds(&self) -> usize {
        if self.needs_views() {
            0
        } else {
            self.parts.min(MOST_FOLDS)
        }
    }

    /// Learns with one centre; nothing is scored yet.
    fn attempt(&self, whole: &WholeMoments, centre: Centre) -> Result<Attempt, LearnError> {
        let subspace = Subspace::leading(whole, centre, self.options.rank)?;
        let mean = match centre {
            Centre::Parts => Some(whole.mean().cast::<f32>()),
            Centre::Image => None,
        };
        let memory = self.remember(&subspace, mean.as_ref())?;
        let mut normal = self.normal(centre, &subspace, &memory);
        let seen = self.seen(&normal)?;
        normal.places = places(self.grid, memory.part.len(), &seen, |_| true);
        normal.gate = Some(REACH);
        Ok(Attempt {
            centre,
            subspace,
            memory,
            seen,
            normal,
            anywhere: Judged::default(),
            in_place: Judged::default(),
            kept: Vec::new(),
        })
    }

    /// Scores each part while it is left out, in each of the attempts. A part is taken out of the
    /// moments once for all of them.
    fn leave_out(
        &self,
        whole: &WholeMoments,
        attempts: &mut [Attempt],
        step: &mut dyn FnMut(),
    ) -> Result<(), LearnError> {
        let folds = self.folds();
        for fold in 0..folds {
            let left_out = |part: usize| part % folds == fold;
            let parts = (0..self.parts).filter(|&part| left_out(part));
            let features = parts
                .map(|part| self.learned.part(part))
                .collect::<Result<Vec<_>, _>>()?;
            let mut rest = whole.clone();
            features.iter().for_each(|part| rest.remove(part));
            for attempt in &mut *attempts {
                let model = attempt.without(self.grid, whole, &rest, &left_out)?;
                features.iter().for_each(|part| attempt.judge(&model, part));
            }
            step();
        }
        Ok(())
    }

    /// Scores the altered views that are there to set the limit by.
    fn check(&self, attempt: &mut Attempt) -> Result<(), LearnError> {
        let model = NormalModel::new(attempt.normal.clone())?;
        for check in 0..self.checks.len() {
            attempt.judge(&model, &self.checks.part(check)?);
        }
        Ok(())
    }

    /// Chooses the patches to remember.
    fn remember(
        &self,
        subspace: &Subspace,
        mean: Option<&DVector<f32>>,
    ) -> Result<Memory, LearnError> {
        let rows = subspace.basis.transpose().cast::<f32>();
        let patches = self.grid.patches();
        let count = if self.needs_views() {
            self.options.memory.max(patches)
        } else {
            self.options.memory
        };
        let capacity = (POOLED_PARTS * 1024).max(4 * patches).max(4 * count);
        let mut pool = Pool::new(self.dim, rows.nrows(), capacity);
        for part in 0..self.learned.len() {
            let relative = relative_to(&self.learned.part(part)?, mean);
            pool.add(part as u32, &relative, &(&rows * &relative));
        }
        Ok(pool.remember(count))
    }

    /// The normal model of all parts, places still empty.
    fn normal(&self, centre: Centre, subspace: &Subspace, memory: &Memory) -> NormalParts {
        // Best linear prediction of a block's contribution from the coordinates:
        // U_b = Cov(f_b, c) Cov(c)^-1 = Cov(f_b, f) U L^-1; summed over blocks this is U.
        let mut scaled = subspace.basis.clone();
        for (mut column, variance) in scaled.column_iter_mut().zip(subspace.variances.iter()) {
            column /= variance.max(f64::MIN_POSITIVE);
        }
        let bases: Vec<DMatrix<f64>> = self
            .moments
            .block_covariances(centre)
            .map(|covariance| covariance * &scaled)
            .collect();
        // Directions without variance have no prediction; give the rest of U to each block alike,
        // so that the blocks add up to U whatever happens.
        let missing = (&subspace.basis - bases.iter().sum::<DMatrix<f64>>()) / bases.len() as f64;
        let means = || {
            self.moments
                .block_means()
                .into_iter()
                .map(|m| m.cast::<f32>())
                .collect()
        };
        NormalParts {
            grid: self.grid,
            blocks: self.blocks.clone(),
            block_means: (centre == Centre::Parts).then(means),
            block_bases: bases.iter().map(|b| (b + &missing).cast::<f32>()).collect(),
            memory: memory.coordinates.clone(),
            places: Places::new(self.grid, memory.part.len()),
            gate: None,
        }
    }

    /// For each part and patch, the remembered patch that it is most like.
    fn seen(&self, normal: &NormalParts) -> Result<Vec<Vec<u32>>, LearnError> {
        let model = NormalModel::new(normal.clone())?;
        (0..self.learned.len())
            .map(|part| Ok(model.score_total(&self.learned.part(part)?).nearest))
            .collect()
    }
}

/// Raw scores of left-out parts, or of checks.
#[derive(Default)]
struct Judged {
    /// One an image.
    images: Vec<f32>,
    /// One a patch, of all images.
    patches: Vec<f32>,
}

impl Judged {
    fn add(&mut self, patches: Vec<f32>) {
        self.images.push(image_statistic(&patches));
        self.patches.extend(patches);
    }
}

/// The score that one in a thousand exceeds.
fn highest_but_few(mut scores: Vec<f32>) -> f32 {
    scores.sort_by(f32::total_cmp);
    let rank = (scores.len() as f64 * 0.999).ceil() as usize;
    scores
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f32::INFINITY)
}

/// What was learned with one centre.
struct Attempt {
    centre: Centre,
    subspace: Subspace,
    memory: Memory,
    /// For each part and patch, the remembered patch that it is most like.
    seen: Vec<Vec<u32>>,
    /// With the gate set.
    normal: NormalParts,
    /// Scores when place does not count.
    anywhere: Judged,
    /// Scores when it does.
    in_place: Judged,
    /// Share of the patches of each that were most like something seen at their own place.
    kept: Vec<f32>,
}

impl Attempt {
    fn judge(&mut self, model: &NormalModel, features: &DMatrix<f32>) {
        let scores = model.score_total(features);
        self.kept.push(scores.share_in_place());
        self.anywhere.add(scores.anywhere);
        self.in_place.add(scores.score);
    }

    /// The model that would have been learned without some parts: `rest` are the moments of the
    /// others, and those patches of the missing ones that were remembered are stood in for by their
    /// understudies.
    fn without(
        &self,
        grid: Grid,
        whole: &WholeMoments,
        rest: &WholeMoments,
        left_out: &impl Fn(usize) -> bool,
    ) -> Result<NormalModel, LearnError> {
        let rank = self.subspace.basis.ncols();
        let subspace = Subspace::near(rest, self.centre, rank, &self.subspace.basis)?;
        let memory = &self.memory;
        let mut remembered = memory.features.clone();
        for (element, &part) in memory.part.iter().enumerate() {
            if left_out(part as usize) {
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
        let parts = NormalParts {
            grid,
            // Only whole features are scored here, so one block stands for all.
            blocks: vec![0],
            block_means: mean,
            memory: basis.transpose() * remembered,
            block_bases: vec![basis],
            places: places(grid, memory.part.len(), &self.seen, |part| !left_out(part)),
            gate: Some(REACH),
        };
        Ok(NormalModel::new(parts)?)
    }

    /// Whether parts lie so much alike that place can count: most patches find their like at their
    /// own place, and having to look there only does not raise the scores much.
    fn place_is_kept(&self) -> bool {
        let cost = median(&self.in_place.images) / median(&self.anywhere.images);
        median(&self.kept) >= PLACE_KEPT && cost <= PLACE_COST
    }
}

/// The middle value; 0 of nothing.
fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn mean_of_logarithms(scores: &[f32]) -> f64 {
    let sum: f64 = scores.iter().map(|&s| f64::from(s).max(1e-12).ln()).sum();
    sum / scores.len().max(1) as f64
}

/// Standard deviation of the logarithms.
fn spread_of_logarithms(scores: &[f32]) -> f64 {
    let mean = mean_of_logarithms(scores);
    let square = |&s: &f32| (f64::from(s).max(1e-12).ln() - mean).powi(2);
    (scores.iter().map(square).sum::<f64>() / scores.len().max(1) as f64).sqrt()
}

/// Where each remembered patch was seen on the parts that count.
fn places(grid: Grid, memory: usize, seen: &[Vec<u32>], counts: impl Fn(usize) -> bool) -> Places {
    let mut places = Places::new(grid, memory);
    for (_, seen) in seen.iter().enumerate().filter(|(part, _)| counts(*part)) {
        for (patch, &element) in seen.iter().enumerate() {
            places.see(element as usize, patch);
        }
    }
    places
}
