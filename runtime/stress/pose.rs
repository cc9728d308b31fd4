//! How the part lies.

use image::RgbImage;
use imageproc::geometric_transformations::{
    Border, Interpolation, Projection, rotate_about_center, warp,
};

/// Moved this far to the right and half as far down, px.
pub(super) fn shifted(picture: &RgbImage, right_px: f32) -> RgbImage {
    let by = Projection::translate(right_px, right_px / 2.0);
    warp(picture, by, Interpolation::Bicubic, Border::Replicate)
}

/// Turned clockwise about the centre.
pub(crate) fn turned(picture: &RgbImage, degrees: f32) -> RgbImage {
    rotate_about_center(
        picture,
        degrees.to_radians(),
        Interpolation::Bicubic,
        Border::Replicate,
    )
}
