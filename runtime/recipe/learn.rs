//! Learning: features of good parts in, normal model and limits out. Parts are looked at one at a
//! time; what is kept of each is a file on disk and a few bytes a patch.

use nalgebra::{DMatrix, DVector};

use super::attempt::{Attempt, Judged, Layout, Memory};
use super::calibration::{Calibration, Limit};
use super::composed::Contents;
use super::error::LearnError;
use super::pool::Pool;
use super::spill::Spill;
use crate::inspect::Limits;
use crate::normal::{
    Centre, Composition, Features, Moments, NormalError, NormalModel, NormalParts, Places,
    Subspace, WholeMoments, relative_to,
};
use crate::vit::{Grid, Kept};

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
    /// What patches are measured from; `None`: all good parts, or with too few of them to tell,
    /// their own image.
    pub centre: Option<Centre>,
}

impl Default for LearnOptions {
    /// As measured on the development sets: see `docs/scoring.md`.
    fn default() -> Self {
        Self {
            rank: 128,
            memory: 1024,
            false_reject: 0.01,
            place: Place::Decide,
            centre: None,
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
    /// What lies where, all patches together; where place counts and there were parts enough.
    pub composition: Option<Composition>,
}

/// Folds for leaving parts out: with more parts than this, several are left out together, which
/// makes the limit a little more careful and costs half as much.
const MOST_FOLDS: usize = 8;

/// Parts whose patches are held in memory at once, by their coordinates, while choosing what to
/// remember.
const POOLED_PARTS: usize = 20;

/// Parts below which altered views help out: with fewer, leaving one out leaves too little.
const FEWEST: usize = 4;

/// Share of the largest variance up to which a direction has none: rounding left it. There are such
/// directions where fewer patches were seen than the subspace has dimensions.
const NO_VARIANCE: f64 = 1e-9;

/// Whether it counts where on the image a patch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The good parts decide; with too few of them it does not.
    #[default]
    Decide,
    /// It counts: parts always lie alike, within two patches.
    Counts,
    /// It does not: parts lie anywhere, and may have grids of their own.
    DoesNot,
}

/// Learns one product. Calls, in order: [`new`](Self::new); [`add`](Self::add) for each part; if
/// [`needs_views`](Self::needs_views), [`add_view`](Self::add_view) and
/// [`add_check`](Self::add_check) for altered views of the parts; [`finish`](Self::finish).
pub struct Learner {
    options: LearnOptions,
    grid: Grid,
    kept: Option<Kept>,
    blocks: Vec<usize>,
    dim: usize,
    moments: Moments,
    /// Parts, then views to learn from.
    learned: Spill,
    /// How many of them are parts.
    parts: usize,
    contents: Contents,
    /// Views to set the limit by.
    checks: Spill,
}

impl Learner {
    /// For features of `dim` numbers on `grid`, fused from `blocks` (1-based). Where place does
    /// not count, parts may have other grids, of about as many patches.
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
            kept: None,
            blocks: blocks.to_vec(),
            dim,
            moments: Moments::new(dim, blocks.len(), MOST_FOLDS),
            learned: Spill::new(dim)?,
            parts: 0,
            contents: Contents::new(grid, None),
            checks: Spill::new(dim)?,
        })
    }

    /// Only these patches of each part are looked at; `None`: all of them. Features that are added
    /// have their columns only.
    #[must_use]
    pub fn with_kept(self, kept: Option<Kept>) -> Self {
        let contents = Contents::new(self.grid, kept.as_ref());
        Self {
            kept,
            contents,
            ..self
        }
    }

    /// Adds a good part.
    ///
    /// # Errors
    /// [`LearnError::Spill`] when the disk refuses, [`LearnError::Grid`] when place may count and
    /// the part lies on another grid, [`NormalError::OtherPatches`] when other patches were left out.
    pub fn add(&mut self, features: &Features) -> Result<(), LearnError> {
        self.add_view(features)?;
        if self.options.place != Place::DoesNot {
            self.contents.add(features);
        }
        self.parts += 1;
        Ok(())
    }

    /// Adds an altered view of a part, to be learned like a part but not counted as one. Parts
    /// come first.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn add_view(&mut self, features: &Features) -> Result<(), LearnError> {
        self.check_patches(features)?;
        self.learned.push(&features.total)?;
        self.moments.add(features);
        Ok(())
    }

    /// Adds an altered view of a part to set the limit by: it must pass.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn add_check(&mut self, features: &Features) -> Result<(), LearnError> {
        self.check_patches(features)?;
        self.checks.push(&features.total)
    }

    fn check_patches(&self, features: &Features) -> Result<(), LearnError> {
        if features.kept != self.kept {
            return Err(NormalError::OtherPatches.into());
        }
        let found = features.grid;
        if found == self.grid || self.options.place == Place::DoesNot {
            return Ok(());
        }
        Err(LearnError::Grid {
            expected: self.grid,
            found,
        })
    }

    /// Says what patches are measured from.
    pub fn measure_from(&mut self, centre: Centre) {
        self.options.centre = Some(centre);
    }

    /// Whether there are too few parts to learn from them alone and to leave one out.
    pub fn needs_views(&self) -> bool {
        self.parts < FEWEST
    }

    /// Learns; `step` is called with the number of steps done and to do.
    ///
    /// Whether place counts is decided by the parts, unless the options say it.
    ///
    /// # Errors
    /// [`LearnError`] when there is no part, or the disk refuses.
    pub fn finish(self, mut step: impl FnMut(usize, usize)) -> Result<Learned, LearnError> {
        if self.parts == 0 {
            return Err(LearnError::NoParts);
        }
        let place_may_count = match self.options.place {
            Place::Counts => true,
            Place::DoesNot => false,
            Place::Decide => !self.needs_views(),
        };
        let centre = match self.options.centre {
            Some(centre) => centre,
            None if self.needs_views() => Centre::Image,
            None => Centre::Parts,
        };
        let steps = 2 + self.folds();
        let mut done = 0;
        let mut step = || {
            done += 1;
            step(done, steps);
        };
        let whole = self.moments.whole();
        let attempt = self.attempt(&whole, centre)?;
        step();
        let left_out = (0..self.folds())
            .map(|fold| {
                attempt.without(&whole, &self.moments.without(fold, &whole), &in_fold(fold))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let left_out_bases: Vec<DMatrix<f32>> = left_out
            .iter()
            .map(|normal| normal.block_bases.iter().sum())
            .collect();
        let mut layout = match place_may_count {
            true => Some(self.layout(&attempt)?),
            false => None,
        };
        step();
        let anywhere = self.judge(&attempt, left_out, layout.as_mut(), &mut step)?;
        let counts =
            |layout: &Layout| self.options.place == Place::Counts || layout.is_kept(&anywhere);
        let rate = self.options.false_reject;
        let (normal, scores, composition) = match layout.filter(counts) {
            Some(layout) => {
                let basis = attempt.subspace.basis.cast();
                let composition = self.contents.learn(&basis, &left_out_bases, rate);
                let normal = layout.gate(attempt.normal, |_| true);
                (normal, layout.scores, composition)
            }
            None => (attempt.normal, anywhere, None),
        };
        let limit = if self.needs_views() {
            Limit::from_views(&scores.images, self.parts, rate)
        } else {
            Limit::from_left_out(&scores.images, rate)
        };
        Ok(Learned {
            normal,
            limits: Limits {
                image: limit.value,
                patch: highest_but_few(scores.patches).min(limit.value),
            },
            calibration: limit.calibration,
            composition,
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

    /// Scores each part by the model of the others (one in `left_out` for each fold), and the checks
    /// by that of all: as if place did not count, and in `layout`, if there is one, as if it did.
    fn judge(
        &self,
        attempt: &Attempt,
        left_out: Vec<NormalParts>,
        mut layout: Option<&mut Layout>,
        step: &mut dyn FnMut(),
    ) -> Result<Judged, LearnError> {
        let mut anywhere = Judged::default();
        for (fold, normal) in left_out.into_iter().enumerate() {
            let hopeless =
                |layout: &&mut Layout| self.options.place == Place::Decide && layout.is_hopeless();
            let asked = layout.as_deref_mut().filter(|layout| !hopeless(layout));
            let parts = self.fold(fold).map(|part| self.learned.part(part));
            judge(
                normal,
                parts,
                asked,
                |part| !in_fold(fold)(part),
                &mut anywhere,
            )?;
            step();
        }
        let checks = (0..self.checks.len()).map(|check| self.checks.part(check));
        judge(
            attempt.normal.clone(),
            checks,
            layout,
            |_| true,
            &mut anywhere,
        )?;
        Ok(anywhere)
    }

    /// Learns; nothing is scored yet.
    fn attempt(&self, whole: &WholeMoments, centre: Centre) -> Result<Attempt, LearnError> {
        let subspace = Subspace::leading(whole, centre, self.options.rank)?;
        let mean = match centre {
            Centre::Parts => Some(whole.mean().cast::<f32>()),
            Centre::Image => None,
        };
        let memory = self.remember(&subspace, mean.as_ref())?;
        Ok(Attempt {
            centre,
            normal: self.normal(centre, &subspace, &memory),
            subspace,
            memory,
        })
    }

    /// Where parts show what was remembered.
    fn layout(&self, attempt: &Attempt) -> Result<Layout, LearnError> {
        let seen = match &attempt.memory.seen {
            Some(seen) => seen.clone(),
            None => {
                let model = NormalModel::new(attempt.normal.clone())?;
                (0..self.learned.len())
                    .map(|part| Ok(model.score_total(&self.learned.part(part)?).nearest))
                    .collect::<Result<_, LearnError>>()?
            }
        };
        Ok(Layout::new(self.grid, seen))
    }

    /// The parts that are left out together.
    fn fold(&self, fold: usize) -> impl Iterator<Item = usize> {
        (0..self.parts).filter(move |&part| in_fold(fold)(part))
    }

    /// Chooses the patches to remember.
    fn remember(
        &self,
        subspace: &Subspace,
        mean: Option<&DVector<f32>>,
    ) -> Result<Memory, LearnError> {
        let rows = subspace.basis.transpose().cast::<f32>();
        let patches = Kept::count(self.kept.as_ref(), self.grid);
        let count = if self.needs_views() {
            self.options.memory.max(patches)
        } else {
            self.options.memory
        };
        let capacity = POOLED_PARTS * patches.max(count);
        let mut pool = Pool::new(rows.nrows(), capacity);
        for part in 0..self.learned.len() {
            let relative = relative_to(self.learned.part(part)?, mean);
            pool.add(part, &(&rows * &relative));
        }
        let chosen = pool.choose_memory(count);
        let mut features = DMatrix::zeros(self.dim, chosen.patches.len());
        let mut understudies = features.clone();
        for part in 0..self.learned.len() {
            let relative = relative_to(self.learned.part(part)?, mean);
            for (matrix, patches) in [
                (&mut features, &chosen.patches),
                (&mut understudies, &chosen.understudies),
            ] {
                let columns = matrix.column_iter_mut().zip(patches);
                for (mut column, of) in columns.filter(|(_, of)| of.part == part) {
                    column.copy_from(&relative.column(of.patch));
                }
            }
        }
        Ok(Memory {
            features,
            coordinates: chosen.coordinates,
            part: chosen.patches.iter().map(|of| of.part).collect(),
            understudies,
            seen: chosen.seen,
        })
    }

    /// The normal model of all parts, without a gate.
    fn normal(&self, centre: Centre, subspace: &Subspace, memory: &Memory) -> NormalParts {
        // Best linear prediction of a block's contribution from the coordinates:
        // U_b = Cov(f_b, c) Cov(c)^-1 = Cov(f_b, f) U L^-1; summed over blocks this is U.
        let mut scaled = subspace.basis.clone();
        let least = NO_VARIANCE * subspace.variances.max();
        for (mut column, &variance) in scaled.column_iter_mut().zip(subspace.variances.iter()) {
            column *= if variance > least {
                1.0 / variance
            } else {
                0.0
            };
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
            kept: self.kept.clone(),
            blocks: self.blocks.clone(),
            block_means: (centre == Centre::Parts).then(means),
            block_bases: bases.iter().map(|b| (b + &missing).cast::<f32>()).collect(),
            memory: memory.coordinates.clone(),
            places: Places::new(self.grid, memory.part.len()),
            gate: None,
        }
    }
}

/// Scores `parts` by `normal`, and in `layout` as if it counted where the parts for which `known`
/// holds show things.
fn judge(
    normal: NormalParts,
    parts: impl Iterator<Item = Result<DMatrix<f32>, LearnError>>,
    layout: Option<&mut Layout>,
    known: impl Fn(usize) -> bool,
    anywhere: &mut Judged,
) -> Result<(), LearnError> {
    match layout {
        None => {
            let model = NormalModel::new(normal)?;
            for part in parts {
                anywhere.add(model.score_total(&part?).anywhere);
            }
        }
        Some(layout) => {
            let model = NormalModel::new(layout.gate(normal, known))?;
            for part in parts {
                anywhere.add(layout.judge(&model, &part?));
            }
        }
    }
    Ok(())
}

/// Whether a part is of this fold, as the moments deal them out.
fn in_fold(fold: usize) -> impl Fn(usize) -> bool {
    move |part| part % MOST_FOLDS == fold
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
