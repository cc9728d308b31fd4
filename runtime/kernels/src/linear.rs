//! The int8 linear layer: quantise the rows, multiply integers, and finish each tile while it is in registers (scale,
//! zero-point correction, bias, then GELU or residual). Never spawns a thread and never allocates in the steady state.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) mod i8mm;
#[cfg(target_arch = "aarch64")]
pub(crate) mod neon;
mod portable;

use crate::error::{same_len, whole_rows};
use crate::quantise::{self, RowScale};
use crate::{Error, Isa, PackedWeights, Scratch};
use std::ops::Range;

/// What happens to each value of `x W + b` before it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Epilogue<'a> {
    /// Nothing.
    None,
    /// GELU in its exact form, x/2 (1 + erf(x/sqrt 2)), to an absolute error below 1e-6.
    Gelu,
    /// Adds a residual of the shape of the output.
    Add(&'a [f32]),
    /// Adds what the output holds already: the residual in place.
    Accumulate,
}

/// The same without the data, as the kernels see it.
const NONE: u8 = 0;
const GELU: u8 = 1;
const ADD: u8 = 2;

/// Quantised rows of one block, their scales, and where the results go.
struct Block<'a, A> {
    /// `[rows, stride]`.
    levels: &'a [A],
    stride: usize,
    scales: &'a [RowScale],
    /// `[rows, out_stride]`, valid for writes; only the first n of a row are written.
    out: *mut f32,
    /// At least n.
    out_stride: usize,
    /// As `out`, valid for reads when the epilogue is [`ADD`]; may be `out` itself.
    residual: *const f32,
}

/// Bytes of quantised rows that are worked on at a time, so that they stay in the level-2 cache beside a weight panel
/// whatever the number of tokens (measured: see `benches/kernels.rs`).
const BLOCK_BYTES: usize = 128 << 10;
/// Blocks are whole tiles: a multiple of every tile height (6, 4) but that of i8mm (8), whose last tile is half a one.
const BLOCK_ROWS: usize = 12;

/// `out = epilogue(x W + b)` for the rows of `x` (`[M, K]`, row-major), `out` `[M, N]`, on the instruction set that the
/// weights were packed for.
///
/// Every row is quantised on its own, so the rows may be split over threads at will (`chunks` of `x`, `chunks_mut` of
/// `out`, one [`Scratch`] each): the result has the same bits.
///
/// A row of `x` that holds a NaN or an infinity gives a row of NaN and touches no other. Any finite values are accepted;
/// values below 1e-28 in a row that holds nothing larger count as zero.
///
/// # Errors
/// [`Error::NotWholeRows`] when the length of `x` is not a multiple of K, [`Error::Length`] when `out` or the residual is
/// not `[M, N]`. Nothing is written then.
pub fn linear(
    weights: &PackedWeights,
    x: &[f32],
    epilogue: Epilogue<'_>,
    out: &mut [f32],
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let rows = check(weights, x, epilogue, out)?;
    let target = Target::new(epilogue, out);
    // SAFETY: `PackedWeights::pack` has checked that the instruction set is available; the lengths agree.
    unsafe { run_rows(weights, x, target, 0..rows, scratch) };
    Ok(())
}

/// The number of rows, when all lengths agree.
pub(crate) fn check(
    weights: &PackedWeights,
    x: &[f32],
    epilogue: Epilogue<'_>,
    out: &[f32],
) -> Result<usize, Error> {
    let n = weights.n();
    let rows = whole_rows("input of the linear layer [M, K]", weights.k(), x.len())?;
    same_len("output of the linear layer [M, N]", rows * n, out.len())?;
    if let Epilogue::Add(residual) = epilogue {
        same_len(
            "residual of the linear layer [M, N]",
            rows * n,
            residual.len(),
        )?;
    }
    Ok(rows)
}

/// Where results go, and what happens to them before. Threads may share it: each writes rows of its own.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    kind: u8,
    /// Valid for reads when the kind is [`ADD`]; may be `out` itself.
    residual: *const f32,
    out: *mut f32,
}

// SAFETY: plain addresses; what is done with them is the promise of `run_rows` and `run_block`.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    pub(crate) fn new(epilogue: Epilogue<'_>, out: &mut [f32]) -> Target {
        let out = out.as_mut_ptr();
        let (kind, residual) = match epilogue {
            Epilogue::None => (NONE, std::ptr::null()),
            Epilogue::Gelu => (GELU, std::ptr::null()),
            Epilogue::Add(residual) => (ADD, residual.as_ptr()),
            Epilogue::Accumulate => (ADD, out.cast_const()),
        };
        Target {
            kind,
            residual,
            out,
        }
    }

    fn skip(self, values: usize) -> Target {
        Target {
            residual: self.residual.wrapping_add(values),
            out: self.out.wrapping_add(values),
            ..self
        }
    }
}

