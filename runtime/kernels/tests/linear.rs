//! What a user gets from the int8 linear layer.
// Indices are those of the formulas.
#![allow(clippy::needless_range_loop)]

mod common;

use andon_kernels::{Epilogue, Error, Isa, PackedWeights, Scratch, linear};
use common::{Numbers, assert_same_bits};

struct Layer {
    k: usize,
    n: usize,
    weights: Vec<i8>,
    scales: Vec<f32>,
    bias: Vec<f32>,
}

impl Layer {
    fn random(k: usize, n: usize, numbers: &mut Numbers) -> Layer {
        Layer {
            k,
            n,
            weights: numbers.bytes(k * n),
            scales: (0..n).map(|_| 1e-3 * (1.1 + numbers.unit())).collect(),
            bias: numbers.units(n),
        }
    }

    fn pack(&self, isa: Isa) -> PackedWeights {
        PackedWeights::pack(isa, &self.weights, self.k, self.n, &self.scales, &self.bias).unwrap()
    }

    fn run(&self, isa: Isa, x: &[f32], epilogue: Epilogue<'_>) -> Vec<f32> {
        let mut out = vec![f32::NAN; x.len() / self.k * self.n];
        linear(&self.pack(isa), x, epilogue, &mut out, &mut Scratch::new()).unwrap();
        out
    }

    /// The definition, one value at a time, in exact integers.
    fn definition(&self, x: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        for row in x.chunks_exact(self.k) {
            let low = row.iter().fold(0f32, |a, b| a.min(*b));
            let high = row.iter().fold(0f32, |a, b| a.max(*b));
            let step = (high / 255.0 - low / 255.0).max(1e-30);
            let inverse = 1.0 / step;
            let zero = (-low * inverse).round_ties_even() as i64;
            let levels: Vec<i64> = row
                .iter()
                .map(|v| ((v * inverse).round_ties_even() as i64 + zero).clamp(0, 255))
                .collect();
            for j in 0..self.n {
                let sum: i64 = (0..self.k)
                    .map(|i| (levels[i] - zero) * i64::from(self.weights[i * self.n + j]))
                    .sum();
                out.push(sum as f32 * (self.scales[j] * step) + self.bias[j]);
            }
        }
        out
    }
}

/// Small odd shapes in every combination, and the layers of the backbone.
fn shapes() -> Vec<(usize, usize, usize)> {
    let small = [1, 2, 3, 5, 15, 16, 17, 63, 64, 65];
    let mut shapes = Vec::new();
    for m in [1, 2, 3, 4, 5, 6, 7, 13] {
        for k in small {
            for n in small {
                shapes.push((m, k, n));
            }
        }
    }
    shapes.extend([
        (7, 384, 1152),
        (13, 1152, 65),
        (5, 384, 1536),
        (9, 1536, 384),
        (361, 384, 17),
        (97, 1536, 5),
    ]);
    shapes
}

