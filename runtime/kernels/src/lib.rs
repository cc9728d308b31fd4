//! The kernels.
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
