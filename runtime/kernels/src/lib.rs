//! The int8 linear layer of a vision transformer as one fused kernel: activations are quantised per
//! token to u8, multiplied with s8 weights packed per output channel, and scale, bias, GELU or residual
//! are applied while the sums are still in registers. AVX-512 VNNI, AVX2 and portable code, chosen at
//! run time, give the same bits.
//!
//! It is not part of the network's path yet: attention, LayerNorm and the ARM kernels are missing, and
//! so is the pass that puts it into the graph. `unsafe` is confined to this crate.
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

mod buffer;
mod error;
mod isa;
mod linear;
mod math;
mod multiversion;
mod quantise;
mod scratch;
mod weights;

pub use error::Error;
pub use isa::Isa;
pub use linear::{Epilogue, linear};
pub use scratch::Scratch;
pub use weights::PackedWeights;
