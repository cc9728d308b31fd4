//! AVX-512 VNNI: 6 rows by 64 columns of `vpdpbusd`, 24 accumulators.

use super::{ADD, Block, GELU};
use crate::PackedWeights;
use crate::math::{GELU_EDGE, GELU_Q};
use std::arch::x86_64::*;

/// Rows of a tile.
const ROWS: usize = 6;
/// Columns of a panel, as vectors of 16.
const VECTORS: usize = 4;
/// Bytes of one step of a panel: 64 columns of 4 consecutive k.
const STEP: usize = 256;

/// All tiles of a block of rows.
///
/// # Safety
/// The processor has AVX-512 F, BW, VL, DQ, VNNI; `weights` is packed for it; the pointers of `block` are valid for
/// `[rows, out_stride]`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
pub(super) unsafe fn block<const EPILOGUE: u8>(weights: &PackedWeights, block: &Block<'_, u8>) {
    let rows = block.scales.len();
    for panel in 0..weights.n().div_ceil(16 * VECTORS) {
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
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
unsafe fn tile<const R: usize, const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, u8>,
    panel: usize,
    row: usize,
) {
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; R];
    let levels = &block.levels[row * block.stride..(row + R) * block.stride];
    let first = panel * 16 * VECTORS;
    // The results are usually not in the cache: ask for their lines now, hidden behind the multiplications.
    for i in 0..R {
        for c in 0..VECTORS {
            let at = (row + i) * block.out_stride + first + 16 * c;
            // A prefetch of an address past the end is harmless.
            _mm_prefetch::<_MM_HINT_ET0>(block.out.wrapping_add(at).cast());
            if EPILOGUE == ADD {
                _mm_prefetch::<_MM_HINT_T0>(block.residual.wrapping_add(at).cast());
            }
        }
    }
    let mut w = weights.panel(panel).as_ptr();
    for step in 0..weights.steps {
        // SAFETY: a panel holds `steps` steps of 256 bytes, on cache lines; a row of levels holds `stride >= 4 steps`
        // bytes, and `levels` R such rows.
        unsafe {
            let w0 = _mm512_load_si512(w.cast());
            let w1 = _mm512_load_si512(w.add(64).cast());
            let w2 = _mm512_load_si512(w.add(128).cast());
            let w3 = _mm512_load_si512(w.add(192).cast());
            w = w.add(STEP);
            for (i, sums) in sums.iter_mut().enumerate() {
                let four = levels.as_ptr().add(i * block.stride + 4 * step);
                let four = _mm512_set1_epi32(four.cast::<i32>().read());
                sums[0] = _mm512_dpbusd_epi32(sums[0], four, w0);
                sums[1] = _mm512_dpbusd_epi32(sums[1], four, w1);
                sums[2] = _mm512_dpbusd_epi32(sums[2], four, w2);
                sums[3] = _mm512_dpbusd_epi32(sums[3], four, w3);
            }
        }
    }
    let scales = &weights.scale.as_slice()[first..first + 16 * VECTORS];
    let biases = &weights.bias.as_slice()[first..first + 16 * VECTORS];
    let column_sums = &weights.sum.as_slice()[first..first + 16 * VECTORS];
    // Written out: in a loop the compiler would keep the sums in memory to index them.
    macro_rules! finish {
        ($c:literal) => {
            let left = weights.n().saturating_sub(first + 16 * $c);
            if left == 0 {
                return;
            }
            let mask: __mmask16 = if left >= 16 { !0 } else { (1 << left) - 1 };
            // SAFETY: the slices hold 64 values each; the masked accesses stay within `[rows, out_stride]`.
            unsafe {
                let column_sum = _mm512_loadu_si512(column_sums.as_ptr().add(16 * $c).cast());
                let weight_scale = _mm512_loadu_ps(scales.as_ptr().add(16 * $c));
                let bias = _mm512_loadu_ps(biases.as_ptr().add(16 * $c));
                for i in 0..R {
                    let scale = block.scales[row + i];
                    let shift = _mm512_mullo_epi32(column_sum, _mm512_set1_epi32(scale.zero));
                    let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[i][$c], shift));
                    let scale = _mm512_mul_ps(weight_scale, _mm512_set1_ps(scale.scale));
                    let mut y = _mm512_add_ps(_mm512_mul_ps(sum, scale), bias);
                    let at = (row + i) * block.out_stride + first + 16 * $c;
                    if EPILOGUE == GELU {
                        y = gelu(y);
                    }
                    if EPILOGUE == ADD {
                        y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, block.residual.add(at)));
                    }
                    _mm512_mask_storeu_ps(block.out.add(at), mask, y);
                }
            }
        };
    }
    finish!(0);
    finish!(1);
    finish!(2);
    finish!(3);
}

/// [`crate::math::gelu`], the same operations in the same order.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn gelu(x: __m512) -> __m512 {
    let a = _mm512_min_ps(_mm512_abs_ps(x), _mm512_set1_ps(GELU_EDGE));
    let t = _mm512_fmadd_ps(a, _mm512_set1_ps(2.0 / GELU_EDGE), _mm512_set1_ps(-1.0));
    let mut q = _mm512_set1_ps(GELU_Q[0]);
    for c in &GELU_Q[1..] {
        q = _mm512_fmadd_ps(q, t, _mm512_set1_ps(*c));
    }
    // The second operand is returned for a NaN.
    let positive = _mm512_max_ps(_mm512_setzero_ps(), x);
    _mm512_fnmadd_ps(a, q, positive)
}
