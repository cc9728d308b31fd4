//! What a user gets from LayerNorm.

mod common;

use andon_kernels::{Isa, layer_norm};
use common::{Numbers, assert_same_bits};

const EPSILON: f32 = 1e-6;

fn run(isa: Isa, x: &[f32], scale: &[f32], offset: &[f32]) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len()];
    layer_norm(isa, x, scale, offset, EPSILON, &mut out).unwrap();
    out
}

#[test]
fn rows_are_normalised_to_a_few_units_in_the_last_place() {
    let numbers = &mut Numbers(1);
    for k in [1, 2, 15, 16, 17, 100, 384, 1000] {
        let x: Vec<f32> = numbers
            .normals(5 * k)
            .iter()
            .map(|v| 3.0 * v + 5.0)
            .collect();
        let (scale, offset) = (numbers.units(k), numbers.units(k));
        let found = run(Isa::detect(), &x, &scale, &offset);
        for (row, found) in x.chunks_exact(k).zip(found.chunks_exact(k)) {
            let row: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
            let mean = row.iter().sum::<f64>() / k as f64;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / k as f64;
            let inverse = 1.0 / (variance + f64::from(EPSILON)).sqrt();
            for i in 0..k {
                let normal = (row[i] - mean) * inverse;
                let expected = normal * f64::from(scale[i]) + f64::from(offset[i]);
                let error = (f64::from(found[i]) - expected).abs();
                // The mean is off by a few units in the last place of the values (|x| < 30).
                assert!(error < 1e-5 * (1.0 + inverse), "{k}: {error:e}");
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let numbers = &mut Numbers(2);
    for k in [1, 7, 16, 31, 384, 385] {
        let x = numbers.normals(9 * k);
        let (scale, offset) = (numbers.units(k), numbers.units(k));
        let expected = run(Isa::Portable, &x, &scale, &offset);
        for isa in Isa::available() {
            assert_same_bits(
                &run(isa, &x, &scale, &offset),
                &expected,
                &format!("{isa:?} {k}"),
            );
        }
    }
}

#[test]
fn what_is_not_a_number_stays_in_its_row() {
    let k = 40;
    let mut x = Numbers(3).normals(3 * k);
    x[k + 5] = f32::INFINITY;
    let found = run(Isa::detect(), &x, &vec![1.0; k], &vec![0.0; k]);
    assert!(found[k..2 * k].iter().all(|v| v.is_nan()));
    assert!(
        found[..k]
            .iter()
            .chain(&found[2 * k..])
            .all(|v| v.is_finite())
    );
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let isa = Isa::detect();
    let x = [0.0; 12];
    let norm = |x: &[f32], scale: &[f32], offset: &[f32], out: &mut [f32]| {
        layer_norm(isa, x, scale, offset, EPSILON, out).is_err()
    };
    assert!(norm(&x, &[], &[], &mut [0.0; 12]));
    assert!(norm(&x, &[1.0; 4], &[1.0; 3], &mut [0.0; 12]));
    assert!(norm(&x, &[1.0; 5], &[1.0; 5], &mut [0.0; 12]));
    assert!(norm(&x, &[1.0; 4], &[1.0; 4], &mut [0.0; 11]));
    assert!(!norm(&x, &[1.0; 4], &[1.0; 4], &mut [0.0; 12]));
}
