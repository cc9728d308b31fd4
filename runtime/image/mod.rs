//! Pictures in, network input out: decoding files, the region of interest, and the normalised
//! tensor. It never knows a model beyond the numbers that normalise its input.
//!
//! # How files are read
//!
//! | a file that | is read as |
//! |---|---|
//! | has 16 bits or floats a channel | 8 bits a channel, scaled over the full range |
//! | is grey | RGB with three equal channels |
//! | has an alpha channel | its colours laid over black |
//! | carries an EXIF orientation | turned upright, as people see it; boxes refer to that |
//! | has an embedded colour profile | its numbers as they are; the profile is not applied |

mod decode;
mod error;
mod grey;
mod mask;
mod prepare;
mod roi;
mod tiles;

pub use decode::{EXTENSIONS, decode, dimensions, read, read_dimensions};
pub use error::ImageError;
pub use grey::grey;
pub use mask::Mask;
pub use prepare::{InputShape, InputSize, Preparation};
pub use roi::Roi;
pub use tiles::{Tiles, TilesError};
