use nalgebra::DMatrix;

use super::Features;

/// Second moments of patches between each block's contribution and the whole feature. Features are
/// centred image by image, so these are covariances, and they add up to the covariance of the
/// feature itself.
///
/// Sums add, so parts can come one at a time, and a part can be taken out again.
#[derive(Debug, Clone)]
pub struct Moments {
    patches: u64,
    /// By block, `[dim, dim]`: sum of `f_b f^T`.
    sums: Vec<DMatrix<f64>>,
}

impl Moments {
    /// No patches yet; `dim` is the width of a feature, `blocks` how many it is fused from.
    pub fn new(dim: usize, blocks: usize) -> Self {
        Self {
            patches: 0,
            sums: vec![DMatrix::zeros(dim, dim); blocks],
        }
    }

    /// Adds all patches of a part. Products are summed in `f32` within the part (at most a few
    /// thousand terms of at most 4) and in `f64` from part to part.
    pub fn add(&mut self, features: &Features) {
        let total = features.total.transpose();
        self.patches += features.total.ncols() as u64;
        for (sum, block) in self.sums.iter_mut().zip(&features.blocks) {
            *sum += (block * &total).cast::<f64>();
        }
    }

    /// Number of patches.
    pub fn patches(&self) -> u64 {
        self.patches
    }

    /// Covariance of each block's contribution with the feature, `[dim, dim]` each.
    pub fn block_covariances(&self) -> impl Iterator<Item = DMatrix<f64>> + '_ {
        let scale = 1.0 / self.patches.max(1) as f64;
        self.sums.iter().map(move |sum| sum * scale)
    }

    /// The moments of the feature alone.
    pub fn whole(&self) -> WholeMoments {
        WholeMoments {
            patches: self.patches,
            sum: self.sums.iter().sum(),
        }
    }
}

/// Second moment of the feature, without its blocks.
#[derive(Debug, Clone)]
pub struct WholeMoments {
    patches: u64,
    sum: DMatrix<f64>,
}

impl WholeMoments {
    /// Takes the patches of one part, `[dim, patches]`, out again.
    pub fn remove(&mut self, part: &DMatrix<f32>) {
        self.patches -= part.ncols() as u64;
        self.sum -= (part * part.transpose()).cast::<f64>();
    }

    /// Covariance `[dim, dim]`.
    pub fn covariance(&self) -> DMatrix<f64> {
        &self.sum / self.patches.max(1) as f64
    }
}
