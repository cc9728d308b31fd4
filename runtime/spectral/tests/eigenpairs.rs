//! The solver against nalgebra's full symmetric eigensolver.

mod common;

use andon_spectral::{Dense, Error, Options, SubspaceSolver};
use common::{check, dense, generator, random_block, with_spectrum};
use nalgebra::DMatrix;
use rand::RngExt;

const TOLERANCE: f64 = 1e-9;

fn options() -> Options {
    Options {
        tolerance: TOLERANCE,
        max_iterations: 300,
        ..Options::default()
    }
}

fn solve_and_check(name: &str, matrix: &DMatrix<f64>, wanted: usize) {
    let mut solver = SubspaceSolver::new(matrix.nrows(), wanted, options()).unwrap();
    let operator = dense(matrix);
    let pairs = solver.solve(&operator).unwrap();
    assert_eq!(pairs.len(), wanted.min(matrix.nrows()), "{name}");
    check(name, matrix, &pairs, TOLERANCE);
}

/// Spectra by name, for one size.
fn spectra(n: usize, rng: &mut impl rand::Rng) -> Vec<(&'static str, Vec<f64>)> {
    let draw = |rng: &mut _, low: f64, high: f64| -> Vec<f64> {
        (0..n)
            .map(|_| rand::RngExt::random_range(rng, low..high))
            .collect()
    };
    vec![
        ("uniform", draw(rng, -1.0, 1.0)),
        ("positive", draw(rng, 0.0, 1.0)),
        ("negative", draw(rng, -2.0, -1.0)),
        ("decaying", (0..n).map(|i| 0.7f64.powi(i as i32)).collect()),
        ("zero", vec![0.0; n]),
        ("identity", vec![1.0; n]),
        ("minus identity", vec![-1.0; n]),
        (
            "rank one",
            (0..n).map(|i| if i == 0 { 3.0 } else { 0.0 }).collect(),
        ),
        (
            "negative rank one",
            (0..n).map(|i| if i == 0 { -3.0 } else { 0.0 }).collect(),
        ),
        (
            "one above many equal",
            (0..n).map(|i| if i == 0 { 2.0 } else { 1.0 }).collect(),
        ),
        (
            "repeated in threes",
            (0..n).map(|i| 1.0 / (1 + i / 3) as f64).collect(),
        ),
        (
            "clustered at the top",
            (0..n)
                .map(|i| {
                    if i < n / 2 {
                        1.0 - 1e-4 * i as f64
                    } else {
                        0.1
                    }
                })
                .collect(),
        ),
        (
            "equal up to rounding",
            (0..n).map(|i| 1.0 + 1e-15 * i as f64).collect(),
        ),
        (
            "plus and minus",
            (0..n)
                .map(|i| {
                    if i % 2 == 0 {
                        1.0 / (1 + i) as f64
                    } else {
                        -1.0 / i as f64
                    }
                })
                .collect(),
        ),
        (
            "one large below",
            (0..n)
                .map(|i| if i == 0 { -100.0 } else { 1.0 / i as f64 })
                .collect(),
        ),
    ]
}

#[test]
fn every_spectrum_of_every_size_agrees_with_the_full_decomposition() {
    let mut rng = generator(1);
    let mut cases = 0;
    for n in [1, 2, 3, 5, 9, 17, 40] {
        for (name, spectrum) in spectra(n, &mut rng) {
            let matrix = with_spectrum(&spectrum, &mut rng);
            for wanted in [1, 3, n] {
                solve_and_check(&format!("{name}, n {n}, wanted {wanted}"), &matrix, wanted);
                cases += 1;
            }
        }
    }
    assert!(cases > 300);
}

#[test]
fn random_symmetric_matrices_agree_with_the_full_decomposition() {
    let mut rng = generator(2);
    for case in 0..150 {
        let n = rng.random_range(1..80);
        let wanted = rng.random_range(1..12);
        let block = random_block(n, n, &mut rng);
        let matrix = &block + block.transpose();
        solve_and_check(
            &format!("case {case}: n {n}, wanted {wanted}"),
            &matrix,
            wanted,
        );
    }
}

