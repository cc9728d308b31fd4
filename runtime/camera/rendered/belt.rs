//! The belt below the part: dark rubber with a woven face, scuffed along its way, and the part's
//! shadow on it.

use super::lamp::Lamp;
use super::maths::{Point, scale, smooth, sub};
use super::noise;
use super::scene::Scene;
use super::surface::{Canvas, Texel};

/// Height of the plate's upper face above the belt, px.
const PLATE_HEIGHT: f32 = 17.0;
/// Width over which the edge of the shadow fades, px.
const PENUMBRA: f32 = 9.0;

/// Draws the belt over the whole canvas. `texture` is the strength of its grain.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, texture: f32) {
    let turn = canvas.view.turn;
    let throw = scale(Lamp::shadow(canvas.view), PLATE_HEIGHT);
    let cover = canvas.cover();
    canvas.paint_all(|p, texel| {
        let outline = scene.plate(p);
        if cover(outline + 1.0) >= 1.0 {
            return;
        }
        // The belt is not turned with the part, and moves on from part to part.
        let b = turn.apply(p);
        *texel = rubber([b[0] + scene.belt[0], b[1] + scene.belt[1]], texture);
        texel.slope = turn.undo(texel.slope);
        let cast = scene.plate(sub(p, throw));
        let near = 1.0 / (1.0 + (outline.max(0.0) / 12.0));
        texel.shadow(
            0.92 * (1.0 - smooth(-PENUMBRA, PENUMBRA, cast)),
            0.75 * near * near,
        );
    });
}

/// The belt at point `b` of the belt.
fn rubber(b: Point, texture: f32) -> Texel {
    // Two crossing sets of threads pressed into the rubber.
    let (u, v) = ((b[0] + b[1]) / 5.2, (b[0] - b[1]) / 5.2);
    let (wu, wv) = (ripple(u), ripple(v));
    let grain = noise::value(b[0] / 1.7, b[1] / 1.7, 0xB31);
    let wear = noise::cloud(b[0] / 70.0, b[1] / 38.0, 0xB32);
    let scuff = noise::value(b[0] / 90.0, b[1] / 1.6, 0xB33);
    let scuff = (scuff - 0.45).max(0.0) * (0.5 + 0.5 * wear);
    let dust = noise::value(b[0] / 1.3, b[1] / 1.3, 0xB34);
    let dust = (dust - 0.9).max(0.0) * 3.0;
    let shade = 1.0 + texture * (0.28 * wear + 0.22 * grain + 1.2 * scuff + dust) + 0.10 * wu * wv;
    let mut texel = Texel::matte([0.036, 0.041, 0.043]);
    texel.mirror = [0.022; 3];
    texel.tint(shade, shade);
    texel.tilt([0.14, 0.14], wu);
    texel.tilt([0.14, -0.14], wv);
    texel.tilt([0.2, 0.16], texture * grain);
    texel
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
