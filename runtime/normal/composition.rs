use nalgebra::{DMatrix, DMatrixView, DVector};

use super::cosine_maps::{COSINE_MAPS, cosine_maps};
use super::shrunk::Shrunk;
use super::{LEADING, PatchScores};
use crate::vit::{Grid, Kept};

/// What lies where on good parts, all patches together: how much of each leading direction of the
/// features each slow cosine over the grid holds, and how that spreads from part to part.
///
/// `M = U_r^T F C` with features `F` `[dim, patches]`, leading directions `U_r` `[dim, r]` and
/// cosine maps `C` `[patches, 8]`. The score is the Mahalanobis distance of `M` from its mean over
/// good parts, with the covariance shrunk towards a sphere (Ledoit and Wolf 2004): there are 4 to
/// 100 parts and about 200 numbers. It sees patches that are right one by one and lie wrongly; it
/// stands beside the patch score and decides nothing (`docs/what-and-where.md`).
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// `C^T`, `[maps, patches]`.
    maps: DMatrix<f32>,
    /// `[directions, maps]`.
    mean: DMatrix<f32>,
    /// Directions in which good parts differ, orthonormal, `[directions * maps, axes]`.
    axes: DMatrix<f32>,
    /// Variance along each of the axes, then along everything else, `[axes + 1]`.
    variances: DVector<f32>,
}

impl Composition {
    /// From the `M` of each good part, `[directions, maps]`, and the cosine maps `C` that they were
    /// made with, `[patches, maps]`. `None` when the parts do not differ at all, or are fewer than
    /// three.
    pub(crate) fn of(maps: &DMatrix<f32>, parts: &[DMatrix<f32>]) -> Option<Self> {
        let first = parts.first()?;
        let columns: Vec<DVector<f64>> = parts
            .iter()
            .map(|part| DVector::from_iterator(part.len(), part.iter().map(|&v| v.into())))
            .collect();
        let mut deviations = DMatrix::from_columns(&columns);
        let mean = deviations.column_mean();
        deviations
            .column_iter_mut()
            .for_each(|mut column| column -= &mean);
        let Shrunk {
            axes,
            variances,
            rest,
        } = Shrunk::covariance(deviations)?;
        let variances: Vec<f32> = variances
            .into_iter()
            .chain([rest])
            .map(|v| v as f32)
            .collect();
        let (directions, count) = first.shape();
        Self::new(
            maps.transpose(),
            DMatrix::from_column_slice(directions, count, mean.cast::<f32>().as_slice()),
            axes.cast(),
            DVector::from_vec(variances),
        )
    }

    /// Restores what [`Self::arrays`] gave, for parts on `grid` and features of `rank` coordinates;
    /// `None` when sizes disagree or a number makes no sense.
    pub(crate) fn from_arrays(
        grid: Grid,
        kept: Option<&Kept>,
        rank: usize,
        [mean, axes, variances]: [DMatrix<f32>; 3],
    ) -> Option<Self> {
        let fits = mean.nrows() == LEADING.min(rank) && variances.nrows() == 1;
        let variances = DVector::from_column_slice(variances.as_slice());
        let restored = Self::new(cosine_maps(grid, kept)?.transpose(), mean, axes, variances);
        restored.filter(|_| fits)
    }

    /// Mean `[directions, maps]`, axes `[directions * maps, axes]`, and the variances along them and
    /// along everything else `[1, axes + 1]`: what a recipe stores.
    pub(crate) fn arrays(&self) -> [DMatrix<f32>; 3] {
        let variances = DMatrix::from_row_slice(1, self.variances.len(), self.variances.as_slice());
        [self.mean.clone(), self.axes.clone(), variances]
    }

    fn new(
        maps: DMatrix<f32>,
        mean: DMatrix<f32>,
        axes: DMatrix<f32>,
        variances: DVector<f32>,
    ) -> Option<Self> {
        let sizes = mean.ncols() == COSINE_MAPS
            && axes.nrows() == mean.len()
            && axes.ncols() <= axes.nrows()
            && variances.len() == axes.ncols() + 1;
        let finite = mean.iter().chain(&axes).all(|v| v.is_finite());
        let positive = variances.iter().all(|v| v.is_finite() && *v > 0.0);
        (sizes && finite && positive).then_some(Self {
            maps,
            mean,
            axes,
            variances,
        })
    }

    /// The same, with distances in units of `limit`.
    pub(crate) fn in_units_of(self, limit: f32) -> Option<Self> {
        let variances = self.variances * (limit * limit);
        Self::new(self.maps, self.mean, self.axes, variances)
    }

    /// How far an image is from the composition of good parts; 1.0 is the limit. `None` when its
    /// patches lie on another grid.
    ///
    /// Costs `patches * directions * maps` multiplications, a thousandth of what scoring costs.
    pub fn score(&self, scores: &PatchScores) -> Option<f32> {
        let (directions, patches) = (self.mean.nrows(), self.maps.ncols());
        if scores.leading.len() != directions * patches {
            return None;
        }
        let leading = DMatrixView::from_slice(&scores.leading, directions, patches);
        let mut composition = DMatrix::zeros(directions, COSINE_MAPS);
        // Patch by patch: a product of such flat matrices takes four times as long.
        for (patch, maps) in leading.column_iter().zip(self.maps.column_iter()) {
            composition.ger(1.0, &patch, &maps, 1.0);
        }
        Some(self.distance(&composition))
    }

