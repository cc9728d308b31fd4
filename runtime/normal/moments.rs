use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::Features;

/// What a patch is measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Centre {
    /// The mean of all patches of all good parts.
    Parts,
    /// The mean of all patches of its own image: that takes out what light, white balance and lens
    /// do to all patches alike, and blurs the sight of defects that fill much of an image.
    Image,
}

/// Patches of an image, at least, from which it is told how much each block contributes: enough to
/// share out a deviation among blocks, which decides nothing.
const SHARED_PATCHES: usize = 128;

/// Sums over the patches of parts from which means and covariances follow: of the whole feature, and
/// by block between its contribution and the feature.
///
/// Sums add, so parts can come one at a time; they are kept by fold, so that a fold can be left out.
#[derive(Debug, Clone)]
pub struct Moments {
    /// By fold.
    whole: Vec<WholeMoments>,
    parts: usize,
    /// Of each block's contribution, `[dim]`.
    block_sums: Vec<DVector<f64>>,
    /// Of an evenly spaced choice of the patches.
    blocks: Vec<Sums>,
}

/// Sums over patches for one pair of features `f_b` and `f`.
#[derive(Debug, Clone)]
struct Sums {
    patches: u64,
    /// Of `f_b`, `[dim]`.
    first: DVector<f64>,
    /// Of `f`, `[dim]`.
    whole: DVector<f64>,
    /// Of `f_b f^T`, `[dim, dim]`.
    second: DMatrix<f64>,
    /// Of `mean(f_b) mean(f)^T` over the images, each as often as it has patches.
    between: DMatrix<f64>,
}

impl Moments {
    /// No patches yet; `dim` is the width of a feature, `blocks` how many it is fused from. Parts are
    /// dealt out to `folds` (at least one) in turn.
    pub fn new(dim: usize, blocks: usize, folds: usize) -> Self {
        Self {
            whole: vec![WholeMoments(Sums::new(dim)); folds.max(1)],
            parts: 0,
            block_sums: vec![DVector::zeros(dim); blocks],
            blocks: vec![Sums::new(dim); blocks],
        }
    }

    /// Adds all patches of a part.
    pub fn add(&mut self, features: &Features) {
        let total = &features.total;
        let fold = self.parts % self.whole.len();
        self.whole[fold].0.add_own(total);
        self.parts += 1;
        for (sum, block) in self.block_sums.iter_mut().zip(&features.blocks) {
            *sum += block.sum().cast::<f64>();
        }
        let stride = (total.ncols() / SHARED_PATCHES).max(1);
        let count = total.ncols().div_ceil(stride);
        let total = total.columns_with_step(0, count, stride - 1).into_owned();
        let transposed = total.transpose();
        for (sums, block) in self.blocks.iter_mut().zip(&features.blocks) {
            sums.add(&block.every(stride), &total, &transposed);
        }
    }

    /// Mean of each block's contribution, `[dim]` each; they add up to the mean of the feature.
    pub fn block_means(&self) -> Vec<DVector<f64>> {
        let patches: u64 = self.whole.iter().map(|fold| fold.0.patches).sum();
        let patches = patches.max(1) as f64;
        self.block_sums.iter().map(|sum| sum / patches).collect()
    }

    /// Covariance of each block's contribution with the feature, `[dim, dim]` each, over an evenly
    /// spaced choice of the patches. They add up to that of the feature over the same patches.
    pub fn block_covariances(&self, centre: Centre) -> impl Iterator<Item = DMatrix<f64>> + '_ {
        self.blocks.iter().map(move |sums| sums.covariance(centre))
    }

    /// The moments of the feature alone, over all patches.
    pub fn whole(&self) -> WholeMoments {
        let dim = self.whole.first().map_or(0, |fold| fold.0.first.len());
        let mut sum = Sums::new(dim);
        self.whole.iter().for_each(|fold| sum.merge(&fold.0));
        WholeMoments(sum)
    }

    /// Those of `whole`, which are the moments of all, without the parts of one fold.
    pub fn without(&self, fold: usize, whole: &WholeMoments) -> WholeMoments {
        let mut rest = whole.clone();
        if let Some(fold) = self.whole.get(fold) {
            rest.0.take_out(&fold.0);
        }
        rest
    }
}

/// Moments of the feature, without its blocks.
#[derive(Debug, Clone)]
pub struct WholeMoments(Sums);

impl WholeMoments {
    /// Mean `[dim]`.
    pub fn mean(&self) -> DVector<f64> {
        self.0.mean()
    }

    /// Covariance `[dim, dim]`.
    pub fn covariance(&self, centre: Centre) -> DMatrix<f64> {
        self.0.covariance(centre)
    }
}

impl Sums {
    fn new(dim: usize) -> Self {
        Self {
            patches: 0,
            first: DVector::zeros(dim),
            whole: DVector::zeros(dim),
            second: DMatrix::zeros(dim, dim),
            between: DMatrix::zeros(dim, dim),
        }
    }

