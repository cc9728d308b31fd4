use andon_spectral::{DualAffinity, DualEmbedding, Error, Options, SubspaceSolver};
use nalgebra::{DMatrix, DVector};

use super::GroupError;
use crate::explain::{MOST_GROUPS, groups_by_gap};
use crate::inspect::Pathway;

/// Relative residual of the eigenvectors. The matrix is small, so this costs little, and groups that
/// are near a tie do not depend on the order of shards.
const TOLERANCE: f64 = 1e-9;

/// Eigenvalues at or below this share of 1, the largest there is, are rounding.
const LEAST_EIGENVALUE: f64 = 1e-9;

/// The space in which patches of all images are compared: the leading eigenvectors of the graph over
/// all of them, by the thin side.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    embedding: DualEmbedding,
}

impl Space {
    /// Finds up to [`MOST_GROUPS`] eigenvectors of what pass 2 has seen.
    ///
    /// # Errors
    /// [`GroupError::Alike`] if there is none beyond the one that says nothing,
    /// [`GroupError::Features`] if pass 2 has not seen the patches of pass 1.
    pub fn solve(dual: &DualAffinity, pathway: Pathway) -> Result<Self, GroupError> {
        let failed = |source| GroupError::Features {
            of: "all images".into(),
            source,
        };
        let options = Options {
            tolerance: TOLERANCE,
            ..Options::default()
        };
        let operator = dual.operator().map_err(failed)?;
        let mut solver =
            SubspaceSolver::new(dual.dim() + 1, MOST_GROUPS, options).map_err(failed)?;
        let trivial = dual.trivial_eigenvector();
        solver.deflate(&trivial).map_err(failed)?;
        let pairs = solver.solve(&operator).map_err(failed)?;
        let kept = pairs.values().iter();
        let kept = kept.take_while(|v| **v > LEAST_EIGENVALUE).count();
        if kept == 0 {
            return Err(GroupError::Alike {
                pathway: pathway.as_str(),
            });
        }
        let vectors = pairs.vectors().columns(0, kept).clone_owned();
        let values = pairs.values()[..kept].to_vec();
        let embedding = DualEmbedding::new(dual.directions().clone(), values, vectors);
        Ok(Self {
            embedding: embedding.map_err(failed)?,
        })
    }

    /// From an embedding that was stored.
    #[must_use]
    pub fn new(embedding: DualEmbedding) -> Self {
        Self { embedding }
    }

    /// What is stored of it.
    #[must_use]
    pub fn embedding(&self) -> &DualEmbedding {
        &self.embedding
    }

    /// Eigenvalues, descending, `[k]`.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        self.embedding.values()
    }

    /// How many groups the eigenvalues speak for.
    #[must_use]
    pub fn groups_by_gap(&self) -> usize {
        groups_by_gap(self.values())
    }

    /// Where patches lie, `[patches, dim]`, and their degrees: the first `dim` eigenvectors as
    /// functions of the patch, D^-1/2 u, each times the root of its eigenvalue.
    ///
    /// # Errors
    /// [`Error`] for rows of another size or without a direction.
    pub fn points(&self, rows: &[f32], dim: usize) -> Result<(DMatrix<f64>, DVector<f64>), Error> {
        let degrees = DVector::from_vec(self.embedding.degrees(rows)?);
        let all = self.embedding.embed(rows)?;
        let mut points = all.columns(0, dim.min(all.ncols())).clone_owned();
        let volume = self.embedding.directions().volume().sqrt();
        for (mut column, value) in points.column_iter_mut().zip(self.values()) {
            let scale = volume * value.sqrt();
            for (point, degree) in column.iter_mut().zip(&degrees) {
                *point *= scale / degree.sqrt();
            }
        }
        Ok((points, degrees))
    }
}
