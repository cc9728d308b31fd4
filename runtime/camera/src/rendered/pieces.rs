//! What is mounted on the plate besides screws: the label, the sticker and the connector.

use super::lamp::Lamp;
use super::layout::{CONNECTOR, LABEL, STICKER};
use super::maths::{Point, Turn, length, scale, smooth, sub};
use super::noise::Field;
use super::print::{Print, Prints};
use super::scene::{Placement, Scene};
use super::shape::rounded_box;
use super::surface::{Canvas, Texel};

/// Draws the pieces from the lowest to the highest.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, prints: &Prints, texture: f32) {
    sticker(canvas, scene.sticker, &prints.sticker);
    if let Some(label) = scene.label {
        self::label(canvas, label, &prints.label, scene.key, texture);
    }
    connector(canvas, scene.key, texture);
}

/// Calls `draw` around a flat piece with the point as seen from the piece and the distance to its
/// edge, after drawing the thin shadow that its thickness throws.
fn flat_piece(
    canvas: &mut Canvas,
    at: Placement,
    half: Point,
    corner: f32,
    mut draw: impl FnMut(Point, f32) -> Texel,
) {
    let cover = canvas.cover();
    let turn = Turn::degrees(at.degrees);
    let throw = scale(Lamp::shadow(canvas.view), 1.6);
    let margin = [half[0] + 4.0, half[1] + 4.0];
    canvas.paint(at.centre, margin, turn, |p, texel| {
        let local = at.local(turn, p);
        let d = rounded_box(local, half, corner);
        if d > 0.0 {
            let cast = rounded_box(at.local(turn, sub(p, throw)), half, corner);
            texel.shadow(
                0.5 * (1.0 - smooth(-1.0, 1.2, cast)),
                0.35 * (1.0 - smooth(0.0, 3.0, d)),
            );
        }
        let share = cover(d);
        if share > 0.0 {
            let mut face = draw(local, d);
            face.slope = turn.apply(face.slope);
            texel.lay(&face, share);
        }
    });
}

/// White film with black print.
fn label(canvas: &mut Canvas, at: Placement, print: &Print, key: u32, texture: f32) {
    let (mut fibre, mut wave) = (Field::new(key ^ 0x1AB), Field::new(key ^ 0x1AC));
    flat_piece(canvas, at, LABEL.half, 5.0, |local, d| {
        let fibre = fibre.at(local[0] / 1.6, local[1] / 1.6);
        let wave = wave.at(local[0] / 45.0, local[1] / 30.0);
        let mut film = Texel::matte([0.76, 0.76, 0.74]);
        film.mirror = [0.05; 3];
        film.sharp = [2.2, 2.2];
        film.tint(1.0 + 0.02 * texture * fibre, 1.0);
        film.slope = [0.02 * texture * wave, 0.02 * texture * fibre];
        // Where the film ends it is a little thinner.
        film.tint(1.0 - 0.12 * smooth(-1.4, 0.0, d), 1.0);
        let black = Texel {
            mirror: [0.03; 3],
            ..Texel::matte([0.022, 0.022, 0.025])
        };
        film.lay(&black, print.ink(local));
        film
    });
}

/// Green vinyl with a white rim and print.
fn sticker(canvas: &mut Canvas, at: Placement, print: &Print) {
    flat_piece(canvas, at, STICKER.half, 9.0, |local, d| {
        let mut vinyl = Texel::matte([0.018, 0.26, 0.095]);
        vinyl.mirror = [0.05; 3];
        vinyl.sharp = [2.6, 2.6];
        let white = Texel {
            mirror: [0.05; 3],
            sharp: [2.6, 2.6],
            ..Texel::matte([0.70, 0.71, 0.69])
        };
        let rim = smooth(-4.4, -3.6, d) * (1.0 - smooth(-2.4, -1.6, d));
        vinyl.lay(&white, rim.max(print.ink(local)));
        vinyl
    });
}

/// Columns and rows of pins, and the distance between them, px.
const PINS: [i32; 2] = [10, 2];
const PITCH: f32 = 14.0;

