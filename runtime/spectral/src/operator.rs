//! What the solver multiplies with: the [`SymmetricOperator`] trait, a dense matrix, and the
//! weighted mean of several operators. An operator must never change between two products and
//! should allocate nothing in [`SymmetricOperator::apply`].

use nalgebra::DMatrix;

use crate::error::Error;
use crate::gemm::{Operand, PACKING, Part, product};

/// A real symmetric `[n, n]` matrix, known only by what it does to a block of vectors.
///
/// Memory for intermediate results is lent by the caller: [`scratch_len`](Self::scratch_len) says
/// how much is needed for a block of a given width, the solver takes it once, and every product
/// gets the same slice again. So an operator holds no mutable state, can be shared, and has no
/// reason to allocate.
pub trait SymmetricOperator {
    /// n.
    fn dim(&self) -> usize;

    /// A number that no eigenvalue lies below; 0 for a positive semidefinite operator. The solver
    /// damps everything between it and the wanted eigenvalues, so the nearer it is to the least
    /// eigenvalue, the fewer steps are needed. If it is too high the result is still right: the
    /// solver lowers it as soon as a Ritz value lies below.
    fn floor(&self) -> f64;

    /// Length in `f64` of the scratch slice that [`apply`](Self::apply) needs for a block of
    /// `columns` vectors.
    fn scratch_len(&self, columns: usize) -> usize;

    /// `out = A block`, both `[n, columns]`; what `out` held before is overwritten. `scratch` is
    /// at least [`scratch_len`](Self::scratch_len) long and holds anything.
    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]);
}

/// Asymmetry, relative to the largest entry, that is taken for rounding.
const SYMMETRY_TOLERANCE: f64 = 1e-9;

/// A symmetric matrix held as such, `[n, n]` in `f64`.
///
/// A product with c vectors costs 2 n^2 c flops.
#[derive(Debug, Clone)]
pub struct Dense {
    matrix: DMatrix<f64>,
    floor: f64,
}

impl Dense {
    /// Takes a symmetric matrix. Its floor is Gershgorin's bound, which is safe but often far too
    /// low; where more is known, follow with [`with_floor`](Self::with_floor).
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`] if it is not square, [`Error::NotFinite`],
    /// [`Error::NotSymmetric`] beyond 1e-9 of the largest entry.
    pub fn new(matrix: DMatrix<f64>) -> Result<Self, Error> {
        check_symmetric(&matrix)?;
        Ok(Self::trusted(matrix))
    }

    /// Takes any square matrix W and holds (W + W^T)/2.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`] if it is not square, [`Error::NotFinite`].
    pub fn symmetrised(mut matrix: DMatrix<f64>) -> Result<Self, Error> {
        check_square(&matrix)?;
        symmetrise(&mut matrix);
        Ok(Self::trusted(matrix))
    }

    /// The same matrix with a floor that the caller knows: 0 for a covariance, -1 for a
    /// normalised affinity. See [`SymmetricOperator::floor`].
    #[must_use]
    pub fn with_floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }

    /// The matrix, `[n, n]`.
    pub fn matrix(&self) -> &DMatrix<f64> {
        &self.matrix
    }

    /// The matrix, without a copy.
    pub fn into_matrix(self) -> DMatrix<f64> {
        self.matrix
    }

    /// `matrix` is square, finite and symmetric.
    pub(crate) fn trusted(matrix: DMatrix<f64>) -> Self {
        let floor = gershgorin_floor(&matrix);
        Self { matrix, floor }
    }
}

impl SymmetricOperator for Dense {
    fn dim(&self) -> usize {
        self.matrix.nrows()
    }

    fn floor(&self) -> f64 {
        self.floor
    }

    fn scratch_len(&self, _columns: usize) -> usize {
        PACKING
    }

    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]) {
        let n = self.dim();
        let columns = block.ncols();
        product(
            Operand::new(self.matrix.as_slice(), n, n),
            Operand::new(block.as_slice(), n, columns),
            out.as_mut_slice(),
            Part::Full,
            scratch,
        );
    }
}

/// The weighted mean of several operators of one dimension, each applied in turn: the sum is
/// never formed.
///
/// A product costs the sum of theirs; scratch is one extra block.
pub struct Mean<'a> {
    parts: Vec<(&'a dyn SymmetricOperator, f64)>,
    dim: usize,
}