/// Rows `rows` of `x`, which is whole, into the same rows of `target`.
///
/// # Safety
/// `weights.isa()` is available; `x` and the slices behind `target` have as many rows, still live, `rows` lies within them,
/// and nobody else uses these rows of the output.
pub(crate) unsafe fn run_rows(
    weights: &PackedWeights,
    x: &[f32],
    target: Target,
    rows: Range<usize>,
    scratch: &mut Scratch,
) {
    let (k, n) = (weights.k(), weights.n());
    let stride = k.next_multiple_of(LINE);
    let block = (BLOCK_BYTES / stride / BLOCK_ROWS * BLOCK_ROWS).max(BLOCK_ROWS);
    for start in rows.clone().step_by(block) {
        let end = rows.end.min(start + block);
        let x = &x[start * k..end * k];
        // SAFETY: the promise of the caller.
        unsafe { run_block(weights, x, stride, target.skip(start * n), n, scratch) };
    }
}

/// Quantised rows start on a cache line.
pub(crate) const LINE: usize = 64;

/// Calls the kernel that was compiled for this kind of epilogue.
macro_rules! by_kind {
    ($kind:expr, $($kernel:ident)::+($weights:expr, $block:expr $(, $own:expr)?)) => {
        match $kind {
            GELU => $($kernel)::+::<GELU>($weights, $block $(, $own)?),
            ADD => $($kernel)::+::<ADD>($weights, $block $(, $own)?),
            _ => $($kernel)::+::<NONE>($weights, $block $(, $own)?),
        }
    };
}

/// One block of rows.
///
/// # Safety
/// `weights.isa()` is available; `x` is `[rows, k]`; the slices behind `target` are `[rows, out_stride]`, and nobody else
/// uses the first n values of these rows; `stride >= k` is a multiple of 64; `out_stride >= n`.
pub(crate) unsafe fn run_block(
    weights: &PackedWeights,
    x: &[f32],
    stride: usize,
    target: Target,
    out_stride: usize,
    scratch: &mut Scratch,
) {
    let rows = x.len() / weights.k();
    let Target {
        kind,
        residual,
        out,
    } = target;
    scratch.rows.resize(rows, RowScale::default());
    let isa = weights.isa();
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => {
            let levels = scratch.bytes.prepare(rows * stride);
            // SAFETY: the caller promises the instruction set.
            unsafe { quantise::rows_u8(isa, x, weights.k(), levels, stride, &mut scratch.rows) };
            let block = Block {
                levels,
                stride,
                scales: &scratch.rows,
                out,
                out_stride,
                residual,
            };
            // SAFETY: the same, and the pointers are valid for [rows, out_stride].
            unsafe {
                by_kind!(kind, avx512::block(weights, &block));
            }
        }
        #[cfg(target_arch = "aarch64")]
        Isa::NeonI8mm => {
            let paired = rows.next_multiple_of(2);
            let levels = scratch.signed.prepare(paired * stride);
            // SAFETY: the caller promises the instruction set.
            unsafe { quantise::rows_i8(isa, x, weights.k(), levels, stride, &mut scratch.rows) };
            let pairs = scratch.pairs.prepare(paired * stride);
            i8mm::pair_rows(levels, stride, pairs);
            let block = Block {
                levels: pairs,
                stride,
                scales: &scratch.rows,
                out,
                out_stride,
                residual,
            };
            // SAFETY: the same, and the pointers are valid for [rows, out_stride].
            unsafe {
                by_kind!(kind, i8mm::block(weights, &block));
            }
        }
        #[cfg(target_arch = "aarch64")]
        Isa::NeonDot | Isa::Neon => {
            let levels = scratch.signed.prepare(rows * stride);
            // SAFETY: the caller promises the instruction set.
            unsafe { quantise::rows_i8(isa, x, weights.k(), levels, stride, &mut scratch.rows) };
            let block = Block {
                levels,
                stride,
                scales: &scratch.rows,
                out,
                out_stride,
                residual,
            };
            // SAFETY: the same, and the pointers are valid for [rows, out_stride].
            unsafe {
                match isa {
                    Isa::NeonDot => by_kind!(kind, neon::dot_block(weights, &block)),
                    _ => by_kind!(kind, neon::plain_block(weights, &block)),
                }
            }
        }
        _ => {
            let levels = scratch.words.prepare(rows * stride);
            // SAFETY: the caller promises the instruction set.
            unsafe { quantise::rows_i16(isa, x, weights.k(), levels, stride, &mut scratch.rows) };
            let block = Block {
                levels,
                stride,
                scales: &scratch.rows,
                out,
                out_stride,
                residual,
            };
            // SAFETY: the same, and the pointers are valid for [rows, out_stride].
            unsafe {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => by_kind!(kind, avx2::block(weights, &block, &mut scratch.crosses)),
                    _ => by_kind!(kind, portable::block(weights, &block)),
                }
            }
        }
    }
}
