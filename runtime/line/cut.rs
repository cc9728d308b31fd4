//! The pixels of a frame that are looked at: its region of interest.

use andon_camera::{ConvertError, Frame, Region, to_rgb};
use image::{GrayImage, RgbImage, imageops};

use crate::image::Roi;

/// A region of a frame, converted to RGB; what lies outside was never read.
pub(super) struct Cut {
    /// Its pixels.
    pub pixels: RgbImage,
    /// Where it lies in the frame.
    pub area: Roi,
}

impl Cut {
    /// Cuts `roi` out of a frame; all of a frame that does not hold it, whose judge will say so.
    ///
    /// # Errors
    /// [`ConvertError`] when the frame's bytes are damaged.
    pub fn of(frame: &Frame, roi: Option<Roi>) -> Result<Self, ConvertError> {
        let (width, height) = (frame.width(), frame.height());
        let area = roi
            .filter(|roi| roi.fits(width, height))
            .unwrap_or(Roi::whole(width, height));
        let region = Region {
            x: area.x,
            y: area.y,
            width: area.width,
            height: area.height,
        };
        Ok(Self {
            pixels: to_rgb(frame, Some(region))?,
            area,
        })
    }

    /// In grey, as drift and presence are measured on it.
    pub fn grey(&self) -> GrayImage {
        imageops::grayscale(&self.pixels)
    }
}