#[test]
fn tiny_and_huge_scales_change_nothing_but_the_scale() {
    let mut rng = generator(3);
    for exponent in [-300, -200, -30, 30, 200, 300] {
        for (name, spectrum) in spectra(12, &mut rng) {
            let scaled: Vec<f64> = spectrum.iter().map(|v| v * 10f64.powi(exponent)).collect();
            let matrix = with_spectrum(&scaled, &mut rng);
            solve_and_check(&format!("{name} times 1e{exponent}"), &matrix, 3);
        }
    }
}

#[test]
fn plain_block_power_iteration_finds_the_same() {
    let mut rng = generator(4);
    let spectrum: Vec<f64> = (0..50).map(|i| 0.8f64.powi(i)).collect();
    let matrix = with_spectrum(&spectrum, &mut rng);
    let operator = dense(&matrix).with_floor(0.0);
    let plain = Options {
        max_degree: 1,
        ..options()
    };
    let mut solver = SubspaceSolver::new(50, 5, plain).unwrap();
    let pairs = solver.solve(&operator).unwrap();
    check("plain", &matrix, &pairs, TOLERANCE);
    assert_eq!(pairs.products(), pairs.iterations());
}

#[test]
fn more_pairs_than_there_are_gives_all_of_them() {
    let matrix = with_spectrum(&[4.0, -1.0, 2.0], &mut generator(5));
    let mut solver = SubspaceSolver::new(3, 10, options()).unwrap();
    let operator = dense(&matrix);
    let pairs = solver.solve(&operator).unwrap();
    assert_eq!(pairs.len(), 3);
    check("all", &matrix, &pairs, TOLERANCE);
}

#[test]
fn no_oversampling_still_converges() {
    let spectrum: Vec<f64> = (0..30).map(|i| 1.0 / (1 + i) as f64).collect();
    let matrix = with_spectrum(&spectrum, &mut generator(6));
    let operator = dense(&matrix);
    let bare = Options {
        oversampling: 0,
        ..options()
    };
    let mut solver = SubspaceSolver::new(30, 4, bare).unwrap();
    check(
        "bare",
        &matrix,
        &solver.solve(&operator).unwrap(),
        TOLERANCE,
    );
}

#[test]
fn oversampling_saves_steps_of_plain_block_power() {
    let spectrum: Vec<f64> = (0..120).map(|i| 0.93f64.powi(i)).collect();
    let operator = dense(&with_spectrum(&spectrum, &mut generator(7))).with_floor(0.0);
    let steps = |oversampling| {
        let plain = Options {
            oversampling,
            max_degree: 1,
            max_iterations: 1000,
            ..options()
        };
        let mut solver = SubspaceSolver::new(120, 12, plain).unwrap();
        let pairs = solver.solve(&operator).unwrap();
        assert!(pairs.converged());
        pairs.iterations()
    };
    let (without, with) = (steps(0), steps(8));
    assert!(with * 3 < without, "{with} with, {without} without");
}

#[test]
fn the_chebyshev_filter_saves_products() {
    let spectrum: Vec<f64> = (0..200).map(|i| 1.0 - i as f64 / 200.0).collect();
    let operator = dense(&with_spectrum(&spectrum, &mut generator(8))).with_floor(0.0);
    let products = |max_degree| {
        let options = Options {
            max_degree,
            max_iterations: 2000,
            ..options()
        };
        let mut solver = SubspaceSolver::new(200, 6, options).unwrap();
        let pairs = solver.solve(&operator).unwrap();
        assert!(pairs.converged());
        pairs.products()
    };
    let (plain, filtered) = (products(1), products(12));
    assert!(filtered * 2 < plain, "{filtered} filtered, {plain} plain");
}

