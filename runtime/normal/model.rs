use std::borrow::Cow;
use std::sync::Arc;

use andon_kernels::Pool;
use nalgebra::{DMatrix, DMatrixView, DVector};

use super::{Centre, Contribution, Features, Places};
use crate::vit::{Grid, Kept};

/// What good parts look like: a subspace of features, patches remembered inside it, and where on
/// the grid each of them was seen.
///
/// A patch `f`, measured from a centre `o`, is compared with `U m_j`, the remembered patch `j` put
/// back into feature space. As `U` is orthonormal, the squared distance is what lies inside the
/// subspace, `|c - m_j|^2` with `c = U^T (f - o)`, plus what lies outside it,
/// `|f - o|^2 - |c|^2`. What is left after centring must not be brought to unit length again: that
/// would blow up plain background.
#[derive(Debug, Clone)]
pub struct NormalModel {
    parts: NormalParts,
    /// The fixed centre, `[dim]`: the sum of the block means.
    pub(super) mean: Option<DVector<f32>>,
    /// `U^T`, `[rank, dim]`: the sum of the blocks' parts, transposed for the product.
    pub(super) basis_rows: DMatrix<f32>,
    /// Remembered patches, `[memory, rank]`, transposed for the product.
    pub(super) memory_rows: DMatrix<f32>,
    /// `|m_j|^2`, `[memory]`.
    pub(super) memory_norms: Vec<f32>,
    /// By patch place, which remembered patches may answer; `None` without a gate.
    allowed: Option<Vec<Vec<u32>>>,
    /// Threads to score on; the calling one alone if there are none.
    pool: Option<Arc<Pool>>,
}

/// Patches that are scored in one piece at least: fewer would pass the memory through the cache too
/// often.
const PIECE: usize = 128;

/// Coordinates of each patch that are given with its score: what a composition needs.
pub(crate) const LEADING: usize = 24;

/// The numbers that make a [`NormalModel`]; this is what a recipe stores.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalParts {
    /// Patches of an image; where place does not count, an image may have others.
    pub grid: Grid,
    /// Which of them are looked at, where others are left out; `None`: all of them.
    pub kept: Option<Kept>,
    /// Blocks whose tokens are fused, 1-based.
    pub blocks: Vec<usize>,
    /// What patches are measured from: the mean of each block's contribution over all parts,
    /// `[dim]` each; `None`: the mean of each image's own patches.
    pub block_means: Option<Vec<DVector<f32>>>,
    /// Each block's share `U_b` of the basis, `[dim, rank]`: the best linear prediction of its
    /// contribution from the coordinates. They add up to the orthonormal basis `U`.
    pub block_bases: Vec<DMatrix<f32>>,
    /// Remembered patches, in coordinates of the subspace, `[rank, memory]`.
    pub memory: DMatrix<f32>,
    /// Where each of them was seen; nowhere, if place does not count.
    pub places: Places,
    /// How far from such a place, in patches, a remembered patch may still answer; `None`: it may
    /// answer anywhere.
    pub gate: Option<usize>,
}

/// Numbers that cannot make a [`NormalModel`], or features that do not fit one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NormalError {
    /// Two sizes disagree.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// What was measured.
        what: &'static str,
        /// The size that fits.
        expected: String,
        /// The size that is there.
        found: String,
    },
    /// NaN or infinity.
    #[error("{what} holds a number that is not finite")]
    NotFinite {
        /// Where it stands.
        what: &'static str,
    },
    /// Others of the patches were left out.
    #[error(
        "the features are of other patches than those that were learned: use one mask for both"
    )]
    OtherPatches,
    /// Nothing was remembered.
    #[error("the memory is empty")]
    NothingRemembered,
}

/// How far each patch of an image is from what good parts show: squared distances in feature
/// space, `0..=4`.
#[derive(Debug, Clone, Default)]
pub struct PatchScores {
    /// To the nearest remembered patch that may answer at this place.
    pub score: Vec<f32>,
    /// To the nearest remembered patch of all; equal to `score` without a gate.
    pub anywhere: Vec<f32>,
    /// The remembered patch that gave `score`.
    pub nearest: Vec<u32>,
    /// Coordinates along the leading directions of the subspace, patch after patch: 24 each, or all
    /// where there are fewer.
    pub leading: Vec<f32>,
}

