use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use crate::image::ImageError;

/// How far a score may be from the one in the recipe, as a fraction of it or of the limit,
/// whichever is larger. Processors round differently (fused multiply-add, vector width); a wrong
/// preprocessing is off by far more.
const TOLERANCE: f32 = 0.02;

/// An input whose score is known: it shows whether a station sees and judges as the one that
/// learned the recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    /// The picture as large as the network's input, PNG.
    pub png: Vec<u8>,
    /// Its score in units of the limit.
    pub score: f32,
}

/// A golden input did not give its score.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "golden input {number} of the recipe scores {found:.4} on this machine, but scored \
     {expected:.4} where it was learned (allowed: {:.0} %): do not judge parts with it; install \
     the program version that learned it, or learn it again here",
    TOLERANCE * 100.0
)]
pub struct GoldenMismatch {
    /// Which input, from 1.
    pub number: usize,
    /// Score in the recipe.
    pub expected: f32,
    /// Score here.
    pub found: f32,
}

impl Golden {
    /// Keeps an input and its score.
    ///
    /// # Errors
    /// [`ImageError::Decode`] when the picture cannot be encoded.
    pub fn new(crop: &RgbImage, score: f32) -> Result<Self, ImageError> {
        let mut png = Cursor::new(Vec::new());
        crop.write_to(&mut png, ImageFormat::Png)
            .map_err(|e| ImageError::Decode {
                name: "golden input".into(),
                reason: e.to_string(),
            })?;
        Ok(Self {
            png: png.into_inner(),
            score,
        })
    }

    /// Compares the score of the input on this machine; `number`, from 1, names it in the error.
    ///
    /// # Errors
    /// [`GoldenMismatch`] when it is off by more than 2 % of the score or of the limit.
    pub fn check(&self, number: usize, found: f32) -> Result<(), GoldenMismatch> {
        let expected = self.score;
        // Written so that a score that is not a number is a mismatch.
        if (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0) {
            Ok(())
        } else {
            Err(GoldenMismatch {
                number,
                expected,
                found,
            })
        }
    }
}
