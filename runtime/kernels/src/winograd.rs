//! Winograd's inner product (1968) with AVX2: two products in one multiplication, exact.
//!
//! `vpmaddubsw` saturates at 8 by 8 bits. `vpmaddwd` on 16 bits does not, but 16 products cost a multiplication and an
//! addition, and only two ports of a core multiply. Here
//!
//! ```text
//! a0 w0 + a2 w2 = (a0 + w2)(a2 + w0) - a0 a2 - w0 w2
//! ```
//!
//! where the last two terms, summed up, are one number for a row and one for a column ([`cross`]). Sums wrap; the crosses
//! are taken off again, and what is left fits, so it is the same integer as everywhere else. Four instructions for 32
//! products either way, but three of them may run on any port. Measured on one core: 105 G products a second instead of
//! 88 of 95 possible.

use std::arch::x86_64::*;

/// Columns of a tile: two vectors of 8.
pub(crate) const COLUMNS: usize = 16;

/// For R rows and 16 columns the sums over `steps` steps of (a0 + w2)(a2 + w0) + (a1 + w3)(a3 + w1), the k of a step being
/// 0 to 3. A step of the columns begins with w0 and w1 of each column; `LAST` values on are w2 and w3 of each; the next
/// step is `STEP` values on.
///
/// # Safety
/// The processor has AVX2; each of `rows` is valid for reads of `4 steps` values, and `columns` for what the layout says;
/// no sum of a row's and a column's value is beyond 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn products<const R: usize, const STEP: usize, const LAST: usize>(
    rows: [*const i16; R],
    columns: *const i16,
    steps: usize,
) -> [[__m256i; 2]; R] {
    let mut sums = [[_mm256_setzero_si256(); 2]; R];
    for step in 0..steps {
        // SAFETY: the promise of the caller.
        unsafe {
            let load = |at| _mm256_loadu_si256(columns.add(step * STEP + at).cast());
            let (first, last) = ([load(0), load(16)], [load(LAST), load(LAST + 16)]);
            for (sums, row) in sums.iter_mut().zip(rows) {
                let two = |at| {
                    let two = row.add(4 * step + at).cast::<i32>();
                    _mm256_set1_epi32(two.read_unaligned())
                };
                let (begin, end) = (two(0), two(2));
                for c in 0..2 {
                    let one = _mm256_add_epi16(begin, last[c]);
                    let other = _mm256_add_epi16(end, first[c]);
                    sums[c] = _mm256_add_epi32(sums[c], _mm256_madd_epi16(one, other));
                }
            }
        }
    }
    sums
}

/// The sum of a0 a2 + a1 a3 over a row, whose length is a multiple of 16.
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn cross(row: &[i16]) -> i32 {
    let mut sum = _mm256_setzero_si256();
    for sixteen in row.chunks_exact(16) {
        // SAFETY: 16 values of 16 bits.
        let values = unsafe { _mm256_loadu_si256(sixteen.as_ptr().cast()) };
        // The halves of each four change places, so each product is there twice: in an even and an odd lane.
        let turned = _mm256_shuffle_epi32::<0b10_11_00_01>(values);
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(values, turned));
    }
    let mut lanes = [0i32; 8];
    // SAFETY: 8 values of 32 bits.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    lanes
        .iter()
        .step_by(2)
        .fold(0, |sum, lane| sum.wrapping_add(*lane))
}
