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
        let covariance = covariance(moments, centre)?;
        let options = Options {
            tolerance: TOLERANCE,
            ..Options::default()
        };
        let (leading, _) = Self::solve(&covariance, rank, None, options)?;
        Ok(leading)
    }

    /// The `rank` leading directions of moments little different from those whose directions are
    /// `known`, `[dim, any]`: good enough to score with, not to keep.
    ///
    /// One product with the new covariance brings the known directions near enough nearly always, so
    /// that one Rayleigh-Ritz step, which costs more than all else, is enough to prove it.
    ///
    /// # Errors
    /// [`Error`] when the moments are not finite.
    pub fn near(
        moments: &WholeMoments,
        centre: Centre,
        rank: usize,
        known: &DMatrix<f64>,
    ) -> Result<Self, Error> {
        let covariance = covariance(moments, centre)?;
        let guess = covariance.matrix() * known;
        let options = Options {
            tolerance: LOOSE_TOLERANCE,
            ..Options::default()
        };
        let once = Options {
            max_iterations: 1,
            ..options.clone()
        };
        let (near, converged) = Self::solve(&covariance, rank, Some(&guess), once)?;
        if converged {
            return Ok(near);
        }
        let (near, _) = Self::solve(&covariance, rank, Some(&near.basis), options)?;
        Ok(near)
    }

    /// The directions, and whether they are as good as `options` ask for.
    fn solve(
        covariance: &Dense,
        rank: usize,
        guess: Option<&DMatrix<f64>>,
        options: Options,
    ) -> Result<(Self, bool), Error> {
        let mut solver = SubspaceSolver::new(covariance.matrix().nrows(), rank, options)?;
        let pairs = match guess {
            Some(guess) => solver.solve_from(covariance, guess)?,
            None => solver.solve(covariance)?,
        };
        let (variances, basis) = pairs.to_owned();
        Ok((Self { basis, variances }, pairs.converged()))
    }
}

fn covariance(moments: &WholeMoments, centre: Centre) -> Result<Dense, Error> {
    Ok(Dense::symmetrised(moments.covariance(centre))?.with_floor(0.0))
}