impl<'a> Mean<'a> {
    /// Operators and their weights, which are divided by their sum.
    ///
    /// # Errors
    /// [`Error::Empty`] without parts, [`Error::DimensionMismatch`] if the dimensions differ,
    /// [`Error::BadOption`] for a weight that is negative or not finite, or if all are 0.
    pub fn new(mut parts: Vec<(&'a dyn SymmetricOperator, f64)>) -> Result<Self, Error> {
        let Some((first, _)) = parts.first() else {
            return Err(Error::Empty {
                what: "list of operators",
            });
        };
        let dim = first.dim();
        let mut sum = 0.0;
        for (operator, weight) in &parts {
            if operator.dim() != dim {
                return Err(Error::DimensionMismatch {
                    what: "dimension of an operator in a mean",
                    expected: dim,
                    found: operator.dim(),
                });
            }
            if !(weight.is_finite() && *weight >= 0.0) {
                return Err(Error::BadOption {
                    option: "weight",
                    value: *weight,
                    allowed: "a weight must be finite and not negative",
                });
            }
            sum += weight;
        }
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(Error::BadOption {
                option: "sum of weights",
                value: sum,
                allowed: "it must be finite and above 0",
            });
        }
        parts.iter_mut().for_each(|(_, weight)| *weight /= sum);
        Ok(Self { parts, dim })
    }

    /// The mean with equal weights; errors as for [`new`](Self::new).
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn equal(parts: &[&'a dyn SymmetricOperator]) -> Result<Self, Error> {
        Self::new(parts.iter().map(|&part| (part, 1.0)).collect())
    }
}

impl SymmetricOperator for Mean<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    /// The mean of the floors: least eigenvalues add up to no less (Weyl).
    fn floor(&self) -> f64 {
        self.parts.iter().map(|(part, w)| w * part.floor()).sum()
    }

    /// One block, whatever the widest part needs, and nothing more.
    fn scratch_len(&self, columns: usize) -> usize {
        let widest = self.parts.iter().map(|(part, _)| part.scratch_len(columns));
        self.dim * columns + widest.max().unwrap_or(0)
    }

    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]) {
        let (sum, rest) = scratch.split_at_mut(self.dim * block.ncols());
        sum.fill(0.0);
        for (part, weight) in &self.parts {
            part.apply(block, out, rest);
            for (sum, value) in sum.iter_mut().zip(out.as_slice()) {
                *sum += weight * value;
            }
        }
        out.as_mut_slice().copy_from_slice(sum);
    }
}

/// Refuses what is not square, finite and symmetric up to rounding.
pub(crate) fn check_symmetric(matrix: &DMatrix<f64>) -> Result<(), Error> {
    check_square(matrix)?;
    let allowed = SYMMETRY_TOLERANCE * matrix.amax();
    for column in 0..matrix.ncols() {
        for row in column + 1..matrix.nrows() {
            // Halves, so that the difference of two huge entries does not overflow.
            let half = 0.5 * matrix[(row, column)] - 0.5 * matrix[(column, row)];
            if half.abs() > 0.5 * allowed {
                return Err(Error::NotSymmetric {
                    row,
                    column,
                    difference: 2.0 * half.abs(),
                });
            }
        }
    }
    Ok(())
}

/// Refuses what is empty, not square or not finite.
fn check_square(matrix: &DMatrix<f64>) -> Result<(), Error> {
    if matrix.is_empty() {
        return Err(Error::Empty { what: "matrix" });
    }
    if matrix.nrows() != matrix.ncols() {
        return Err(Error::DimensionMismatch {
            what: "rows of a square matrix",
            expected: matrix.ncols(),
            found: matrix.nrows(),
        });
    }
    check_finite(matrix, "matrix")
}

/// Refuses NaN and infinity, naming the first of them.
pub(crate) fn check_finite(matrix: &DMatrix<f64>, what: &'static str) -> Result<(), Error> {
    match matrix.as_slice().iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            what,
            row: at % matrix.nrows(),
            column: at / matrix.nrows(),
        }),
    }
}

/// (W + W^T)/2 in place.
fn symmetrise(matrix: &mut DMatrix<f64>) {
    for column in 0..matrix.ncols() {
        for row in column + 1..matrix.nrows() {
            let mean = 0.5 * matrix[(row, column)] + 0.5 * matrix[(column, row)];
            matrix[(row, column)] = mean;
            matrix[(column, row)] = mean;
        }
    }
}

/// Every eigenvalue lies within the sum of the off-diagonal magnitudes of some diagonal entry
/// (Golub and Van Loan, theorem 8.1.3).
fn gershgorin_floor(matrix: &DMatrix<f64>) -> f64 {
    let mut floor = f64::INFINITY;
    for (i, column) in matrix.column_iter().enumerate() {
        let others = column.iter().map(|v| v.abs()).sum::<f64>() - column[i].abs();
        floor = floor.min(column[i] - others);
    }
    floor.max(-f64::MAX)
}
