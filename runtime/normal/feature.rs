use std::sync::Arc;

use andon_kernels::Pool;
use nalgebra::{DMatrix, DVectorView, DVectorViewMut};

use super::Contribution;
use crate::vit::{Grid, Kept, TapKind, TapMatrix, TapRequest, Taps};

/// What is compared of each patch: the mean of the output tokens of several blocks, brought to
/// unit length.
///
/// The feature is a sum of one contribution a block, `f = sum_b f_b`, and both are kept: whatever
/// is measured on `f` can be told apart by block, exactly.
#[derive(Debug, Clone)]
pub struct Features {
    /// Where the patches lie.
    pub grid: Grid,
    /// Which of them the columns are, where some were left out; `None`: all of them.
    pub kept: Option<Kept>,
    /// `[dim, patches]`, unit columns.
    pub total: DMatrix<f32>,
    /// Of each block, in the order of the blocks; they add up to `total`.
    pub blocks: Vec<Contribution>,
}

/// A tap that a feature needs was not among those that the backbone gave, or is not finite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// The backbone was not asked for a block.
    #[error("the tokens of block {block} were not tapped: ask the backbone for them")]
    NotTapped {
        /// Block number, 1-based.
        block: usize,
    },
    /// The backbone gave NaN, infinity, or nothing at all.
    #[error("the features of patch {patch} are not finite: the model or the image is damaged")]
    NotFinite {
        /// Patch, row by row from the top left, of those that were kept.
        patch: usize,
    },
}

impl Features {
    /// The taps that [`Self::from_taps`] reads.
    pub fn request(blocks: &[usize]) -> TapRequest {
        TapRequest::tokens(blocks.iter().copied())
    }

    /// Fuses the tokens of `blocks` (1-based), on the threads of `pool`; how many there are changes no
    /// bit.
    ///
    /// # Errors
    /// [`FeatureError`] when a block was not tapped or a value is not finite.
    pub fn from_taps(taps: &Taps, blocks: &[usize], pool: &Pool) -> Result<Self, FeatureError> {
        let taken = blocks.iter().map(|&block| {
            let tap = taps.get(block, TapKind::Tokens);
            tap.ok_or(FeatureError::NotTapped { block })
        });
        let taken = taken.collect::<Result<Vec<_>, _>>()?;
        let first = taken.first().ok_or(FeatureError::NotTapped { block: 0 })?;
        let (dim, patches) = first.columns().shape();
        let tokens: Vec<&[f32]> = taken.iter().map(|tap| tap.rows()).collect();
        let mut total = DMatrix::zeros(dim, patches);
        let mut scales = vec![0.0; patches];
        let columns = total.as_mut_slice().chunks_mut((PIECE * dim).max(1));
        let mut pieces: Vec<_> = columns.zip(scales.chunks_mut(PIECE)).collect();
        pool.chunks(&mut pieces, 1, &|number, piece| {
            for (columns, scales) in piece {
                fuse(&tokens, number * PIECE * dim, dim, columns, scales);
            }
        });
        let fits = |scale: &f32| scale.is_finite() && *scale > 0.0;
        if let Some(patch) = scales.iter().position(|scale| !fits(scale)) {
            return Err(FeatureError::NotFinite { patch });
        }
        let scales = Arc::new(scales);
        let contribution = |tap: &TapMatrix| Contribution::new(tap.clone(), Arc::clone(&scales));
        Ok(Self {
            grid: taps.grid,
            kept: taps.kept.clone(),
            total,
            blocks: taken.into_iter().map(contribution).collect(),
        })
    }

    /// Width of a feature.
    pub fn dim(&self) -> usize {
        self.total.nrows()
    }
}

/// Patches that one thread fuses at a time.
const PIECE: usize = 64;

/// Sums of rows of `tokens`, the first of them beginning at value `at`, brought to unit length: into
/// `columns`, `dim` values each, and what each was multiplied by into `scales`. That of a sum without a
/// length is not a finite number above 0.
fn fuse(tokens: &[&[f32]], at: usize, dim: usize, columns: &mut [f32], scales: &mut [f32]) {
    let rows = columns.chunks_exact_mut(dim.max(1));
    for (place, (column, scale)) in rows.zip(scales).enumerate() {
        let mut sum = DVectorViewMut::from_slice(column, dim);
        for block in tokens {
            sum += DVectorView::from_slice(&block[at + place * dim..][..dim], dim);
        }
        let length = sum.norm();
        *scale = match length.is_finite() && length > 0.0 {
            true => 1.0 / length,
            false => f32::NAN,
        };
        sum.scale_mut(*scale);
    }
}
