//! Focus and motion.

use image::{RgbImage, imageops};
use imageproc::filter::horizontal_filter;

/// Gaussian blur with this standard deviation, px.
pub(super) fn blurred(picture: &RgbImage, sigma_px: f32) -> RgbImage {
    if sigma_px <= 0.0 {
        return picture.clone();
    }
    imageops::blur(picture, sigma_px)
}

/// The mean along a stretch of a row of this length, px.
pub(super) fn smeared(picture: &RgbImage, length_px: f32) -> RgbImage {
    if length_px <= 1.0 {
        return picture.clone();
    }
    // An odd number of pixels, of which the outer two count in part.
    let reach = ((length_px - 1.0) / 2.0).ceil() as usize;
    let outer = (length_px - (2 * reach - 1) as f32) / 2.0;
    let mut kernel = vec![1.0 / length_px; 2 * reach + 1];
    kernel[0] = outer / length_px;
    kernel[2 * reach] = outer / length_px;
    horizontal_filter(picture, &kernel)
}
