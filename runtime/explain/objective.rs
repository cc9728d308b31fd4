//! The paper's objective (arXiv 2312.06716), climbed by gradient steps, against the eigenvectors.
//!
//! For graphs S_b over one and the same grid the paper's objective is the sum over the blocks of
//! tr(X^T S_b X), which is tr(X^T S X) for their mean S: its maximum over orthonormal X `[n, k]` is
//! the sum of the k largest eigenvalues, reached exactly by the leading subspace (Ky Fan 1949).

use andon_spectral::{
    CosineAffinity, Mean, Options, SubspaceSolver, SymmetricOperator, share_degrees,
};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PATCHES: usize = 60;
const DIM: usize = 12;
const GROUPS: usize = 4;

/// Taps of three blocks in which four groups of patches are planted, with noise.
fn planted() -> Vec<Vec<f32>> {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut noise = || random.random::<f32>() - 0.5;
    (0..3)
        .map(|block| {
            let entry = |i: usize, c: usize| f32::from((i * GROUPS / PATCHES + block) % DIM == c);
            let all = (0..PATCHES).flat_map(|i| (0..DIM).map(move |c| (i, c)));
            all.map(|(i, c)| entry(i, c) + 0.5 * noise()).collect()
        })
        .collect()
}

/// The mean graph as a matrix, its leading eigenvectors with the trivial one in front, and the sum
/// of their eigenvalues.
fn eigenproblem() -> (DMatrix<f64>, DMatrix<f64>, f64) {
    let taps = planted();
    let graphs = taps.iter().map(|rows| CosineAffinity::within(rows, DIM));
    let mut graphs = graphs.collect::<Result<Vec<_>, _>>().unwrap();
    share_degrees(&mut graphs).unwrap();
    let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|g| g as _).collect();
    let mean = Mean::equal(&parts).unwrap();

    let mut matrix = DMatrix::zeros(PATCHES, PATCHES);
    let mut scratch = vec![0.0; mean.scratch_len(PATCHES)];
    mean.apply(
        &DMatrix::identity(PATCHES, PATCHES),
        &mut matrix,
        &mut scratch,
    );

    let trivial = graphs[0].trivial_eigenvector();
    let options = Options {
        tolerance: 1e-10,
        ..Options::default()
    };
    let mut solver = SubspaceSolver::new(PATCHES, GROUPS - 1, options).unwrap();
    solver.deflate(&trivial).unwrap();
    let (values, vectors) = solver.solve(&mean).unwrap().to_owned();
    let mut all = DMatrix::zeros(PATCHES, GROUPS);
    all.column_mut(0).copy_from(&trivial.column(0));
    all.columns_mut(1, GROUPS - 1).copy_from(&vectors);
    (matrix, all, 1.0 + values.sum())
}

fn value(s: &DMatrix<f64>, x: &DMatrix<f64>) -> f64 {
    (x.transpose() * s * x).trace()
}

/// Sine of the largest principal angle between two spans of orthonormal columns.
fn sine(a: &DMatrix<f64>, b: &DMatrix<f64>) -> f64 {
    let beyond = a - b * b.tr_mul(a);
    beyond.svd(false, false).singular_values.max()
}

fn random_start() -> DMatrix<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    DMatrix::from_fn(PATCHES, GROUPS, |_, _| random.random::<f64>() - 0.5)
}

#[test]
fn gradient_steps_on_the_papers_objective_approach_the_eigenvectors_and_never_beat_them() {
    let (s, leading, most) = eigenproblem();
    let mut x = random_start().qr().q();
    let start = sine(&x, &leading);
    for _ in 0..2000 {
        // The gradient of tr(X^T S X) is 2 S X; Q of QR brings the step back to orthonormal.
        x = (&x + 0.5 * (&s * &x)).qr().q();
        assert!(value(&s, &x) <= most + 1e-9);
    }
    let end = sine(&x, &leading);
    assert!(start > 0.5, "the start is no challenge: {start}");
    assert!(end < 1e-3, "largest principal angle is still {end}");
    assert!(value(&s, &x) > most - 1e-6);
}

#[test]
fn soft_groups_climbed_by_gradient_never_beat_the_eigenvectors_and_come_near_their_span() {
    // X = Z (Z^T Z)^-1/2 for Z = D^1/2 softmax(logits): a non-negative version of the same.
    let (s, leading, most) = eigenproblem();
    let degrees = leading.column(0).map(|root| root * root);
    let mut logits = random_start();
    let mut basis = DMatrix::zeros(PATCHES, GROUPS);
    for _ in 0..3000 {
        let mut soft = logits.map(f64::exp);
        for mut row in soft.row_iter_mut() {
            let sum = row.sum();
            row /= sum;
        }
        let z = DMatrix::from_fn(PATCHES, GROUPS, |i, c| degrees[i].sqrt() * soft[(i, c)]);
        let inverse = z.tr_mul(&z).try_inverse().unwrap();
        let ratio = &inverse * (z.transpose() * &s * &z);
        assert!(ratio.trace() <= most + 1e-9);
        // Gradient of tr((Z^T Z)^-1 Z^T S Z), then through the roots of the degrees and softmax.
        let by_z = 2.0 * (&s * &z - &z * ratio) * inverse;
        for i in 0..PATCHES {
            let by_soft: Vec<f64> = (0..GROUPS)
                .map(|c| by_z[(i, c)] * degrees[i].sqrt())
                .collect();
            let mean: f64 = (0..GROUPS).map(|c| by_soft[c] * soft[(i, c)]).sum();
            for c in 0..GROUPS {
                logits[(i, c)] += 30.0 * soft[(i, c)] * (by_soft[c] - mean);
            }
        }
        basis = z.qr().q();
    }
    assert!(sine(&basis, &leading) < 0.35, "{}", sine(&basis, &leading));
    assert!(value(&s, &basis) > 0.97 * most);
}