impl PatchScores {
    /// These, and those of further patches behind them.
    fn and(mut self, mut other: Self) -> Self {
        self.score.append(&mut other.score);
        self.anywhere.append(&mut other.anywhere);
        self.nearest.append(&mut other.nearest);
        self.leading.append(&mut other.leading);
        self
    }

    /// Share of patches that are most like something that was seen at their own place.
    pub fn share_in_place(&self) -> f32 {
        let pairs = self.score.iter().zip(&self.anywhere);
        let kept = pairs.filter(|(score, anywhere)| score <= anywhere).count();
        kept as f32 / self.score.len().max(1) as f32
    }
}

impl NormalModel {
    /// Checks the numbers and prepares them for scoring.
    ///
    /// # Errors
    /// [`NormalError`] when sizes disagree or a number is not finite.
    pub fn new(parts: NormalParts) -> Result<Self, NormalError> {
        parts.check()?;
        let basis: DMatrix<f32> = parts.block_bases.iter().sum();
        let basis_rows = basis.transpose();
        let allowed = parts.gate.map(|reach| parts.answers(reach));
        Ok(Self {
            memory_rows: parts.memory.transpose(),
            memory_norms: parts
                .memory
                .column_iter()
                .map(|m| m.norm_squared())
                .collect(),
            mean: parts.block_means.as_ref().map(|means| means.iter().sum()),
            basis_rows,
            allowed,
            pool: None,
            parts,
        })
    }

    /// Scores on these threads; the result is the same to the bit.
    #[must_use]
    pub fn with_pool(self, pool: Arc<Pool>) -> Self {
        Self {
            pool: Some(pool),
            ..self
        }
    }

    /// The numbers that it was made from.
    pub fn parts(&self) -> &NormalParts {
        &self.parts
    }

    /// Scores every patch.
    ///
    /// # Errors
    /// [`NormalError::Size`] when the features are of another width, or of another grid where place
    /// counts, [`NormalError::OtherPatches`] when other patches were left out.
    pub fn score(&self, features: &Features) -> Result<PatchScores, NormalError> {
        let dim = self.basis_rows.ncols();
        expect("width of the features", dim, features.dim())?;
        if features.kept != self.parts.kept {
            return Err(NormalError::OtherPatches);
        }
        if self.allowed.is_some() {
            expect("grid of the features", self.parts.grid, features.grid)?;
        }
        Ok(self.score_total(&features.total))
    }

    /// Scores `[dim, patches]` features of the right size.
    pub(crate) fn score_total(&self, total: &DMatrix<f32>) -> PatchScores {
        let mean = centre(total, self.mean.as_ref());
        let patches = total.ncols();
        let pieces = (patches / PIECE).max(1);
        let score = |piece: usize| {
            let (first, end) = (patches * piece / pieces, patches * (piece + 1) / pieces);
            let mut relative = total.columns(first, end - first).into_owned();
            subtract(&mut relative, &mean);
            self.score_columns(relative.as_view(), first)
        };
        let mut scores = vec![PatchScores::default(); pieces];
        match &self.pool {
            Some(pool) => pool.chunks(&mut scores, 1, &|number, one| one[0] = score(number)),
            None => (0..)
                .zip(&mut scores)
                .for_each(|(number, one)| *one = score(number)),
        }
        scores
            .into_iter()
            .fold(PatchScores::default(), PatchScores::and)
    }

    /// Scores some patches, measured from the centre, `[dim, some]`; the first of them is number
    /// `first` of the image.
    fn score_columns(&self, relative: DMatrixView<'_, f32>, first: usize) -> PatchScores {
        // Coordinates in the subspace, `[rank, some]`.
        let coordinates = &self.basis_rows * relative;
        let products = &self.memory_rows * &coordinates;
        let patches = coordinates.ncols();
        let leading = coordinates.rows(0, LEADING.min(coordinates.nrows()));
        let mut scores = PatchScores {
            score: Vec::with_capacity(patches),
            anywhere: Vec::with_capacity(patches),
            nearest: Vec::with_capacity(patches),
            leading: leading.iter().copied().collect(),
        };
        for (column, products) in products.column_iter().enumerate() {
            let inside = coordinates.column(column).norm_squared();
            let outside = (relative.column(column).norm_squared() - inside).max(0.0);
            let own = inside + outside;
            let patch = first + column;
            // |c - m|^2 = |c|^2 + |m|^2 - 2 c m; |c|^2 is the same for all.
            let distance = |j: usize| self.memory_norms[j] - 2.0 * products[j];
            let whole = nearest(&self.memory_norms, products.as_slice());
            let gated = match &self.allowed {
                Some(allowed) if !allowed[patch].is_empty() => {
                    nearest_of(allowed[patch].iter().map(|&j| j as usize), distance)
                }
                _ => whole,
            };
            scores.score.push((own + gated.1).max(0.0));
            scores.anywhere.push((own + whole.1).max(0.0));
            scores.nearest.push(gated.0 as u32);
        }
        scores
    }