#[test]
fn a_floor_that_is_too_high_costs_a_few_products_but_not_the_result() {
    let mut rng = generator(9);
    let spectrum: Vec<f64> = (0..100).map(|i| 1.0 - 0.04 * f64::from(i)).collect();
    let matrix = with_spectrum(&spectrum, &mut rng);
    let mut solver = SubspaceSolver::new(100, 4, options()).unwrap();
    let mut products = |floor| {
        let operator = dense(&matrix).with_floor(floor);
        let pairs = solver.solve(&operator).unwrap();
        check(&format!("floor {floor}"), &matrix, &pairs, TOLERANCE);
        pairs.products()
    };
    let right = products(spectrum[99]);
    for floor in [-1.0, 0.0, 0.5, 0.99] {
        let wrong = products(floor);
        assert!(
            wrong < 2 * right,
            "floor {floor}: {wrong}, right floor: {right}"
        );
    }
}

#[test]
fn vectors_that_mix_both_ends_of_the_spectrum_are_found_out() {
    let mut rng = generator(19);
    for case in 0..20 {
        // Eigenvalues come in pairs of about equal magnitude, and the floor denies the negative
        // ones: their mixtures have harmless Ritz values.
        let spectrum: Vec<f64> = (0..40)
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.01 } * 0.95f64.powi(i / 2))
            .collect();
        let matrix = with_spectrum(&spectrum, &mut rng);
        let operator = dense(&matrix).with_floor(0.0);
        let plain = Options {
            oversampling: 0,
            max_degree: 1,
            max_iterations: 1000,
            ..options()
        };
        let mut solver = SubspaceSolver::new(40, 3, plain).unwrap();
        let pairs = solver.solve(&operator).unwrap();
        check(&format!("case {case}"), &matrix, &pairs, TOLERANCE);
    }
}

#[test]
fn an_eigenvalue_repeated_more_often_than_the_block_is_wide_does_not_stall() {
    let mut rng = generator(20);
    for max_degree in [1, 12] {
        let spectrum: Vec<f64> = (0..90).map(|i| f64::from(2 - i % 3)).collect();
        let matrix = with_spectrum(&spectrum, &mut rng);
        let operator = dense(&matrix).with_floor(0.0);
        let options = Options {
            max_degree,
            ..options()
        };
        let mut solver = SubspaceSolver::new(90, 3, options).unwrap();
        let pairs = solver.solve(&operator).unwrap();
        check(&format!("degree {max_degree}"), &matrix, &pairs, TOLERANCE);
        let (steps, products) = (pairs.iterations(), pairs.products());
        assert!(
            products < 150,
            "degree {max_degree}: {steps} steps, {products} products"
        );
    }
}

#[test]
fn the_reported_residual_is_the_true_one_even_where_it_did_not_converge() {
    let mut rng = generator(10);
    for steps in 1..6 {
        let spectrum: Vec<f64> = (0..60).map(|i| 1.0 - 0.01 * i as f64).collect();
        let matrix = with_spectrum(&spectrum, &mut rng);
        let operator = dense(&matrix);
        let capped = Options {
            max_iterations: steps,
            tolerance: 1e-12,
            ..options()
        };
        let mut solver = SubspaceSolver::new(60, 5, capped).unwrap();
        let pairs = solver.solve(&operator).unwrap();
        assert_eq!(pairs.iterations(), steps);
        assert!(!pairs.converged());
        assert!(pairs.unit() >= pairs.values()[0] && pairs.unit() <= 1.0 + 1e-12);
        let vectors = pairs.vectors();
        for j in 0..5 {
            let u = vectors.column(j);
            let residual = (&matrix * u - u * pairs.values()[j]).norm();
            let reported = pairs.residuals()[j] * pairs.unit();
            assert!(
                (residual - reported).abs() < 1e-12,
                "{residual:e} {reported:e}"
            );
        }
    }
}

