//! Weights times values with AVX-512: tiles of 6 rows by 64 columns of `vpdpwssd` on pairs of 16 bits.

use super::HEAD_WIDTH;
use super::mix::Mix;
use std::arch::x86_64::*;

/// Rows of a tile.
const ROWS: usize = 6;
/// Columns of a vector.
const LANES: usize = 16;
/// Vectors of a row.
const VECTORS: usize = HEAD_WIDTH / LANES;

/// All rows.
///
/// # Safety
/// The processor has the features; the lengths of `of` agree as [`Mix::run`] says; `out` is valid for `HEAD_WIDTH` writes at
/// each of `inverse.len()` rows, `width` apart.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn mix(of: &Mix<'_>, out: *mut f32, width: usize) {
    let rows = of.inverse.len();
    for row in (0..rows).step_by(ROWS) {
        // SAFETY: the promise of the caller; the height of the tile stays within `rows`.
        unsafe {
            match rows - row {
                1 => tile::<1>(of, out, width, row),
                2 => tile::<2>(of, out, width, row),
                3 => tile::<3>(of, out, width, row),
                4 => tile::<4>(of, out, width, row),
                5 => tile::<5>(of, out, width, row),
                _ => tile::<ROWS>(of, out, width, row),
            }
        }
    }
}

/// Rows `row..row + R`.
///
/// # Safety
/// As [`mix`]; `row + R <= rows`.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn tile<const R: usize>(of: &Mix<'_>, out: *mut f32, width: usize, row: usize) {
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; R];
    let weights = of.weights[row * of.stride..(row + R) * of.stride].as_ptr();
    let values = &of.values.words.as_slice()[..of.stride * HEAD_WIDTH];
    for (pair, value) in values.chunks_exact(2 * HEAD_WIDTH).enumerate() {
        // SAFETY: `value` holds pairs for all columns; `2 * pair + 1 < stride`, and `weights` holds R rows on 32-bit
        // boundaries.
        unsafe {
            let values: [__m512i; VECTORS] = std::array::from_fn(|v| {
                _mm512_loadu_si512(value.as_ptr().add(2 * LANES * v).cast())
            });
            for (i, sums) in sums.iter_mut().enumerate() {
                let two = weights.add(i * of.stride + 2 * pair).cast::<i32>();
                let two = _mm512_set1_epi32(two.read_unaligned());
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = _mm512_dpwssd_epi32(*sum, two, value);
                }
            }
        }
    }
    let (scales, means) = (of.values.scale.as_ptr(), of.values.mean.as_ptr());
    for (i, sums) in sums.iter().enumerate() {
        let inverse = _mm512_set1_ps(of.inverse[row + i]);
        for (v, sum) in sums.iter().enumerate() {
            // SAFETY: scales and means are of `HEAD_WIDTH` columns; the promise of the caller.
            unsafe {
                let scale = _mm512_mul_ps(_mm512_loadu_ps(scales.add(LANES * v)), inverse);
                let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(*sum), scale);
                let y = _mm512_add_ps(scaled, _mm512_loadu_ps(means.add(LANES * v)));
                _mm512_storeu_ps(out.add((row + i) * width + LANES * v), y);
            }
        }
    }
}
