//! AVX2: 6 rows by 16 columns of `vpmaddwd` on 16-bit values. `vpmaddubsw` would saturate at 8 by 8 bits; widening the
//! weights on the way into the register costs one instruction for six multiply-adds and is exact.

use super::{ADD, Block, GELU};
use crate::PackedWeights;
use crate::math::{GELU_EDGE, GELU_Q};
use std::arch::x86_64::*;

/// Rows of a tile.
const ROWS: usize = 6;
/// Columns of a panel.
const COLUMNS: usize = 16;
/// Bytes of one step of a panel: 16 columns of 2 consecutive k.
const STEP: usize = 32;

/// All tiles of a block of rows.
///
/// # Safety
/// The processor has AVX2 and FMA; `weights` is packed for it; the pointers of `block` are valid for `[rows, out_stride]`.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn block<const EPILOGUE: u8>(weights: &PackedWeights, block: &Block<'_, i16>) {
    let rows = block.scales.len();
    for panel in 0..weights.n().div_ceil(COLUMNS) {
        let mut row = 0;
        while row < rows {
            // SAFETY: the promise of the caller; `row` and the height of the tile stay within `rows`.
            unsafe {
                match rows - row {
                    1 => tile::<1, EPILOGUE>(weights, block, panel, row),
                    2 => tile::<2, EPILOGUE>(weights, block, panel, row),
                    3 => tile::<3, EPILOGUE>(weights, block, panel, row),
                    4 => tile::<4, EPILOGUE>(weights, block, panel, row),
                    5 => tile::<5, EPILOGUE>(weights, block, panel, row),
                    _ => tile::<ROWS, EPILOGUE>(weights, block, panel, row),
                }
            }
            row += ROWS;
        }
    }
}

/// Rows `row..row + R` by panel `panel`.
///
/// # Safety
/// As [`block`]; `row + R <= rows`.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<const R: usize, const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i16>,
    panel: usize,
    row: usize,
) {
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    let levels = &block.levels[row * block.stride..(row + R) * block.stride];
    let mut w = weights.panel(panel).as_ptr();
    for step in 0..weights.steps {
        // SAFETY: a panel holds `steps` steps of 32 bytes; a row of levels holds `stride >= 2 steps` values, and
        // `levels` R such rows.
        unsafe {
            let w0 = _mm256_cvtepi8_epi16(_mm_load_si128(w.cast()));
            let w1 = _mm256_cvtepi8_epi16(_mm_load_si128(w.add(16).cast()));
            w = w.add(STEP);
            for (i, sums) in sums.iter_mut().enumerate() {
                let two = levels.as_ptr().add(i * block.stride + 2 * step);
                let two = _mm256_set1_epi32(two.cast::<i32>().read());
                sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(two, w0));
                sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(two, w1));
            }
        }
    }
    let first = panel * COLUMNS;
    let scales = &weights.scale.as_slice()[first..first + COLUMNS];
    let biases = &weights.bias.as_slice()[first..first + COLUMNS];
    let column_sums = &weights.sum.as_slice()[first..first + COLUMNS];
    for c in 0..2 {
        let left = weights.n().saturating_sub(first + 8 * c);
        if left == 0 {
            break;
        }
        // SAFETY: the slices hold 16 values each; the masked accesses stay within `[rows, out_stride]`.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left.min(8) as i32), lane);
            let column_sum = _mm256_loadu_si256(column_sums.as_ptr().add(8 * c).cast());
            let weight_scale = _mm256_loadu_ps(scales.as_ptr().add(8 * c));
            let bias = _mm256_loadu_ps(biases.as_ptr().add(8 * c));
            for (i, sums) in sums.iter().enumerate() {
                let scale = block.scales[row + i];
                let shift = _mm256_mullo_epi32(column_sum, _mm256_set1_epi32(scale.zero));
                let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums[c], shift));
                let scale = _mm256_mul_ps(weight_scale, _mm256_set1_ps(scale.scale));
                let mut y = _mm256_add_ps(_mm256_mul_ps(sum, scale), bias);
                let at = (row + i) * block.out_stride + first + 8 * c;
                if EPILOGUE == GELU {
                    y = gelu(y);
                }
                if EPILOGUE == ADD {
                    y = _mm256_add_ps(y, _mm256_maskload_ps(block.residual.add(at), mask));
                }
                if left >= 8 {
                    _mm256_storeu_ps(block.out.add(at), y);
                } else {
                    _mm256_maskstore_ps(block.out.add(at), mask, y);
                }
            }
        }
    }
}

/// [`crate::math::gelu`], the same operations in the same order.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn gelu(x: __m256) -> __m256 {
    let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), x);
    let a = _mm256_min_ps(magnitude, _mm256_set1_ps(GELU_EDGE));
    let t = _mm256_fmadd_ps(a, _mm256_set1_ps(2.0 / GELU_EDGE), _mm256_set1_ps(-1.0));
    let mut q = _mm256_set1_ps(GELU_Q[0]);
    for c in &GELU_Q[1..] {
        q = _mm256_fmadd_ps(q, t, _mm256_set1_ps(*c));
    }
    // The second operand is returned for a NaN.
    let positive = _mm256_max_ps(_mm256_setzero_ps(), x);
    _mm256_fnmadd_ps(a, q, positive)
}
