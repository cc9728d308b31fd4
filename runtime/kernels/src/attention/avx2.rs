//! Weights times values with AVX2: tiles of 4 rows by 16 columns by [`crate::winograd`]. Weights have 14 bits and values
//! 8, so a weight and a value together fit 16.

use super::HEAD_WIDTH;
use super::mix::Mix;
use crate::winograd::{COLUMNS, cross, products};
use std::arch::x86_64::*;

/// Rows of a tile.
const ROWS: usize = 4;
/// Values of one pair of tokens.
const PAIR: usize = 2 * HEAD_WIDTH;

/// All rows.
///
/// # Safety
/// The processor has AVX2 and FMA; the lengths of `of` agree as [`Mix::run`] says; `out` is valid for `HEAD_WIDTH` writes
/// at each of `inverse.len()` rows, `width` apart.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn mix(of: Mix<'_>, out: *mut f32, width: usize) {
    let rows = of.inverse.len();
    let crosses = of.crosses.prepare(rows);
    for (row, to) in of.weights.chunks_exact(of.stride).zip(&mut *crosses) {
        *to = cross(row);
    }
    let tiles = Tiles {
        weights: of.weights,
        stride: of.stride,
        values: &of.values.words.as_slice()[..of.stride * HEAD_WIDTH],
        of_columns: &of.values.crosses,
        scale: &of.values.scale,
        mean: &of.values.mean,
        inverse: of.inverse,
        crosses,
        out,
        width,
    };
    for row in (0..rows).step_by(ROWS) {
        for column in (0..HEAD_WIDTH).step_by(COLUMNS) {
            // SAFETY: the promise of the caller; the height of the tile stays within `rows`.
            unsafe {
                match rows - row {
                    1 => tiles.tile::<1>(row, column),
                    2 => tiles.tile::<2>(row, column),
                    3 => tiles.tile::<3>(row, column),
                    _ => tiles.tile::<ROWS>(row, column),
                }
            }
        }
    }
}

/// Per channel the sum of v0 v2 + v1 v3 over `words`, which are packed in pairs, a multiple of four tokens.
///
/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn column_crosses(words: &[i16], to: &mut [i32; HEAD_WIDTH]) {
    let mut sums = [_mm256_setzero_si256(); HEAD_WIDTH / 8];
    for step in words.chunks_exact(2 * PAIR) {
        for (c, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a step holds two pairs of 64 columns.
            unsafe {
                let load = |at| _mm256_loadu_si256(step.as_ptr().add(16 * c + at).cast());
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(load(0), load(PAIR)));
            }
        }
    }
    for (sum, to) in sums.iter().zip(to.chunks_exact_mut(8)) {
        // SAFETY: 8 values of 32 bits.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), *sum) };
    }
}

/// What tiles read and write; see [`Mix`].
struct Tiles<'a> {
    weights: &'a [i16],
    stride: usize,
    values: &'a [i16],
    of_columns: &'a [i32; HEAD_WIDTH],
    scale: &'a [f32; HEAD_WIDTH],
    mean: &'a [f32; HEAD_WIDTH],
    inverse: &'a [f32],
    /// Of the rows.
    crosses: &'a [i32],
    out: *mut f32,
    width: usize,
}

impl Tiles<'_> {
    /// Rows `row..row + R` by columns `column..column + COLUMNS`.
    ///
    /// # Safety
    /// As [`mix`]; `row + R <= rows`; the columns end within `HEAD_WIDTH`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const R: usize>(&self, row: usize, column: usize) {
        let weights = &self.weights[row * self.stride..(row + R) * self.stride];
        let rows = std::array::from_fn(|i| weights[i * self.stride..].as_ptr());
        let values = self.values[2 * column..].as_ptr();
        // SAFETY: a row of weights holds `stride` values, a multiple of 16, and there are values for as many tokens.
        let sums = unsafe { products::<R, { 2 * PAIR }, PAIR>(rows, values, self.stride / 4) };
        for c in 0..COLUMNS / 8 {
            let at = column + 8 * c;
            // SAFETY: the columns end within `HEAD_WIDTH`; the promise of the caller.
            unsafe {
                let of_columns = _mm256_loadu_si256(self.of_columns.as_ptr().add(at).cast());
                let scale = _mm256_loadu_ps(self.scale.as_ptr().add(at));
                let mean = _mm256_loadu_ps(self.mean.as_ptr().add(at));
                for (i, sums) in sums.iter().enumerate() {
                    let crosses =
                        _mm256_add_epi32(of_columns, _mm256_set1_epi32(self.crosses[row + i]));
                    let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums[c], crosses));
                    let scale = _mm256_mul_ps(scale, _mm256_set1_ps(self.inverse[row + i]));
                    let y = _mm256_add_ps(_mm256_mul_ps(sum, scale), mean);
                    _mm256_storeu_ps(self.out.add((row + i) * self.width + at), y);
                }
            }
        }
    }
}
