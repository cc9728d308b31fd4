//! Altered views of a picture: what light, focus, position and sensor may do to the same part.

use image::imageops;
use image::{Rgb, RgbImage};

/// Views to learn beside a part when there are few parts. A patch of the network shows what lies
/// on its own grid; moving the picture by half a patch (`half`, pixels) shows what lies between.
pub(crate) fn to_learn(picture: &RgbImage, half: i64) -> Vec<RgbImage> {
    vec![
        moved(picture, half, 0),
        moved(picture, 0, half),
        moved(picture, half, half),
        noisy(picture, 16),
        coloured(picture, [0.75; 3]),
    ]
}

/// Views that must pass, none of them among those that were learned: moved a little, out of focus,
/// lighter.
pub(crate) fn to_check(picture: &RgbImage) -> Vec<RgbImage> {
    vec![
        moved(picture, 1, 1),
        moved(picture, -1, 1),
        imageops::blur(picture, 0.8),
        coloured(picture, [1.3; 3]),
    ]
}

/// A part that lies turned. Of turns by 6, 12 and 20 degrees either way, these two alone tell turned
/// labels from damage as well as all six.
pub(crate) fn turned(picture: &RgbImage) -> [RgbImage; 2] {
    [-12.0, 12.0].map(|degrees| crate::stress::turned(picture, degrees))
}

/// The middle half of a picture each way, in whole patches of `patch` pixels.
pub(crate) fn half(picture: &RgbImage, patch: u32) -> RgbImage {
    let half = |side: u32| (side / patch / 2).max(1) * patch;
    let (width, height) = picture.dimensions();
    let (w, h) = (half(width), half(height));
    imageops::crop_imm(picture, (width - w) / 2, (height - h) / 2, w, h).to_image()
}

/// The picture with a quarter of either side around `middle`, in pixels, turned upside down and
/// inverted: no good part looks like it.
pub(crate) fn damaged(picture: &RgbImage, middle: [u32; 2]) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (w, h) = ((width / 4).max(1), (height / 4).max(1));
    let start = |middle: u32, length, side| {
        let start = (middle * 2).saturating_sub(length) / 2;
        start.min(side - length)
    };
    let (x, y) = (start(middle[0], w, width), start(middle[1], h, height));
    let mut middle = imageops::crop_imm(picture, x, y, w, h).to_image();
    imageops::rotate180_in_place(&mut middle);
    imageops::invert(&mut middle);
    let mut damaged = picture.clone();
    imageops::replace(&mut damaged, &middle, x.into(), y.into());
    damaged
}

fn coloured(picture: &RgbImage, gain: [f32; 3]) -> RgbImage {
    let mut view = picture.clone();
    for Rgb(channels) in view.pixels_mut() {
        for (value, gain) in channels.iter_mut().zip(gain) {
            *value = (f32::from(*value) * gain + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
    view
}

/// Moved by whole pixels; what comes into view repeats the edge.
fn moved(picture: &RgbImage, right: i64, down: i64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let from =
        |to: u32, by: i64, side: u32| (i64::from(to) - by).clamp(0, i64::from(side) - 1) as u32;
    RgbImage::from_fn(width, height, |x, y| {
        *picture.get_pixel(from(x, right, width), from(y, down, height))
    })
}

/// With repeatable noise of up to so many grey levels either way, triangular.
fn noisy(picture: &RgbImage, levels: i16) -> RgbImage {
    use rand::SeedableRng;
    use rand_chacha::rand_core::Rng;
    let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut throw = || (dice.next_u32() % (levels as u32 + 1)) as i16;
    let mut view = picture.clone();
    for value in view.iter_mut() {
        *value = (i16::from(*value) + throw() - throw()).clamp(0, 255) as u8;
    }
    view
}