    /// Adds an image, `[dim, patches]`, whose sums are of the feature with itself. What lies above
    /// the diagonal is what lies below it, so whole blocks of it are copied, not computed.
    fn add_own(&mut self, total: &DMatrix<f32>) {
        /// Enough columns that a product runs at full speed.
        const AT_ONCE: usize = 128;
        let dim = total.nrows();
        let transposed = total.transpose();
        let mut product = DMatrix::zeros(dim, dim);
        for from in (0..dim).step_by(AT_ONCE) {
            let count = AT_ONCE.min(dim - from);
            let below = total.rows_range(from..) * transposed.columns(from, count);
            product
                .view_mut((from, from), below.shape())
                .copy_from(&below);
            let beside = below.rows_range(count..).transpose();
            product
                .view_mut((from, from + count), beside.shape())
                .copy_from(&beside);
        }
        let sum = total.column_sum();
        self.add_products(total.ncols(), &product, sum.clone(), sum);
    }

    /// Adds an image. Products are summed in `f32` within the image (at most a few thousand terms of
    /// at most 1) and in `f64` from image to image.
    fn add(&mut self, block: &DMatrix<f32>, total: &DMatrix<f32>, transposed: &DMatrix<f32>) {
        let product = block * transposed;
        let (block, sum) = (block.column_sum(), total.column_sum());
        self.add_products(total.ncols(), &product, block, sum);
    }

    /// Adds what was summed over the patches of an image.
    fn add_products(
        &mut self,
        patches: usize,
        product: &DMatrix<f32>,
        block: DVector<f32>,
        total: DVector<f32>,
    ) {
        let (block_sum, total_sum) = (block.cast::<f64>(), total.cast::<f64>());
        self.patches += patches as u64;
        self.second
            .zip_apply(product, |sum, product| *sum += f64::from(product));
        self.between
            .ger(1.0 / patches.max(1) as f64, &block_sum, &total_sum, 1.0);
        self.first += block_sum;
        self.whole += total_sum;
    }

    /// Adds what others summed.
    fn merge(&mut self, other: &Self) {
        self.patches += other.patches;
        self.first += &other.first;
        self.whole += &other.whole;
        self.second += &other.second;
        self.between += &other.between;
    }

    /// Takes out what was summed before. Sums are in `f64` and terms in `f32`, so what rounding
    /// leaves behind is far below a term.
    fn take_out(&mut self, part: &Self) {
        self.patches -= part.patches;
        self.first -= &part.first;
        self.whole -= &part.whole;
        self.second -= &part.second;
        self.between -= &part.between;
    }

    fn mean(&self) -> DVector<f64> {
        &self.first / self.patches.max(1) as f64
    }

    fn covariance(&self, centre: Centre) -> DMatrix<f64> {
        let scale = 1.0 / self.patches.max(1) as f64;
        match centre {
            Centre::Image => (&self.second - &self.between) * scale,
            Centre::Parts => {
                let mut covariance = &self.second * scale;
                covariance.ger(-scale * scale, &self.first, &self.whole, 1.0);
                covariance
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vit::Grid;

    fn part(seed: usize) -> Features {
        let block = |b: usize| {
            DMatrix::from_fn(4, 6, |i, j| {
                ((seed * 31 + b * 17 + i * 7 + j * 13) % 11) as f32 / 10.0
            })
        };
        let blocks = vec![block(0), block(1)];
        Features {
            grid: Grid { rows: 2, cols: 3 },
            kept: None,
            total: &blocks[0] + &blocks[1],
            blocks: blocks.into_iter().map(Into::into).collect(),
        }
    }

    /// By the definition, patch by patch.
    fn covariance(parts: &[Features], centre: Centre) -> DMatrix<f64> {
        let columns: Vec<DVector<f64>> = parts
            .iter()
            .flat_map(|part| {
                let mean = part.total.column_mean().cast::<f64>();
                let relative = move |c: nalgebra::DVectorView<'_, f32>| match centre {
                    Centre::Image => c.clone_owned().cast::<f64>() - &mean,
                    Centre::Parts => c.clone_owned().cast::<f64>(),
                };
                part.total.column_iter().map(relative).collect::<Vec<_>>()
            })
            .collect();
        let mean = columns.iter().sum::<DVector<f64>>() / columns.len() as f64;
        let spread = |c: &DVector<f64>| (c - &mean) * (c - &mean).transpose();
        columns.iter().map(spread).sum::<DMatrix<f64>>() / columns.len() as f64
    }

    #[test]
    fn streamed_covariances_are_those_of_the_definition_and_add_up_over_blocks() {
        let parts = [part(1), part(2), part(5)];
        let mut moments = Moments::new(4, 2, 2);
        parts.iter().for_each(|part| moments.add(part));
        for centre in [Centre::Parts, Centre::Image] {
            let expected = covariance(&parts, centre);
            let blocks: DMatrix<f64> = moments.block_covariances(centre).sum();
            assert!((moments.whole().covariance(centre) - &expected).amax() < 1e-6);
            assert!((blocks - &expected).amax() < 1e-6);
        }
    }

    #[test]
    fn a_fold_that_is_left_out_leaves_no_trace() {
        let mut all = Moments::new(4, 2, 3);
        (1..=5).for_each(|seed| all.add(&part(seed)));
        // The second and the fifth part are of the fold that is left out.
        let expected = covariance(&[part(1), part(3), part(4)], Centre::Parts);
        let rest = all.without(1, &all.whole()).covariance(Centre::Parts);
        assert!((rest - expected).amax() < 1e-6);
    }
}
