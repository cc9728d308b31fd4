//! The streamed covariance against the definition.

mod common;

use andon_spectral::{Covariance, Error, Options};
use common::{generator, random_rows, reference};
use nalgebra::{DMatrix, DVector};

/// Mean and scatter by the textbook's two passes.
fn two_pass(data: &[f32], dim: usize) -> (DVector<f64>, DMatrix<f64>) {
    let rows =
        DMatrix::from_row_iterator(data.len() / dim, dim, data.iter().map(|v| f64::from(*v)));
    let mean = rows.row_mean().transpose();
    let centred = DMatrix::from_fn(rows.nrows(), dim, |i, j| rows[(i, j)] - mean[j]);
    (mean, centred.tr_mul(&centred))
}

fn assert_close(covariance: &Covariance, data: &[f32], tolerance: f64) {
    let (mean, scatter) = two_pass(data, covariance.dim());
    let unit = scatter.amax().max(f64::MIN_POSITIVE);
    assert_eq!(covariance.rows() as usize, data.len() / covariance.dim());
    assert!((covariance.mean() - &mean).amax() <= tolerance * mean.amax().max(1.0));
    let error = (covariance.scatter() - scatter).amax() / unit;
    assert!(error <= tolerance, "{error:e}");
    assert_eq!(covariance.scatter(), &covariance.scatter().transpose());
}

fn of(data: &[f32], dim: usize) -> Covariance {
    let mut covariance = Covariance::new(dim).unwrap();
    covariance.push(data).unwrap();
    covariance
}

#[test]
fn any_number_of_rows_gives_the_covariance_by_definition() {
    let mut rng = generator(1);
    for dim in [1, 2, 7, 33] {
        for rows in [1, 2, 255, 256, 257, 700] {
            let data = random_rows(rows, dim, &mut rng);
            assert_close(&of(&data, dim), &data, 1e-12);
        }
    }
}

#[test]
fn data_far_from_the_origin_loses_nothing() {
    let mut rng = generator(2);
    // Steps of 1/1024 stay exact in f32 at this distance; squares of the raw values in f64 would
    // leave about four digits of the scatter.
    let data: Vec<f32> = random_rows(1000, 5, &mut rng)
        .iter()
        .map(|v| 8192.0 + (v * 1024.0).round() / 1024.0 * 0.5)
        .collect();
    assert_close(&of(&data, 5), &data, 1e-11);
}

#[test]
fn merging_shards_gives_the_same_as_one_pass() {
    let mut rng = generator(3);
    let dim = 11;
    let data = random_rows(1501, dim, &mut rng);
    let whole = of(&data, dim);
    for cut in [1, 256, 700, 1500] {
        let (first, second) = data.split_at(cut * dim);
        let mut merged = of(first, dim);
        merged.merge(&of(second, dim)).unwrap();
        assert_close(&merged, &data, 1e-12);
        assert!((merged.scatter() - whole.scatter()).amax() < 1e-12 * whole.scatter().amax());
    }
    let mut from_nothing = Covariance::new(dim).unwrap();
    from_nothing.merge(&whole).unwrap();
    assert_eq!(from_nothing, whole);
    from_nothing.merge(&Covariance::new(dim).unwrap()).unwrap();
    assert_eq!(from_nothing, whole);
}

#[test]
fn a_stored_accumulator_goes_on_where_it_was() {
    let mut rng = generator(4);
    let data = random_rows(60, 4, &mut rng);
    let (first, second) = data.split_at(160);
    let before = of(first, 4);
    let mut stored = Covariance::from_parts(
        before.rows(),
        before.mean().clone(),
        before.scatter().clone(),
    )
    .unwrap();
    stored.push(second).unwrap();
    assert_close(&stored, &data, 1e-12);
}

