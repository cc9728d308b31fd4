//! Which instruction set a kernel runs on. Found once at run time, so that one portable binary is fast everywhere; never
//! a compile-time choice.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Error;

/// Place in [`Isa::ALL`] of the fastest one that may be chosen.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// An instruction set that the kernels are written for.
///
/// All variants exist on every architecture so that a name can be logged or configured anywhere; [`Isa::is_available`]
/// says whether this processor has it. Every kernel gives the same bits on every one of them (see the crate
/// documentation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// x86_64 with AVX-512 F, BW, VL, DQ and VNNI (`vpdpbusd`, `vpdpwssd`).
    Avx512Vnni,
    /// x86_64 with AVX2 and FMA. Values are widened to 16 bits for `vpmaddwd`, which cannot saturate.
    Avx2,
    /// aarch64 with the matrix-multiply extension (`smmla`) and the dot product: Armv8.6 and later, Cortex-A510 to A725.
    NeonI8mm,
    /// aarch64 with the dot-product extension (`sdot`).
    NeonDot,
    /// Any aarch64.
    Neon,
    /// Safe Rust without intrinsics: the reference that the others are tested against.
    Portable,
}

impl Isa {
    /// Every instruction set known here, fastest first within an architecture.
    pub const ALL: [Isa; 6] = [
        Isa::Avx512Vnni,
        Isa::Avx2,
        Isa::NeonI8mm,
        Isa::NeonDot,
        Isa::Neon,
        Isa::Portable,
    ];

    /// The fastest instruction set of this processor that was not ruled out by [`Isa::slow_down_to`].
    #[must_use]
    pub fn detect() -> Isa {
        let first = FIRST.load(Ordering::Relaxed);
        Isa::available()
            .find(|isa| Isa::ALL.iter().position(|known| known == isa) >= Some(first))
            .unwrap_or(Isa::Portable)
    }

    /// From now on [`Isa::detect`] gives nothing faster than `isa` in this process: to measure on one processor what
    /// another one would get.
    pub fn slow_down_to(isa: Isa) {
        let first = Isa::ALL.iter().position(|known| *known == isa);
        FIRST.store(first.unwrap_or(0), Ordering::Relaxed);
    }

    /// What this processor can run, fastest first; [`Isa::Portable`] is always the last.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this processor has the instruction set. Cheap: the standard library caches the answer.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "aarch64")]
            Isa::NeonI8mm => {
                std::arch::is_aarch64_feature_detected!("i8mm")
                    && std::arch::is_aarch64_feature_detected!("dotprod")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDot => std::arch::is_aarch64_feature_detected!("dotprod"),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => true,
            Isa::Portable => true,
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The door check: a kernel may only run what the processor has.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.is_available() {
            Ok(())
        } else {
            Err(Error::IsaUnavailable { isa: self })
        }
    }
}
