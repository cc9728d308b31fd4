//! LayerNorm, one visit of each row: a row fits in the level-1 cache, so mean, deviation and result cost one trip to
//! memory.

use crate::error::{same_len, whole_rows};
use crate::math::{LANES, fold_lanes};
use crate::multiversion::multiversion;
use crate::{Error, Isa};

/// `out = (x - mean) / sqrt(variance + epsilon) * scale + offset` for each row of `x` (`[M, K]`), with mean and variance
/// of the row (Ba, Kiros and Hinton 2016). `scale` and `offset` are `[K]`.
///
/// The same bits on every instruction set. A NaN or an infinity in a row gives NaN in that row and no other.
///
/// # Errors
/// [`Error::IsaUnavailable`], [`Error::Dimension`] when K is 0, [`Error::NotWholeRows`] and [`Error::Length`] when the
/// slices do not fit. Nothing is written then.
pub fn layer_norm(
    isa: Isa,
    x: &[f32],
    scale: &[f32],
    offset: &[f32],
    epsilon: f32,
    out: &mut [f32],
) -> Result<(), Error> {
    check(isa, x, scale, offset, out)?;
    // SAFETY: all was checked.
    unsafe { rows(isa, x, scale, offset, epsilon, out) };
    Ok(())
}

/// `Ok` when the instruction set is there and the lengths agree.
pub(crate) fn check(
    isa: Isa,
    x: &[f32],
    scale: &[f32],
    offset: &[f32],
    out: &[f32],
) -> Result<(), Error> {
    isa.check()?;
    let k = scale.len();
    if k == 0 {
        return Err(Error::Dimension {
            what: "K of LayerNorm",
            found: 0,
            most: usize::MAX,
        });
    }
    same_len("offset of LayerNorm [K]", k, offset.len())?;
    whole_rows("input of LayerNorm [M, K]", k, x.len())?;
    same_len("output of LayerNorm [M, K]", x.len(), out.len())
}

/// Sum of `term` over a row, in 16 partial sums.
#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0f32; LANES];
    let (chunks, tail) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            sums[i] += term(chunk[i]);
        }
    }
    for (sum, v) in sums.iter_mut().zip(tail) {
        *sum += term(*v);
    }
    fold_lanes(sums, |a, b| a + b)
}

#[inline(always)]
fn rows_body(x: &[f32], scale: &[f32], offset: &[f32], epsilon: f32, out: &mut [f32]) {
    let k = scale.len();
    for (row, out) in x.chunks_exact(k).zip(out.chunks_exact_mut(k)) {
        let mean = sum(row, |v| v) / k as f32;
        let variance = sum(row, |v| (v - mean) * (v - mean)) / k as f32;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        for (((out, v), scale), offset) in out.iter_mut().zip(row).zip(scale).zip(offset) {
            *out = ((v - mean) * inverse).mul_add(*scale, *offset);
        }
    }
}

multiversion! {
    /// All rows.
    pub(crate) unsafe fn rows(x: &[f32], scale: &[f32], offset: &[f32], epsilon: f32, out: &mut [f32]) = rows_body;
}
