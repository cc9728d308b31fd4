//! What a user gets from fused attention.
// Indices are those of the formulas.
#![allow(clippy::needless_range_loop)]

mod common;

use andon_kernels::{Error, HEAD_WIDTH, Isa, PackedHead, Scratch, attend};
use common::{Numbers, assert_same_bits};

const SCALE: f32 = 0.125;

/// Queries, keys and values, each `[tokens, heads * HEAD_WIDTH]`.
struct Tokens {
    heads: usize,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Tokens {
    fn random(tokens: usize, heads: usize, numbers: &mut Numbers) -> Tokens {
        let len = tokens * heads * HEAD_WIDTH;
        // Keys of a vision transformer have a large common part.
        let common = numbers.normals(heads * HEAD_WIDTH);
        let mut keys = numbers.normals(len);
        for row in keys.chunks_exact_mut(heads * HEAD_WIDTH) {
            row.iter_mut().zip(&common).for_each(|(k, c)| *k += 3.0 * c);
        }
        Tokens {
            heads,
            queries: numbers.normals(len),
            keys,
            values: numbers.normals(len),
        }
    }

    fn width(&self) -> usize {
        self.heads * HEAD_WIDTH
    }

    fn pack(&self, isa: Isa) -> Vec<PackedHead> {
        (0..self.heads)
            .map(|number| {
                let mut head = PackedHead::new(isa).unwrap();
                head.pack(number, &self.keys, &self.values, self.width(), SCALE)
                    .unwrap();
                head
            })
            .collect()
    }

    fn run(&self, isa: Isa) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.queries.len()];
        attend(
            &self.pack(isa),
            &self.queries,
            &mut out,
            &mut Scratch::new(),
        )
        .unwrap();
        out
    }
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let numbers = &mut Numbers(1);
    for tokens in [1, 2, 3, 5, 11, 12, 13, 15, 16, 17, 63, 64, 65, 130, 257] {
        for heads in [1, 2, 3] {
            let tokens = Tokens::random(tokens, heads, numbers);
            let expected = tokens.run(Isa::Portable);
            assert!(expected.iter().all(|v| v.is_finite()));
            for isa in Isa::available() {
                let what = format!("{isa:?}, {} values", expected.len());
                assert_same_bits(&tokens.run(isa), &expected, &what);
            }
        }
    }
}