#[test]
fn the_portable_layer_is_its_definition_to_the_bit() {
    let numbers = &mut Numbers(1);
    for (m, k, n) in shapes() {
        let layer = Layer::random(k, n, numbers);
        let x = numbers.normals(m * k);
        let found = layer.run(Isa::Portable, &x, Epilogue::None);
        assert_same_bits(&found, &layer.definition(&x), &format!("{m} x {k} x {n}"));
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits_for_every_epilogue() {
    let numbers = &mut Numbers(2);
    for (m, k, n) in shapes() {
        let layer = Layer::random(k, n, numbers);
        let x = numbers.normals(m * k);
        let residual = numbers.normals(m * n);
        for epilogue in [Epilogue::None, Epilogue::Gelu, Epilogue::Add(&residual)] {
            let expected = layer.run(Isa::Portable, &x, epilogue);
            for isa in Isa::available() {
                let found = layer.run(isa, &x, epilogue);
                let kind = std::mem::discriminant(&epilogue);
                assert_same_bits(
                    &found,
                    &expected,
                    &format!("{isa:?} {m} x {k} x {n} {kind:?}"),
                );
            }
        }
    }
}

#[test]
fn the_largest_levels_and_weights_do_not_saturate() {
    // Pairs of 255 * 127 are what vpmaddubsw would clip; -128 is the corner of every signed product.
    for weight in [127, -127, -128] {
        for k in [2, 4, 65, 1536] {
            let layer = Layer {
                k,
                n: 17,
                weights: vec![weight; k * 17],
                scales: vec![1.0; 17],
                bias: vec![0.0; 17],
            };
            let x = vec![255.0; 7 * k];
            let expected = 255.0 * k as f32 * f32::from(weight);
            for isa in Isa::available() {
                for y in layer.run(isa, &x, Epilogue::None) {
                    assert_eq!(y, expected, "{isa:?} k {k} weight {weight}");
                }
            }
        }
    }
}

#[test]
fn quantisation_costs_one_step_per_input_at_most() {
    let numbers = &mut Numbers(3);
    let (m, k, n) = (9, 384, 70);
    let layer = Layer::random(k, n, numbers);
    let x = numbers.normals(m * k);
    for isa in Isa::available() {
        let found = layer.run(isa, &x, Epilogue::None);
        for (row, found) in x.chunks_exact(k).zip(found.chunks_exact(n)) {
            let range =
                row.iter().fold(0f32, |a, b| a.max(*b)) - row.iter().fold(0f32, |a, b| a.min(*b));
            for j in 0..n {
                let column = || {
                    (0..k).map(|i| f64::from(layer.weights[i * n + j]) * f64::from(layer.scales[j]))
                };
                let exact: f64 = row
                    .iter()
                    .zip(column())
                    .map(|(x, w)| f64::from(*x) * w)
                    .sum::<f64>()
                    + f64::from(layer.bias[j]);
                // The zero point rounds as well: one step in the worst case for a clipped end.
                let bound = f64::from(range) / 255.0 * column().map(f64::abs).sum::<f64>();
                assert!((f64::from(found[j]) - exact).abs() <= bound, "{isa:?}");
            }
        }
    }
}

#[test]
fn the_residual_can_be_added_in_place() {
    let numbers = &mut Numbers(4);
    for (m, k, n) in [(13, 64, 65), (100, 384, 384), (1, 5, 3)] {
        let layer = Layer::random(k, n, numbers);
        let x = numbers.normals(m * k);
        let residual = numbers.normals(m * n);
        for isa in Isa::available() {
            let expected = layer.run(isa, &x, Epilogue::Add(&residual));
            let mut found = residual.clone();
            linear(
                &layer.pack(isa),
                &x,
                Epilogue::Accumulate,
                &mut found,
                &mut Scratch::new(),
            )
            .unwrap();
            assert_same_bits(&found, &expected, &format!("{isa:?} {m} x {k} x {n}"));
        }
    }
}

#[test]
fn splitting_the_rows_over_threads_changes_nothing() {
    let numbers = &mut Numbers(5);
    let (m, k, n) = (400, 384, 130);
    let layer = Layer::random(k, n, numbers);
    let x = numbers.normals(m * k);
    for isa in Isa::available() {
        let weights = layer.pack(isa);
        let expected = layer.run(isa, &x, Epilogue::Gelu);
        for rows in [1, 7, 48, 399] {
            let mut found = vec![0.0; m * n];
            std::thread::scope(|scope| {
                for (x, out) in x.chunks(rows * k).zip(found.chunks_mut(rows * n)) {
                    let weights = &weights;
                    scope.spawn(move || {
                        linear(weights, x, Epilogue::Gelu, out, &mut Scratch::new()).unwrap()
                    });
                }
            });
            assert_same_bits(&found, &expected, &format!("{isa:?} {rows} rows a thread"));
        }
    }
}

#[test]
fn constant_and_zero_rows_are_exact() {
    let numbers = &mut Numbers(6);
    let (k, n) = (65, 33);
    let layer = Layer::random(k, n, numbers);
    for isa in Isa::available() {
        assert_same_bits(
            &layer.run(isa, &vec![0.0; k], Epilogue::None),
            &layer.bias,
            "zero row",
        );
        for value in [1.0f32, -3.5, 1e-20, 7e30] {
            let found = layer.run(isa, &vec![value; k], Epilogue::None);
            for j in 0..n {
                let sum: f64 = (0..k).map(|i| f64::from(layer.weights[i * n + j])).sum();
                let exact =
                    sum * f64::from(layer.scales[j]) * f64::from(value) + f64::from(layer.bias[j]);
                let size = sum.abs() * f64::from(layer.scales[j]) * f64::from(value.abs())
                    + f64::from(layer.bias[j].abs());
                assert!(
                    (f64::from(found[j]) - exact).abs() <= 1e-6 * size,
                    "{isa:?} {value:e}"
                );
            }
        }
    }
}

#[test]
fn a_row_with_a_nan_or_an_infinity_becomes_nan_and_spares_the_others() {
    let numbers = &mut Numbers(7);
    for (k, n) in [(1, 1), (5, 3), (384, 65)] {
        let layer = Layer::random(k, n, numbers);
        let clean = numbers.normals(8 * k);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, k / 2, k - 1] {
                let mut x = clean.clone();
                x[3 * k + at] = bad;
                for isa in Isa::available() {
                    for epilogue in [
                        Epilogue::None,
                        Epilogue::Gelu,
                        Epilogue::Add(&vec![1.0; 8 * n]),
                    ] {
                        let expected = layer.run(isa, &clean, epilogue);
                        let found = layer.run(isa, &x, epilogue);
                        assert!(
                            found[3 * n..4 * n].iter().all(|y| y.is_nan()),
                            "{isa:?} {bad}"
                        );
                        assert_same_bits(&found[..3 * n], &expected[..3 * n], "rows before");
                        assert_same_bits(&found[4 * n..], &expected[4 * n..], "rows after");
                    }
                }
            }
        }
    }
}

