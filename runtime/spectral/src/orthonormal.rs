//! Orthonormal bases of a block. Cholesky-QR, because it is all matrix products; Gram-Schmidt
//! twice where the columns are too dependent for it. It must never allocate after `new`.
//!
//! One pass of Cholesky-QR loses orthogonality with the square of the block's condition number;
//! a second pass restores it (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya 2015), as long as the
//! first Cholesky factor exists with room to spare.

use crate::gemm::{Operand, Part, product};
use crate::start::Directions;
use crate::vector::{add_scaled, dot, normalise};

/// Squared distance of a unit column from the span of those before it, below which Cholesky-QR
/// is not trusted. Two passes restore orthogonality down to about 1e-14.
const DEPENDENT: f64 = 1e-10;
/// Squared distance above which one pass is as good as two.
const SEPARATE: f64 = 0.1;
/// What is left of a unit column after projection, below which nothing but rounding is left.
const EXHAUSTED: f64 = 1e-12;

/// Memory for blocks of one shape.
#[derive(Debug, Clone)]
pub(crate) struct Orthonormaliser {
    rows: usize,
    cols: usize,
    /// Gram matrix, then its Cholesky factor.
    gram: Vec<f64>,
    /// Inverse of the transposed factor.
    inverse: Vec<f64>,
    /// The block after a pass.
    spare: Vec<f64>,
}

impl Orthonormaliser {
    /// For blocks `[rows, cols]`, `cols <= rows`.
    pub(crate) fn new(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            gram: vec![0.0; cols * cols],
            inverse: vec![0.0; cols * cols],
            spare: vec![0.0; rows * cols],
        }
    }

    /// Replaces the columns of `block` by an orthonormal basis of a space that contains theirs.
    /// Leading columns come first: column j of the result depends on columns 0..=j only. Columns
    /// that depend on earlier ones are replaced from `directions`. Entries must be finite.
    pub(crate) fn run(
        &mut self,
        block: &mut [f64],
        directions: &mut Directions,
        packing: &mut [f64],
    ) {
        let mut full_rank = true;
        for column in block.chunks_exact_mut(self.rows) {
            full_rank &= normalise(column);
        }
        if !full_rank {
            return self.gram_schmidt(block, directions);
        }
        for _ in 0..3 {
            let least = self.pass(block, packing);
            if least > SEPARATE {
                return;
            }
            if least <= DEPENDENT {
                break;
            }
        }
        self.gram_schmidt(block, directions);
    }

    /// One pass of Cholesky-QR; returns the least squared distance of a column from the span of
    /// those before it. At [`DEPENDENT`] or below the block is left as it was.
    fn pass(&mut self, block: &mut [f64], packing: &mut [f64]) -> f64 {
        let (n, m) = (self.rows, self.cols);
        let view = Operand::new(block, n, m);
        product(
            view.transposed(),
            view,
            &mut self.gram,
            Part::Symmetric,
            packing,
        );
        let least = cholesky(&mut self.gram, m);
        if least <= DEPENDENT {
            return least;
        }
        invert_transposed(&self.gram, &mut self.inverse, m);
        let inverse = Operand::new(&self.inverse, m, m);
        product(view, inverse, &mut self.spare, Part::Full, packing);
        block.copy_from_slice(&self.spare);
        least
    }

    /// Column by column, each projected twice ("twice is enough": Kahan, in Parlett 1980), fresh
    /// directions for the columns that vanish.
    fn gram_schmidt(&self, block: &mut [f64], directions: &mut Directions) {
        for j in 0..self.cols {
            let (before, rest) = block.split_at_mut(j * self.rows);
            let column = &mut rest[..self.rows];
            while !project_out(before, column) {
                directions.fill(column);
            }
        }
    }
}

/// Makes the columns of `block` orthonormal without replacing any; returns the first one that
/// depends on those before it.
pub(crate) fn orthonormalise_given(block: &mut [f64], rows: usize) -> Option<usize> {
    (0..block.len() / rows).find(|j| {
        let (before, rest) = block.split_at_mut(j * rows);
        !project_out(before, &mut rest[..rows])
    })
}

/// Takes the span of the orthonormal columns `before` out of `column` and brings it to unit
/// length; false if nothing but rounding was left.
fn project_out(before: &[f64], column: &mut [f64]) -> bool {
    if !normalise(column) {
        return false;
    }
    let rows = column.len();
    for _ in 0..2 {
        for q in before.chunks_exact(rows) {
            let along = dot(q, column);
            add_scaled(column, -along, q);
        }
        if dot(column, column).sqrt() < EXHAUSTED || !normalise(column) {
            return false;
        }
    }
    true
}

