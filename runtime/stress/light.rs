//! The lamp and the tone curve.

use image::{Rgb, RgbImage};

/// All grey values times `gain`; what leaves the range is clipped, as a sensor clips.
pub(super) fn brighter(picture: &RgbImage, gain: f32) -> RgbImage {
    through_tables(picture, [0; 3].map(|_| table(|v| v * gain)))
}

/// Red times `1 + amount`, blue times `1 - amount`: a warmer lamp, or with a negative amount a
/// colder one.
pub(super) fn warmer(picture: &RgbImage, amount: f32) -> RgbImage {
    let gains = [1.0 + amount, 1.0, 1.0 - amount];
    through_tables(picture, gains.map(|gain| table(|v| v * gain)))
}

/// Grey values, 0 to 1, to the power `exponent`: above 1 darkens the middle tones.
pub(super) fn gamma(picture: &RgbImage, exponent: f32) -> RgbImage {
    through_tables(picture, [0; 3].map(|_| table(|v| v.powf(exponent))))
}

/// What becomes of each of the 256 grey values; `curve` maps 0..=1.
fn table(curve: impl Fn(f32) -> f32) -> [u8; 256] {
    std::array::from_fn(|v| (curve(v as f32 / 255.0) * 255.0).round().clamp(0.0, 255.0) as u8)
}

fn through_tables(picture: &RgbImage, tables: [[u8; 256]; 3]) -> RgbImage {
    let mut view = picture.clone();
    for Rgb(channels) in view.pixels_mut() {
        for (value, table) in channels.iter_mut().zip(&tables) {
            *value = table[usize::from(*value)];
        }
    }
    view
}
