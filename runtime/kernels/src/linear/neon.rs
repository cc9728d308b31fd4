//! aarch64. With the dot product: 4 rows by 16 columns of `sdot`. Without: 4 rows by 4 columns of `smull`, `smlal2` and
//! `sadalp`: two products at most meet in 16 bits before they are added to 32-bit sums in pairs.
//!
//! Both multiply signed bytes: activations are stored as level - 128, which the zero point takes back.

use super::{ADD, Block, GELU};
use crate::PackedWeights;
use crate::math::{GELU_EDGE, GELU_Q};
use crate::quantise::RowScale;
use std::arch::aarch64::*;
use std::arch::asm;

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a panel with the dot product: 4 vectors of 4.
const DOT_COLUMNS: usize = 16;
/// Columns of a panel without.
const PLAIN_COLUMNS: usize = 4;

/// `block` for panels of `$columns` columns, on `$tile`.
macro_rules! blocks {
    ($(#[$doc:meta])* $block:ident, $features:literal, $columns:ident, $tile:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The processor has the features; `weights` is packed for it; the pointers of `block` are valid for
        /// `[rows, out_stride]`.
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $block<const EPILOGUE: u8>(
            weights: &PackedWeights,
            block: &Block<'_, i8>,
        ) {
            let rows = block.scales.len();
            for panel in 0..weights.n().div_ceil($columns) {
                let mut row = 0;
                while row < rows {
                    // SAFETY: the promise of the caller; `row` and the height of the tile stay within `rows`.
                    unsafe {
                        match rows - row {
                            1 => $tile::<1, EPILOGUE>(weights, block, panel, row),
                            2 => $tile::<2, EPILOGUE>(weights, block, panel, row),
                            3 => $tile::<3, EPILOGUE>(weights, block, panel, row),
                            _ => $tile::<ROWS, EPILOGUE>(weights, block, panel, row),
                        }
                    }
                    row += ROWS;
                }
            }
        }
    };
}

blocks! {
    /// All tiles of a block of rows, with the dot product.
    dot_block, "neon,dotprod", DOT_COLUMNS, dot_tile
}
blocks! {
    /// All tiles of a block of rows, on any aarch64.
    plain_block, "neon", PLAIN_COLUMNS, plain_tile
}

/// Adds to each of four sums the products of four bytes of `weights` with the four bytes of lane `LANE` of `levels`.
/// `vdotq_laneq_s32` of the standard library is not stable.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn dot<const LANE: i32>(
    sums: int32x4_t,
    weights: int8x16_t,
    levels: int8x16_t,
) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: one instruction on registers; the function requires the dot product.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {weights:v}.16b, {levels:v}.4b[{lane}]",
            sums = inout(vreg) sums,
            weights = in(vreg) weights,
            levels = in(vreg) levels,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Rows `row..row + R` by panel `panel`.
///
/// # Safety
/// As [`dot_block`]; `row + R <= rows`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot_tile<const R: usize, const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i8>,
    panel: usize,
    row: usize,
) {
    let mut sums = [[vdupq_n_s32(0); 4]; R];
    let levels = &block.levels[row * block.stride..(row + R) * block.stride];
    let w = weights.panel(panel).as_ptr();
    // Four steps of four values each fill a vector of levels. The last vector may hold fewer; it has a loop of its own,
    // because a loop that may end in the middle has its sums in memory.
    macro_rules! load {
        ($first:expr) => {{
            let mut four = [vdupq_n_s8(0); R];
            for (i, four) in four.iter_mut().enumerate() {
                // SAFETY: a row of levels holds `stride` values, a multiple of 64 that is at least 4 `steps`.
                *four = unsafe { vld1q_s8(levels.as_ptr().add(i * block.stride + 4 * $first)) };
            }
            four
        }};
    }
    macro_rules! step {
        ($four:ident, $first:expr, $lane:literal) => {
            let columns: [int8x16_t; 4] = std::array::from_fn(|c| {
                // SAFETY: a panel holds `steps` steps of 64 bytes.
                unsafe { vld1q_s8(w.add(64 * ($first + $lane) + 16 * c)) }
            });
            for i in 0..R {
                for c in 0..4 {
                    sums[i][c] = dot::<$lane>(sums[i][c], columns[c], $four[i]);
                }
            }
        };
    }
    let whole = weights.steps / 4 * 4;
    for first in (0..whole).step_by(4) {
        let four = load!(first);
        step!(four, first, 0);
        step!(four, first, 1);
        step!(four, first, 2);
        step!(four, first, 3);
    }
    if whole < weights.steps {
        let four = load!(whole);
        step!(four, whole, 0);
        if whole + 1 < weights.steps {
            step!(four, whole, 1);
        }
        if whole + 2 < weights.steps {
            step!(four, whole, 2);
        }
    }
    // A copy that the compiler cannot see through: it keeps the sums themselves in registers until here, where otherwise it
    // stores them at every step to index them later.
    let sums = std::hint::black_box(sums);
    for (i, sums) in sums.iter().enumerate() {
        for (c, sums) in sums.iter().enumerate() {
            let column = panel * DOT_COLUMNS + 4 * c;
            if column < weights.n() {
                // SAFETY: `row + i < rows`, `column < n`.
                unsafe { finish::<EPILOGUE>(weights, block, row + i, column, *sums) };
            }
        }
    }
}

