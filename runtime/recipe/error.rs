use std::path::PathBuf;

use crate::normal::NormalError;
use crate::vit::Grid;

/// Why a recipe could not be read, written or used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file could not be read.
    #[error("cannot read recipe {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file could not be written; an older file of that name is untouched.
    #[error("cannot write recipe {path}: {source}; a file of that name is left as it was")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are no recipe.
    #[error("{name} is not a usable recipe: {reason}")]
    Format {
        /// Where the bytes came from.
        name: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The bytes changed since the file was written.
    #[error(
        "recipe {name} is damaged: its content has sha256 {found}, but it says {expected}: \
         copy the file again from where it was learned, or learn it again"
    )]
    Checksum {
        /// Where the bytes came from.
        name: String,
        /// The checksum that the file states.
        expected: String,
        /// The checksum of its content.
        found: String,
    },
    /// The file was written by a program with another layout.
    #[error(
        "recipe {name} has layout {found}, this program reads layouts up to {expected}: \
         use the program version that made it ({program}), or learn it again"
    )]
    Version {
        /// Where the bytes came from.
        name: String,
        /// The newest layout that this program reads.
        expected: u32,
        /// The layout of the file.
        found: u32,
        /// The program that wrote it.
        program: String,
    },
    /// The recipe speaks of another model's features.
    #[error(
        "recipe {name:?} was made with model {made_with} (sha256 {made_hash}), but this station \
         has {here} (sha256 {here_hash}): learn the recipe again with this model, or give that \
         model with --model"
    )]
    OtherModel {
        /// Name of the recipe.
        name: String,
        /// Model of the recipe.
        made_with: String,
        /// Its hash, first digits.
        made_hash: String,
        /// Model of the station.
        here: String,
        /// Its hash, first digits.
        here_hash: String,
    },
}

/// Why a product could not be learned.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// No part was learned.
    #[error(
        "no good part could be learned: give at least one readable image of a good part; \
         8 to 16 are a sound start"
    )]
    NoParts,
    /// A part lies on another grid than the first, and place may count.
    #[error(
        "this image gives {found}, the others {expected}: use images of one shape, or let each \
         have an input of its own"
    )]
    Grid {
        /// What the others have.
        expected: Grid,
        /// What this one has.
        found: Grid,
    },
    /// The learned numbers do not fit together.
    #[error(transparent)]
    Normal(#[from] NormalError),
    /// The covariance could not be decomposed.
    #[error("the subspace of the good parts could not be found: {0}")]
    Spectral(#[from] andon_spectral::Error),
    /// Features could not be kept on disk while learning.
    #[error(
        "cannot keep features in the temporary folder {folder}: {source}; \
         make room there ({needed_mb} MB a part) or point TMPDIR to a disk that has it"
    )]
    Spill {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// Room that one part needs, in megabytes.
        needed_mb: u64,
    },
}