#[test]
fn a_warm_start_on_a_slightly_changed_operator_saves_products() {
    let mut rng = generator(11);
    let spectrum: Vec<f64> = (0..100).map(|i| 0.9f64.powi(i)).collect();
    let before = with_spectrum(&spectrum, &mut rng);
    let change = with_spectrum(&vec![1e-6; 100], &mut rng) + {
        let noise = random_block(100, 100, &mut rng) * 1e-6;
        &noise + noise.transpose()
    };
    let after = dense(&(&before + change)).with_floor(-1e-4);
    let mut solver = SubspaceSolver::new(100, 10, options()).unwrap();
    let guess = solver
        .solve(&dense(&before).with_floor(0.0))
        .unwrap()
        .to_owned()
        .1;
    let cold = solver.solve(&after).unwrap().products();
    let pairs = solver.solve_from(&after, &guess).unwrap();
    let warm = pairs.products();
    check("warm", after.matrix(), &pairs, TOLERANCE);
    assert!(warm < cold, "{warm} warm, {cold} cold");
    assert!(pairs.iterations() <= 3, "{}", pairs.iterations());
}

#[test]
fn a_warm_start_that_misses_the_leading_vectors_finds_them_all_the_same() {
    let mut rng = generator(12);
    let spectrum: Vec<f64> = (0..200).map(|i| 0.8f64.powi(i)).collect();
    let matrix = with_spectrum(&spectrum, &mut rng);
    let vectors = common::reference(&matrix).1;
    // Exact eigenvectors, but the wrong ones: their residuals are 0 at once, and two random columns
    // in 200 dimensions hold little of the others.
    let guess = vectors.columns(1, 4).into_owned();
    let operator = dense(&matrix).with_floor(0.0);
    for seed in 0..20 {
        let options = Options {
            oversampling: 2,
            seed,
            ..options()
        };
        let mut solver = SubspaceSolver::new(200, 4, options).unwrap();
        let pairs = solver.solve_from(&operator, &guess).unwrap();
        check("misled", &matrix, &pairs, TOLERANCE);
    }
}

#[test]
fn a_useless_start_basis_is_as_good_as_none() {
    let matrix = with_spectrum(&[5.0, 4.0, 3.0, 2.0, 1.0], &mut generator(13));
    let operator = dense(&matrix);
    let options = Options {
        oversampling: 1,
        ..options()
    };
    let mut solver = SubspaceSolver::new(5, 2, options).unwrap();
    for guess in [
        DMatrix::zeros(5, 2),
        DMatrix::repeat(5, 3, 1.0),
        DMatrix::zeros(5, 0),
        DMatrix::identity(5, 5),
    ] {
        check(
            "useless",
            &matrix,
            &solver.solve_from(&operator, &guess).unwrap(),
            TOLERANCE,
        );
    }
}

#[test]
fn deflated_eigenvectors_are_not_found_again() {
    let mut rng = generator(14);
    let spectrum: Vec<f64> = (0..30).map(|i| 1.0 - 0.02 * i as f64).collect();
    let matrix = with_spectrum(&spectrum, &mut rng);
    let (exact, vectors) = common::reference(&matrix);
    let operator = dense(&matrix);
    let mut solver = SubspaceSolver::new(30, 4, options()).unwrap();
    // Any basis of the known subspace will do.
    let known = vectors.columns(0, 2) * DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 0.0, 3.0]);
    solver.deflate(&known).unwrap();
    let pairs = solver.solve(&operator).unwrap();
    assert!(pairs.converged());
    for j in 0..4 {
        assert!((pairs.values()[j] - exact[j + 2]).abs() < TOLERANCE);
    }
    assert!(known.tr_mul(&pairs.vectors()).amax() < 1e-12);
}

