//! Weights times values on aarch64 with the matrix multiply. As with the dot product, weights of 14 bits are two halves
//! of 7; here each half lies in pairs of rows.

use super::HEAD_WIDTH;
use super::mix::Mix;
use super::neon::finish;
use crate::linear::i8mm::{GROUP, by_row, multiply};
use std::arch::aarch64::*;

/// Pairs of rows of a tile: two for a block of 12 rows make three tiles without a remainder.
const PAIRS: usize = 2;
/// Columns of a tile: 8 pairs.
const COLUMNS: usize = 16;

/// All rows.
///
/// # Safety
/// The processor has the matrix multiply; the lengths of `of` agree as [`Mix::run`] says; `out` is valid for `HEAD_WIDTH`
/// writes at each of `inverse.len()` rows, `width` apart.
#[target_feature(enable = "neon,i8mm")]
pub(super) unsafe fn mix(of: Mix<'_>, out: *mut f32, width: usize) {
    let pairs = of.inverse.len().div_ceil(2);
    let size = 2 * of.stride;
    let mut halves = std::mem::take(of.halves);
    let (upper, lower) = halves.prepare(2 * pairs * size).split_at_mut(pairs * size);
    split(of.weights, of.stride, upper, lower);
    for pair in (0..pairs).step_by(PAIRS) {
        for column in (0..HEAD_WIDTH).step_by(COLUMNS) {
            // SAFETY: the promise of the caller; the height of the tile stays within the pairs.
            unsafe {
                match pairs - pair {
                    1 => tile::<1>(&of, [upper, lower], out, width, pair, column),
                    _ => tile::<PAIRS>(&of, [upper, lower], out, width, pair, column),
                }
            }
        }
    }
    *of.halves = halves;
}

/// The upper and the lower 7 bits of `weights` (`[rows, stride]`) as `[pair][step of 8][2][8]`. What stands beside a last
/// single row does not matter: nobody stores what comes of it.
fn split(weights: &[i16], stride: usize, upper: &mut [i8], lower: &mut [i8]) {
    for (row, weights) in weights.chunks_exact(stride).enumerate() {
        let from = row / 2 * 2 * stride;
        let (upper, lower) = (&mut upper[from..], &mut lower[from..]);
        let upper = upper.as_chunks_mut::<GROUP>().0.iter_mut();
        let lower = lower.as_chunks_mut::<GROUP>().0.iter_mut();
        let steps = upper.zip(lower).skip(row % 2).step_by(2);
        for ((upper, lower), weights) in steps.zip(weights.as_chunks::<GROUP>().0) {
            *upper = weights.map(|weight| (weight >> 7) as i8);
            *lower = weights.map(|weight| (weight & 127) as i8);
        }
    }
}

/// Pairs `pair..pair + P` by columns `column..column + COLUMNS`.
///
/// # Safety
/// As [`mix`]; `pair + P` pairs exist; the columns end within `HEAD_WIDTH`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
unsafe fn tile<const P: usize>(
    of: &Mix<'_>,
    halves: [&[i8]; 2],
    out: *mut f32,
    width: usize,
    pair: usize,
    column: usize,
) {
    let mut sums = [[vdupq_n_s32(0); COLUMNS / 2]; P];
    let size = 2 * of.stride;
    let values = &of.values.bytes.as_slice()[..of.stride * HEAD_WIDTH];
    for half in halves {
        for sums in sums.iter_mut().flatten() {
            *sums = vshlq_n_s32::<7>(*sums);
        }
        let weights = half[pair * size..(pair + P) * size].as_ptr();
        for (step, values) in values.chunks_exact(GROUP * HEAD_WIDTH).enumerate() {
            let values = &values[column * GROUP..(column + COLUMNS) * GROUP];
            // SAFETY: the slice holds 8 vectors of 16 bytes; a pair of rows of weights holds `2 stride` values, 16 a step.
            unsafe {
                let columns: [int8x16_t; COLUMNS / 2] =
                    std::array::from_fn(|c| vld1q_s8(values.as_ptr().add(2 * GROUP * c)));
                for (i, sums) in sums.iter_mut().enumerate() {
                    let rows = vld1q_s8(weights.add(i * size + 2 * GROUP * step));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = multiply(*sum, rows, column);
                    }
                }
            }
        }
    }
    for (i, sums) in sums.into_iter().enumerate() {
        let mut rows = [[vdupq_n_s32(0); 4]; 2];
        for (c, [left, right]) in sums.as_chunks::<2>().0.iter().enumerate() {
            [rows[0][c], rows[1][c]] = by_row(*left, *right);
        }
        for (half, sums) in rows.into_iter().enumerate() {
            let row = 2 * (pair + i) + half;
            if row < of.inverse.len() {
                // SAFETY: the row exists, and the promise of the caller.
                unsafe { finish(of, &[sums], out, width, row, column) };
            }
        }
    }
}