/// Cholesky factor in the lower triangle of `a`, `[n, n]` column-major; returns the least squared
/// pivot and stops at the first one at or below [`DEPENDENT`].
fn cholesky(a: &mut [f64], n: usize) -> f64 {
    let mut least = f64::INFINITY;
    for j in 0..n {
        let (before, rest) = a.split_at_mut(j * n);
        let column = &mut rest[j..n];
        for k in 0..j {
            let other = &before[k * n + j..(k + 1) * n];
            add_scaled(column, -other[0], other);
        }
        let pivot = column[0];
        if pivot.is_nan() || pivot <= DEPENDENT {
            return 0.0;
        }
        least = least.min(pivot);
        let root = pivot.sqrt();
        column.iter_mut().for_each(|v| *v /= root);
    }
    least
}

/// `inverse = L^-T`, upper triangular, from the lower triangle of `factor`.
fn invert_transposed(factor: &[f64], inverse: &mut [f64], n: usize) {
    inverse.fill(0.0);
    // Column j of L^-T solves L^T x = e_j: backward from row j, by dot products with the
    // contiguous columns of L.
    for j in 0..n {
        let x = &mut inverse[j * n..(j + 1) * n];
        x[j] = 1.0 / factor[j * n + j];
        for i in (0..j).rev() {
            let below = &factor[i * n + i + 1..i * n + j + 1];
            x[i] = -dot(below, &x[i + 1..=j]) / factor[i * n + i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::PACKING;
    use nalgebra::DMatrix;

    fn orthonormalise(block: &DMatrix<f64>) -> DMatrix<f64> {
        let (n, m) = block.shape();
        let mut result = block.clone();
        Orthonormaliser::new(n, m).run(
            result.as_mut_slice(),
            &mut Directions::new(1),
            &mut vec![0.0; PACKING],
        );
        result
    }

    fn random(n: usize, m: usize, seed: u64) -> DMatrix<f64> {
        let mut block = DMatrix::zeros(n, m);
        Directions::new(seed).fill(block.as_mut_slice());
        block
    }

    fn assert_orthonormal(q: &DMatrix<f64>) {
        let error = (q.tr_mul(q) - DMatrix::identity(q.ncols(), q.ncols())).amax();
        assert!(error < 1e-13, "{error:e}");
    }

    fn assert_spans(q: &DMatrix<f64>, block: &DMatrix<f64>) {
        let left = block - q * q.tr_mul(block);
        // The explicit inverse costs the square root of 1 / DEPENDENT in accuracy.
        assert!(left.amax() < 1e-11 * block.amax(), "{:e}", left.amax());
    }

    #[test]
    fn a_well_conditioned_block_becomes_orthonormal_and_keeps_its_span() {
        for (n, m) in [(1, 1), (5, 5), (30, 7), (70, 33)] {
            let block = random(n, m, 7);
            let q = orthonormalise(&block);
            assert_orthonormal(&q);
            assert_spans(&q, &block);
        }
    }

    #[test]
    fn nearly_parallel_columns_become_orthonormal_at_every_degree_of_dependence() {
        for exponent in 1..17 {
            let mut block = random(40, 6, 9);
            let first = block.column(0).clone_owned();
            for j in 1..6 {
                let mixed = &first + block.column(j) * 10f64.powi(-exponent);
                block.set_column(j, &mixed);
            }
            let q = orthonormalise(&block);
            assert_orthonormal(&q);
            assert_spans(&q, &block);
        }
    }

    #[test]
    fn zero_and_repeated_columns_are_replaced_by_fresh_directions() {
        let mut block = random(9, 9, 3);
        block.column_mut(0).fill(0.0);
        let repeated = block.column(1).clone_owned();
        block.set_column(4, &repeated);
        block.column_mut(8).fill(0.0);
        let q = orthonormalise(&block);
        assert_orthonormal(&q);
        assert_spans(&q, &block);
    }

    #[test]
    fn columns_of_wildly_different_scale_become_orthonormal() {
        let mut block = random(25, 5, 4);
        for (j, factor) in [1e-300, 1e250, 1.0, 1e-160, 1e300].into_iter().enumerate() {
            block.column_mut(j).scale_mut(factor);
        }
        assert_orthonormal(&orthonormalise(&block));
    }

    #[test]
    fn column_j_of_the_basis_depends_on_the_columns_up_to_j_only() {
        let block = random(20, 6, 5);
        let r = orthonormalise(&block).tr_mul(&block);
        for j in 0..6 {
            for i in j + 1..6 {
                assert!(r[(i, j)].abs() < 1e-12);
            }
        }
    }
}
