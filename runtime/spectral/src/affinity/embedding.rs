//! What is kept of a dual affinity to place tokens among those it was made from: the sum of
//! directions and a few eigenvectors, but not the matrix.

use nalgebra::DMatrix;

use super::dual::{DirectionSum, WHAT, check_pairs, embed};
use super::unit_rows::UnitRows;
use crate::error::Error;
use crate::operator::check_finite;

/// Places tokens, those that a [`DualAffinity`](crate::DualAffinity) has seen or new ones, by its
/// leading eigenvectors (Nystroem's extension, exact for tokens that were seen).
///
/// Memory: (dim + 1) k `f64`. A token costs about 2 (dim + 1) k flops.
#[derive(Debug, Clone, PartialEq)]
pub struct DualEmbedding {
    directions: DirectionSum,
    values: Vec<f64>,
    vectors: DMatrix<f64>,
}

impl DualEmbedding {
    /// From eigenvectors `[dim + 1, k]` and eigenvalues `[k]`, above 0, of
    /// [`DualAffinity::operator`](crate::DualAffinity::operator).
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] if the sizes do not fit, [`Error::NotFinite`],
    /// [`Error::BadOption`] for an eigenvalue that is not above 0, [`Error::Empty`] without tokens.
    pub fn new(
        directions: DirectionSum,
        values: Vec<f64>,
        vectors: DMatrix<f64>,
    ) -> Result<Self, Error> {
        check_finite(&vectors, "dual eigenvectors")?;
        if directions.tokens() == 0 {
            return Err(Error::Empty { what: WHAT });
        }
        check_pairs(&directions, vectors.as_view(), &values)?;
        Ok(Self {
            directions,
            values,
            vectors,
        })
    }

    /// The sum of directions of the tokens that the eigenvectors were made from.
    pub fn directions(&self) -> &DirectionSum {
        &self.directions
    }

    /// Eigenvalues, descending, `[k]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Dual eigenvectors, `[dim + 1, k]`.
    pub fn vectors(&self) -> &DMatrix<f64> {
        &self.vectors
    }

    /// Rows of the eigenvectors of S, `[tokens, k]`; see
    /// [`DualAffinity::embed`](crate::DualAffinity::embed).
    ///
    /// # Errors
    /// As for [`DualAffinity::embed`](crate::DualAffinity::embed).
    pub fn embed(&self, rows: &[f32]) -> Result<DMatrix<f64>, Error> {
        embed(&self.directions, rows, self.vectors.as_view(), &self.values)
    }

    /// Degrees of the rows in the graph over all tokens, `[tokens]`.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`], [`Error::NotFinite`], [`Error::ZeroRow`].
    pub fn degrees(&self, rows: &[f32]) -> Result<Vec<f64>, Error> {
        Ok(self
            .directions
            .degrees(&UnitRows::new(rows, self.directions.dim(), WHAT)?))
    }
}
