//! What a vision transformer spends its time on, as fused kernels.
//!
//! - [`linear()`]: activations are quantised per token to u8, multiplied with s8 weights packed per output channel, and
//!   scale, bias, GELU or residual are applied while the sums are still in registers.
//! - [`attend`]: softmax(Q K / sqrt d) V of every head in one pass over blocks of rows; both products in integers.
//! - [`layer_norm`]: LayerNorm in one visit of each row.
//! - [`Pool`]: the same on several threads, which are started once and, if asked, bound to cores.
//!
//! Each is written for AVX-512 VNNI, AVX2, aarch64 with the matrix multiply, with the dot product and
//! with neither, and in portable Rust; the choice
//! falls at run time, and all give the same bits: integers are exact, and floats are summed in a fixed order with
//! explicit fused multiply-adds. `unsafe` is confined to this crate.
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

mod attention;
mod buffer;
mod error;
mod isa;
mod linear;
mod math;
mod memory;
mod multiversion;
mod norm;
mod parallel;
mod pool;
mod quantise;
mod scratch;
mod weights;
#[cfg(target_arch = "x86_64")]
mod winograd;

pub use attention::{HEAD_WIDTH, PackedHead, attend};
pub use error::Error;
pub use isa::Isa;
pub use linear::{Epilogue, linear};
pub use memory::keep_memory_between_runs;
pub use norm::layer_norm;
pub use pool::{Bound, Pool, allowed_cores, check_cores, check_distinct};
pub use scratch::Scratch;
pub use weights::PackedWeights;
