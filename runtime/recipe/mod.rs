//! The recipe: what a good part of one product looks like, with everything that is needed to judge
//! by it and to check it. It is learned once from good parts, kept in one file, and never trusted
//! before it is verified.

mod attempt;
mod calibration;
mod composed;
pub(crate) mod drift;
mod error;
mod file;
mod golden;
mod learn;
mod mask;
mod pool;
mod spill;
pub(crate) mod tints;
mod view;
pub(crate) mod views;

use serde::{Deserialize, Serialize};

use crate::image::{InputShape, InputSize, Roi, Tiles};
use crate::inspect::Limits;
use crate::normal::{Composition, NormalParts, Turned};
use crate::vit::Kept;

pub use calibration::{Calibration, Ground};
pub use drift::DriftReference;
pub use error::{LearnError, RecipeError};
pub use golden::{Golden, GoldenMismatch};
pub use learn::{LearnOptions, Learned, Learner, Place};
pub use mask::MaskError;

/// Everything that a station needs to judge parts of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Where it came from and how it was made.
    pub origin: Origin,
    /// How a picture becomes the network's input.
    pub view: ViewSettings,
    /// What good parts look like.
    pub normal: NormalParts,
    /// Where good ends.
    pub limits: Limits,
    /// What the limits promise, and on what ground.
    pub calibration: Calibration,
    /// Patches of turned good parts, to tell a wrong thing from a wrong place; where place counts.
    pub turned: Option<Turned>,
    /// What lies where on good parts, all patches together; where place counts and there were parts
    /// enough to leave some out.
    pub composition: Option<Composition>,
    /// Inputs whose scores are known, to check a station with.
    pub golden: Vec<Golden>,
    /// What the pictures were like, for a station to notice when its own change; `None` when they
    /// cannot come from one camera, or by an older program.
    pub drift: Option<DriftReference>,
    /// SHA-256 of the file that it was read from or written to, hexadecimal; this names the
    /// recipe in every record.
    pub id: String,
}

/// Where a recipe came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the product, for people.
    pub name: String,
    /// When it was learned, RFC 3339.
    pub created: String,
    /// Version and source revision of the program that learned it.
    pub program: String,
    /// Name of the model whose features it speaks of.
    pub model_name: String,
    /// SHA-256 of that model's file, hexadecimal.
    pub model_sha256: String,
    /// The good parts, in the order in which they were learned.
    pub parts: Vec<PartRecord>,
}

/// One good part that was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// File name.
    pub file: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}

/// How a picture becomes the network's input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewSettings {
    /// What is cut out of the picture; `None` is all of it.
    pub roi: Option<Roi>,
    /// What it is stretched to, or each tile of it; with an input of its own shape for each picture,
    /// what the area of each is.
    pub input: InputSize,
    /// Whose shape the input has.
    #[serde(default)]
    pub shape: InputShape,
    /// How many inputs it is cut into. Only where all pictures share one shape; otherwise it is one.
    #[serde(default, skip_serializing_if = "Tiles::is_one")]
    pub tiles: Tiles,
    /// Which patches of the input, or of all tiles together, are looked at, where a mask leaves others out; `None`: all of
    /// them. Only where all pictures share one shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}
