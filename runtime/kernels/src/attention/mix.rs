//! Weights times values, in float: every sum runs over the tokens in order, one fused multiply-add each, so that all
//! instruction sets give the same bits.

use super::HEAD_WIDTH;
use crate::Isa;

/// A block of rows of weights, and the values that they mix.
pub(super) struct Mix<'a> {
    /// `[rows, stride]`; the first `tokens` of each row count.
    pub(super) weights: &'a [f32],
    pub(super) stride: usize,
    /// `[tokens, HEAD_WIDTH]`.
    pub(super) values: &'a [f32],
    /// `[rows]`: multiplies each row at the end.
    pub(super) inverse: &'a [f32],
}

impl Mix<'_> {
    /// Writes `HEAD_WIDTH` values at the start of each row of `out`, whose rows are `width` apart.
    ///
    /// # Safety
    /// `isa` is available; `tokens <= stride`; `weights` holds as many rows as `inverse`; `out` reaches to the end of the
    /// last row's values.
    pub(super) unsafe fn run(&self, isa: Isa, out: &mut [f32], width: usize) {
        match isa {
            // SAFETY: the caller promises the instruction set and the lengths.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => unsafe { avx512::mix(self, out.as_mut_ptr(), width) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::mix(self, out.as_mut_ptr(), width) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDot | Isa::Neon => unsafe { neon::mix(self, out.as_mut_ptr(), width) },
            _ => portable(self, out, width),
        }
    }
}

/// Plain Rust: the reference of the other kernels.
fn portable(of: &Mix<'_>, out: &mut [f32], width: usize) {
    let (values, _) = of.values.as_chunks::<HEAD_WIDTH>();
    let rows = of.weights.chunks_exact(of.stride).zip(of.inverse);
    for (out, (weights, inverse)) in out.chunks_mut(width).zip(rows) {
        let mut sums = [0f32; HEAD_WIDTH];
        for (weight, value) in weights.iter().zip(values) {
            for i in 0..HEAD_WIDTH {
                sums[i] = weight.mul_add(value[i], sums[i]);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum * inverse;
        }
    }
}

/// A module with `mix` for one instruction set: tiles of 6 rows by `$vectors` vectors of `$lanes` values, as many
/// accumulators as the registers hold.
macro_rules! tiles {
    (
        mod $name:ident in $arch:ident with $features:literal: $vectors:literal vectors of $lanes:literal,
        $zero:expr, $load:ident, $store:ident, $set:ident, $multiply:ident,
        |$weight:ident, $value:ident, $sum:ident| $multiply_add:expr
    ) => {
        mod $name {
            use super::{HEAD_WIDTH, Mix};
            use std::arch::$arch::*;

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
                let mut sums = [[$zero; $vectors]; R];
                let weights = of.weights[row * of.stride..(row + R) * of.stride].as_ptr();
                for (token, value) in of.values.chunks_exact(HEAD_WIDTH).enumerate() {
                    let value = value[column..column + COLUMNS].as_ptr();
                    // SAFETY: `value` holds COLUMNS values; `token < tokens <= stride`, and `weights` holds R rows.
                    unsafe {
                        let mut values = [$zero; $vectors];
                        for (v, to) in values.iter_mut().enumerate() {
                            *to = $load(value.add($lanes * v));
                        }
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let $weight = $set(*weights.add(i * of.stride + token));
                            for (sum, $value) in sums.iter_mut().zip(values) {
                                let $sum = *sum;
                                *sum = $multiply_add;
                            }
                        }
                    }
                }
                for (i, sums) in sums.iter().enumerate() {
                    let inverse = $set(of.inverse[row + i]);
                    for (v, sum) in sums.iter().enumerate() {
                        // SAFETY: the columns end within the row's `HEAD_WIDTH` values.
                        unsafe {
                            let to = out.add((row + i) * width + column + $lanes * v);
                            $store(to, $multiply(*sum, inverse));
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles! {
    mod avx512 in x86_64 with "avx512f": 4 vectors of 16,
    _mm512_setzero_ps(), _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_mul_ps,
    |weight, value, sum| _mm512_fmadd_ps(weight, value, sum)
}

#[cfg(target_arch = "x86_64")]
tiles! {
    mod avx2 in x86_64 with "avx2,fma": 2 vectors of 8,
    _mm256_setzero_ps(), _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_mul_ps,
    |weight, value, sum| _mm256_fmadd_ps(weight, value, sum)
}

#[cfg(target_arch = "aarch64")]
tiles! {
    mod neon in aarch64 with "neon": 4 vectors of 4,
    vdupq_n_f32(0.0), vld1q_f32, vst1q_f32, vdupq_n_f32, vmulq_f32,
    |weight, value, sum| vfmaq_f32(sum, weight, value)
}
