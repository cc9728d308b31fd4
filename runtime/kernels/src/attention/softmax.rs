//! Softmax of a block of rows, up to its division: weights become integers that sum to 2^23 at most.

use crate::math::{LANES, exp_of_negative, fold_lanes, max, round_to_i32};
use crate::multiversion::multiversion;

/// The largest weight: two halves of 7 bits, for the signed dot product of bytes.
const LARGEST: f32 = 16_383.0;
/// The largest sum of a row of weights: times a value of 127, and rounding up, it stays below 2^31.
const LARGEST_SUM: f32 = 8_388_608.0;

#[inline(always)]
fn rows_body(
    logits: &mut [f32],
    stride: usize,
    tokens: usize,
    weights: &mut [i16],
    inverse: &mut [f32],
) {
    let rows = logits.chunks_exact_mut(stride);
    for ((row, weights), inverse) in rows.zip(weights.chunks_exact_mut(stride)).zip(inverse) {
        // What pads a row counts as a weight of 0.
        row[tokens..].fill(f32::MIN);
        let (chunks, _) = row.as_chunks_mut::<LANES>();
        let mut largest = [f32::MIN; LANES];
        for chunk in chunks.iter() {
            for i in 0..LANES {
                largest[i] = max(chunk[i], largest[i]);
            }
        }
        let largest = fold_lanes(largest, max);
        let mut sums = [0f32; LANES];
        for chunk in chunks.iter_mut() {
            for i in 0..LANES {
                chunk[i] = exp_of_negative(chunk[i] - largest);
                sums[i] += chunk[i];
            }
        }
        let sum = fold_lanes(sums, |a, b| a + b);
        let fits = LARGEST_SUM / sum;
        let scale = if fits < LARGEST { fits } else { LARGEST };
        // Flat loops: over rows of 16 the compiler would gather.
        for (weight, e) in weights.iter_mut().zip(row.iter()) {
            *weight = round_to_i32(e * scale) as i16;
        }
        let total = weights
            .iter()
            .fold(0i32, |sum, weight| sum.wrapping_add(i32::from(*weight)));
        *inverse = 1.0 / total as f32;
    }
}

multiversion! {
    /// `logits` (`[rows, stride]`, the first `tokens` of each row; stride a multiple of 16) become integer `weights` of the
    /// same shape, 0 in the padding, and `inverse` (`[rows]`) one over their sum. Logits are overwritten.
    pub(super) unsafe fn rows(logits: &mut [f32], stride: usize, tokens: usize, weights: &mut [i16], inverse: &mut [f32]) = rows_body;
}
