//! All eigenpairs of a small dense symmetric matrix on memory that is taken once: Householder
//! tridiagonalisation and implicit QR steps with Wilkinson's shift (Golub and Van Loan, Matrix
//! Computations, 4th ed., sections 8.3.1 to 8.3.3). It must never allocate after `new`.
//!
//! Cost for size m: about 9 m^3 flops. Cyclic Jacobi would be shorter to write and needs
//! several times as many.

use crate::error::Error;
use crate::vector::{add_scaled, dot, largest, scale};

/// QR steps after which an eigenvalue is given up; two to three are usual.
const STEPS_PER_VALUE: usize = 60;

/// Memory for problems of one size.
#[derive(Debug, Clone)]
pub(crate) struct SmallEigen {
    size: usize,
    matrix: Vec<f64>,
    vectors: Vec<f64>,
    values: Vec<f64>,
    off: Vec<f64>,
    work: Vec<f64>,
}

impl SmallEigen {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            matrix: vec![0.0; size * size],
            vectors: vec![0.0; size * size],
            values: vec![0.0; size],
            off: vec![0.0; size],
            work: vec![0.0; size],
        }
    }

    /// Where the caller writes the symmetric matrix, column-major `[size, size]`; its lower
    /// triangle is read, and all of it is destroyed by [`Self::decompose`].
    pub(crate) fn matrix_mut(&mut self) -> &mut [f64] {
        &mut self.matrix
    }

    /// Eigenvalues, descending.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Eigenvectors, column-major `[size, size]`, in the order of the values.
    pub(crate) fn vectors(&self) -> &[f64] {
        &self.vectors
    }

    /// Decomposes what [`Self::matrix_mut`] holds; all of it must be finite. Eigenvalues are
    /// right to rounding of the largest of them.
    pub(crate) fn decompose(&mut self) -> Result<(), Error> {
        // At unit scale no square overflows or vanishes.
        let top = largest(&self.matrix);
        if top > 0.0 {
            self.matrix.iter_mut().for_each(|v| *v /= top);
        }
        self.tridiagonalise();
        self.accumulate();
        self.diagonalise()?;
        self.sort();
        scale(&mut self.values, top);
        Ok(())
    }

    /// `matrix` becomes tridiagonal in `values` and `off`; the Householder vectors stay below its
    /// diagonal and their factors in its diagonal.
    fn tridiagonalise(&mut self) {
        let n = self.size;
        for k in 0..n {
            self.values[k] = self.matrix[k * n + k];
            self.matrix[k * n + k] = 0.0;
            if k + 1 == n {
                break;
            }
            let (head, tail) = self.matrix.split_at_mut((k + 1) * n);
            let v = &mut head[k * n + k + 1..];
            let length = dot(v, v).sqrt();
            if length == 0.0 {
                self.off[k] = 0.0;
                continue;
            }
            // The sign that adds magnitudes, so that nothing cancels.
            let alpha = if v[0] > 0.0 { -length } else { length };
            self.off[k] = alpha;
            v[0] -= alpha;
            let beta = 2.0 / dot(v, v);

            // p = beta A v with the lower triangle only.
            let p = &mut self.work[k + 1..];
            p.fill(0.0);
            for j in 0..v.len() {
                let column = &tail[j * n + k + 1 + j..(j + 1) * n];
                let (diagonal, below) = (column[0], &column[1..]);
                p[j] += diagonal * v[j] + dot(below, &v[j + 1..]);
                add_scaled(&mut p[j + 1..], v[j], below);
            }
            scale(p, beta);
            add_scaled(p, -0.5 * beta * dot(p, v), v);
            for j in 0..v.len() {
                let column = &mut tail[j * n + k + 1 + j..(j + 1) * n];
                let (vj, pj) = (v[j], p[j]);
                for ((a, v), p) in column.iter_mut().zip(&v[j..]).zip(&p[j..]) {
                    *a -= v * pj + p * vj;
                }
            }
            head[k * n + k] = beta;
        }
    }

    /// `vectors` becomes the product of the Householder reflections, last one first so that only
    /// the trailing part is touched.
    fn accumulate(&mut self) {
        let n = self.size;
        self.vectors.fill(0.0);
        for i in 0..n {
            self.vectors[i * n + i] = 1.0;
        }
        for k in (0..n.saturating_sub(1)).rev() {
            let beta = self.matrix[k * n + k];
            if beta == 0.0 {
                continue;
            }
            let v = &self.matrix[k * n + k + 1..(k + 1) * n];
            for j in k + 1..n {
                let column = &mut self.vectors[j * n + k + 1..(j + 1) * n];
                let factor = -beta * dot(v, column);
                add_scaled(column, factor, v);
            }
        }
    }

    /// Implicit QR on the tridiagonal, rotations applied to `vectors`.
    fn diagonalise(&mut self) -> Result<(), Error> {
        let n = self.size;
        let (d, e) = (&mut self.values, &mut self.off);
        let norm = largest(d).max(largest(&e[..n - 1]));
        // An entry this small changes no eigenvalue by more than rounding of the largest.
        let negligible = f64::EPSILON * norm;
        let mut last = n - 1;
        let mut steps = 0;
        while last > 0 {
            if e[last - 1].abs() <= negligible {
                last -= 1;
                continue;
            }
            steps += 1;
            if steps > STEPS_PER_VALUE * n {
                return Err(Error::SmallEigenproblem {
                    size: n,
                    sweeps: STEPS_PER_VALUE,
                });
            }
            let first = (0..last)
                .rev()
                .find(|&i| e[i].abs() <= negligible)
                .map_or(0, |i| i + 1);

            let half = 0.5 * (d[last - 1] - d[last]);
            let b = e[last - 1];
            let shift = d[last] - b * b / (half + half.hypot(b).copysign(half));
            let (mut x, mut z) = (d[first] - shift, e[first]);
            for k in first..last {
                let r = x.hypot(z);
                let (c, s) = if r == 0.0 { (1.0, 0.0) } else { (x / r, z / r) };
                if k > first {
                    e[k - 1] = r;
                }
                let (p, q, b) = (d[k], d[k + 1], e[k]);
                d[k] = c * c * p + 2.0 * c * s * b + s * s * q;
                d[k + 1] = s * s * p - 2.0 * c * s * b + c * c * q;
                e[k] = c * s * (q - p) + (c * c - s * s) * b;
                if k + 1 < last {
                    x = e[k];
                    z = s * e[k + 1];
                    e[k + 1] *= c;
                }
                let (left, right) = self.vectors[k * n..(k + 2) * n].split_at_mut(n);
                for (l, r) in left.iter_mut().zip(right) {
                    (*l, *r) = (c * *l + s * *r, c * *r - s * *l);
                }
            }
        }
        Ok(())
    }

    /// Descending order, by swapping whole columns.
    fn sort(&mut self) {
        let n = self.size;
        for i in 0..n {
            let top = (i + 1..n).fold(i, |t, j| {
                if self.values[j] > self.values[t] {
                    j
                } else {
                    t
                }
            });
            if top != i {
                self.values.swap(i, top);
                let (head, tail) = self.vectors.split_at_mut(top * n);
                head[i * n..(i + 1) * n].swap_with_slice(&mut tail[..n]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::Directions;
    use nalgebra::DMatrix;

    /// Decomposes and checks A V = V diag(values), V orthonormal, values descending.
    fn check(matrix: &DMatrix<f64>) {
        let n = matrix.nrows();
        let mut small = SmallEigen::new(n);
        small.matrix_mut().copy_from_slice(matrix.as_slice());
        small.decompose().unwrap();
        let vectors = DMatrix::from_column_slice(n, n, small.vectors());
        assert!((vectors.tr_mul(&vectors) - DMatrix::identity(n, n)).amax() < 1e-13);
        assert!(small.values().is_sorted_by(|a, b| a >= b));
        let unit = largest(matrix.as_slice());
        if unit == 0.0 {
            assert!(small.values().iter().all(|v| *v == 0.0));
            return;
        }
        let mut scaled = vectors.clone();
        for (mut column, value) in scaled.column_iter_mut().zip(small.values()) {
            column *= value / unit;
        }
        let error = (matrix / unit * vectors - scaled).amax();
        assert!(error < 1e-14 * n as f64, "n {n}: {error:e}");
    }

    #[test]
    fn random_matrices_of_all_sizes_and_scales_are_decomposed() {
        for n in 1..40 {
            let mut block = DMatrix::zeros(n, n);
            Directions::new(n as u64).fill(block.as_mut_slice());
            let symmetric = &block + block.transpose();
            for factor in [1.0, 1e-300, 1e300] {
                check(&(&symmetric * factor));
            }
        }
    }

    #[test]
    fn degenerate_matrices_are_decomposed() {
        let n = 12;
        check(&DMatrix::zeros(n, n));
        check(&DMatrix::identity(n, n));
        check(&DMatrix::repeat(n, n, 1.0));
        check(&DMatrix::from_fn(n, n, |i, j| {
            if i + j == n - 1 { 1.0 } else { 0.0 }
        }));
        check(&DMatrix::from_fn(n, n, |i, j| {
            if i.abs_diff(j) == 1 { 1.0 } else { 0.0 }
        }));
        check(&DMatrix::from_diagonal(&nalgebra::DVector::from_fn(
            n,
            |i, _| 10f64.powi(-(i as i32) * 3),
        )));
        // Graded, and clustered: Wilkinson's W21+.
        check(&DMatrix::from_fn(21, 21, |i, j| match i.abs_diff(j) {
            0 => i.abs_diff(10) as f64,
            1 => 1.0,
            _ => 0.0,
        }));
    }
}
