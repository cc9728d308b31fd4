//! An affinity that is given as a matrix.

use nalgebra::{DMatrix, DVector};

use super::{inverse_roots, trivial_eigenvector};
use crate::error::Error;
use crate::operator::{Dense, SymmetricOperator};

/// S = D^-1/2 W D^-1/2 for a matrix W that is held as such, in `f64`, such as
/// [`attention`](crate::attention).
#[derive(Debug, Clone)]
pub struct DenseAffinity {
    normalised: Dense,
    degrees: DVector<f64>,
}

impl DenseAffinity {
    /// Takes affinities `[tokens, tokens]`, not negative, and symmetrises them to (W + W^T)/2.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`] if it is not square, [`Error::NotFinite`],
    /// [`Error::NegativeAffinity`], [`Error::IsolatedToken`].
    pub fn new(affinity: DMatrix<f64>) -> Result<Self, Error> {
        if let Some(at) = affinity.as_slice().iter().position(|v| *v < 0.0) {
            return Err(Error::NegativeAffinity {
                row: at % affinity.nrows(),
                column: at / affinity.nrows(),
                value: affinity.as_slice()[at],
            });
        }
        let mut matrix = Dense::symmetrised(affinity)?.into_matrix();
        let degrees = matrix.row_sum().transpose();
        let roots = inverse_roots(degrees.as_slice(), 0.0)?;
        for (mut column, root) in matrix.column_iter_mut().zip(&roots) {
            for (value, other) in column.iter_mut().zip(&roots) {
                // The roots first, so that the matrix stays symmetric.
                *value *= root * other;
            }
        }
        Ok(Self {
            normalised: Dense::trusted(matrix).with_floor(-1.0),
            degrees,
        })
    }

    /// The degrees D, `[tokens]`.
    pub fn degrees(&self) -> &DVector<f64> {
        &self.degrees
    }

    /// D^1/2 1 at unit length, `[tokens, 1]`: eigenvector with eigenvalue 1, to be deflated.
    pub fn trivial_eigenvector(&self) -> DMatrix<f64> {
        trivial_eigenvector(self.degrees.as_slice())
    }
}

impl SymmetricOperator for DenseAffinity {
    fn dim(&self) -> usize {
        self.normalised.dim()
    }

    /// -1, as for every normalised graph.
    fn floor(&self) -> f64 {
        self.normalised.floor()
    }

    fn scratch_len(&self, columns: usize) -> usize {
        self.normalised.scratch_len(columns)
    }

    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]) {
        self.normalised.apply(block, out, scratch);
    }
}