    /// The distance of an `M`, `[directions, maps]`.
    pub(crate) fn distance(&self, composition: &DMatrix<f32>) -> f32 {
        let deviation = composition - &self.mean;
        let mut rest = DVector::from_column_slice(deviation.as_slice());
        let along = self.axes.tr_mul(&rest);
        // By subtraction of vectors: that of squares would leave rounding where the rest is small.
        rest.gemv(-1.0, &self.axes, &along, 1.0);
        let squares = along.iter().map(|v| v * v).chain([rest.norm_squared()]);
        let terms = squares.zip(&self.variances);
        terms
            .map(|(square, variance)| square / variance)
            .sum::<f32>()
            .sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::{NormalModel, NormalParts, Places};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const GRID: Grid = Grid { rows: 6, cols: 7 };
    const DIRECTIONS: usize = 3;

    /// Coordinates of a part `[directions, patches]`: plate, a screw at patch 8, a label at patch 33,
    /// and a little noise.
    fn part(dice: &mut ChaCha8Rng) -> DMatrix<f32> {
        DMatrix::from_fn(DIRECTIONS, GRID.patches(), |direction, patch| {
            let there = match patch {
                8 => direction == 1,
                33 => direction == 2,
                _ => direction == 0,
            };
            f32::from(there) + dice.random_range(-0.05..0.05)
        })
    }

    fn composition(part: &DMatrix<f32>) -> DMatrix<f32> {
        part * cosine_maps(GRID, None).unwrap()
    }

    fn learned(dice: &mut ChaCha8Rng, parts: usize) -> Composition {
        let parts: Vec<_> = (0..parts).map(|_| composition(&part(dice))).collect();
        Composition::of(&cosine_maps(GRID, None).unwrap(), &parts).unwrap()
    }

    /// Scores by a model that remembers plate, screw and label, wherever they lie.
    fn scores(part: &DMatrix<f32>) -> PatchScores {
        let model = NormalModel::new(NormalParts {
            grid: GRID,
            kept: None,
            blocks: vec![1],
            block_means: Some(vec![DVector::zeros(DIRECTIONS)]),
            block_bases: vec![DMatrix::identity(DIRECTIONS, DIRECTIONS)],
            memory: DMatrix::identity(DIRECTIONS, 3),
            places: Places::new(GRID, 3),
            gate: None,
        });
        model.unwrap().score_total(part)
    }

    #[test]
    fn two_patches_that_changed_places_raise_it_though_each_of_them_is_fine() {
        let mut dice = ChaCha8Rng::seed_from_u64(3);
        let learned = learned(&mut dice, 12);
        let good: Vec<_> = (0..50).map(|_| part(&mut dice)).collect();
        let score = |part: &DMatrix<f32>| learned.score(&scores(part)).unwrap();
        let highest = good.iter().map(score).fold(0.0, f32::max);
        for part in &good {
            let mut swapped = part.clone();
            swapped.swap_columns(8, 33);
            let worst = |part: &DMatrix<f32>| scores(part).score.into_iter().fold(0.0, f32::max);
            assert_eq!(worst(&swapped), worst(part));
            let swapped = score(&swapped);
            assert!(swapped > 1.5 * highest, "{swapped} against {highest}");
        }
    }

    #[test]
    fn patches_on_another_grid_have_no_score() {
        let learned = learned(&mut ChaCha8Rng::seed_from_u64(8), 5);
        assert_eq!(
            learned.score(&scores(&DMatrix::zeros(DIRECTIONS, 40))),
            None
        );
    }

    #[test]
    fn what_all_patches_share_adds_nothing() {
        let mut dice = ChaCha8Rng::seed_from_u64(4);
        let learned = learned(&mut dice, 8);
        let part = part(&mut dice);
        let lighter = part.add_scalar(0.7);
        let [part, lighter] = [part, lighter].map(|part| learned.distance(&composition(&part)));
        assert!((part - lighter).abs() < 1e-3 * part, "{part} {lighter}");
    }

    #[test]
    fn parts_that_do_not_differ_give_none() {
        let same = composition(&part(&mut ChaCha8Rng::seed_from_u64(6)));
        let maps = cosine_maps(GRID, None).unwrap();
        assert_eq!(Composition::of(&maps, &vec![same; 5]), None);
        assert_eq!(Composition::of(&maps, &[]), None);
    }

    #[test]
    fn arrays_restore_the_same_composition_and_odd_ones_are_refused() {
        let mut dice = ChaCha8Rng::seed_from_u64(7);
        let learned = learned(&mut dice, 6);
        let restore = |arrays| Composition::from_arrays(GRID, None, DIRECTIONS, arrays);
        assert_eq!(restore(learned.arrays()), Some(learned.clone()));
        let odd: [fn(&mut [DMatrix<f32>; 3]); 6] = [
            |[mean, ..]| mean[0] = f32::NAN,
            |[mean, ..]| *mean = mean.clone().remove_row(0),
            |[mean, ..]| *mean = mean.clone().remove_column(0),
            |[_, axes, _]| *axes = axes.clone().remove_column(0),
            |[.., variances]| variances[0] = 0.0,
            |[.., variances]| *variances = variances.transpose(),
        ];
        for (number, change) in odd.into_iter().enumerate() {
            let mut arrays = learned.arrays();
            change(&mut arrays);
            assert_eq!(restore(arrays), None, "change {number}");
        }
        let small = Grid { rows: 2, cols: 21 };
        assert_eq!(
            Composition::from_arrays(small, None, DIRECTIONS, learned.arrays()),
            None
        );
    }
}
