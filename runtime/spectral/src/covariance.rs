//! Covariance of rows that stream by, and its leading subspace. It must never keep the rows.

use nalgebra::{DMatrix, DVector};

use crate::error::Error;
use crate::gemm::{Operand, PACKING, Part, product};
use crate::operator::{Dense, check_symmetric};
use crate::solver::{Options, SubspaceSolver};

/// Rows centred and multiplied at once: as many as one packed slice of the product is deep.
const CHUNK: usize = 256;

/// Mean and scatter of all rows seen so far, in `f64`.
///
/// Rows are taken in chunks; each is centred on its own mean before it is multiplied, and chunks
/// and accumulators combine by the formula of Chan, Golub and LeVeque (1983). So nothing cancels
/// however far the data lies from the origin, and accumulators of shards combine to the one of all
/// data, up to rounding.
///
/// Memory: 2 dim^2 + 256 dim `f64`, whatever is pushed. A row costs dim^2 flops; 1024 rows of 384
/// cost a few milliseconds.
#[derive(Debug, Clone)]
pub struct Covariance {
    rows: u64,
    mean: DVector<f64>,
    /// Sum of (x - mean)(x - mean)^T.
    scatter: DMatrix<f64>,
    /// One centred chunk, `[dim, CHUNK]`, a row of data per column.
    centred: Vec<f64>,
    chunk_mean: Vec<f64>,
    chunk_scatter: Vec<f64>,
    packing: Vec<f64>,
}

/// Equal if they hold the same statistics.
impl PartialEq for Covariance {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, &self.mean, &self.scatter) == (other.rows, &other.mean, &other.scatter)
    }
}

impl Covariance {
    /// An accumulator for rows of `dim` entries; all its memory is taken here.
    ///
    /// # Errors
    /// [`Error::Empty`] for dimension 0.
    pub fn new(dim: usize) -> Result<Self, Error> {
        if dim == 0 {
            return Err(Error::Empty { what: "row" });
        }
        Ok(Self {
            rows: 0,
            mean: DVector::zeros(dim),
            scatter: DMatrix::zeros(dim, dim),
            centred: vec![0.0; CHUNK * dim],
            chunk_mean: vec![0.0; dim],
            chunk_scatter: vec![0.0; dim * dim],
            packing: vec![0.0; PACKING],
        })
    }

    /// The accumulator with these statistics, such as [`rows`](Self::rows), [`mean`](Self::mean)
    /// and [`scatter`](Self::scatter) of one that was stored.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows or columns, [`Error::DimensionMismatch`],
    /// [`Error::NotFinite`], [`Error::NotSymmetric`].
    pub fn from_parts(rows: u64, mean: DVector<f64>, scatter: DMatrix<f64>) -> Result<Self, Error> {
        check_symmetric(&scatter)?;
        if rows == 0 {
            return Err(Error::Empty {
                what: "stored covariance",
            });
        }
        let mut covariance = Self::new(scatter.nrows())?;
        if mean.len() != scatter.nrows() {
            return Err(Error::DimensionMismatch {
                what: "length of the mean",
                expected: scatter.nrows(),
                found: mean.len(),
            });
        }
        check_rows(mean.as_slice(), mean.len(), "mean")?;
        covariance.rows = rows;
        covariance.mean = mean;
        covariance.scatter = scatter;
        Ok(covariance)
    }

    /// Entries of a row.
    pub fn dim(&self) -> usize {
        self.mean.len()
    }

    /// Rows seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Mean row, `[dim]`; zero before the first row.
    pub fn mean(&self) -> &DVector<f64> {
        &self.mean
    }

    /// Sum of (x - mean)(x - mean)^T over all rows, `[dim, dim]`.
    pub fn scatter(&self) -> &DMatrix<f64> {
        &self.scatter
    }

    /// Takes `[rows, dim]` in, row by row in memory. Nothing is taken in if any entry is refused.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] if the length is no multiple of dim, [`Error::NotFinite`].
    pub fn push(&mut self, data: &[f32]) -> Result<(), Error> {
        let dim = self.dim();
        if !data.len().is_multiple_of(dim) {
            return Err(Error::DimensionMismatch {
                what: "entries of the last row",
                expected: dim,
                found: data.len() % dim,
            });
        }
        check_rows(data, dim, "rows for a covariance")?;
        for chunk in data.chunks(CHUNK * dim) {
            self.push_chunk(chunk);
        }
        Ok(())
    }

    /// Whole rows, at most [`CHUNK`].
    fn push_chunk(&mut self, chunk: &[f32]) {
        let dim = self.dim();
        let rows = chunk.len() / dim;
        self.chunk_mean.fill(0.0);
        for row in chunk.chunks_exact(dim) {
            for (sum, x) in self.chunk_mean.iter_mut().zip(row) {
                *sum += f64::from(*x);
            }
        }
        let share = 1.0 / rows as f64;
        self.chunk_mean.iter_mut().for_each(|sum| *sum *= share);
        let centred = &mut self.centred[..chunk.len()];
        for (to, from) in centred.chunks_exact_mut(dim).zip(chunk.chunks_exact(dim)) {
            for ((to, from), mean) in to.iter_mut().zip(from).zip(&self.chunk_mean) {
                *to = f64::from(*from) - mean;
            }
        }
        let view = Operand::new(&*centred, dim, rows);
        product(
            view,
            view.transposed(),
            &mut self.chunk_scatter,
            Part::Symmetric,
            &mut self.packing,
        );
        combine(
            (&mut self.rows, &mut self.mean, &mut self.scatter),
            (rows as u64, &self.chunk_mean, &self.chunk_scatter),
        );
    }

