use std::path::PathBuf;

use super::{InputSize, Roi};

/// Why a picture could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file could not be opened or read.
    #[error("cannot read image {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not a picture that can be decoded.
    #[error("cannot decode image {name}: {reason}")]
    Decode {
        /// Where the bytes came from.
        name: String,
        /// The decoder's own words.
        reason: String,
    },
    /// The region of interest reaches outside the picture.
    #[error(
        "the region of interest {roi} does not fit into the image of {width} x {height} px: \
         use images of the size that the region was drawn for, or learn again with another --roi"
    )]
    RoiOutside {
        /// The region.
        roi: Roi,
        /// Width of the picture in pixels.
        width: u32,
        /// Height of the picture in pixels.
        height: u32,
    },
    /// A picture that should be an input already has another size.
    #[error(
        "an image of {width} x {height} px is no input of this recipe, which would be {expected}: \
         learn the recipe again"
    )]
    NoInput {
        /// Width of the picture in pixels.
        width: u32,
        /// Height of the picture in pixels.
        height: u32,
        /// What an input of this shape would have.
        expected: InputSize,
    },
    /// The picture could not be resized to the input.
    #[error("cannot resize an image of {width} x {height} px to the input: {reason}")]
    Resize {
        /// Width of the picture in pixels.
        width: u32,
        /// Height of the picture in pixels.
        height: u32,
        /// The library's own words.
        reason: String,
    },
}
