//! The integer multiply-add peak of an instruction set: the instructions of the inner loop on registers only.

use andon_kernels::Isa;
#[cfg(target_arch = "x86_64")]
use std::hint::black_box;

/// Multiply-adds that one call of [`run`] does.
pub fn multiply_adds(isa: Isa) -> f64 {
    let per_instruction = match isa {
        Isa::Avx512Vnni => 64,
        Isa::Avx2 => 16,
        Isa::NeonI8mm => 32,
        Isa::NeonDot => 16,
        _ => 1,
    };
    (REPEATS * WIDTH * per_instruction) as f64
}

const REPEATS: usize = 20_000;
/// Independent accumulators.
const WIDTH: usize = 12;

/// Runs the loop; `None` when no peak is defined for the instruction set.
pub fn run(isa: Isa) -> Option<f32> {
    match isa {
        // SAFETY: the instruction set is checked.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni if isa.is_available() => Some(unsafe { vnni() }),
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 if isa.is_available() => Some(unsafe { avx2() }),
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        Isa::NeonI8mm if isa.is_available() => Some(unsafe { matrix() }),
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        Isa::NeonDot if isa.is_available() => Some(unsafe { dot() }),
        _ => None,
    }
}

/// A function that repeats one instruction on registers.
#[cfg(target_arch = "aarch64")]
macro_rules! repeat {
    ($name:ident, $features:literal, $instruction:literal) => {
        #[target_feature(enable = $features)]
        fn $name() -> f32 {
            use std::arch::{aarch64::*, asm};
            let mut sums = [vdupq_n_s32(1); WIDTH];
            let x = vdupq_n_s8(1);
            for _ in 0..REPEATS {
                for sum in &mut sums {
                    // SAFETY: one instruction on registers, and the features are enabled. Not `pure`: it stays.
                    unsafe {
                        asm!($instruction, sum = inout(vreg) *sum, x = in(vreg) x, options(nomem, nostack));
                    }
                }
            }
            sums.iter().map(|sum| vaddvq_s32(*sum) as f32).sum()
        }
    };
}
#[cfg(target_arch = "aarch64")]
repeat! { matrix, "neon,i8mm", "smmla {sum:v}.4s, {x:v}.16b, {x:v}.16b" }
#[cfg(target_arch = "aarch64")]
repeat! { dot, "neon,dotprod", "sdot {sum:v}.4s, {x:v}.16b, {x:v}.16b" }

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni() -> f32 {
    use std::arch::x86_64::*;
    let mut sums = [_mm512_set1_epi32(1); WIDTH];
    let x = _mm512_set1_epi32(black_box(0x0101_0101));
    let y = _mm512_set1_epi32(black_box(0x0001_0001));
    for _ in 0..REPEATS {
        for sum in &mut sums {
            *sum = _mm512_dpbusd_epi32(*sum, x, y);
        }
    }
    sums.iter()
        .map(|s| _mm512_reduce_add_epi32(*s) as f32)
        .sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2() -> f32 {
    use std::arch::x86_64::*;
    let mut sums = [_mm256_set1_epi32(1); WIDTH];
    let x = _mm256_set1_epi32(black_box(0x0001_0001));
    for _ in 0..REPEATS {
        for sum in &mut sums {
            // The sum is an operand, so that the product cannot be hoisted out of the loop.
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, *sum));
        }
    }
    sums.iter()
        .map(|s| _mm256_extract_epi32::<0>(*s) as f32)
        .sum()
}
