//! The light: where the lamp stands, how it changes over the life of a line, and what a surface
//! sends to the camera.

use super::config::LineConfig;
use super::dice::{Dice, Purpose};
use super::maths::{Point, Turn};
use super::noise;
use super::surface::Texel;
use super::view::{REFERENCE, View};

/// State of the lamp for one frame, as it differs from its nominal state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Illumination {
    /// Factor on all light; 1 is nominal.
    pub gain: f32,
    /// Change of colour temperature: red is multiplied by `1 + warmth`, blue by `1 - warmth`; 0 is
    /// nominal.
    pub warmth: f32,
    /// Change of brightness from the centre to the right and to the lower edge, as a fraction.
    pub gradient: [f32; 2],
}

impl Illumination {
    /// The lamp as it is when part `index` passes: slow drift, and flicker of this one frame.
    pub(super) fn at(config: &LineConfig, index: u64) -> Self {
        let mut keys = Dice::new(config.seed, 0, Purpose::Drift, 0);
        let flicker = Dice::new(config.seed, index, Purpose::Drift, 1).play();
        let time = index as f64 / f64::from(config.drift_parts);
        let mut slow = |amplitude: f32| amplitude * noise::slow(time, keys.wide_bits());
        Self {
            gain: (1.0 + slow(config.brightness_drift)) * (1.0 + config.flicker * flicker),
            warmth: slow(config.colour_drift),
            gradient: [slow(config.gradient_drift), slow(config.gradient_drift)],
        }
    }
}

/// Distance of the camera's lens from the part, px of the drawing.
const CAMERA_PX: f32 = 1500.0;
/// Direction to the lamp: a bar light above and to the left of the part.
const KEY: [f32; 3] = [-0.36, -0.48, 0.80];
/// Direction to the weaker light opposite.
const FILL: [f32; 3] = [0.50, 0.35, 0.79];
/// Scattered light from the lamp, the weak light, and all around.
const SCATTER: [f32; 3] = [0.80, 0.10, 0.34];
/// Mirrored light from the lamp, the weak light, and all around.
const GLANCE: [f32; 3] = [0.62, 0.16, 0.30];

/// The lights as seen from one part.
pub(super) struct Lamp {
    key: [f32; 3],
    fill: [f32; 3],
    gain: [f32; 3],
    gradient: Point,
    vignette: f32,
    per_pixel: Point,
    middle: Point,
}

impl Lamp {
    /// The lights for a part in this pose.
    pub(super) fn new(config: &LineConfig, view: &View, light: Illumination) -> Self {
        let turned = |[x, y, z]: [f32; 3], turn: Turn| {
            let [x, y] = turn.undo([x, y]);
            [x, y, z]
        };
        let size = [view.frame.width() as f32, view.frame.height() as f32];
        Self {
            key: turned(KEY, view.turn),
            fill: turned(FILL, view.turn),
            gain: [
                light.gain * (1.0 + light.warmth),
                light.gain,
                light.gain * (1.0 - light.warmth),
            ],
            gradient: light.gradient,
            vignette: config.vignette,
            per_pixel: [2.0 / size[0], 2.0 / size[1]],
            middle: [0.5 * size[0], 0.5 * size[1]],
        }
    }

    /// Direction along the plate in which a thing of height 1 throws its shadow.
    pub(super) fn shadow(view: &View) -> Point {
        view.turn.undo([-KEY[0] / KEY[2], -KEY[1] / KEY[2]])
    }

    /// Light from surface `texel` at point `p` of the drawing: linear red, green, blue, where 1
    /// saturates the sensor.
    pub(super) fn shade(&self, texel: &Texel, p: Point) -> [f32; 3] {
        let [sx, sy] = texel.slope;
        let upright = 1.0 / (1.0 + sx * sx + sy * sy).sqrt();
        let normal = [-sx * upright, -sy * upright, upright];
        // Towards the camera; nearly upright, so it is not normalised.
        let view = [-p[0] / CAMERA_PX, -p[1] / CAMERA_PX, 1.0];
        let facing = 2.0 * dot(normal, view);
        let mirrored = [facing * normal[0] - view[0], facing * normal[1] - view[1]];

        let key = dot(normal, self.key).max(0.0) * texel.lit;
        let fill = dot(normal, self.fill).max(0.0);
        let scatter = SCATTER[0] * key
            + SCATTER[1] * fill * texel.open
            + SCATTER[2] * texel.open * (0.5 + 0.5 * normal[2]);

        let [ax, ay] = texel.sharp;
        // A lobe with long tails; its peak grows as it narrows, up to what a diffuser gives.
        let peak = 4.0 * ax * ay / (3.0 + ax * ay);
        let lobe = |light: [f32; 3]| {
            let (dx, dy) = ((mirrored[0] - light[0]) * ax, (mirrored[1] - light[1]) * ay);
            let near = 1.0 / (1.0 + dx * dx + dy * dy);
            peak * near * near
        };
        let glance = GLANCE[0] * lobe(self.key) * texel.lit
            + GLANCE[1] * lobe(self.fill) * texel.open
            + GLANCE[2] * texel.open;
        std::array::from_fn(|channel| {
            texel.diffuse[channel] * scatter + texel.mirror[channel] * glance
        })
    }

    /// Factors on red, green and blue at pixel (`x`, `y`): the lamp's state and the lens.
    pub(super) fn field(&self, x: u32, y: u32) -> [f32; 3] {
        let u = (x as f32 + 0.5 - self.middle[0]) * self.per_pixel[0];
        let v = (y as f32 + 0.5 - self.middle[1]) * self.per_pixel[1];
        let aspect = REFERENCE[1] / REFERENCE[0];
        let corner = (u * u + v * v * aspect * aspect) / (1.0 + aspect * aspect);
        let even =
            (1.0 + self.gradient[0] * u + self.gradient[1] * v) * (1.0 - self.vignette * corner);
        self.gain.map(|gain| gain * even)
    }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
