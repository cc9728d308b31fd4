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
            Isa::Avx512Vnni => unsafe { avx512::mix(&self, out, width) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::mix(&self, out, width) },
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

/// A module with `mix` for one instruction set that multiplies pairs of 16 bits: tiles of 6 rows by `$vectors` vectors of
/// `$lanes` columns, as many accumulators as the registers hold.
#[cfg(target_arch = "x86_64")]
macro_rules! tiles {
    (
        mod $name:ident with $features:literal: $vectors:literal vectors of $lanes:literal,
        $zero:ident, $load_pairs:ident, $set_pair:ident, $convert:ident,
        $set:ident, $load:ident, $store:ident, $multiply:ident, $add:ident,
        |$sum:ident, $weight:ident, $value:ident| $multiply_add:expr
    ) => {
        mod $name {
            use super::{HEAD_WIDTH, Mix};
            use std::arch::x86_64::*;

            const ROWS: usize = 6;
            const COLUMNS: usize = $vectors * $lanes;

            /// All rows.
            ///
            /// # Safety
            /// The processor has the features; the lengths of `of` agree as [`Mix::run`] says; `out` is valid for
            /// `HEAD_WIDTH` writes at each of `inverse.len()` rows, `width` apart.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn mix(of: &Mix<'_>, out: *mut f32, width: usize) {
                let rows = of.inverse.len();
                let mut row = 0;
                while row < rows {
                    for column in (0..HEAD_WIDTH).step_by(COLUMNS) {
                        // SAFETY: the promise of the caller; the height of the tile stays within `rows`.
                        unsafe {
                            match rows - row {
                                1 => tile::<1>(of, out, width, row, column),
                                2 => tile::<2>(of, out, width, row, column),
                                3 => tile::<3>(of, out, width, row, column),
                                4 => tile::<4>(of, out, width, row, column),
                                5 => tile::<5>(of, out, width, row, column),
                                _ => tile::<ROWS>(of, out, width, row, column),
                            }
                        }
                    }
                    row += ROWS;
                }
            }

            /// Rows `row..row + R` by columns `column..column + COLUMNS`.
            ///
            /// # Safety
            /// As [`mix`]; `row + R <= rows`; the columns end within `HEAD_WIDTH`.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize>(
                of: &Mix<'_>,
                out: *mut f32,
                width: usize,
                row: usize,
                column: usize,
            ) {
                let mut sums = [[$zero(); $vectors]; R];
                let weights = of.weights[row * of.stride..(row + R) * of.stride].as_ptr();
                let values = &of.values.words.as_slice()[..of.stride * HEAD_WIDTH];
                for (pair, value) in values.chunks_exact(2 * HEAD_WIDTH).enumerate() {
                    let value = value[2 * column..2 * (column + COLUMNS)].as_ptr();
                    // SAFETY: `value` holds pairs for COLUMNS columns; `2 * pair + 1 < stride`, and `weights` holds R
                    // rows on 32-bit boundaries.
                    unsafe {
                        let mut values = [$zero(); $vectors];
                        for (v, to) in values.iter_mut().enumerate() {
                            *to = $load_pairs(value.add(2 * $lanes * v).cast());
                        }
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let two = weights.add(i * of.stride + 2 * pair);
                            let $weight = $set_pair(two.cast::<i32>().read_unaligned());
                            for (sum, $value) in sums.iter_mut().zip(values) {
                                let $sum = *sum;
                                *sum = $multiply_add;
                            }
                        }
                    }
                }
                let scales = of.values.scale[column..column + COLUMNS].as_ptr();
                let means = of.values.mean[column..column + COLUMNS].as_ptr();
                for (i, sums) in sums.iter().enumerate() {
                    let inverse = $set(of.inverse[row + i]);
                    for (v, sum) in sums.iter().enumerate() {
                        // SAFETY: the columns end within the row's `HEAD_WIDTH` values.
                        unsafe {
                            let to = out.add((row + i) * width + column + $lanes * v);
                            let scale = $multiply($load(scales.add($lanes * v)), inverse);
                            let scaled = $multiply($convert(*sum), scale);
                            $store(to, $add(scaled, $load(means.add($lanes * v))));
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles! {
    mod avx512 with "avx512f,avx512vnni": 4 vectors of 16,
    _mm512_setzero_si512, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_cvtepi32_ps,
    _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_mul_ps, _mm512_add_ps,
    |sum, weight, value| _mm512_dpwssd_epi32(sum, weight, value)
}

#[cfg(target_arch = "x86_64")]
tiles! {
    mod avx2 with "avx2,fma": 2 vectors of 8,
    _mm256_setzero_si256, _mm256_loadu_si256, _mm256_set1_epi32, _mm256_cvtepi32_ps,
    _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_mul_ps, _mm256_add_ps,
    |sum, weight, value| _mm256_add_epi32(sum, _mm256_madd_epi16(weight, value))
}