    /// Takes in all that `other` has seen.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if other.dim() != self.dim() {
            return Err(Error::DimensionMismatch {
                what: "dimension of the covariance to merge",
                expected: self.dim(),
                found: other.dim(),
            });
        }
        combine(
            (&mut self.rows, &mut self.mean, &mut self.scatter),
            (other.rows, other.mean.as_slice(), other.scatter.as_slice()),
        );
        Ok(())
    }

    /// The covariance matrix, scatter / rows (the population's, so that a single row is allowed),
    /// with floor 0.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first row.
    pub fn operator(&self) -> Result<Dense, Error> {
        if self.rows == 0 {
            return Err(Error::Empty { what: "covariance" });
        }
        Ok(Dense::trusted(&self.scatter / self.rows as f64).with_floor(0.0))
    }

    /// Mean and leading eigenvectors of the covariance; all of them if `rank` is more than dim.
    /// Takes the solver's memory anew.
    ///
    /// # Errors
    /// [`Error::Empty`] before the first row, and those of [`SubspaceSolver`].
    pub fn leading_subspace(
        &self,
        rank: usize,
        options: Options,
    ) -> Result<LeadingSubspace, Error> {
        let operator = self.operator()?;
        let mut solver = SubspaceSolver::new(self.dim(), rank, options)?;
        let pairs = solver.solve(&operator)?;
        let (mut eigenvalues, basis) = pairs.to_owned();
        // A variance is not negative; rounding of the largest one may make it look so.
        eigenvalues.iter_mut().for_each(|v| *v = v.max(0.0));
        let total_variance = operator.matrix().trace();
        Ok(LeadingSubspace {
            mean: self.mean.clone(),
            basis,
            eigenvalues,
            total_variance,
            residual: pairs.residuals().iter().copied().fold(0.0, f64::max),
            converged: pairs.converged(),
        })
    }
}

/// Mean and leading principal directions of the rows that a [`Covariance`] has seen.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadingSubspace {
    /// Mean row, `[dim]`.
    pub mean: DVector<f64>,
    /// Orthonormal directions in columns, `[dim, rank]`.
    pub basis: DMatrix<f64>,
    /// Variance along each direction, descending, `[rank]`.
    pub eigenvalues: DVector<f64>,
    /// Variance along all directions together: the trace of the covariance.
    pub total_variance: f64,
    /// The largest relative residual; see [`Eigenpairs::residuals`](crate::Eigenpairs::residuals).
    pub residual: f64,
    /// False if the residual is above the tolerance that was asked.
    pub converged: bool,
}

impl LeadingSubspace {
    /// Share of the variance that the first `rank` directions hold, in [0, 1]; 1 if there is no
    /// variance at all.
    pub fn captured(&self, rank: usize) -> f64 {
        if self.total_variance <= 0.0 {
            return 1.0;
        }
        let held: f64 = self.eigenvalues.iter().take(rank).sum();
        (held / self.total_variance).min(1.0)
    }
}

/// Adds the second statistics (rows, mean, scatter) to the first: Chan, Golub and LeVeque,
/// equation 2.1.
fn combine(
    (rows, mean, scatter): (&mut u64, &mut DVector<f64>, &mut DMatrix<f64>),
    (more, other_mean, other_scatter): (u64, &[f64], &[f64]),
) {
    if more == 0 {
        return;
    }
    let all = *rows + more;
    let share = more as f64 / all as f64;
    let between = *rows as f64 * share;
    let dim = mean.len();
    let columns = scatter.as_mut_slice().chunks_exact_mut(dim);
    for (j, (column, other)) in columns.zip(other_scatter.chunks_exact(dim)).enumerate() {
        let along = other_mean[j] - mean[j];
        for (i, (to, from)) in column.iter_mut().zip(other).enumerate() {
            // The product of the two differences first, so that the matrix stays symmetric.
            *to += from + between * (along * (other_mean[i] - mean[i]));
        }
    }
    if *rows == 0 {
        mean.as_mut_slice().copy_from_slice(other_mean);
    } else {
        for (to, from) in mean.iter_mut().zip(other_mean) {
            *to += share * (from - *to);
        }
    }
    *rows = all;
}

/// Refuses NaN and infinity in `[rows, dim]`, naming the first of them.
pub(crate) fn check_rows<T: Copy + Into<f64>>(
    data: &[T],
    dim: usize,
    what: &'static str,
) -> Result<(), Error> {
    match data.iter().position(|v| !(*v).into().is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            what,
            row: at / dim,
            column: at % dim,
        }),
    }
}