    /// What contributions of each block are measured from, `[dim]` each.
    pub fn block_centres(&self, features: &Features) -> Vec<DVector<f32>> {
        match &self.parts.block_means {
            Some(means) => means.clone(),
            None => features.blocks.iter().map(Contribution::mean).collect(),
        }
    }

    /// How much of a patch's score each block saw; the shares add up to 1. `centres` are
    /// [`Self::block_centres`].
    ///
    /// The deviation `d = f - o - U m_j` is a sum over blocks, so `|d|^2 = sum_b d . d_b`. A block
    /// that moves against the deviation counts as 0.
    pub fn block_shares(
        &self,
        features: &Features,
        centres: &[DVector<f32>],
        scores: &PatchScores,
        patch: usize,
    ) -> Vec<f32> {
        let remembered = self.parts.memory.column(scores.nearest[patch] as usize);
        let deviations: Vec<DVector<f32>> = features
            .blocks
            .iter()
            .zip(centres)
            .zip(&self.parts.block_bases)
            .map(|((block, centre), basis)| block.column(patch) - centre - basis * remembered)
            .collect();
        let whole: DVector<f32> = deviations.iter().sum();
        let along: Vec<f32> = deviations.iter().map(|d| d.dot(&whole).max(0.0)).collect();
        let sum: f32 = along.iter().sum();
        if sum > 0.0 {
            along.iter().map(|v| v / sum).collect()
        } else {
            vec![1.0 / along.len().max(1) as f32; along.len()]
        }
    }
}

impl NormalParts {
    /// What patches are measured from.
    pub fn centre(&self) -> Centre {
        match self.block_means {
            Some(_) => Centre::Parts,
            None => Centre::Image,
        }
    }

    /// Where on the grid the patch lies that is number `number` of those that are looked at; of a
    /// number that there is not, nowhere.
    pub(crate) fn place(&self, number: usize) -> usize {
        match &self.kept {
            Some(kept) => kept.patches().get(number).copied().unwrap_or(usize::MAX),
            None => number,
        }
    }

    /// How many patches of an image are looked at.
    pub(crate) fn patches(&self) -> usize {
        Kept::count(self.kept.as_ref(), self.grid)
    }

    /// By patch that is looked at, the remembered patches that were seen within `reach` patches of
    /// its place.
    fn answers(&self, reach: usize) -> Vec<Vec<u32>> {
        let grown = self.places.grown(reach);
        (0..self.patches())
            .map(|patch| {
                (0..self.memory.ncols())
                    .filter(|&element| grown.seen(element, self.place(patch)))
                    .map(|element| element as u32)
                    .collect()
            })
            .collect()
    }

    fn check(&self) -> Result<(), NormalError> {
        let (Some(first), false) = (self.block_bases.first(), self.memory.is_empty()) else {
            return Err(NormalError::NothingRemembered);
        };
        let (dim, rank) = (first.nrows(), self.memory.nrows());
        expect(
            "number of block bases",
            self.blocks.len(),
            self.block_bases.len(),
        )?;
        for basis in &self.block_bases {
            expect("rows of a block basis", dim, basis.nrows())?;
            expect("rank of a block basis", rank, basis.ncols())?;
        }
        for mean in self.block_means.iter().flatten() {
            expect("length of a block mean", dim, mean.len())?;
        }
        if let Some(means) = &self.block_means {
            expect("number of block means", self.blocks.len(), means.len())?;
        }
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        let mut means = self.block_means.iter().flatten();
        for (what, sound) in [
            ("a block mean", means.all(|m| finite(m.as_slice()))),
            (
                "a block basis",
                self.block_bases.iter().all(|b| finite(b.as_slice())),
            ),
            ("the memory", finite(self.memory.as_slice())),
        ] {
            if !sound {
                return Err(NormalError::NotFinite { what });
            }
        }
        Ok(())
    }
}

