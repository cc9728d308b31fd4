use std::sync::Arc;

use nalgebra::{DMatrix, DVector, DVectorView};

use crate::vit::TapMatrix;

/// What one block contributes to the features of an image: its tokens, each scaled as the feature
/// was. Products are made when they are asked for: few patches of few images need them.
#[derive(Debug, Clone)]
pub struct Contribution {
    tokens: TapMatrix,
    /// One a patch; the same for all blocks of an image.
    scales: Arc<Vec<f32>>,
}

impl Contribution {
    /// Of `tokens`, one of `scales` for each patch.
    pub(super) fn new(tokens: TapMatrix, scales: Arc<Vec<f32>>) -> Self {
        Self { tokens, scales }
    }

    /// That of one patch, `[dim]`.
    pub fn column(&self, patch: usize) -> DVector<f32> {
        self.scaled(patch).collect::<Vec<_>>().into()
    }

    /// That of every `step`-th patch, at least one, beginning with the first: `[dim, some]`.
    pub fn every(&self, step: usize) -> DMatrix<f32> {
        let columns: Vec<f32> = (0..self.scales.len())
            .step_by(step.max(1))
            .flat_map(|patch| self.scaled(patch))
            .collect();
        let count = columns.len() / self.tokens.dim().max(1);
        DMatrix::from_vec(self.tokens.dim(), count, columns)
    }

    /// Sum over all patches, `[dim]`.
    pub fn sum(&self) -> DVector<f32> {
        let mut sum = DVector::zeros(self.tokens.dim());
        let rows = self.tokens.rows().chunks_exact(self.tokens.dim().max(1));
        for (row, scale) in rows.zip(self.scales.iter()) {
            sum.axpy(*scale, &DVectorView::from_slice(row, row.len()), 1.0);
        }
        sum
    }

    /// Mean over all patches, `[dim]`.
    pub fn mean(&self) -> DVector<f32> {
        self.sum() / self.scales.len().max(1) as f32
    }

    fn scaled(&self, patch: usize) -> impl Iterator<Item = f32> {
        let (dim, scale) = (self.tokens.dim(), self.scales[patch]);
        let row = &self.tokens.rows()[patch * dim..][..dim];
        row.iter().map(move |value| scale * value)
    }
}

/// As it is: `[dim, patches]`.
impl From<DMatrix<f32>> for Contribution {
    fn from(matrix: DMatrix<f32>) -> Self {
        let (dim, patches) = matrix.shape();
        let rows = Arc::new(matrix.as_slice().to_vec());
        Self::new(TapMatrix::of_rows(rows, dim), Arc::new(vec![1.0; patches]))
    }
}
