//! What a rendered line can be set to: its frame, its product, and how much good parts vary.

use super::defect::DefectKind;
use super::error::LineConfigError;

/// Surface of the plate that is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Finish {
    /// Aluminium, brushed along its long side: streaks and a highlight that crosses the plate.
    #[default]
    BrushedMetal,
    /// Dark polymer with an eroded grain.
    MouldedPolymer,
}

/// Drive of the four screws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ScrewDrive {
    /// Hexagon socket.
    #[default]
    HexSocket,
    /// Cross recess.
    Phillips,
}

/// Settings of a rendered line. Lengths in *px* hold for the reference frame of 640 x 480 and
/// grow with the frame.
///
/// The default is a line that runs well: parts lie within a few pixels, the lamp ages slowly, and
/// one part in ten is defective.
#[derive(Debug, Clone, PartialEq)]
pub struct LineConfig {
    /// Frame width in pixels, `1..=8192`. Default 640.
    pub width: u32,
    /// Frame height in pixels, `1..=8192`. Default 480.
    pub height: u32,
    /// Everything random follows from this number. Default 1.
    pub seed: u64,
    /// Surface of the plate. Default brushed metal.
    pub finish: Finish,
    /// Drive of the screws. Default hexagon socket.
    pub drive: ScrewDrive,
    /// Share of defective parts, `0.0..=1.0`. Default 0.1.
    pub defect_rate: f32,
    /// The kinds to draw defects from, each equally likely (name one twice to see it more often).
    /// Default all.
    pub defects: Vec<DefectKind>,
    /// Least and greatest severity of a defect, `0.0..=1.0`: 0 is hard to see, 1 cannot be missed.
    /// Size and contrast follow it. Default `[0.0, 1.0]`.
    pub severity: [f32; 2],
    /// Largest shift of the part in each direction, px, `0.0..=10_000.0`; small shifts are more
    /// likely (triangular). Parts may leave the frame. Default 2.5.
    pub vibration_px: f32,
    /// Largest turn of the part, degrees, `0.0..=180.0`, triangular. Default 0.8.
    pub vibration_deg: f32,
    /// Largest shift of label and sticker on a *good* part, px, `0.0..=5.0`, triangular.
    /// Default 0.8.
    pub placement_px: f32,
    /// Largest turn of label and sticker on a *good* part, degrees, `0.0..=2.0`, triangular.
    /// Default 0.3.
    pub placement_deg: f32,
    /// Slow change of the lamp's brightness: largest deviation as a fraction, `0.0..=0.5`.
    /// Default 0.05.
    pub brightness_drift: f32,
    /// Slow change of the lamp's colour temperature: largest opposite deviation of red and blue as
    /// a fraction, `0.0..=0.3`. Default 0.02.
    pub colour_drift: f32,
    /// Slow change of the lamp's evenness: largest deviation from the frame's centre to each edge
    /// as a fraction, `0.0..=0.4`. Default 0.04.
    pub gradient_drift: f32,
    /// How slow: parts between independent states of the lamp, `1.0..=1e9`. Default 300.
    pub drift_parts: f32,
    /// Change of brightness from frame to frame: largest deviation as a fraction, `0.0..=0.5`,
    /// triangular. Default 0.01.
    pub flicker: f32,
    /// Strength of the surface textures that differ from part to part, `0.0..=2.0`: 0 is smooth,
    /// 1 natural. Default 1.
    pub texture: f32,
    /// Sensor noise: standard deviation in 8-bit grey levels, `0.0..=64.0`. It is the same for
    /// bright and dark pixels, as shot noise is behind the square-root tone curve that is used
    /// here. Default 1.5.
    pub noise_levels: f32,
    /// Lens blur: standard deviation of a Gaussian, px, `0.0..=5.0`. Default 0.6.
    pub blur_px: f32,
    /// Loss of light in the corners of the frame as a fraction, `0.0..=0.9`. Default 0.22.
    pub vignette: f32,
    /// Whether every part carries its own serial number (and bar code). Default false: one lot
    /// number for all, so that only what is listed above varies.
    pub serial_numbers: bool,
}

impl Default for LineConfig {
    fn default() -> Self {
        Self {
            width: 640,
            height: 480,
            seed: 1,
            finish: Finish::default(),
            drive: ScrewDrive::default(),
            defect_rate: 0.1,
            defects: DefectKind::ALL.to_vec(),
            severity: [0.0, 1.0],
            vibration_px: 2.5,
            vibration_deg: 0.8,
            placement_px: 0.8,
            placement_deg: 0.3,
            brightness_drift: 0.05,
            colour_drift: 0.02,
            gradient_drift: 0.04,
            drift_parts: 300.0,
            flicker: 0.01,
            texture: 1.0,
            noise_levels: 1.5,
            blur_px: 0.6,
            vignette: 0.22,
            serial_numbers: false,
        }
    }
}

impl LineConfig {
    /// Longest side of a frame in pixels.
    pub const MAX_SIDE_PX: u32 = 8192;

    /// The same line, making good parts only: what a recipe is learned from.
    pub fn good_only(self) -> Self {
        Self {
            defect_rate: 0.0,
            ..self
        }
    }

    /// The same line with everything still: no vibration, no drift, no flicker and no sensor
    /// noise. Textures and screw heads still differ from part to part.
    pub fn still(self) -> Self {
        Self {
            vibration_px: 0.0,
            vibration_deg: 0.0,
            placement_px: 0.0,
            placement_deg: 0.0,
            brightness_drift: 0.0,
            colour_drift: 0.0,
            gradient_drift: 0.0,
            flicker: 0.0,
            noise_levels: 0.0,
            ..self
        }
    }

    /// Checks every range that the fields state.
    pub(super) fn check(&self) -> Result<(), LineConfigError> {
        let sides = 1..=Self::MAX_SIDE_PX;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(LineConfigError::FrameSize {
                width: self.width,
                height: self.height,
            });
        }
        for (name, value, low, high) in [
            ("defect_rate", self.defect_rate, 0.0, 1.0),
            ("severity[0]", self.severity[0], 0.0, 1.0),
            ("severity[1]", self.severity[1], self.severity[0], 1.0),
            ("vibration_px", self.vibration_px, 0.0, 10_000.0),
            ("vibration_deg", self.vibration_deg, 0.0, 180.0),
            ("placement_px", self.placement_px, 0.0, 5.0),
            ("placement_deg", self.placement_deg, 0.0, 2.0),
            ("brightness_drift", self.brightness_drift, 0.0, 0.5),
            ("colour_drift", self.colour_drift, 0.0, 0.3),
            ("gradient_drift", self.gradient_drift, 0.0, 0.4),
            ("drift_parts", self.drift_parts, 1.0, 1e9),
            ("flicker", self.flicker, 0.0, 0.5),
            ("texture", self.texture, 0.0, 2.0),
            ("noise_levels", self.noise_levels, 0.0, 64.0),
            ("blur_px", self.blur_px, 0.0, 5.0),
            ("vignette", self.vignette, 0.0, 0.9),
        ] {
            // Written so that a value that is not a number is refused, too.
            if !(low..=high).contains(&value) {
                return Err(LineConfigError::OutOfRange {
                    name,
                    value,
                    low,
                    high,
                });
            }
        }
        if self.defect_rate > 0.0 && self.defects.is_empty() {
            return Err(LineConfigError::NoKinds {
                rate: self.defect_rate,
            });
        }
        Ok(())
    }
}