/// Features `[dim, patches]` measured from a fixed centre, or from their own mean.
pub(crate) fn relative_to(mut features: DMatrix<f32>, mean: Option<&DVector<f32>>) -> DMatrix<f32> {
    let mean = centre(&features, mean).into_owned();
    subtract(&mut features, &mean);
    features
}

/// What features are measured from: `mean`, or that of their own image.
fn centre<'a>(features: &DMatrix<f32>, mean: Option<&'a DVector<f32>>) -> Cow<'a, DVector<f32>> {
    mean.map_or_else(|| Cow::Owned(features.column_mean()), Cow::Borrowed)
}

fn subtract(features: &mut DMatrix<f32>, mean: &DVector<f32>) {
    features
        .column_iter_mut()
        .for_each(|mut column| column -= mean);
}

fn expect<T: PartialEq + ToString>(
    what: &'static str,
    expected: T,
    found: T,
) -> Result<(), NormalError> {
    if expected == found {
        return Ok(());
    }
    Err(NormalError::Size {
        what,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

/// The remembered patch with the least distance, the first of equal ones, and that distance, from
/// `|m_j|^2` and `c m_j`. In two passes, of which the long one becomes vector instructions.
pub(crate) fn nearest(norms: &[f32], products: &[f32]) -> (usize, f32) {
    const LANES: usize = 16;
    let distance = |(norm, product): (&f32, &f32)| norm - 2.0 * product;
    let less = |a: f32, b: f32| if b < a { b } else { a };
    let mut lanes = [f32::INFINITY; LANES];
    let (norm_chunks, norms_left) = norms.as_chunks::<LANES>();
    let (product_chunks, products_left) = products.as_chunks::<LANES>();
    for (norms, products) in norm_chunks.iter().zip(product_chunks) {
        for (lane, pair) in lanes.iter_mut().zip(norms.iter().zip(products)) {
            *lane = less(*lane, distance(pair));
        }
    }
    let left = norms_left.iter().zip(products_left).map(distance);
    let least = lanes.into_iter().chain(left).fold(f32::INFINITY, less);
    let first = norms
        .iter()
        .zip(products)
        .position(|pair| distance(pair) == least);
    (first.unwrap_or(0), least)
}

/// The candidate with the least distance, and that distance.
fn nearest_of(
    candidates: impl Iterator<Item = usize>,
    distance: impl Fn(usize) -> f32,
) -> (usize, f32) {
    candidates.fold((0, f32::INFINITY), |best, j| {
        let d = distance(j);
        if d < best.1 { (j, d) } else { best }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(rows: usize, cols: usize, seed: usize) -> DMatrix<f32> {
        let number = |i: usize, j: usize| ((i * 31 + j * 17 + seed * 13 + i * j) % 101) as f32;
        DMatrix::from_fn(rows, cols, |i, j| number(i, j) / 101.0 - 0.5)
    }

    #[test]
    fn more_threads_give_the_same_bits() {
        let grid = Grid { rows: 26, cols: 31 };
        let (dim, rank, memory) = (48, 16, 70);
        let mut places = Places::new(grid, memory);
        (0..grid.patches()).for_each(|patch| places.see(patch % memory, patch));
        let features = numbers(dim, grid.patches(), 3);
        for gate in [None, Some(2)] {
            let model = NormalModel::new(NormalParts {
                grid,
                kept: None,
                blocks: vec![5],
                block_means: None,
                block_bases: vec![numbers(dim, rank, 1)],
                memory: numbers(rank, memory, 2),
                places: places.clone(),
                gate,
            })
            .unwrap();
            let bits = |scores: &[f32]| scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
            let alone = model.score_total(&features);
            for threads in [1, 2, 3, 4] {
                let pool = Arc::new(Pool::new(threads).unwrap());
                let shared = model.clone().with_pool(pool).score_total(&features);
                assert_eq!(bits(&alone.score), bits(&shared.score));
                assert_eq!(bits(&alone.anywhere), bits(&shared.anywhere));
                assert_eq!(alone.nearest, shared.nearest);
                assert_eq!(bits(&alone.leading), bits(&shared.leading));
            }
        }
    }
}