#[test]
fn the_largest_finite_values_stay_finite_and_agree() {
    let numbers = &mut Numbers(8);
    let (k, n) = (17, 20);
    let mut layer = Layer::random(k, n, numbers);
    layer.scales.fill(1e-9);
    let mut x = numbers.units(4 * k);
    (x[0], x[1]) = (f32::MAX, -f32::MAX);
    (x[k], x[k + 1]) = (f32::MIN_POSITIVE, -1e-42);
    x[2 * k..3 * k].fill(1e-40);
    let expected = layer.run(Isa::Portable, &x, Epilogue::None);
    assert!(expected.iter().all(|y| y.is_finite()));
    assert_same_bits(
        &expected[2 * n..3 * n],
        &layer.bias,
        "values below 1e-28 count as zero",
    );
    for isa in Isa::available() {
        assert_same_bits(
            &layer.run(isa, &x, Epilogue::None),
            &expected,
            &format!("{isa:?}"),
        );
    }
}

#[test]
fn no_rows_is_no_work() {
    let layer = Layer::random(5, 3, &mut Numbers(9));
    for isa in Isa::available() {
        assert!(layer.run(isa, &[], Epilogue::Gelu).is_empty());
    }
}

#[test]
fn wrong_shapes_are_refused_before_anything_is_written() {
    let layer = Layer::random(5, 3, &mut Numbers(10));
    let weights = layer.pack(Isa::Portable);
    let scratch = &mut Scratch::new();
    let out = &mut [7.0; 6];
    let x = [0.0; 10];
    assert_eq!(
        linear(&weights, &x[..9], Epilogue::None, out, scratch),
        Err(Error::NotWholeRows {
            what: "input of the linear layer [M, K]",
            row: 5,
            found: 9
        })
    );
    assert_eq!(
        linear(&weights, &x, Epilogue::None, &mut out[..5], scratch),
        Err(Error::Length {
            what: "output of the linear layer [M, N]",
            expected: 6,
            found: 5
        })
    );
    assert_eq!(
        linear(&weights, &x, Epilogue::Add(&[0.0; 7]), out, scratch),
        Err(Error::Length {
            what: "residual of the linear layer [M, N]",
            expected: 6,
            found: 7
        })
    );
    assert_eq!(out, &[7.0; 6]);
}

#[test]
fn damaged_weights_are_refused() {
    let pack = |weights: &[i8], k, n, scales: &[f32], bias: &[f32]| {
        PackedWeights::pack(Isa::Portable, weights, k, n, scales, bias).map(|_| ())
    };
    let (w, one) = ([1i8; 6], [1f32; 3]);
    assert_eq!(pack(&w, 2, 3, &one, &one), Ok(()));
    assert!(matches!(
        pack(&w, 0, 3, &one, &one),
        Err(Error::Dimension { found: 0, .. })
    ));
    assert!(matches!(
        pack(&w, 2, 0, &one, &one),
        Err(Error::Dimension { found: 0, .. })
    ));
    assert!(matches!(
        pack(&w, 65_537, 3, &one, &one),
        Err(Error::Dimension { found: 65_537, .. })
    ));
    assert!(matches!(
        pack(&w[..5], 2, 3, &one, &one),
        Err(Error::Length {
            expected: 6,
            found: 5,
            ..
        })
    ));
    assert!(matches!(
        pack(&w, 2, 3, &one[..2], &one),
        Err(Error::Length { .. })
    ));
    assert!(matches!(
        pack(&w, 2, 3, &one, &one[..2]),
        Err(Error::Length { .. })
    ));
    let bad = [1.0, f32::NAN, 1.0];
    assert!(matches!(
        pack(&w, 2, 3, &bad, &one),
        Err(Error::NotFinite { index: 1, .. })
    ));
    assert!(matches!(
        pack(&w, 2, 3, &one, &bad),
        Err(Error::NotFinite { index: 1, .. })
    ));
}

#[test]
fn an_instruction_set_of_another_machine_is_refused() {
    for isa in Isa::ALL {
        let packed = PackedWeights::pack(isa, &[1], 1, 1, &[1.0], &[0.0]);
        assert_eq!(packed.is_ok(), isa.is_available(), "{isa:?}");
        if let Err(error) = packed {
            assert_eq!(error, Error::IsaUnavailable { isa });
        }
    }
    assert_eq!(Some(Isa::detect()), Isa::available().next());
    assert_eq!(Isa::available().last(), Some(Isa::Portable));
}
