//! Block power (subspace) iteration with Rayleigh-Ritz: the leading eigenpairs of a symmetric
//! operator (Saad, Numerical Methods for Large Eigenvalue Problems, 2nd ed., chapter 5). It must
//! never allocate while it iterates, and must never call a pair converged that is not.

use std::mem::swap;

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::Error;
use crate::filter::Filter;
use crate::gemm::{Operand, PACKING, Part, product};
use crate::operator::{SymmetricOperator, check_finite};
use crate::orthonormal::Orthonormaliser;
use crate::small_eigen::SmallEigen;
use crate::start::Directions;
use crate::vector::{add_scaled, dot, length, scale};

/// Degree of the filter that tests a guess whose residuals are small at once. It lifts a leading
/// eigenvector that the guess misses from its trace in the random columns, unless it hardly leads.
const TESTING_DEGREE: usize = 4;

/// How the solver works; the defaults suit everything in this crate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Vectors iterated beyond those wanted. They are not returned; they make the wanted ones
    /// converge at the rate of the first eigenvalue left out of the whole block, and show where the
    /// unwanted spectrum begins, so that 0 counts as 1. Default 8.
    pub oversampling: usize,
    /// A pair has converged when its [residual](Eigenpairs::residuals) is at most this. Default
    /// 1e-8; `f64` bears about 1e-13.
    pub tolerance: f64,
    /// Rayleigh-Ritz steps after which the solver gives up and says so. Default 100.
    pub max_iterations: usize,
    /// Block products between two Rayleigh-Ritz steps, at most. With 1 this is plain block power
    /// iteration; with more, the products form a Chebyshev polynomial, which needs about the
    /// square root of the number of products. Default 12.
    pub max_degree: usize,
    /// Seed of the start directions: the same seed, operator and machine give the same result.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            oversampling: 8,
            tolerance: 1e-8,
            max_iterations: 100,
            max_degree: 12,
            seed: 0,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        let refuse = |option, value, allowed| {
            Err(Error::BadOption {
                option,
                value,
                allowed,
            })
        };
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return refuse("tolerance", self.tolerance, "it must lie between 0 and 1");
        }
        if self.max_iterations == 0 {
            return refuse("max_iterations", 0.0, "at least 1 step is needed");
        }
        if self.max_degree == 0 {
            return refuse("max_degree", 0.0, "at least 1 product a step is needed");
        }
        Ok(())
    }
}

/// Finds the algebraically largest eigenvalues of a [`SymmetricOperator`] and their vectors.
///
/// All memory is taken in [`new`](Self::new) (about 5 blocks `[dim, wanted + oversampling]`) and
/// used again by every further solve; an operator that needs more scratch than the one before
/// makes it grow once, before the first step. Calls, in order: [`new`](Self::new);
/// [`deflate`](Self::deflate) if eigenvectors are known; [`solve`](Self::solve) or
/// [`solve_from`](Self::solve_from) as often as needed.
///
/// With n = dim and m = wanted + oversampling, a step costs its block products and about
/// 11 n m^2 + 9 m^3 flops.
#[derive(Debug, Clone)]
pub struct SubspaceSolver {
    options: Options,
    dim: usize,
    asked: usize,
    /// Orthonormal vectors that are not searched, `[dim, d]`.
    deflated: DMatrix<f64>,
    /// `deflated`, then the block: what is orthonormalised together, `[dim, d + m]`.
    joint: Vec<f64>,
    orthonormaliser: Orthonormaliser,
    /// `[dim, m]`: the orthonormal block Q, its image A Q, and one to spare.
    block: DMatrix<f64>,
    image: DMatrix<f64>,
    spare: DMatrix<f64>,
    small: SmallEigen,
    /// Residual norms, `[m]`.
    residuals: Vec<f64>,
    packing: Vec<f64>,
    scratch: Vec<f64>,
}

/// The answer, lent by the solver until its next use.
#[derive(Debug, Clone, Copy)]
pub struct Eigenpairs<'a> {
    values: &'a [f64],
    vectors: &'a [f64],
    residuals: &'a [f64],
    unit: f64,
    dim: usize,
    iterations: usize,
    products: usize,
    converged: bool,
}

