use std::path::PathBuf;

use super::Grid;
use crate::image::TilesError;

/// Why a model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read.
    #[error("cannot read model file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The manifest is not valid JSON or misses a field.
    #[error("model manifest {origin} is not readable: {reason}")]
    Manifest {
        /// Where the manifest came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is not the one that the manifest describes.
    #[error(
        "model file {file} has sha256 {found}, but its manifest says {expected}: \
         the file is damaged or belongs to another manifest; copy both again"
    )]
    Hash {
        /// The file.
        file: String,
        /// The hash in the manifest, hexadecimal.
        expected: String,
        /// The hash of the file, hexadecimal.
        found: String,
    },
    /// The bytes are not an ONNX graph in the layout that the manifest promises.
    #[error("model {name} is not usable: {reason}")]
    Layout {
        /// Name of the model in its manifest.
        name: String,
        /// What is missing or contradicts the manifest.
        reason: String,
    },
    /// The wanted input size cannot be cut into patches.
    #[error(
        "input size {width} x {height} px does not fit model {name}: each side must be a \
         multiple of {patch} px, at least {patch} and at most {limit}"
    )]
    InputSize {
        /// Name of the model in its manifest.
        name: String,
        /// Asked width in pixels.
        width: usize,
        /// Asked height in pixels.
        height: usize,
        /// Patch side in pixels.
        patch: usize,
        /// Largest side that is accepted, in pixels.
        limit: usize,
    },
    /// An input tensor has another length than the size that the model was prepared for.
    #[error(
        "model {name} was prepared for 3 x {width} x {height} px, which is {expected} numbers, but \
         was given {found}"
    )]
    InputLength {
        /// Name of the model in its manifest.
        name: String,
        /// Prepared width in pixels.
        width: usize,
        /// Prepared height in pixels.
        height: usize,
        /// Numbers that make an input.
        expected: usize,
        /// Numbers that were given.
        found: usize,
    },
    /// The patches to keep are some of another grid than an input has.
    #[error(
        "the patches to keep of model {name} are some of {found}, but its input has {expected}: \
         make the mask again for this input"
    )]
    Kept {
        /// Name of the model in its manifest.
        name: String,
        /// The grid of the input.
        expected: Grid,
        /// The grid of the patches to keep.
        found: Grid,
    },
    /// A frame has no tiles, or more patches than can be served.
    #[error(transparent)]
    Tiles(#[from] TilesError),
    /// A tap names a block that the model does not have.
    #[error("model {name} has blocks 1 to {blocks}, block {asked} was asked for")]
    Block {
        /// Name of the model in its manifest.
        name: String,
        /// Number of blocks.
        blocks: usize,
        /// The block that was asked for, 1-based.
        asked: usize,
    },
    /// The inference engine refused the graph or failed while running it.
    #[error("model {name} failed in the inference engine while {doing}: {reason}")]
    Engine {
        /// Name of the model in its manifest.
        name: String,
        /// What was being done.
        doing: &'static str,
        /// The engine's own words.
        reason: String,
    },
}
