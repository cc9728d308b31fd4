//! Plain Rust: 4 rows by 16 columns, arranged so that the compiler finds the pairwise multiply-add of the target. The
//! reference of the other kernels.

use super::{ADD, Block, GELU};
use crate::PackedWeights;
use crate::math::gelu;

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a panel.
const COLUMNS: usize = 16;

/// All tiles of a block of rows.
///
/// # Safety
/// The pointers of `block` are valid for `[rows, out_stride]`.
pub(super) unsafe fn block<const EPILOGUE: u8>(weights: &PackedWeights, block: &Block<'_, i16>) {
    let rows = block.scales.len();
    for panel in 0..weights.n().div_ceil(COLUMNS) {
        let mut row = 0;
        while row < rows {
            let height = ROWS.min(rows - row);
            let sums = if height == ROWS {
                sums::<ROWS>(weights, block, panel, row)
            } else {
                let mut sums_of_rest = [[0; COLUMNS]; ROWS];
                for (i, to) in sums_of_rest[..height].iter_mut().enumerate() {
                    [*to] = sums::<1>(weights, block, panel, row + i);
                }
                sums_of_rest
            };
            for (i, sums) in sums[..height].iter().enumerate() {
                // SAFETY: the promise of the caller; `row + i < rows`.
                unsafe { finish::<EPILOGUE>(weights, block, panel, row + i, sums) };
            }
            row += height;
        }
    }
}

/// The integer sums of rows `row..row + R` by panel `panel`.
#[inline]
fn sums<const R: usize>(
    weights: &PackedWeights,
    block: &Block<'_, i16>,
    panel: usize,
    row: usize,
) -> [[i32; COLUMNS]; R] {
    let mut sums = [[0i32; COLUMNS]; R];
    let levels: [&[i16]; R] =
        std::array::from_fn(|i| &block.levels[(row + i) * block.stride..][..weights.steps]);
    let (steps, _) = weights.panel(panel).as_chunks::<COLUMNS>();
    for (step, w) in steps.iter().enumerate() {
        let w = w.map(i32::from);
        for i in 0..R {
            let level = i32::from(levels[i][step]);
            for c in 0..COLUMNS {
                sums[i][c] += level * w[c];
            }
        }
    }
    sums
}

/// Scale, bias, then GELU or residual of one row of one panel.
///
/// # Safety
/// The pointers of `block` are valid for `[rows, out_stride]`, `row < rows`.
#[inline]
unsafe fn finish<const EPILOGUE: u8>(
    weights: &PackedWeights,
    block: &Block<'_, i16>,
    panel: usize,
    row: usize,
    sums: &[i32; COLUMNS],
) {
    let scale = block.scales[row];
    let first = panel * COLUMNS;
    let width = COLUMNS.min(weights.n() - first);
    for (c, sum) in sums.iter().enumerate().take(width) {
        let column = first + c;
        let mut y = *sum as f32 * (weights.scale.as_slice()[column] * scale.scale)
            + weights.bias.as_slice()[column];
        let at = row * block.out_stride + column;
        if EPILOGUE == GELU {
            y = gelu(y);
        }
        // SAFETY: `at` lies within `[rows, out_stride]`.
        unsafe {
            if EPILOGUE == ADD {
                y += *block.residual.add(at);
            }
            *block.out.add(at) = y;
        }
    }
}