impl<'a> Eigenpairs<'a> {
    /// Number of pairs: those asked for, or all there are if that is less.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if nothing was left to search, as when every eigenvector was deflated.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Eigenvalues, descending, `[len]`.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// Unit eigenvectors in columns, `[dim, len]`, orthogonal to each other and to what was
    /// deflated. The sign is the one that makes the entry of largest magnitude positive.
    pub fn vectors(&self) -> DMatrixView<'a, f64> {
        DMatrixView::from_slice(self.vectors, self.dim, self.len())
    }

    /// ||A u - lambda u|| per pair, divided by [`unit`](Self::unit), `[len]`. Some eigenvalue of A
    /// lies at most that far, times the unit, from the one given.
    pub fn residuals(&self) -> &'a [f64] {
        self.residuals
    }

    /// The largest ||A q|| that any unit vector q of the block had in any step. It is never more
    /// than the largest |lambda| of A, and never less than that of the answer.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// Rayleigh-Ritz steps used.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Products of the operator with a block used.
    pub fn products(&self) -> usize {
        self.products
    }

    /// True if every residual is within the tolerance.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// Eigenvalues `[len]` and eigenvectors `[dim, len]` in memory of their own.
    pub fn to_owned(&self) -> (DVector<f64>, DMatrix<f64>) {
        (
            DVector::from_column_slice(self.values),
            DMatrix::from_column_slice(self.dim, self.len(), self.vectors),
        )
    }
}

impl SubspaceSolver {
    /// Takes the memory for `wanted` eigenpairs of operators of dimension `dim`. Asking for more
    /// pairs than there are is no error: all of them are found.
    ///
    /// # Errors
    /// [`Error::Empty`] for dimension 0, [`Error::NoneWanted`], [`Error::BadOption`].
    pub fn new(dim: usize, wanted: usize, options: Options) -> Result<Self, Error> {
        options.check()?;
        if dim == 0 {
            return Err(Error::Empty { what: "operator" });
        }
        if wanted == 0 {
            return Err(Error::NoneWanted);
        }
        Ok(Self::with_memory(
            dim,
            wanted,
            options,
            DMatrix::zeros(dim, 0),
        ))
    }

    fn with_memory(dim: usize, asked: usize, options: Options, deflated: DMatrix<f64>) -> Self {
        let known = deflated.ncols();
        let extra = options.oversampling.max(1);
        let width = asked.saturating_add(extra).min(dim - known);
        Self {
            options,
            dim,
            asked,
            joint: vec![0.0; dim * (known + width)],
            orthonormaliser: Orthonormaliser::new(dim, known + width),
            block: DMatrix::zeros(dim, width),
            image: DMatrix::zeros(dim, width),
            spare: DMatrix::zeros(dim, width),
            small: SmallEigen::new(width),
            residuals: vec![0.0; width],
            packing: vec![0.0; PACKING],
            scratch: Vec::new(),
            deflated,
        }
    }

    /// From now on searches only the complement of the columns of `known`, `[dim, d]`, which need
    /// not be orthonormal. Meant for eigenvectors that are known analytically. If they are not
    /// eigenvectors of the operator, the residuals show it: they are those of the operator
    /// itself, not of its restriction, and do not converge. Memory is taken anew only if d
    /// changes.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`], [`Error::NotFinite`], [`Error::DependentColumns`].
    pub fn deflate(&mut self, known: &DMatrix<f64>) -> Result<(), Error> {
        let what = "deflated vectors";
        self.check_basis(known, what)?;
        if known.ncols() > self.dim {
            return Err(Error::DependentColumns {
                what,
                column: self.dim,
            });
        }
        if known.ncols() != self.deflated.ncols() {
            let options = self.options.clone();
            *self = Self::with_memory(self.dim, self.asked, options, known.clone());
        } else {
            self.deflated.copy_from(known);
        }
        match crate::orthonormal::orthonormalise_given(self.deflated.as_mut_slice(), self.dim) {
            None => Ok(()),
            Some(column) => {
                let options = self.options.clone();
                let none = DMatrix::zeros(self.dim, 0);
                *self = Self::with_memory(self.dim, self.asked, options, none);
                Err(Error::DependentColumns { what, column })
            }
        }
    }

