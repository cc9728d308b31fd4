//! Softmax of a block of rows, in place, but for the division, which the mixing of values does at its end.

use crate::math::{LANES, exp_of_negative, fold_lanes, max};
use crate::multiversion::multiversion;

#[inline(always)]
fn rows_body(logits: &mut [f32], stride: usize, tokens: usize, inverse: &mut [f32]) {
    for (row, inverse) in logits.chunks_exact_mut(stride).zip(inverse) {
        let (chunks, tail) = row[..tokens].as_chunks_mut::<LANES>();
        let mut largest = [f32::MIN; LANES];
        for chunk in chunks.iter() {
            for i in 0..LANES {
                largest[i] = max(chunk[i], largest[i]);
            }
        }
        for (largest, v) in largest.iter_mut().zip(tail.iter()) {
            *largest = max(*v, *largest);
        }
        let largest = fold_lanes(largest, max);
        let mut sums = [0f32; LANES];
        for chunk in chunks {
            for i in 0..LANES {
                chunk[i] = exp_of_negative(chunk[i] - largest);
                sums[i] += chunk[i];
            }
        }
        for (sum, v) in sums.iter_mut().zip(tail) {
            *v = exp_of_negative(*v - largest);
            *sum += *v;
        }
        *inverse = 1.0 / fold_lanes(sums, |a, b| a + b);
    }
}

multiversion! {
    /// `logits` (`[rows, stride]`, the first `tokens` of each row) become e^(logit - largest), and `inverse` (`[rows]`) one
    /// over their sum.
    pub(super) unsafe fn rows(logits: &mut [f32], stride: usize, tokens: usize, inverse: &mut [f32]) = rows_body;
}
