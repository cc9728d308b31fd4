//! Weights times values, in exact integers, then one scale and one mean per channel.

use super::HEAD_WIDTH;
use super::values::Values;
use crate::Isa;

/// A block of rows of weights, and the values that they mix.
pub(super) struct Mix<'a> {
    /// `[rows, stride]`, 0 in the padding; stride is a multiple of 16.
    pub(super) weights: &'a [i16],
    pub(super) stride: usize,
    /// Packed for `stride` tokens.
    pub(super) values: &'a Values,
    /// `[rows]`: one over the sum of a row of weights.
    pub(super) inverse: &'a [f32],
    /// Working memory of AVX2.
    #[cfg(target_arch = "x86_64")]
    pub(super) crosses: &'a mut crate::buffer::Buffer<i32>,
    /// Working memory of instruction sets that multiply bytes.
    #[cfg(target_arch = "aarch64")]
    pub(super) halves: &'a mut crate::buffer::Buffer<i8>,
}

impl Mix<'_> {
    /// Writes `HEAD_WIDTH` values at the start of each row of `out`, whose rows are `width` apart.
    ///
    /// # Safety
    /// `isa` is available and the values were packed for it; `weights` holds as many rows as `inverse`; `out` is valid for
    /// these writes.
    pub(super) unsafe fn run(self, isa: Isa, out: *mut f32, width: usize) {
        match isa {
            // SAFETY: the caller promises the instruction set and the lengths.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => unsafe { super::avx512::mix(&self, out, width) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { super::avx2::mix(self, out, width) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::NeonI8mm => unsafe { super::i8mm::mix(self, out, width) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDot => unsafe { super::neon::dot_mix(self, out, width) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => unsafe { super::neon::plain_mix(&self, out, width) },
            _ => unsafe { portable(&self, out, width) },
        }
    }
}

/// Plain Rust: the reference of the other kernels.
///
/// # Safety
/// As [`Mix::run`], but for the instruction set.
unsafe fn portable(of: &Mix<'_>, out: *mut f32, width: usize) {
    let (values, _) = of.values.words.as_slice().as_chunks::<HEAD_WIDTH>();
    let rows = of.weights.chunks_exact(of.stride).zip(of.inverse);
    for (row, (weights, inverse)) in rows.enumerate() {
        // SAFETY: the promise of the caller.
        let out = unsafe { std::slice::from_raw_parts_mut(out.add(row * width), HEAD_WIDTH) };
        let mut sums = [0i32; HEAD_WIDTH];
        for (weight, value) in weights.iter().zip(values) {
            for i in 0..HEAD_WIDTH {
                sums[i] = sums[i].wrapping_add(i32::from(*weight) * i32::from(value[i]));
            }
        }
        for i in 0..HEAD_WIDTH {
            out[i] = sums[i] as f32 * (of.values.scale[i] * inverse) + of.values.mean[i];
        }
    }
}