#[test]
fn a_deflated_eigenvalue_far_above_the_others_does_not_come_back_by_rounding() {
    let mut rng = generator(21);
    let spectrum: Vec<f64> = (0..40)
        .map(|i| {
            if i == 0 {
                1e4
            } else {
                1.0 - 0.02 * f64::from(i)
            }
        })
        .collect();
    let matrix = with_spectrum(&spectrum, &mut rng);
    let known = common::reference(&matrix).1.columns(0, 1).into_owned();
    let operator = dense(&matrix).with_floor(0.0);
    let mut solver = SubspaceSolver::new(40, 4, options()).unwrap();
    solver.deflate(&known).unwrap();
    let pairs = solver.solve(&operator).unwrap();
    assert!(pairs.converged(), "{:?}", pairs.residuals());
    assert!(pairs.iterations() < 20, "{}", pairs.iterations());
    for (j, value) in pairs.values().iter().enumerate() {
        assert!((value - spectrum[j + 1]).abs() < 1e-8);
    }
}

#[test]
fn a_solver_goes_back_to_all_eigenpairs_when_nothing_is_deflated_any_more() {
    let matrix = with_spectrum(&[3.0, 2.0, 1.0, 0.5], &mut generator(15));
    let vectors = common::reference(&matrix).1;
    let operator = dense(&matrix);
    let mut solver = SubspaceSolver::new(4, 2, options()).unwrap();
    solver.deflate(&vectors.columns(0, 1).into_owned()).unwrap();
    assert!((solver.solve(&operator).unwrap().values()[0] - 2.0).abs() < TOLERANCE);
    solver.deflate(&DMatrix::zeros(4, 0)).unwrap();
    assert!((solver.solve(&operator).unwrap().values()[0] - 3.0).abs() < TOLERANCE);
}

#[test]
fn deflating_what_is_no_eigenvector_shows_in_the_residual() {
    let matrix = with_spectrum(&[3.0, 2.0, 1.0, 0.5, 0.2], &mut generator(16));
    let operator = dense(&matrix);
    let mut solver = SubspaceSolver::new(5, 2, options()).unwrap();
    solver
        .deflate(&DMatrix::from_fn(5, 1, |i, _| i as f64 - 1.7))
        .unwrap();
    let pairs = solver.solve(&operator).unwrap();
    assert!(!pairs.converged());
    assert!(pairs.residuals()[0] > 1e-3);
}

#[test]
fn with_every_direction_deflated_there_is_nothing_left_to_find() {
    let mut solver = SubspaceSolver::new(1, 3, options()).unwrap();
    solver.deflate(&DMatrix::repeat(1, 1, 2.0)).unwrap();
    let operator = Dense::new(DMatrix::repeat(1, 1, 7.0)).unwrap();
    let pairs = solver.solve(&operator).unwrap();
    assert!(pairs.is_empty() && pairs.converged());
    assert_eq!(pairs.vectors().shape(), (1, 0));
}

#[test]
fn the_same_problem_gives_the_same_bits_cold_or_after_another_problem() {
    let mut rng = generator(17);
    let first = dense(&with_spectrum(
        &(0..30).map(f64::from).collect::<Vec<_>>(),
        &mut rng,
    ));
    let other = dense(&with_spectrum(&[1.0; 30], &mut rng));
    let mut solver = SubspaceSolver::new(30, 3, options()).unwrap();
    let fresh = solver.solve(&first).unwrap().to_owned();
    solver.solve(&other).unwrap();
    assert_eq!(solver.solve(&first).unwrap().to_owned(), fresh);
}

#[test]
fn the_largest_entry_of_every_eigenvector_is_positive() {
    let matrix = with_spectrum(
        &(0..20).map(f64::from).collect::<Vec<_>>(),
        &mut generator(18),
    );
    let operator = dense(&matrix);
    let mut solver = SubspaceSolver::new(20, 5, options()).unwrap();
    for column in solver.solve(&operator).unwrap().vectors().column_iter() {
        assert_eq!(column.max(), column.amax());
    }
}

