//! Times of the spectral problems of one inspection beside nalgebra's full eigensolver. The runs
//! are interleaved and the medians compared, so that a busy machine shifts both alike.
//!
//! `cargo bench -p andon-spectral`

use std::hint::black_box;
use std::time::Instant;

use andon_spectral::{Covariance, Options, SubspaceSolver};
use nalgebra::SymmetricEigen;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TOKENS: usize = 1024;
const DIM: usize = 384;
const ROUNDS: usize = 9;

fn main() {
    let rows = features();
    let mut covariance = Covariance::new(DIM).expect("dimension above 0");
    covariance.push(&rows).expect("finite rows");
    let operator = covariance.operator().expect("rows were pushed");
    let options = |max_degree| Options {
        max_degree,
        max_iterations: 1000,
        ..Options::default()
    };
    let plain = options(1);
    let solver = |rank, options| SubspaceSolver::new(DIM, rank, options).expect("valid options");
    let mut plain = solver(64, plain);
    let (mut small, mut large) = (solver(64, options(12)), solver(128, options(12)));

    for (name, solver) in [
        ("rank 64, plain", &mut plain),
        ("rank 64", &mut small),
        ("rank 128", &mut large),
    ] {
        let pairs = solver.solve(&operator).expect("finite operator");
        println!(
            "{name}: {} steps, {} block products, converged: {}",
            pairs.iterations(),
            pairs.products(),
            pairs.converged()
        );
    }
    compare(&mut [
        ("full eigensolver (nalgebra), 384", &mut || {
            black_box(SymmetricEigen::new(operator.matrix().clone()));
        }),
        ("rank 64, plain block power", &mut || {
            black_box(plain.solve(&operator).expect("finite operator"));
        }),
        ("rank 64", &mut || {
            black_box(small.solve(&operator).expect("finite operator"));
        }),
        ("rank 128", &mut || {
            black_box(large.solve(&operator).expect("finite operator"));
        }),
        ("covariance, 1024 more rows", &mut || {
            covariance.push(black_box(&rows)).expect("finite rows");
        }),
    ]);
}

/// Rows whose covariance falls off as that of patch features does: about as 1 / (1 + j / 8).
fn features() -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
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