#[test]
fn the_leading_subspace_is_that_of_the_full_decomposition() {
    let mut rng = generator(5);
    let dim = 48;
    // Unequal variances, as features have.
    let mut data = random_rows(900, dim, &mut rng);
    for row in data.chunks_exact_mut(dim) {
        for (j, v) in row.iter_mut().enumerate() {
            *v *= 0.9f32.powi(j as i32);
        }
    }
    let covariance = of(&data, dim);
    let exact = reference(covariance.operator().unwrap().matrix()).0;
    let total: f64 = exact.iter().sum();
    for rank in [1, 6, 48, 100] {
        let leading = covariance
            .leading_subspace(rank, Options::default())
            .unwrap();
        let rank = rank.min(dim);
        assert!(leading.converged && leading.residual <= 1e-8);
        assert_eq!(leading.mean, *covariance.mean());
        assert_eq!(leading.basis.shape(), (dim, rank));
        for j in 0..rank {
            assert!((leading.eigenvalues[j] - exact[j]).abs() < 1e-8 * exact[0]);
        }
        let held: f64 = exact[..rank].iter().sum();
        assert!((leading.captured(rank) - held / total).abs() < 1e-8);
        assert!(leading.captured(1) <= leading.captured(rank));
    }
}

#[test]
fn rows_that_are_all_equal_have_no_variance_and_a_subspace_all_the_same() {
    let leading = of(&[3.0, 4.0].repeat(500), 2)
        .leading_subspace(1, Options::default())
        .unwrap();
    assert_eq!(leading.mean.as_slice(), [3.0, 4.0]);
    assert_eq!(leading.eigenvalues[0], 0.0);
    assert_eq!(leading.captured(1), 1.0);
    assert!(leading.converged);
}

#[test]
fn one_row_is_enough() {
    let leading = of(&[1.0, 2.0, 3.0], 3)
        .leading_subspace(2, Options::default())
        .unwrap();
    assert_eq!(leading.mean.as_slice(), [1.0, 2.0, 3.0]);
    assert_eq!(leading.total_variance, 0.0);
}

#[test]
fn rows_on_a_line_are_captured_by_one_direction() {
    let data: Vec<f32> = (0..400)
        .flat_map(|i| [i as f32, 2.0 * i as f32, -i as f32])
        .collect();
    let leading = of(&data, 3)
        .leading_subspace(2, Options::default())
        .unwrap();
    assert!(leading.captured(1) > 1.0 - 1e-12);
    assert!((leading.basis.column(0).norm() - 1.0).abs() < 1e-12);
    assert!((leading.basis[(1, 0)] / leading.basis[(0, 0)] - 2.0).abs() < 1e-9);
}

#[test]
fn refused_rows_are_named_and_leave_the_accumulator_as_it_was() {
    let mut covariance = of(&[1.0, 2.0, 3.0, 4.0], 2);
    let before = covariance.clone();
    assert_eq!(
        covariance.push(&[1.0, 2.0, 3.0, f32::NAN]).unwrap_err(),
        Error::NotFinite {
            what: "rows for a covariance",
            row: 1,
            column: 1
        }
    );
    assert!(matches!(
        covariance.push(&[1.0, 2.0, 3.0]),
        Err(Error::DimensionMismatch {
            expected: 2,
            found: 1,
            ..
        })
    ));
    assert!(matches!(
        covariance.merge(&Covariance::new(3).unwrap()),
        Err(Error::DimensionMismatch {
            expected: 2,
            found: 3,
            ..
        })
    ));
    covariance.push(&[]).unwrap();
    assert_eq!(covariance, before);
}

#[test]
fn an_empty_accumulator_has_no_covariance() {
    assert!(matches!(Covariance::new(0), Err(Error::Empty { .. })));
    let empty = Covariance::new(3).unwrap();
    assert!(matches!(
        empty.operator(),
        Err(Error::Empty { what: "covariance" })
    ));
    assert!(matches!(
        empty.leading_subspace(1, Options::default()),
        Err(Error::Empty { .. })
    ));
}

#[test]
fn stored_statistics_that_do_not_fit_are_refused() {
    let parts = |mean: usize, scatter: DMatrix<f64>| {
        Covariance::from_parts(5, DVector::zeros(mean), scatter)
    };
    assert!(matches!(
        parts(2, DMatrix::identity(3, 3)),
        Err(Error::DimensionMismatch { .. })
    ));
    assert!(matches!(
        parts(3, DMatrix::identity(3, 3) * f64::NAN),
        Err(Error::NotFinite { .. })
    ));
    let mut lopsided = DMatrix::identity(3, 3);
    lopsided[(0, 2)] = 1.0;
    assert!(matches!(
        parts(3, lopsided),
        Err(Error::NotSymmetric { .. })
    ));
}
