use andon_spectral::{Dense, Error, Options, SubspaceSolver};
use nalgebra::{DMatrix, DVector};

use super::{Centre, WholeMoments};

/// Relative residual at which the directions are good enough: any orthonormal basis near the
/// leading subspace serves, because what it misses counts as residual.
const TOLERANCE: f64 = 1e-5;

/// The same while a part is left out, which happens many times.
const LOOSE_TOLERANCE: f64 = 1e-3;

/// Leading directions of a set of patches.
#[derive(Debug, Clone)]
pub(crate) struct Subspace {
    /// Orthonormal, `[dim, rank]`, by falling variance.
    pub basis: DMatrix<f64>,
    /// Variance along each of them, `[rank]`.
    pub variances: DVector<f64>,
}

impl Subspace {
    /// The `rank` leading directions.
    ///
    /// # Errors
    /// [`Error`] when the moments are not finite.
    pub fn leading(moments: &WholeMoments, centre: Centre, rank: usize) -> Result<Self, Error> {
        Self::from(moments, centre, rank, TOLERANCE, None)
    }

    /// The `rank` leading directions of moments little different from those whose directions are
    /// `known`, `[dim, any]`: good enough to score with, not to keep.
    ///
    /// # Errors
    /// [`Error`] when the moments are not finite.
    pub fn near(
        moments: &WholeMoments,
        centre: Centre,
        rank: usize,
        known: &DMatrix<f64>,
    ) -> Result<Self, Error> {
        Self::from(moments, centre, rank, LOOSE_TOLERANCE, Some(known))
    }

    fn from(
        moments: &WholeMoments,
        centre: Centre,
        rank: usize,
        tolerance: f64,
        guess: Option<&DMatrix<f64>>,
    ) -> Result<Self, Error> {
        let covariance = Dense::symmetrised(moments.covariance(centre))?.with_floor(0.0);
        let dim = covariance.matrix().nrows();
        let options = Options {
            tolerance,
            ..Options::default()
        };
        let mut solver = SubspaceSolver::new(dim, rank, options)?;
        let pairs = match guess {
            Some(guess) => solver.solve_from(&covariance, guess)?,
            None => solver.solve(&covariance)?,
        };
        let (variances, basis) = pairs.to_owned();
        Ok(Self { basis, variances })
    }
}
