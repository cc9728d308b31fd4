//! Weights times values on aarch64. With the dot product, weights of 14 bits are two halves of 7: the sums of the upper
//! halves come first, are shifted, and those of the lower halves are added. Without, 16 bits are multiplied.

use super::HEAD_WIDTH;
use super::mix::Mix;
use crate::linear::neon::dot;
use std::arch::aarch64::*;

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a tile.
const COLUMNS: usize = 16;

/// `$mix` over tiles of `$tile`; `$halves` stands for what the tile reads beside `of`.
macro_rules! rows {
    ($tile:ident, $of:expr, $halves:expr, $out:expr, $width:expr) => {
        let rows = $of.inverse.len();
        for row in (0..rows).step_by(ROWS) {
            for column in (0..HEAD_WIDTH).step_by(COLUMNS) {
                // SAFETY: the promise of the caller; the height of the tile stays within `rows`.
                unsafe {
                    match rows - row {
                        1 => $tile::<1>($of, $halves, $out, $width, row, column),
                        2 => $tile::<2>($of, $halves, $out, $width, row, column),
                        3 => $tile::<3>($of, $halves, $out, $width, row, column),
                        _ => $tile::<ROWS>($of, $halves, $out, $width, row, column),
                    }
                }
            }
        }
    };
}

/// All rows, with the dot product.
///
/// # Safety
/// The processor has it; the lengths of `of` agree as [`Mix::run`] says; `out` is valid for `HEAD_WIDTH` writes at each of
/// `inverse.len()` rows, `width` apart.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn dot_mix(of: Mix<'_>, out: *mut f32, width: usize) {
    let mut halves = std::mem::take(of.halves);
    let (upper, lower) = halves
        .prepare(2 * of.weights.len())
        .split_at_mut(of.weights.len());
    for ((upper, lower), weight) in upper.iter_mut().zip(lower.iter_mut()).zip(of.weights) {
        *upper = (weight >> 7) as i8;
        *lower = (weight & 127) as i8;
    }
    rows!(dot_tile, &of, (&*upper, &*lower), out, width);
    *of.halves = halves;
}

/// All rows, on any aarch64.
///
/// # Safety
/// As [`dot_mix`].
#[target_feature(enable = "neon")]
pub(super) unsafe fn plain_mix(of: &Mix<'_>, out: *mut f32, width: usize) {
    rows!(plain_tile, of, (), out, width);
}

/// Rows `row..row + R` by columns `column..column + COLUMNS`; `halves` are the weights, `[rows, stride]` each.
///
/// # Safety
/// As [`dot_mix`]; `row + R <= rows`; the columns end within `HEAD_WIDTH`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot_tile<const R: usize>(
    of: &Mix<'_>,
    halves: (&[i8], &[i8]),
    out: *mut f32,
    width: usize,
    row: usize,
    column: usize,
) {
    let mut sums = [[vdupq_n_s32(0); 4]; R];
    for half in [halves.0, halves.1] {
        for sums in sums.iter_mut().flatten() {
            *sums = vshlq_n_s32::<7>(*sums);
        }
        let weights = half[row * of.stride..(row + R) * of.stride].as_ptr();
        let values = &of.values.bytes.as_slice()[..of.stride * HEAD_WIDTH];
        // 16 tokens at a time.
        for (chunk, values) in values.chunks_exact(16 * HEAD_WIDTH).enumerate() {
            let mut tokens = [vdupq_n_s8(0); R];
            for (i, tokens) in tokens.iter_mut().enumerate() {
                // SAFETY: a row of weights holds `stride` values, a multiple of 16.
                *tokens = unsafe { vld1q_s8(weights.add(i * of.stride + 16 * chunk)) };
            }
            macro_rules! step {
                ($lane:literal) => {
                    let step = &values[(HEAD_WIDTH * $lane + column) * 4..][..4 * COLUMNS];
                    // SAFETY: the slice holds 4 vectors of 16 bytes.
                    let columns: [int8x16_t; 4] =
                        std::array::from_fn(|c| unsafe { vld1q_s8(step.as_ptr().add(16 * c)) });
                    for i in 0..R {
                        for c in 0..4 {
                            sums[i][c] = dot::<$lane>(sums[i][c], columns[c], tokens[i]);
                        }
                    }
                };
            }
            step!(0);
            step!(1);
            step!(2);
            step!(3);
        }
    }
    // As in the linear layer: the sums stay in registers until here.
    let sums = std::hint::black_box(sums);
    // SAFETY: the promise of the caller.
    unsafe { finish(of, &sums, out, width, row, column) };
}

/// The same in 16 bits.
///
/// # Safety
/// As [`plain_mix`]; `row + R <= rows`; the columns end within `HEAD_WIDTH`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn plain_tile<const R: usize>(
    of: &Mix<'_>,
    (): (),
    out: *mut f32,
    width: usize,
    row: usize,
    column: usize,
) {
    let mut sums = [[vdupq_n_s32(0); 4]; R];
    let weights = &of.weights[row * of.stride..(row + R) * of.stride];
    let values = &of.values.words.as_slice()[..of.stride * HEAD_WIDTH];
    for (token, value) in values.chunks_exact(HEAD_WIDTH).enumerate() {
        let value = value[column..column + COLUMNS].as_ptr();
        // SAFETY: `value` holds 16 values.
        let [low, high] = unsafe { [vld1q_s16(value), vld1q_s16(value.add(8))] };
        for (i, sums) in sums.iter_mut().enumerate() {
            let weight = vdupq_n_s16(weights[i * of.stride + token]);
            sums[0] = vmlal_s16(sums[0], vget_low_s16(low), vget_low_s16(weight));
            sums[1] = vmlal_high_s16(sums[1], low, weight);
            sums[2] = vmlal_s16(sums[2], vget_low_s16(high), vget_low_s16(weight));
            sums[3] = vmlal_high_s16(sums[3], high, weight);
        }
    }
    // SAFETY: the promise of the caller.
    unsafe { finish(of, &sums, out, width, row, column) };
}

/// Scale and mean.
///
/// # Safety
/// `out` is valid for the rows and columns of the tile.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn finish<const R: usize>(
    of: &Mix<'_>,
    sums: &[[int32x4_t; 4]; R],
    out: *mut f32,
    width: usize,
    row: usize,
    column: usize,
) {
    let scales = of.values.scale[column..column + COLUMNS].as_ptr();
    let means = of.values.mean[column..column + COLUMNS].as_ptr();
    for (i, sums) in sums.iter().enumerate() {
        let inverse = vdupq_n_f32(of.inverse[row + i]);
        for (c, sum) in sums.iter().enumerate() {
            // SAFETY: the slices hold 16 values; the promise of the caller.
            unsafe {
                let scale = vmulq_f32(vld1q_f32(scales.add(4 * c)), inverse);
                let scaled = vmulq_f32(vcvtq_f32_s32(*sum), scale);
                let y = vaddq_f32(scaled, vld1q_f32(means.add(4 * c)));
                vst1q_f32(out.add((row + i) * width + column + 4 * c), y);
            }
        }
    }
}