#[test]
fn nan_and_infinity_are_refused_with_their_place() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut matrix = DMatrix::<f64>::identity(4, 4);
        matrix[(2, 1)] = bad;
        matrix[(1, 2)] = bad;
        let error = Dense::new(matrix.clone()).unwrap_err();
        assert_eq!(
            error,
            Error::NotFinite {
                what: "matrix",
                row: 2,
                column: 1
            }
        );
        assert!(error.to_string().contains("row 2, column 1"), "{error}");

        let mut solver = SubspaceSolver::new(4, 1, options()).unwrap();
        let operator = Dense::new(DMatrix::identity(4, 4)).unwrap();
        let mut guess = DMatrix::zeros(4, 1);
        guess[(3, 0)] = bad;
        assert!(matches!(
            solver.solve_from(&operator, &guess),
            Err(Error::NotFinite { row: 3, .. })
        ));
        assert!(matches!(
            solver.deflate(&guess),
            Err(Error::NotFinite { row: 3, .. })
        ));
    }
}

struct Broken;

impl andon_spectral::SymmetricOperator for Broken {
    fn dim(&self) -> usize {
        5
    }
    fn floor(&self) -> f64 {
        0.0
    }
    fn scratch_len(&self, _columns: usize) -> usize {
        0
    }
    fn apply(&self, _block: &DMatrix<f64>, out: &mut DMatrix<f64>, _scratch: &mut [f64]) {
        out.fill(1.0);
        out[(4, 1)] = f64::NAN;
    }
}

#[test]
fn an_operator_that_turns_nan_is_named_with_the_place() {
    let mut solver = SubspaceSolver::new(5, 2, options()).unwrap();
    let error = solver.solve(&Broken).unwrap_err();
    assert_eq!(
        error,
        Error::OperatorNotFinite {
            product: 1,
            row: 4,
            column: 1
        }
    );
}

#[test]
fn shapes_and_options_that_cannot_work_are_refused() {
    assert_eq!(
        SubspaceSolver::new(0, 1, options()).unwrap_err(),
        Error::Empty { what: "operator" }
    );
    assert_eq!(
        SubspaceSolver::new(3, 0, options()).unwrap_err(),
        Error::NoneWanted
    );
    for bad in [
        Options {
            tolerance: 0.0,
            ..options()
        },
        Options {
            tolerance: f64::NAN,
            ..options()
        },
        Options {
            max_iterations: 0,
            ..options()
        },
        Options {
            max_degree: 0,
            ..options()
        },
    ] {
        assert!(matches!(
            SubspaceSolver::new(3, 1, bad),
            Err(Error::BadOption { .. })
        ));
    }
    let mut solver = SubspaceSolver::new(3, 1, options()).unwrap();
    let operator = Dense::new(DMatrix::identity(4, 4)).unwrap();
    assert!(matches!(
        solver.solve(&operator),
        Err(Error::DimensionMismatch {
            expected: 3,
            found: 4,
            ..
        })
    ));
    assert!(matches!(
        solver.deflate(&DMatrix::repeat(3, 2, 1.0)),
        Err(Error::DependentColumns { column: 1, .. })
    ));
    assert!(matches!(
        solver.deflate(&DMatrix::repeat(3, 4, 1.0)),
        Err(Error::DependentColumns { .. })
    ));
}

#[test]
fn matrices_that_are_not_symmetric_are_refused_or_symmetrised() {
    let matrix = DMatrix::from_row_slice(2, 2, &[1.0, 2.0, 0.0, 1.0]);
    assert!(matches!(
        Dense::new(matrix.clone()),
        Err(Error::NotSymmetric {
            row: 1,
            column: 0,
            ..
        })
    ));
    assert!(matches!(
        Dense::new(DMatrix::zeros(2, 3)),
        Err(Error::DimensionMismatch { .. })
    ));
    let symmetric = Dense::symmetrised(matrix).unwrap();
    assert_eq!(
        symmetric.matrix(),
        &DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, 1.0])
    );
}