/// Exact attention of one row of one head, and how far the kernel may be from it: each query is off by one step of its row
/// at most (its zero point rounds as well), each key by half a step of its row, so a logit is off by d at most, a weight
/// by a factor within e^(-2d) and e^(2d), and the result by (e^(2d) - 1) max |v|. Each value is off by half a step of its
/// channel, and each weight by half a unit of 14 bits or of the 2^23rd part of their sum (twice that, as the sum moves
/// too).
fn exact(tokens: &Tokens, head: usize, row: usize) -> (Vec<f64>, f64) {
    let width = tokens.width();
    let count = tokens.keys.len() / width;
    let part = |of: &[f32], row: usize| -> Vec<f64> {
        let row = &of[row * width + head * HEAD_WIDTH..][..HEAD_WIDTH];
        row.iter().map(|v| f64::from(*v)).collect()
    };
    let query = part(&tokens.queries, row);
    let keys: Vec<Vec<f64>> = (0..count).map(|t| part(&tokens.keys, t)).collect();
    let mean: Vec<f64> = (0..HEAD_WIDTH)
        .map(|i| keys.iter().map(|k| k[i]).sum::<f64>() / count as f64)
        .collect();
    let low = query.iter().fold(0f64, |a, b| a.min(*b));
    let high = query.iter().fold(0f64, |a, b| a.max(*b));
    let query_step = (high - low) / 255.0;
    let (mut logits, mut off) = (Vec::new(), 0f64);
    for key in &keys {
        let centred: Vec<f64> = key.iter().zip(&mean).map(|(k, m)| k - m).collect();
        let dot: f64 = query.iter().zip(&centred).map(|(q, k)| q * k).sum();
        logits.push(dot * f64::from(SCALE));
        let key_step = centred.iter().fold(0f64, |a, b| a.max(b.abs())) / 127.0;
        let sum = |v: &[f64]| v.iter().map(|v| v.abs()).sum::<f64>();
        let bound = query_step * sum(&centred)
            + key_step / 2.0 * sum(&query)
            + query_step * key_step / 2.0 * HEAD_WIDTH as f64;
        off = off.max(bound * f64::from(SCALE));
    }
    let largest = logits.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    let weights: Vec<f64> = logits.iter().map(|l| (l - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut result = vec![0.0; HEAD_WIDTH];
    let mut largest_value = 0f64;
    for (token, weight) in weights.iter().enumerate() {
        for (result, value) in result.iter_mut().zip(part(&tokens.values, token)) {
            *result += weight / total * value;
            largest_value = largest_value.max(value.abs());
        }
    }
    let unit = (1.0 / 16_383.0f64).max(total / 8_388_608.0) / total;
    let rounding = 1.0 / 127.0 + 2.0 * unit * count as f64;
    // A centred value is twice the largest at most.
    (
        result,
        ((2.0 * off).exp_m1() + 1e-5 + 2.0 * rounding) * largest_value,
    )
}

#[test]
fn the_result_is_exact_attention_within_the_rounding_of_queries_and_keys() {
    let numbers = &mut Numbers(2);
    for (count, heads) in [(1, 1), (17, 2), (65, 1), (257, 2)] {
        let tokens = Tokens::random(count, heads, numbers);
        let found = tokens.run(Isa::detect());
        let (mut apart, mut length) = (0f64, 0f64);
        for row in 0..count {
            for head in 0..heads {
                let (expected, bound) = exact(&tokens, head, row);
                let found = &found[row * tokens.width() + head * HEAD_WIDTH..][..HEAD_WIDTH];
                for (found, expected) in found.iter().zip(expected) {
                    let error = (f64::from(*found) - expected).abs();
                    assert!(error <= bound, "row {row}: {error:e} > {bound:e}");
                    apart += error * error;
                    length += expected * expected;
                }
            }
        }
        // The bound is for the worst case; rounding errors cancel.
        assert!((apart / length).sqrt() < 0.02, "{count} tokens");
    }
}

#[test]
fn rows_may_be_split_at_will() {
    let tokens = Tokens::random(31, 2, &mut Numbers(3));
    for isa in Isa::available() {
        let heads = tokens.pack(isa);
        let expected = tokens.run(isa);
        let mut found = vec![0.0; expected.len()];
        let scratch = &mut Scratch::new();
        let size = 7 * tokens.width();
        for (queries, out) in tokens.queries.chunks(size).zip(found.chunks_mut(size)) {
            attend(&heads, queries, out, scratch).unwrap();
        }
        assert_same_bits(&found, &expected, &format!("{isa:?}"));
    }
}

#[test]
fn a_head_can_be_packed_again_for_fewer_or_more_tokens() {
    let numbers = &mut Numbers(4);
    for isa in Isa::available() {
        let mut head = PackedHead::new(isa).unwrap();
        for count in [70, 3, 129] {
            let tokens = Tokens::random(count, 1, numbers);
            head.pack(0, &tokens.keys, &tokens.values, HEAD_WIDTH, SCALE)
                .unwrap();
            let mut found = vec![0.0; tokens.queries.len()];
            let heads = std::slice::from_ref(&head);
            attend(heads, &tokens.queries, &mut found, &mut Scratch::new()).unwrap();
            assert_same_bits(&found, &tokens.run(isa), &format!("{isa:?}, {count}"));
        }
    }
}

#[test]
fn what_is_not_a_number_shows_where_it_matters_and_nowhere_else() {
    let clean = Tokens::random(20, 2, &mut Numbers(5));
    for isa in Isa::available() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let expected = clean.run(isa);
            // Second head of token 4.
            let at = 4 * clean.width() + HEAD_WIDTH + 9;
            for poisoned in ["query", "key", "value"] {
                let mut tokens = Tokens {
                    heads: 2,
                    queries: clean.queries.clone(),
                    keys: clean.keys.clone(),
                    values: clean.values.clone(),
                };
                match poisoned {
                    "query" => tokens.queries[at] = bad,
                    "key" => tokens.keys[at] = bad,
                    _ => tokens.values[at] = bad,
                }
                let found = tokens.run(isa);
                for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let (row, head) = (i / tokens.width(), i / HEAD_WIDTH % 2);
                    let hit = head == 1 && (poisoned != "query" || row == 4);
                    let right = if hit {
                        found.is_nan()
                    } else {
                        found == expected
                    };
                    assert!(right, "{isa:?}, {bad} in a {poisoned}, value {i}: {found}");
                }
            }
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let isa = Isa::detect();
    let mut head = PackedHead::new(isa).unwrap();
    let row = vec![0.0; HEAD_WIDTH];
    let width = HEAD_WIDTH;
    let refused = |result: Result<(), Error>| result.unwrap_err();
    assert_eq!(
        refused(head.pack(0, &row, &row, 63, SCALE)),
        Error::HeadWidth { found: 63 }
    );
    assert!(matches!(
        refused(head.pack(1, &row, &row, width, SCALE)),
        Error::Dimension { .. }
    ));
    assert!(matches!(
        refused(head.pack(0, &[], &[], width, SCALE)),
        Error::Dimension { .. }
    ));
    assert!(matches!(
        refused(head.pack(0, &row, &row[1..], width, SCALE)),
        Error::Length { .. }
    ));
    assert!(matches!(
        refused(head.pack(0, &row, &row, width, f32::NAN)),
        Error::NotFinite { .. }
    ));
    let scratch = &mut Scratch::new();
    let mut out = row.clone();
    // Not packed yet.
    assert!(attend(std::slice::from_ref(&head), &row, &mut out, scratch).is_err());
    assert!(attend(&[], &[], &mut [], scratch).is_err());
    head.pack(0, &row, &row, width, SCALE).unwrap();
    assert!(attend(std::slice::from_ref(&head), &row[1..], &mut out, scratch).is_err());
    assert!(attend(std::slice::from_ref(&head), &row, &mut out[1..], scratch).is_err());
}
