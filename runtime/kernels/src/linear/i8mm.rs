//! aarch64 with the matrix multiply: `smmla` multiplies 2 rows of 8 bytes with 2 columns of 8 bytes, 32 multiply-adds an
//! instruction. A tile is 4 pairs of rows by 4 pairs of columns: 16 accumulators and 8 operands.
//!
//! Both operands are pairs that lie side by side, 8 values of the one and 8 of the other: the weights are packed so, the
//! quantised rows are put so before the first tile reads them.

use super::neon::finish;
use super::{ADD, Block, GELU, NONE};
use crate::PackedWeights;
use std::arch::aarch64::*;
use std::arch::asm;

/// Pairs of rows of a tile.
const PAIRS: usize = 4;
/// Columns of a panel: 4 pairs.
const COLUMNS: usize = 8;
/// Values of a row that one instruction takes.
pub(crate) const GROUP: usize = 8;
/// Bytes of one step of a panel.
const STEP: usize = COLUMNS * GROUP;

/// Adds to four sums, `[row][column]`, the products of 2 rows and 2 columns of 8 bytes. `vmmlaq_s32` of the standard
/// library is not stable.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(crate) fn multiply(sums: int32x4_t, rows: int8x16_t, columns: int8x16_t) -> int32x4_t {
    let mut sums = sums;
    // SAFETY: one instruction on registers; the function requires the extension.
    unsafe {
        asm!(
            "smmla {sums:v}.4s, {rows:v}.16b, {columns:v}.16b",
            sums = inout(vreg) sums,
            rows = in(vreg) rows,
            columns = in(vreg) columns,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// Sums of two rows by four columns, `[row][column]` twice, as one vector a row.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn by_row(left: int32x4_t, right: int32x4_t) -> [int32x4_t; 2] {
    let (left, right) = (vreinterpretq_s64_s32(left), vreinterpretq_s64_s32(right));
    [
        vreinterpretq_s32_s64(vzip1q_s64(left, right)),
        vreinterpretq_s32_s64(vzip2q_s64(left, right)),
    ]
}

/// Puts rows of `stride` values, a multiple of 8, side by side in pairs: `[pair][step of 8][2][8]`. The number of rows is
/// even.
pub(crate) fn pair_rows(rows: &[i8], stride: usize, pairs: &mut [i8]) {
    for (rows, pair) in rows
        .chunks_exact(2 * stride)
        .zip(pairs.chunks_exact_mut(2 * stride))
    {
        let (upper, lower) = rows.split_at(stride);
        let steps = upper.as_chunks::<GROUP>().0.iter().zip(lower.as_chunks().0);
        for ((upper, lower), to) in steps.zip(pair.as_chunks_mut::<{ 2 * GROUP }>().0) {
            to[..GROUP].copy_from_slice(upper);
            to[GROUP..].copy_from_slice(lower as &[i8; GROUP]);
        }
    }
}

/// All tiles of a block of rows, whose levels are in pairs.
///
/// # Safety
/// The processor has the extension; `weights` is packed for it; `levels` holds whole pairs; the pointers of `block` are
/// valid for `[rows, out_stride]`.
#[target_feature(enable = "neon,i8mm")]
pub(super) unsafe fn block<const EPILOGUE: u8>(weights: &PackedWeights, block: &Block<'_, i8>) {
    const { assert!(EPILOGUE == NONE || EPILOGUE == GELU || EPILOGUE == ADD) };
    let pairs = block.scales.len().div_ceil(2);
    for panel in 0..weights.n().div_ceil(COLUMNS) {
        for pair in (0..pairs).step_by(PAIRS) {
            // SAFETY: the promise of the caller; the height of the tile stays within the pairs.
            unsafe {
                match pairs - pair {
                    1 => tile::<1, EPILOGUE>(weights, block, panel, pair),
                    2 => tile::<2, EPILOGUE>(weights, block, panel, pair),
                    3 => tile::<3, EPILOGUE>(weights, block, panel, pair),
                    _ => tile::<PAIRS, EPILOGUE>(weights, block, panel, pair),
                }
            }
        }
    }
}

/// Pairs `pair..pair + P` by panel `panel`.
///
/// # Safety
/// As [`block`]; `pair + P` pairs exist.
#[inline]
#[target_feature(enable = "neon,i8mm")]
unsafe fn tile<const P: usize, const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i8>,
    panel: usize,
    pair: usize,
) {
    let mut sums = [[vdupq_n_s32(0); COLUMNS / 2]; P];
    let size = 2 * block.stride;
    let levels = &block.levels[pair * size..(pair + P) * size];
    let w = weights.panel(panel).as_ptr();
    for step in 0..weights.steps {
        // SAFETY: a panel holds `steps` steps of 64 bytes; a pair of rows holds `2 stride` values, at least 16 `steps`.
        unsafe {
            let columns: [int8x16_t; COLUMNS / 2] =
                std::array::from_fn(|c| vld1q_s8(w.add(STEP * step + 2 * GROUP * c)));
            for (i, sums) in sums.iter_mut().enumerate() {
                let rows = vld1q_s8(levels.as_ptr().add(i * size + 2 * GROUP * step));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = multiply(*sum, rows, column);
                }
            }
        }
    }
    for (i, sums) in sums.into_iter().enumerate() {
        for (c, [left, right]) in sums.as_chunks::<2>().0.iter().enumerate() {
            let column = panel * COLUMNS + 4 * c;
            for (half, sums) in by_row(*left, *right).into_iter().enumerate() {
                let row = 2 * (pair + i) + half;
                // The last pair may be half a one, the last panel half a panel.
                if row < block.scales.len() && column < weights.n() {
                    // SAFETY: the row and the column exist.
                    unsafe { finish::<EPILOGUE>(weights, block, row, column, sums) };
                }
            }
        }
    }
}
