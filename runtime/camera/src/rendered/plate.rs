//! The plate: brushed or moulded, with a bevelled edge, a milled pocket, drilled holes and a laser
//! marking.

use super::config::{Finish, LineConfig};
use super::finish::{Face, Floor};
use super::lamp::Lamp;
use super::layout::{BEVEL, HOLES, MARKING, PLATE, POCKET, POCKET_CORNER, Round};
use super::maths::{Point, length, mix, scale, smooth, sub};
use super::noise::Field;
use super::print::Print;
use super::scene::Scene;
use super::shape::{circle, rounded_box};
use super::surface::{Canvas, Texel};

/// Depth of the pocket, px.
const POCKET_DEPTH: f32 = 11.0;
/// Width of the rounded edge around pocket and holes, px.
const LIP: f32 = 2.6;

/// Draws the plate with everything that was made in it.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene, config: &LineConfig, marking: &Print) {
    let cover = canvas.cover();
    let lamp = Lamp::shadow(canvas.view);
    let margin = [PLATE[0] + 2.0, PLATE[1] + 2.0];
    let mut untouched = Face::new(config.finish, scene.key, config.texture);
    canvas.paint_box([0.0, 0.0], margin, |p, texel| {
        let outline = scene.plate(p);
        let share = cover(outline);
        if share <= 0.0 {
            return;
        }
        let mut face = untouched.at(p);
        if outline > -BEVEL {
            bevel(&mut face, scene, p, outline);
        }
        texel.lay(&face, share);
    });
    pocket(canvas, scene, config, lamp);
    for (at, hole) in (0_u32..).zip(HOLES) {
        drill(canvas, hole, lamp, scene.key ^ at);
    }
    canvas.paint_box(MARKING.centre, MARKING.half, |p, texel| {
        let ink = marking.ink(sub(p, MARKING.centre));
        if ink > 0.0 {
            // A laser chars metal and foams polymer.
            let colour = match config.finish {
                Finish::BrushedMetal => [0.045, 0.043, 0.04],
                Finish::MouldedPolymer => [0.34, 0.34, 0.33],
            };
            let burnt = Texel {
                slope: texel.slope,
                ..Texel::matte(colour)
            };
            texel.lay(&burnt, 0.8 * ink);
        }
    });
}

/// Tilts the rim of the plate outwards, and roughens it where a piece broke off.
fn bevel(face: &mut Texel, scene: &Scene, p: Point, outline: f32) {
    let step = 0.75;
    let rise = [
        scene.plate([p[0] + step, p[1]]) - scene.plate([p[0] - step, p[1]]),
        scene.plate([p[0], p[1] + step]) - scene.plate([p[0], p[1] - step]),
    ];
    let outwards = scale(rise, 1.0 / length(rise).max(1e-3));
    let t = smooth(-BEVEL, -BEVEL + 1.6, outline);
    face.tint(mix(1.0, 1.15, t), mix(1.0, 1.1, t));
    face.sharp = [mix(face.sharp[0], 1.8, t), mix(face.sharp[1], 1.8, t)];
    face.tilt(outwards, -0.85 * t);
}

/// The milled pocket: rounded lip, walls, a floor with tool marks, and the shadow of the wall.
fn pocket(canvas: &mut Canvas, scene: &Scene, config: &LineConfig, shadow: Point) {
    let cover = canvas.cover();
    let distance = |p: Point| rounded_box(sub(p, POCKET.centre), POCKET.half, POCKET_CORNER);
    let throw = scale(shadow, POCKET_DEPTH);
    let margin = [POCKET.half[0] + LIP + 1.0, POCKET.half[1] + LIP + 1.0];
    let mut milled = Floor::new(config.finish, scene.key, config.texture);
    canvas.paint_box(POCKET.centre, margin, |p, texel| {
        let d = distance(p);
        let outwards = [
            distance([p[0] + 0.5, p[1]]) - distance([p[0] - 0.5, p[1]]),
            distance([p[0], p[1] + 0.5]) - distance([p[0], p[1] - 0.5]),
        ];
        // The lip falls into the pocket.
        let lip = smooth(LIP, 0.0, d);
        texel.tilt(outwards, 0.8 * lip);
        let share = cover(d);
        if share <= 0.0 {
            return;
        }
        let mut floor = milled.at(sub(p, POCKET.centre));
        let wall = smooth(-3.2, -0.8, d);
        floor.tilt(outwards, 1.5 * wall);
        let dark = 1.0 - smooth(-2.2, 2.2, -distance(sub(p, throw)));
        let corner = 1.0 / (1.0 - d.min(0.0) / 5.0);
        floor.shadow(0.85 * dark, 0.55 * corner);
        texel.lay(&floor, share);
    });
}

/// A drilled hole: a countersink, then a shaft whose far wall catches the light.
fn drill(canvas: &mut Canvas, hole: Round, shadow: Point, key: u32) {
    let mut grain = Field::new(key);
    let cover = canvas.cover();
    let along = scale(shadow, 1.0 / length(shadow).max(1e-3));
    let reach = hole.radius + 4.0;
    canvas.paint_box(hole.centre, [reach, reach], |p, texel| {
        let q = sub(p, hole.centre);
        let r = length(q);
        let outwards = scale(q, 1.0 / r.max(1e-3));
        let sink = cover(circle(q, hole.radius + 3.0));
        if sink <= 0.0 {
            return;
        }
        let mut cone = Texel::metal([0.66, 0.67, 0.69], 1.5);
        cone.diffuse = texel.diffuse;
        cone.mirror = [0, 1, 2].map(|c| mix(texel.mirror[c], cone.mirror[c], 0.4));
        cone.tilt(outwards, 0.8);
        cone.shadow(0.0, 0.15);
        texel.lay(&cone, sink);
        let shaft = cover(circle(q, hole.radius));
        if shaft > 0.0 {
            texel.lay(
                &bore(q, r / hole.radius, along, grain.at(q[0] / 1.5, q[1] / 1.5)),
                shaft,
            );
        }
    });
}

/// Inside of a hole at `q` from its centre, `t` of its radius away; `grain` is -1 to 1.
fn bore(q: Point, t: f32, along: Point, grain: f32) -> Texel {
    let towards = (q[0] * along[0] + q[1] * along[1]) / length(q).max(1e-3);
    let wall = smooth(0.55, 0.98, t);
    let catch = wall * smooth(-0.1, 0.95, towards);
    let bright = mix(0.012, 0.34, catch) * (1.0 + 0.25 * grain) + 0.03 * wall;
    let mut texel = Texel::matte([bright, bright, bright * 1.03]);
    texel.mirror = [0.01; 3];
    texel.shadow(0.35, 0.5);
    texel
}
