//! What light, lens, sensor, compression and pose may do to a picture: pure functions from picture
//! to picture, to find out how a recipe stands them. It never judges, and nothing is learned from
//! what it makes.

mod kind;
mod light;
mod optics;
mod pose;
mod sensor;
mod sweep;

use image::RgbImage;

pub(crate) use pose::turned;

pub use kind::{Kind, Levels};
pub use sweep::{StressFigures, Sweep};

/// One change of pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stress {
    /// What changes.
    pub kind: Kind,
    /// How much, in [`Kind::unit`].
    pub level: f32,
}

impl Stress {
    /// The picture under this stress, as large as before. The same picture gives the same result.
    ///
    /// # Errors
    /// The codec's own error when the picture cannot be compressed, which happens only where a
    /// side has more than 65 535 pixels.
    pub fn apply(self, picture: &RgbImage) -> Result<RgbImage, image::ImageError> {
        let Self { kind, level } = self;
        // Lengths are parts of the shorter side, so that they mean the same at every resolution.
        let length = level / 100.0 * picture.width().min(picture.height()) as f32;
        Ok(match kind {
            Kind::Brightness => light::brighter(picture, 1.0 + level / 100.0),
            Kind::Temperature => light::warmer(picture, level / 100.0),
            Kind::Gamma => light::gamma(picture, level),
            Kind::Noise => sensor::noisy(picture, level),
            Kind::Blur => optics::blurred(picture, length),
            Kind::MotionBlur => optics::smeared(picture, length),
            Kind::Jpeg => return sensor::compressed(picture, level),
            Kind::Shift => pose::shifted(picture, length),
            Kind::Rotation => pose::turned(picture, level),
        })
    }
}

impl std::fmt::Display for Stress {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.kind, self.kind.level_text(self.level))
    }
}

#[cfg(test)]
mod tests;