/// Rows `row..row + R` by panel `panel`.
///
/// # Safety
/// As [`plain_block`]; `row + R <= rows`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn plain_tile<const R: usize, const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i8>,
    panel: usize,
    row: usize,
) {
    // Four partial sums for each row and column.
    let mut sums = [[vdupq_n_s32(0); PLAIN_COLUMNS]; R];
    let levels = &block.levels[row * block.stride..(row + R) * block.stride];
    let w = weights.panel(panel).as_ptr();
    // Without a weight of -128 two products always fit in 16 bits: 2 * 127 * 128 < 2^15.
    let pairs_fit = !weights.lowest;
    for step in 0..weights.steps {
        // SAFETY: a panel holds `steps` steps of 4 columns of 16 bytes; a row of levels holds `stride` values, a multiple
        // of 64 that is at least 16 `steps`.
        unsafe {
            let columns: [int8x16_t; PLAIN_COLUMNS] =
                std::array::from_fn(|c| vld1q_s8(w.add(64 * step + 16 * c)));
            for (i, sums) in sums.iter_mut().enumerate() {
                let row = vld1q_s8(levels.as_ptr().add(i * block.stride + 16 * step));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    let low = vmull_s8(vget_low_s8(row), vget_low_s8(column));
                    if pairs_fit {
                        *sum = vpadalq_s16(*sum, vmlal_high_s8(low, row, column));
                    } else {
                        *sum = vpadalq_s16(*sum, low);
                        *sum = vpadalq_s16(*sum, vmull_high_s8(row, column));
                    }
                }
            }
        }
    }
    for (i, [a, b, c, d]) in sums.into_iter().enumerate() {
        let sums = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
        // SAFETY: `row + i < rows`; a panel starts within n.
        unsafe { finish::<EPILOGUE>(weights, block, row + i, panel * PLAIN_COLUMNS, sums) };
    }
}

/// Zero point, scale, bias, then GELU or residual of four columns of a row.
///
/// # Safety
/// The pointers of `block` are valid for `[rows, out_stride]`; `row < rows`, `column < n`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn finish<const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i8>,
    row: usize,
    column: usize,
    sums: int32x4_t,
) {
    let RowScale { scale, zero } = block.scales[row];
    let columns = column..column + 4;
    let (sum, weight_scale, bias) = (
        &weights.sum.as_slice()[columns.clone()],
        &weights.scale.as_slice()[columns.clone()],
        &weights.bias.as_slice()[columns],
    );
    let at = row * block.out_stride + column;
    let left = weights.n() - column;
    // SAFETY: the slices hold 4 values each; `at..at + min(4, left)` lies within the row.
    unsafe {
        let shift = vmulq_s32(vld1q_s32(sum.as_ptr()), vdupq_n_s32(zero - 128));
        let exact = vcvtq_f32_s32(vsubq_s32(sums, shift));
        let scale = vmulq_f32(vld1q_f32(weight_scale.as_ptr()), vdupq_n_f32(scale));
        let mut y = vaddq_f32(vmulq_f32(exact, scale), vld1q_f32(bias.as_ptr()));
        if EPILOGUE == GELU {
            y = gelu(y);
        }
        if left >= 4 {
            if EPILOGUE == ADD {
                y = vaddq_f32(y, vld1q_f32(block.residual.add(at)));
            }
            vst1q_f32(block.out.add(at), y);
        } else {
            let mut last = [0f32; 4];
            vst1q_f32(last.as_mut_ptr(), y);
            for (c, mut y) in last.into_iter().enumerate().take(left) {
                if EPILOGUE == ADD {
                    y += *block.residual.add(at + c);
                }
                *block.out.add(at + c) = y;
            }
        }
    }
}

/// [`crate::math::gelu`], the same operations in the same order.
#[inline]
#[target_feature(enable = "neon")]
fn gelu(x: float32x4_t) -> float32x4_t {
    let a = vminq_f32(vabsq_f32(x), vdupq_n_f32(GELU_EDGE));
    let t = vfmaq_f32(vdupq_n_f32(-1.0), a, vdupq_n_f32(2.0 / GELU_EDGE));
    let mut q = vdupq_n_f32(GELU_Q[0]);
    for c in &GELU_Q[1..] {
        q = vfmaq_f32(vdupq_n_f32(*c), q, t);
    }
    let zero = vdupq_n_f32(0.0);
    let positive = vbslq_f32(vcltq_f32(x, zero), zero, x);
    vfmsq_f32(positive, a, q)
}
