//! Random and degenerate symmetric matrices with a spectrum that is known, and what every answer
//! must satisfy.
#![allow(dead_code, reason = "each test file uses its part")]

use andon_spectral::{Dense, Eigenpairs, SymmetricOperator};
use nalgebra::{DMatrix, SymmetricEigen};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Entries uniform in [-1, 1).
pub fn random_block(rows: usize, cols: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, cols, |_, _| rng.random_range(-1.0..1.0))
}

pub fn random_rows(rows: usize, dim: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..rows * dim)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect()
}

/// V diag(spectrum) V^T with random orthogonal V.
pub fn with_spectrum(spectrum: &[f64], rng: &mut impl Rng) -> DMatrix<f64> {
    let n = spectrum.len();
    let vectors = random_block(n, n, rng).qr().q();
    let scaled = DMatrix::from_fn(n, n, |i, j| vectors[(i, j)] * spectrum[j]);
    let matrix = scaled * vectors.transpose();
    0.5 * (&matrix + matrix.transpose())
}

/// The full decomposition by nalgebra, descending.
pub fn reference(matrix: &DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    // At unit scale: nalgebra squares entries.
    let top = matrix.amax();
    let unit = if top == 0.0 {
        matrix.clone()
    } else {
        matrix / top
    };
    let eigen = SymmetricEigen::new(unit);
    let mut order: Vec<usize> = (0..matrix.nrows()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    (
        order.iter().map(|&i| eigen.eigenvalues[i] * top).collect(),
        eigen.eigenvectors.select_columns(&order),
    )
}

/// Everything that must hold for a converged answer on `matrix`.
pub fn check(name: &str, matrix: &DMatrix<f64>, pairs: &Eigenpairs<'_>, tolerance: f64) {
    let n = matrix.nrows();
    let k = pairs.len();
    let (exact, exact_vectors) = reference(matrix);
    let unit = exact[0].abs().max(exact[n - 1].abs());
    assert!(pairs.converged(), "{name}: {:?}", pairs.residuals());
    assert!(
        pairs.values().is_sorted_by(|a, b| a >= b),
        "{name}: not descending"
    );

    let vectors = pairs.vectors();
    let gram = vectors.tr_mul(&vectors) - DMatrix::identity(k, k);
    assert!(
        gram.amax() < 1e-12,
        "{name}: orthonormal up to {:e}",
        gram.amax()
    );

    if unit == 0.0 {
        assert!(pairs.values().iter().all(|v| *v == 0.0), "{name}");
        return;
    }
    for (j, expected) in exact.iter().enumerate().take(k) {
        let value = pairs.values()[j];
        let error = (value - expected).abs() / unit;
        assert!(
            error < tolerance,
            "{name}: value {j} of {k} is off by {error:e}"
        );
        let residual =
            (matrix * (vectors.column(j) / unit) - vectors.column(j) * (value / unit)).norm();
        assert!(
            residual < 2.0 * tolerance,
            "{name}: residual {j} is {residual:e}"
        );
    }

    // The sine of the largest angle to the exact subspace is bounded by the residual over the gap
    // (Davis and Kahan 1970).
    if k < n {
        let gap = (exact[k - 1] - exact[k]) / unit;
        let inside = exact_vectors.columns(0, k).tr_mul(&vectors);
        let outside = vectors - exact_vectors.columns(0, k) * inside;
        let bound = 3.0 * tolerance * (k as f64).sqrt() / gap + 1e-12;
        if bound < 1.0 {
            assert!(
                outside.norm() < bound,
                "{name}: angle {:e} > {bound:e}",
                outside.norm()
            );
        }
    }
}

/// The matrix of an operator, one unit vector after the other.
pub fn matrix_of(operator: &dyn SymmetricOperator) -> DMatrix<f64> {
    let n = operator.dim();
    let mut out = DMatrix::zeros(n, n);
    let mut scratch = vec![f64::NAN; operator.scratch_len(n)];
    operator.apply(&DMatrix::identity(n, n), &mut out, &mut scratch);
    out
}

pub fn dense(matrix: &DMatrix<f64>) -> Dense {
    Dense::new(matrix.clone()).expect("symmetric and finite")
}
