//! Noise and compression.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageError, ImageFormat, RgbImage};
use imageproc::noise::gaussian_noise;

/// Noise is the same for every picture, so that pictures differ by their content only.
const SEED: u64 = 1;

/// With Gaussian noise of this standard deviation in every channel, grey levels.
pub(super) fn noisy(picture: &RgbImage, levels: f32) -> RgbImage {
    // The library cuts fractions off; half a level makes that rounding.
    gaussian_noise(picture, 0.5, f64::from(levels), SEED)
}

/// Through a JPEG of this quality, 1 to 100.
pub(super) fn compressed(picture: &RgbImage, quality: f32) -> Result<RgbImage, ImageError> {
    let mut bytes = Vec::new();
    let quality = quality.round().clamp(1.0, 100.0) as u8;
    picture.write_with_encoder(JpegEncoder::new_with_quality(
        Cursor::new(&mut bytes),
        quality,
    ))?;
    Ok(image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)?.into_rgb8())
}
