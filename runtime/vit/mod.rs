//! The vision transformer: a tensor and a model manifest in, [`Taps`] out.
//!
//! Loads a quantised ONNX file that was checked against its manifest, rewrites it for the wanted
//! input size, cuts everything after the last block that is asked for, and runs it through
//! `tract`. It never knows what a defect is.

mod backbone;
mod backbones;
mod error;
mod fuse;
mod graph;
mod guard;
mod kept;
mod kernels;
mod manifest;
mod model;
mod mosaic;
mod position;
mod strip;
mod taps;
mod threads;

pub use backbone::{Backbone, Engine};
pub use backbones::Backbones;
pub use error::ModelError;
pub use fuse::{FuseReport, Fused, Left};
pub use kept::Kept;
pub use kernels::Kernels;
pub use manifest::{Architecture, Manifest, Normalisation, Source};
pub use model::Model;
pub use mosaic::{Assembly, Mosaic, Tile};
pub use taps::{BlockTaps, Grid, TapKind, TapMatrix, TapRequest, Taps};
pub use threads::{Threads, ThreadsError};

/// Side of the square that one patch covers at the network's input, when the manifest is the
/// embedded one; other models state theirs in their manifest.
pub const DEFAULT_PATCH: usize = 14;
