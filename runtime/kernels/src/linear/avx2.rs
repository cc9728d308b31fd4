//! AVX2: 4 rows by 16 columns by [`crate::winograd`], which is exact and needs half the multiplications.

use super::{ADD, Block, GELU};
use crate::PackedWeights;
use crate::buffer::Buffer;
use crate::math::{GELU_EDGE, GELU_Q};
use crate::winograd::{COLUMNS, cross, products};
use std::arch::x86_64::*;

/// Rows of a tile.
const ROWS: usize = 4;
/// Values of one step of a panel: 16 columns of 4 consecutive k.
const STEP: usize = 4 * COLUMNS;
/// Of these, the first two k of each column come first.
const LAST: usize = STEP / 2;

/// Panels in 16 bits, `[panel][step][first or last two of 4 k][column][2]`, and their crosses.
#[derive(Default, Clone)]
pub(crate) struct Wide {
    values: Buffer<i16>,
    /// Per column: the sum of w0 w2 + w1 w3 over all steps.
    crosses: Buffer<i32>,
}

impl Wide {
    /// Widens `weights`.
    ///
    /// # Safety
    /// The processor has AVX2; `weights` is packed for it.
    #[target_feature(enable = "avx2")]
    pub(crate) unsafe fn fill(&mut self, weights: &PackedWeights) {
        let panels = weights.n().div_ceil(COLUMNS);
        let size = weights.steps * STEP;
        let values = self.values.prepare(panels * size);
        let crosses = self.crosses.prepare(panels * COLUMNS);
        // The first two bytes of each column go to the upper halves of 16 bits, where a shift brings the sign.
        let first = _mm256_setr_epi8(
            -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1, -1, 4, -1, 5,
            -1, 8, -1, 9, -1, 12, -1, 13,
        );
        let last = _mm256_add_epi8(first, _mm256_set1_epi16(0x0200));
        for number in 0..panels {
            let panel = weights.panel(number).chunks_exact(STEP);
            let values = values[number * size..][..size].chunks_exact_mut(STEP);
            let mut sums = [_mm256_setzero_si256(); 2];
            for (from, to) in panel.zip(values) {
                for (c, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: a step is 64 bytes, and 64 values of 16 bits.
                    unsafe {
                        let bytes = _mm256_loadu_si256(from.as_ptr().add(32 * c).cast());
                        let wide =
                            |order| _mm256_srai_epi16::<8>(_mm256_shuffle_epi8(bytes, order));
                        let (first, last) = (wide(first), wide(last));
                        let to = to.as_mut_ptr().add(16 * c);
                        _mm256_storeu_si256(to.cast(), first);
                        _mm256_storeu_si256(to.add(LAST).cast(), last);
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(first, last));
                    }
                }
            }
            let crosses = &mut crosses[number * COLUMNS..][..COLUMNS];
            for (sum, to) in sums.iter().zip(crosses.chunks_exact_mut(8)) {
                // SAFETY: 8 values of 32 bits.
                unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), *sum) };
            }
        }
    }

    /// Panel `number`, of so many steps.
    fn panel(&self, number: usize, steps: usize) -> Panel<'_> {
        Panel {
            values: &self.values.as_slice()[number * steps * STEP..][..steps * STEP],
            crosses: &self.crosses.as_slice()[number * COLUMNS..][..COLUMNS],
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.values.bytes() + self.crosses.bytes()
    }
}

/// One panel of [`Wide`].
#[derive(Clone, Copy)]
struct Panel<'a> {
    values: &'a [i16],
    crosses: &'a [i32],
}

/// All tiles of a block of rows.
///
/// # Safety
/// The processor has AVX2 and FMA; `weights` is packed for it; the pointers of `block` are valid for `[rows, out_stride]`.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn block<const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i16>,
    crosses: &mut Buffer<i32>,
) {
    let rows = block.scales.len();
    let crosses = crosses.prepare(rows);
    for (row, to) in block.levels.chunks_exact(block.stride).zip(&mut *crosses) {
        *to = cross(row);
    }
    for number in 0..weights.n().div_ceil(COLUMNS) {
        let panel = weights.wide.panel(number, weights.steps);
        let tiles = Tiles {
            weights,
            block,
            panel,
            crosses,
            first: number * COLUMNS,
        };
        for row in (0..rows).step_by(ROWS) {
            // SAFETY: the promise of the caller; `row` and the height of the tile stay within `rows`.
            unsafe {
                match rows - row {
                    1 => tiles.tile::<1, EPILOGUE>(row),
                    2 => tiles.tile::<2, EPILOGUE>(row),
                    3 => tiles.tile::<3, EPILOGUE>(row),
                    _ => tiles.tile::<ROWS, EPILOGUE>(row),
                }
            }
        }
    }
}

/// A panel and all rows.
struct Tiles<'a> {
    weights: &'a PackedWeights,
    block: &'a Block<'a, i16>,
    panel: Panel<'a>,
    /// Of the rows.
    crosses: &'a [i32],
    /// The first column of the panel.
    first: usize,
}

impl Tiles<'_> {
    /// Rows `row..row + R`.
    ///
    /// # Safety
    /// As [`block`]; `row + R` is not beyond the rows.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const R: usize, const EPILOGUE: u8>(&self, row: usize) {
        let Tiles {
            weights,
            block,
            panel,
            first,
            ..
        } = *self;
        // As with AVX-512: ask for the lines of the results now.
        for i in 0..R {
            let at = (row + i) * block.out_stride + first;
            // A prefetch of an address past the end is harmless.
            _mm_prefetch::<_MM_HINT_ET0>(block.out.wrapping_add(at).cast());
        }
        let levels = &block.levels[row * block.stride..(row + R) * block.stride];
        let rows = std::array::from_fn(|i| levels[i * block.stride..].as_ptr());
        // SAFETY: a row holds `stride >= 4 steps` levels, the panel `steps` steps; a level and a weight are 9 bits together.
        let sums = unsafe { products::<R, STEP, LAST>(rows, panel.values.as_ptr(), weights.steps) };
        let scales = &weights.scale.as_slice()[first..first + COLUMNS];
        let biases = &weights.bias.as_slice()[first..first + COLUMNS];
        for c in 0..2 {
            let left = weights.n().saturating_sub(first + 8 * c);
            if left == 0 {
                break;
            }
            // SAFETY: the slices hold 16 values each; the masked accesses stay within `[rows, out_stride]`.
            unsafe {
                let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left.min(8) as i32), lane);
                let column_cross = _mm256_loadu_si256(panel.crosses.as_ptr().add(8 * c).cast());
                let weight_scale = _mm256_loadu_ps(scales.as_ptr().add(8 * c));
                let bias = _mm256_loadu_ps(biases.as_ptr().add(8 * c));
                for (i, sums) in sums.iter().enumerate() {
                    let scale = block.scales[row + i];
                    let row_cross = _mm256_set1_epi32(self.crosses[row + i]);
                    let crosses = _mm256_add_epi32(column_cross, row_cross);
                    let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sums[c], crosses));
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
