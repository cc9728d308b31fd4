use nalgebra::DMatrix;

use crate::vit::{Grid, Kept, TapKind, TapRequest, Taps};

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
    /// `[dim, patches]` of each block, in the order of the blocks; they add up to `total`.
    pub blocks: Vec<DMatrix<f32>>,
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

    /// Fuses the tokens of `blocks` (1-based).
    ///
    /// # Errors
    /// [`FeatureError`] when a block was not tapped or a value is not finite.
    pub fn from_taps(taps: &Taps, blocks: &[usize]) -> Result<Self, FeatureError> {
        let tokens = blocks
            .iter()
            .map(|&block| {
                let tap = taps.get(block, TapKind::Tokens);
                Ok(tap.ok_or(FeatureError::NotTapped { block })?.columns())
            })
            .collect::<Result<Vec<_>, _>>()?;
        let first = tokens.first().ok_or(FeatureError::NotTapped { block: 0 })?;
        let (dim, patches) = first.shape();
        let mut total = DMatrix::zeros(dim, patches);
        let mut parts = vec![DMatrix::zeros(dim, patches); tokens.len()];
        // Patch by patch, so that what is summed is still at hand when it is scaled.
        for (patch, mut sum) in total.column_iter_mut().enumerate() {
            tokens.iter().for_each(|block| sum += block.column(patch));
            let length = sum.norm();
            if !(length.is_finite() && length > 0.0) {
                return Err(FeatureError::NotFinite { patch });
            }
            let scale = 1.0 / length;
            sum.scale_mut(scale);
            for (part, block) in parts.iter_mut().zip(&tokens) {
                part.column_mut(patch)
                    .axpy(scale, &block.column(patch), 0.0);
            }
        }
        Ok(Self {
            grid: taps.grid,
            kept: taps.kept.clone(),
            total,
            blocks: parts,
        })
    }

    /// Width of a feature.
    pub fn dim(&self) -> usize {
        self.total.nrows()
    }
}