    /// Solves from pseudo-random directions.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] if the operator has another dimension,
    /// [`Error::OperatorNotFinite`]. Not converging is not an error; see
    /// [`Eigenpairs::converged`].
    pub fn solve(&mut self, operator: &dyn SymmetricOperator) -> Result<Eigenpairs<'_>, Error> {
        self.iterate(operator, None)
    }

    /// Solves from a guess at the eigenvectors, `[dim, any]`, such as those of the frame before.
    /// Columns beyond the block are left out; missing ones, and those that depend on earlier ones,
    /// are filled with pseudo-random directions, so an empty guess is the same as
    /// [`solve`](Self::solve). At least one filter step is made even if the guess is exact, so
    /// that a guess that misses a leading eigenvector is found out.
    ///
    /// # Errors
    /// As for [`solve`](Self::solve), and [`Error::DimensionMismatch`] or [`Error::NotFinite`] for
    /// the guess.
    pub fn solve_from(
        &mut self,
        operator: &dyn SymmetricOperator,
        guess: &DMatrix<f64>,
    ) -> Result<Eigenpairs<'_>, Error> {
        self.check_basis(guess, "start basis")?;
        self.iterate(operator, Some(guess))
    }

    fn check_basis(&self, basis: &DMatrix<f64>, what: &'static str) -> Result<(), Error> {
        if basis.nrows() != self.dim {
            return Err(Error::DimensionMismatch {
                what: "rows of a basis",
                expected: self.dim,
                found: basis.nrows(),
            });
        }
        check_finite(basis, what)
    }

    fn iterate(
        &mut self,
        operator: &dyn SymmetricOperator,
        guess: Option<&DMatrix<f64>>,
    ) -> Result<Eigenpairs<'_>, Error> {
        if operator.dim() != self.dim {
            return Err(Error::DimensionMismatch {
                what: "dimension of the operator",
                expected: self.dim,
                found: operator.dim(),
            });
        }
        let width = self.block.ncols();
        let wanted = self.asked.min(width);
        if wanted == 0 {
            return Ok(self.answer(0, 0.0, 0, 0, true));
        }
        let scratch = operator.scratch_len(width);
        if self.scratch.len() < scratch {
            self.scratch.resize(scratch, 0.0);
        }

        let mut directions = Directions::new(self.options.seed);
        directions.fill(self.block.as_mut_slice());
        let mut guessed = false;
        if let Some(guess) = guess {
            let columns = guess.ncols().min(width);
            self.block
                .columns_mut(0, columns)
                .copy_from(&guess.columns(0, columns));
            guessed = columns > 0;
        }

        let mut floor = operator.floor();
        let mut unit = 0.0;
        let mut products = 0;
        for iteration in 1..=self.options.max_iterations {
            self.orthonormalise(&mut directions);
            products += 1;
            self.multiply(operator, products)?;
            self.rayleigh_ritz()?;
            self.measure(&mut unit);

            let exact = width + self.deflated.ncols() == self.dim;
            let tolerance = self.options.tolerance;
            let settled = self.residuals[..wanted].iter().all(|r| *r <= tolerance);
            let untested = guessed && iteration == 1 && !exact;
            let last = iteration == self.options.max_iterations;
            if (settled && !untested) || last {
                self.fix_signs(wanted);
                return Ok(self.answer(wanted, unit, iteration, products, settled));
            }

            let filter = Filter::choose(
                self.small.values(),
                &self.residuals,
                wanted,
                unit,
                &mut floor,
                if untested { TESTING_DEGREE } else { 1 },
                &self.options,
            );
            self.apply_filter(operator, &filter, &mut products)?;
        }
        unreachable!("the last iteration returns")
    }

    /// `block` becomes orthonormal, and orthogonal to what is deflated.
    fn orthonormalise(&mut self, directions: &mut Directions) {
        let known = self.deflated.len();
        self.joint[..known].copy_from_slice(self.deflated.as_slice());
        self.joint[known..].copy_from_slice(self.block.as_slice());
        self.orthonormaliser
            .run(&mut self.joint, directions, &mut self.packing);
        self.block
            .as_mut_slice()
            .copy_from_slice(&self.joint[known..]);
    }

    /// `image = A block`.
    fn multiply(&mut self, operator: &dyn SymmetricOperator, number: usize) -> Result<(), Error> {
        operator.apply(&self.block, &mut self.image, &mut self.scratch);
        match self.image.as_slice().iter().position(|v| !v.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::OperatorNotFinite {
                product: number,
                row: at % self.dim,
                column: at / self.dim,
            }),
        }
    }

    /// Turns `block` and `image` to the Ritz vectors, in descending order of the Ritz values.
    fn rayleigh_ritz(&mut self) -> Result<(), Error> {
        let (n, m) = self.block.shape();
        let q = Operand::new(self.block.as_slice(), n, m);
        let a_q = Operand::new(self.image.as_slice(), n, m);
        let h = self.small.matrix_mut();
        product(q.transposed(), a_q, h, Part::Symmetric, &mut self.packing);
        if let Some(at) = h.iter().position(|v| !v.is_finite()) {
            return Err(Error::OperatorNotFinite {
                product: 0,
                row: at % m,
                column: at / m,
            });
        }
        self.small.decompose()?;
        let turn = Operand::new(self.small.vectors(), m, m);
        for matrix in [&mut self.block, &mut self.image] {
            let view = Operand::new(matrix.as_slice(), n, m);
            product(
                view,
                turn,
                self.spare.as_mut_slice(),
                Part::Full,
                &mut self.packing,
            );
            swap(matrix, &mut self.spare);
        }
        Ok(())
    }

    /// Relative residuals of all Ritz pairs. `unit` is what they are relative to, and grows to the
    /// largest ||A q|| seen.
    fn measure(&mut self, unit: &mut f64) {
        let n = self.dim;
        let spare = &mut self.spare.as_mut_slice()[..n];
        for image in self.image.as_slice().chunks_exact(n) {
            spare.copy_from_slice(image);
            *unit = unit.max(length(spare));
        }
        let image = self.image.as_slice().chunks_exact(n);
        let columns = image.zip(self.block.as_slice().chunks_exact(n));
        for (j, (image, vector)) in columns.enumerate() {
            spare.copy_from_slice(image);
            add_scaled(spare, -self.small.values()[j], vector);
            let residual = length(spare);
            self.residuals[j] = if residual == 0.0 {
                0.0
            } else {
                residual / *unit
            };
        }
    }

    /// `block` becomes p(A) block for the filter's polynomial p. On entry `image = A block`.
    fn apply_filter(
        &mut self,
        operator: &dyn SymmetricOperator,
        filter: &Filter,
        products: &mut usize,
    ) -> Result<(), Error> {
        // Degree 1 needs no product: the image is known.
        self.project_image();
        let (centre, factor) = (filter.centre, filter.factor);
        for (x, ax) in self
            .image
            .as_mut_slice()
            .iter_mut()
            .zip(self.block.as_slice())
        {
            *x = factor * (*x - centre * ax);
        }
        // Now block = T_0, image = T_1.
        swap(&mut self.block, &mut self.image);
        swap(&mut self.image, &mut self.spare);
        // block = T_1, spare = T_0.
        for _ in 1..filter.degree {
            *products += 1;
            self.multiply(operator, *products)?;
            self.project_image();
            let next = self.image.as_slice().iter().zip(self.block.as_slice());
            for (before, (image, x)) in self.spare.as_mut_slice().iter_mut().zip(next) {
                *before = 2.0 * factor * (image - centre * x) - *before;
            }
            swap(&mut self.block, &mut self.spare);
        }
        Ok(())
    }

    /// Takes what is deflated out of `image`, where rounding would grow it back.
    fn project_image(&mut self) {
        for known in self.deflated.as_slice().chunks_exact(self.dim) {
            for column in self.image.as_mut_slice().chunks_exact_mut(self.dim) {
                let along = dot(known, column);
                add_scaled(column, -along, known);
            }
        }
    }

    fn fix_signs(&mut self, wanted: usize) {
        for column in self
            .block
            .as_mut_slice()
            .chunks_exact_mut(self.dim)
            .take(wanted)
        {
            let top = column
                .iter()
                .fold(0.0, |t: f64, v| if v.abs() > t.abs() { *v } else { t });
            if top < 0.0 {
                scale(column, -1.0);
            }
        }
    }

    fn answer(
        &self,
        wanted: usize,
        unit: f64,
        iterations: usize,
        products: usize,
        converged: bool,
    ) -> Eigenpairs<'_> {
        Eigenpairs {
            values: &self.small.values()[..wanted],
            vectors: &self.block.as_slice()[..self.dim * wanted],
            residuals: &self.residuals[..wanted],
            unit,
            dim: self.dim,
            iterations,
            products,
            converged,
        }
    }
}
