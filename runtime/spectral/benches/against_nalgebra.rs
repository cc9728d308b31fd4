//! Times of the spectral problems of one inspection beside nalgebra's full eigensolver. The runs
//! are interleaved and the medians compared, so that a busy machine shifts both alike.
//!
//! `cargo bench -p andon-spectral`

use std::hint::black_box;
use std::time::Instant;

use andon_spectral::{
    CosineAffinity, Covariance, DualAffinity, Mean, Options, SubspaceSolver, SymmetricOperator,
    attention, share_degrees,
};
use nalgebra::{DMatrix, SymmetricEigen};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOKENS: usize = 1024;
const DIM: usize = 384;
const ROUNDS: usize = 5;

const BLOCKS: usize = 12;

fn main() {
    covariance();
    one_graph();
    all_blocks();
}

fn options(max_degree: usize) -> Options {
    Options {
        tolerance: 1e-6,
        max_degree,
        max_iterations: 1000,
        ..Options::default()
    }
}

/// Solves once, says in how many steps, and gives the eigenvectors.
fn report(
    name: &str,
    solver: &mut SubspaceSolver,
    operator: &dyn SymmetricOperator,
) -> DMatrix<f64> {
    let pairs = solver.solve(operator).expect("finite operator");
    println!(
        "{name}: {} steps, {} block products, converged: {}",
        pairs.iterations(),
        pairs.products(),
        pairs.converged()
    );
    pairs.to_owned().1
}

fn covariance() {
    println!("-- covariance of {TOKENS} rows of {DIM}, residual 1e-6");
    let rows = features(1);
    let mut covariance = Covariance::new(DIM).expect("dimension above 0");
    covariance.push(&rows).expect("finite rows");
    let operator = covariance.operator().expect("rows were pushed");
    let solver = |rank, degree| SubspaceSolver::new(DIM, rank, options(degree)).expect("valid");
    let (mut plain, mut filtered, mut wide) = (solver(64, 1), solver(64, 12), solver(128, 12));
    report("rank 64, plain block power", &mut plain, &operator);
    report("rank 64", &mut filtered, &operator);
    report("rank 128", &mut wide, &operator);
    compare(&mut [
        ("all 384 eigenpairs (nalgebra)", &mut || {
            black_box(SymmetricEigen::new(operator.matrix().clone()));
        }),
        ("rank 64, plain block power", &mut || {
            black_box(plain.solve(&operator).expect("finite operator"));
        }),
        ("rank 64", &mut || {
            black_box(filtered.solve(&operator).expect("finite operator"));
        }),
        ("rank 128", &mut || {
            black_box(wide.solve(&operator).expect("finite operator"));
        }),
        ("pushing 1024 rows", &mut || {
            covariance.push(black_box(&rows)).expect("finite rows");
        }),
    ]);
}

fn one_graph() {
    println!("-- graph of {TOKENS} tokens of {DIM}, 12 eigenvectors, residual 1e-6");
    let rows = features(2);
    let graph = CosineAffinity::within(&rows, DIM).expect("valid rows");
    let mut solver = SubspaceSolver::new(TOKENS, 12, options(12)).expect("valid");
    solver
        .deflate(&graph.trivial_eigenvector())
        .expect("one vector");
    let guess = report("implicit", &mut solver, &graph);
    let mut warm = solver.clone();
    let dual = DualAffinity::of(&rows, DIM).expect("valid rows");
    let operator = dual.operator().expect("both passes");
    let mut thin = SubspaceSolver::new(DIM + 1, 12, options(12)).expect("valid");
    thin.deflate(&dual.trivial_eigenvector())
        .expect("one vector");
    report("dual", &mut thin, &operator);
    let dense = DMatrix::from_fn(TOKENS, TOKENS, |i, j| {
        let (a, b) = (&rows[i * DIM..(i + 1) * DIM], &rows[j * DIM..(j + 1) * DIM]);
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        0.5 + 0.5 * dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    });
    compare(&mut [
        ("all 1024 eigenpairs (nalgebra)", &mut || {
            black_box(SymmetricEigen::new(dense.clone()));
        }),
        ("implicit", &mut || {
            black_box(solver.solve(&graph).expect("finite operator"));
        }),
        ("implicit, from the answer", &mut || {
            black_box(warm.solve_from(&graph, &guess).expect("finite operator"));
        }),
        ("dual, forming it and embedding", &mut || {
            let dual = DualAffinity::of(&rows, DIM).expect("valid rows");
            let operator = dual.operator().expect("both passes");
            let pairs = thin.solve(&operator).expect("finite operator");
            let embedding = dual.embed(&rows, pairs.vectors(), pairs.values());
            black_box(embedding.expect("eigenvalues above 0"));
        }),
    ]);
}

fn all_blocks() {
    println!("-- mean of {BLOCKS} such graphs");
    let taps: Vec<Vec<f32>> = (0..BLOCKS as u64)
        .map(|block| features(3 + block))
        .collect();
    let mut graphs: Vec<_> = taps
        .iter()
        .map(|tap| CosineAffinity::within(tap, DIM).expect("valid rows"))
        .collect();
    share_degrees(&mut graphs).expect("equal sizes");
    let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|graph| graph as _).collect();
    let mean = Mean::equal(&parts).expect("equal sizes");
    let mut solver = SubspaceSolver::new(TOKENS, 12, options(12)).expect("valid");
    solver
        .deflate(&graphs[0].trivial_eigenvector())
        .expect("one vector");
    report("implicit", &mut solver, &mean);
    compare(&mut [
        ("implicit", &mut || {
            black_box(solver.solve(&mean).expect("finite operator"));
        }),
        ("attention of one block, 6 heads", &mut || {
            black_box(attention(&taps[0], &taps[1], DIM, 6).expect("valid rows"));
        }),
    ]);
}

/// Rows whose covariance falls off as that of patch features does: about as 1 / (1 + j / 8).
fn features(seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mix: Vec<f32> = (0..DIM * DIM)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();
    let mut rows = Vec::with_capacity(TOKENS * DIM);
    for _ in 0..TOKENS {
        let hidden: Vec<f32> = (0..DIM)
            .map(|j| rng.random_range(-1.0..1.0) / (1.0 + j as f32 / 8.0).sqrt())
            .collect();
        rows.extend((0..DIM).map(|i| {
            let weights = &mix[i * DIM..(i + 1) * DIM];
            weights.iter().zip(&hidden).map(|(w, h)| w * h).sum::<f32>()
        }));
    }
    rows
}

/// Runs all in turn, several times, and prints medians and their ratio to the first.
fn compare(runs: &mut [(&str, &mut dyn FnMut())]) {
    let mut seconds = vec![Vec::with_capacity(ROUNDS); runs.len()];
    for _ in 0..ROUNDS {
        for ((_, run), seconds) in runs.iter_mut().zip(&mut seconds) {
            let start = Instant::now();
            run();
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let medians: Vec<f64> = seconds
        .iter_mut()
        .map(|seconds| {
            seconds.sort_by(f64::total_cmp);
            seconds[ROUNDS / 2]
        })
        .collect();
    for ((name, _), median) in runs.iter().zip(&medians) {
        println!(
            "{:9.2} ms  {:5.2} x  {name}",
            median * 1e3,
            median / medians[0]
        );
    }
}
