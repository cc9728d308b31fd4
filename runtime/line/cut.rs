//! The pixels of a frame that are looked at: its region of interest.

use std::sync::Arc;

use andon_camera::{ConvertError, Frame, Region, RgbView, as_rgb, to_rgb};
use image::{GrayImage, RgbImage};

use crate::image::{Roi, grey};

/// A region of a frame in RGB; what lies outside was never read.
pub(super) struct Cut {
    pixels: Pixels,
    /// Where it lies in the frame.
    pub area: Roi,
}

enum Pixels {
    Converted(RgbImage),
    /// All of a frame that is RGB already.
    AsTheyLie(Arc<Frame>),
}

impl Cut {
    /// Cuts `roi` out of a frame; all of a frame that does not hold it, whose judge will say so.
    ///
    /// # Errors
    /// [`ConvertError`] when the frame's bytes are damaged.
    pub fn of(frame: &Arc<Frame>, roi: Option<Roi>) -> Result<Self, ConvertError> {
        let (width, height) = (frame.width(), frame.height());
        let area = Roi::or_whole(roi, width, height);
        let pixels = if area == Roi::whole(width, height) && as_rgb(frame).is_some() {
            Pixels::AsTheyLie(Arc::clone(frame))
        } else {
            let region = Region {
                x: area.x,
                y: area.y,
                width: area.width,
                height: area.height,
            };
            Pixels::Converted(to_rgb(frame, Some(region))?)
        };
        Ok(Self { pixels, area })
    }

    /// Its pixels.
    pub fn pixels(&self) -> RgbView<'_> {
        let view = match &self.pixels {
            Pixels::Converted(picture) => {
                RgbView::from_raw(picture.width(), picture.height(), picture.as_raw())
            }
            Pixels::AsTheyLie(frame) => as_rgb(frame),
        };
        // Never missing; a picture without pixels would be judged black.
        view.unwrap_or_default()
    }

    /// In grey, as drift and presence are measured on it.
    pub fn grey(&self) -> GrayImage {
        grey(&self.pixels(), None)
    }
}
