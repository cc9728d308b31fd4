//! Per-token dynamic quantisation: a row of `f32` becomes integers 0..=255 with one scale and one zero point. Never looks
//! at another row, so that splitting the rows over threads changes nothing.

use crate::math::round_to_i32;
use crate::multiversion::multiversion;

/// Smallest scale: keeps 1 / scale finite. Rows whose values are all below 1e-28 become zero.
pub(crate) const SMALLEST_SCALE: f32 = 1e-30;

/// How a quantised row maps back: `x = scale (q - zero)`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct RowScale {
    /// NaN when the row holds a NaN or an infinity; everything computed from the row is then NaN.
    pub(crate) scale: f32,
    /// The integer that stands for 0.0, within 0..=255.
    pub(crate) zero: i32,
}

/// The integer type that a kernel wants its activations in.
pub(crate) trait Activation: Copy {
    /// From 0..=255 and the one that stands for 0.0.
    fn from_level(level: i32, zero: i32) -> Self;
}
#[cfg(target_arch = "x86_64")]
impl Activation for u8 {
    #[inline(always)]
    fn from_level(level: i32, _: i32) -> u8 {
        level as u8
    }
}
/// 16 bits hold `level - zero`, so that sums need no correction.
impl Activation for i16 {
    #[inline(always)]
    fn from_level(level: i32, zero: i32) -> i16 {
        (level - zero) as i16
    }
}
/// Signed bytes hold `level - 128`.
#[cfg(target_arch = "aarch64")]
impl Activation for i8 {
    #[inline(always)]
    fn from_level(level: i32, _: i32) -> i8 {
        (level - 128) as i8
    }
}

/// Smallest and largest value (zero included) and whether all are finite.
///
/// The bits of floats that are not negative compare as integers do, and those of negative ones are negative integers: so
/// the largest value is a maximum of integers, which the compiler takes in vectors, and so is that of the negated values.
/// Infinities and NaNs are beyond all finite values on either side.
#[inline(always)]
fn range(x: &[f32]) -> (f32, f32, bool) {
    let (mut low, mut high) = (0i32, 0i32);
    for v in x {
        high = high.max(v.to_bits() as i32);
        low = low.max((-v).to_bits() as i32);
    }
    let infinite = f32::INFINITY.to_bits() as i32;
    let float = |bits: i32| f32::from_bits(bits as u32);
    (-float(low), float(high), high < infinite && low < infinite)
}

/// Quantises the rows of `x` (`[rows, k]`) into `q` (`[rows, stride]`, the padding of each row is zero).
#[inline(always)]
fn rows_body<A: Activation>(
    x: &[f32],
    k: usize,
    q: &mut [A],
    stride: usize,
    scales: &mut [RowScale],
) {
    for ((x, q), scale) in x
        .chunks_exact(k)
        .zip(q.chunks_exact_mut(stride))
        .zip(scales)
    {
        let (low, high, finite) = range(x);
        let (values, padding) = q.split_at_mut(k);
        if !padding.is_empty() {
            padding.fill(A::from_level(0, 0));
        }
        if !finite {
            values.fill(A::from_level(0, 0));
            *scale = RowScale {
                scale: f32::NAN,
                zero: 0,
            };
            continue;
        }
        // Halves first: high - low may overflow.
        let step = (high / 255.0 - low / 255.0).max(SMALLEST_SCALE);
        let inverse = 1.0 / step;
        let zero = round_to_i32(-low * inverse);
        *scale = RowScale { scale: step, zero };
        for (q, x) in values.iter_mut().zip(x) {
            let level = round_to_i32(x * inverse) + zero;
            let level = if level < 0 { 0 } else { level };
            let level = if level > 255 { 255 } else { level };
            *q = A::from_level(level, zero);
        }
    }
}

#[cfg(target_arch = "x86_64")]
multiversion! {
    /// To unsigned bytes, for `vpdpbusd`.
    pub(crate) unsafe fn rows_u8(x: &[f32], k: usize, q: &mut [u8], stride: usize, scales: &mut [RowScale]) = rows_body::<u8>;
}
multiversion! {
    /// To 16-bit integers, for `vpmaddwd` and for plain Rust.
    pub(crate) unsafe fn rows_i16(x: &[f32], k: usize, q: &mut [i16], stride: usize, scales: &mut [RowScale]) = rows_body::<i16>;
}
#[cfg(target_arch = "aarch64")]
multiversion! {
    /// To signed bytes, level - 128, for `sdot` and `smull`.
    pub(crate) unsafe fn rows_i8(x: &[f32], k: usize, q: &mut [i8], stride: usize, scales: &mut [RowScale]) = rows_body::<i8>;
}
