//! The belt below the part: dark rubber with a woven face, scuffed along its way, and the part's
//! shadow on it.

use super::lamp::Lamp;
use super::maths::{Point, add, scale, smooth, sub};
use super::noise::{Cloud, Field};
use super::scene::Scene;
use super::surface::{Canvas, Texel};

/// Height of the plate's upper face above the belt, px.
const PLATE_HEIGHT: f32 = 17.0;
/// Width over which the edge of the shadow fades, px.
const PENUMBRA: f32 = 9.0;

/// Distance between two threads of the weave, px, times the square root of 2.
const THREAD: f32 = 5.2;

/// Draws the belt over the whole canvas. `texture` is the strength of its grain.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, texture: f32) {
    let turn = canvas.view.turn;
    let throw = scale(Lamp::shadow(canvas.view), PLATE_HEIGHT);
    let cover = canvas.cover();
    let px = canvas.view.scale;
    let mut rubber = Rubber::new(texture);
    canvas.paint_all(|p, texel| {
        let outline = scene.plate(p);
        if cover(outline + 1.0) >= 1.0 {
            return;
        }
        // The belt is not turned with the part, and moves on from part to part.
        let b = turn.apply(p);
        *texel = rubber.at(add(b, scene.belt));
        // Where a pixel holds belt and plate, the belt's bumps must not tilt the plate.
        texel.slope = scale(turn.undo(texel.slope), smooth(0.0, 2.0, outline * px));
        let cast = scene.plate(sub(p, throw));
        let near = 1.0 / (1.0 + (outline.max(0.0) / 12.0));
        texel.shadow(
            0.92 * (1.0 - smooth(-PENUMBRA, PENUMBRA, cast)),
            0.75 * near * near,
        );
    });
}

/// The face of the belt.
struct Rubber {
    grain: Field,
    wear: Cloud,
    scuff: Field,
    texture: f32,
}

impl Rubber {
    /// The same belt for every part; `texture` is the strength of its grain.
    fn new(texture: f32) -> Self {
        Self {
            grain: Field::new(0xB31),
            wear: Cloud::new(0xB32),
            scuff: Field::new(0xB33),
            texture,
        }
    }

    /// The surface at point `b` of the belt.
    fn at(&mut self, b: Point) -> Texel {
        // Two crossing sets of threads pressed into the rubber.
        let (wu, wv) = (
            ripple((b[0] + b[1]) / THREAD),
            ripple((b[0] - b[1]) / THREAD),
        );
        let grain = self.grain.at(b[0] / 1.5, b[1] / 1.5);
        let wear = self.wear.at(b[0] / 70.0, b[1] / 38.0);
        let scuff = (self.scuff.at(b[0] / 90.0, b[1] / 1.6) - 0.45).max(0.0) * (0.5 + 0.5 * wear);
        let dust = (grain - 0.9).max(0.0) * 3.0;
        let uneven = 0.28 * wear + 0.22 * grain + 1.2 * scuff + dust;
        let shade = 1.0 + self.texture * uneven + 0.10 * wu * wv;
        let mut texel = Texel::matte([0.036, 0.041, 0.043]);
        texel.mirror = [0.022; 3];
        texel.tint(shade, shade);
        texel.tilt([0.14, 0.14], wu);
        texel.tilt([0.14, -0.14], wv);
        texel.tilt([0.2, 0.16], self.texture * grain);
        texel
    }
}

/// A wave of period 1 between -1 and 1, made of parabolas.
fn ripple(t: f32) -> f32 {
    let f = t - t.floor();
    if f < 0.5 {
        16.0 * f * (0.5 - f)
    } else {
        -16.0 * (f - 0.5) * (1.0 - f)
    }
}