/// A blue housing with two rows of gold-plated pins.
fn connector(canvas: &mut Canvas, key: u32, texture: f32) {
    let cover = canvas.cover();
    let shadow = Lamp::shadow(canvas.view);
    let throw = scale(shadow, 11.0);
    let half = CONNECTOR.half;
    let body = |q: Point| rounded_box(q, half, 5.0);
    let mouth = |q: Point| rounded_box(q, [half[0] - 9.0, half[1] - 9.0], 3.0);
    let margin = [half[0] + 22.0, half[1] + 22.0];
    let mut grain = Field::new(key ^ 0xC01);
    canvas.paint_box(CONNECTOR.centre, margin, |p, texel| {
        let q = sub(p, CONNECTOR.centre);
        let d = body(q);
        let cast = body(sub(q, throw));
        if d > 0.0 {
            let near = (1.0 - smooth(0.0, 14.0, d)) * 0.5;
            // The housing stands on the plate, so its shadow is sharp where it begins.
            let soft = 1.0 + 0.25 * d.min(12.0);
            texel.shadow(0.85 * (1.0 - smooth(-soft, soft, cast)), near);
        }
        let share = cover(d);
        if share <= 0.0 {
            return;
        }
        let grain = grain.at(q[0] / 1.8, q[1] / 1.8);
        let mut housing = Texel::matte([0.016, 0.060, 0.25]);
        housing.mirror = [0.045; 3];
        housing.sharp = [1.9, 1.9];
        housing.tint(1.0 + 0.07 * texture * grain, 1.0 + 0.1 * texture * grain);
        housing.tilt(slope_of(body, q), -0.9 * smooth(-3.4, -0.6, d));
        let m = mouth(q);
        housing.tilt(slope_of(mouth, q), 0.9 * smooth(2.4, 0.4, m));
        let open = cover(m);
        if open > 0.0 {
            housing.lay(&inside(q, m, mouth(sub(q, scale(shadow, 9.0)))), open);
        }
        // The key that keeps a plug from going in the wrong way round.
        let nose = rounded_box([q[0], q[1] - half[1] + 9.0], [15.0, 4.5], 1.5);
        if nose < 1.0 {
            let mut block = Texel::matte([0.016, 0.060, 0.25]);
            block.mirror = [0.045; 3];
            housing.lay(&block, cover(nose));
        }
        texel.lay(&housing, share);
    });
}

/// The dark inside of the connector with its pins; `m` is the distance to the mouth's edge, `cast`
/// that of the point from which the lamp is seen.
fn inside(q: Point, m: f32, cast: f32) -> Texel {
    let mut floor = Texel::matte([0.012, 0.030, 0.10]);
    floor.shadow(
        0.85 * smooth(-2.0, 2.0, cast),
        0.5 / (1.0 - m.min(0.0) / 4.0) + 0.2,
    );
    let column = nearest_pin(q[0], PINS[0]);
    let row = nearest_pin(q[1] + 1.5, PINS[1]);
    let from_pin = [q[0] - column, q[1] + 1.5 - row];
    let pin = rounded_box(from_pin, [2.9, 2.9], 0.8);
    // Each pin darkens the floor on the side away from the lamp.
    let shade = rounded_box([from_pin[0] - 2.2, from_pin[1] - 2.6], [3.0, 3.0], 1.0);
    floor.shadow(0.6 * smooth(1.5, -1.0, shade), 0.0);
    if pin < 1.0 {
        let mut gold = Texel::metal([0.86, 0.62, 0.24], 1.7);
        let away = scale(from_pin, 1.0 / length(from_pin).max(1e-3));
        gold.tilt(away, -1.1 * smooth(-2.2, -0.2, pin));
        floor.lay(&gold, smooth(0.5, -0.5, pin));
    }
    floor
}

/// Middle of the pin that is nearest to `x` in a row of `count`.
fn nearest_pin(x: f32, count: i32) -> f32 {
    let first = -0.5 * (count - 1) as f32;
    let at = (x / PITCH - first).round().clamp(0.0, (count - 1) as f32);
    (at + first) * PITCH
}

/// Direction in which a distance grows.
fn slope_of(figure: impl Fn(Point) -> f32, q: Point) -> Point {
    let step = 0.5;
    let rise = [
        figure([q[0] + step, q[1]]) - figure([q[0] - step, q[1]]),
        figure([q[0], q[1] + step]) - figure([q[0], q[1] - step]),
    ];
    scale(rise, 1.0 / length(rise).max(1e-3))
}
