//! The screws in their counterbores, and the threaded hole that shows when one is missing.

use super::config::ScrewDrive;
use super::lamp::Lamp;
use super::layout::{COUNTERBORE, HEAD, SCREWS};
use super::maths::{Point, Turn, length, mix, scale, smooth, sub};
use super::noise::Field;
use super::scene::{Scene, Screw, ScrewMetal};
use super::shape::{circle, cross, hexagon};
use super::surface::{Canvas, Texel};

/// Radius of the threaded hole, px.
const THREAD: f32 = 10.5;

/// Draws all four places.
pub(super) fn draw(canvas: &mut Canvas, scene: &Scene) {
    for (centre, screw) in SCREWS.into_iter().zip(&scene.screws) {
        counterbore(canvas, centre, scene.key);
        match screw {
            Some(screw) => head(canvas, centre, screw),
            None => thread(canvas, centre),
        }
    }
}

/// The recess: a lip, a wall in shadow on the lamp's side, a turned floor.
fn counterbore(canvas: &mut Canvas, centre: Point, key: u32) {
    let cover = canvas.cover();
    let throw = scale(Lamp::shadow(canvas.view), 9.0);
    let reach = COUNTERBORE + 3.5;
    let mut ring = Field::new(key ^ 0x66);
    canvas.paint_box(centre, [reach, reach], |p, texel| {
        let q = sub(p, centre);
        let r = length(q);
        let outwards = scale(q, 1.0 / r.max(1e-3));
        texel.tilt(outwards, 0.8 * smooth(COUNTERBORE + 2.2, COUNTERBORE, r));
        let share = cover(r - COUNTERBORE);
        if share <= 0.0 {
            return;
        }
        let ring = ring.at(r / 0.9, 0.0);
        let mut floor = Texel::metal([0.50, 0.51, 0.53], 1.5);
        floor.tilt(
            outwards,
            0.05 * ring + 1.4 * smooth(COUNTERBORE - 3.0, COUNTERBORE, r),
        );
        let dark = smooth(-2.5, 2.0, circle(sub(q, throw), COUNTERBORE));
        floor.shadow(0.85 * dark, 0.35);
        texel.lay(&floor, share);
    });
}

/// Colour of a screw: mirrored light and how sharp.
fn metal(of: ScrewMetal) -> Texel {
    match of {
        ScrewMetal::Steel => Texel::metal([0.62, 0.61, 0.59], 1.9),
        ScrewMetal::YellowZinc => Texel::metal([0.60, 0.53, 0.33], 1.7),
        ScrewMetal::Brass => Texel::metal([0.78, 0.53, 0.17], 2.0),
        ScrewMetal::Black => {
            let mut texel = Texel::metal([0.055, 0.055, 0.06], 1.6);
            texel.diffuse = [0.022, 0.022, 0.024];
            texel
        }
    }
}

/// The head of a screw, with the shadow it throws into the counterbore.
fn head(canvas: &mut Canvas, centre: Point, screw: &Screw) {
    let cover = canvas.cover();
    let shadow = Lamp::shadow(canvas.view);
    let turn = Turn::degrees(screw.degrees);
    let reach = COUNTERBORE + 1.0;
    let (mut turned, mut speck) = (Field::new(screw.key), Field::new(screw.key ^ 0x99));
    canvas.paint_box(centre, [reach, reach], |p, texel| {
        let q = sub(p, centre);
        let r = length(q);
        let outwards = scale(q, 1.0 / r.max(1e-3));
        let gap = (r - HEAD).max(0.0);
        if r < COUNTERBORE {
            let cast = circle(sub(q, scale(shadow, 5.0)), HEAD);
            texel.shadow(
                0.7 * (1.0 - smooth(-1.5, 2.5, cast)),
                0.6 / (1.0 + gap / 2.0),
            );
        }
        let share = cover(r - HEAD);
        if share <= 0.0 {
            return;
        }
        let local = turn.undo(q);
        let mut face = metal(screw.metal);
        let turned = turned.at(r / 0.7, 0.0);
        let speck = speck.at(local[0] / 2.5, local[1] / 2.5);
        face.tint(1.0 + 0.05 * speck, 1.0 + 0.05 * turned + 0.04 * speck);
        face.slope = screw.lean;
        face.tilt(outwards, 0.05 * turned);
        // The rim is rounded, a little more towards its outside.
        let rim = smooth(HEAD - 4.5, HEAD, r);
        face.tilt(outwards, -1.3 * rim * rim);
        face.shadow(0.0, 0.3 * smooth(HEAD - 1.5, HEAD, r));
        recess(&mut face, screw.drive, local, turn, shadow);
        texel.lay(&face, share);
    });
}

/// The drive in the head, at `local` in the turned coordinates of the head.
fn recess(face: &mut Texel, drive: ScrewDrive, local: Point, turn: Turn, shadow: Point) {
    let figure = |q: Point| match drive {
        ScrewDrive::HexSocket => hexagon(q, 8.2),
        ScrewDrive::Phillips => cross(q, 11.5, 2.9),
    };
    let d = figure(local);
    if d > 2.0 {
        return;
    }
    let step = 0.4;
    let rise = [
        figure([local[0] + step, local[1]]) - figure([local[0] - step, local[1]]),
        figure([local[0], local[1] + step]) - figure([local[0], local[1] - step]),
    ];
    let outwards = turn.apply(scale(rise, 1.0 / length(rise).max(1e-3)));
    // A small chamfer around the drive catches the light.
    face.tilt(outwards, 0.7 * smooth(1.6, 0.2, d));
    let inside = smooth(0.6, -0.6, d);
    let wall = smooth(-4.0, -0.5, d);
    let throw = turn.undo(scale(shadow, 7.0));
    let dark = smooth(-1.5, 1.5, figure(sub(local, throw)));
    let mut deep = *face;
    deep.tint(0.55, mix(0.26, 0.5, wall));
    deep.slope = scale(outwards, 1.6 * wall);
    deep.shadow(0.9 * dark, 0.5);
    face.lay(&deep, inside);
}

/// An empty threaded hole: rings of the thread, brighter where the lamp reaches the far wall.
fn thread(canvas: &mut Canvas, centre: Point) {
    let cover = canvas.cover();
    let shadow = Lamp::shadow(canvas.view);
    let along = scale(shadow, 1.0 / length(shadow).max(1e-3));
    let reach = THREAD + 4.0;
    canvas.paint_box(centre, [reach, reach], |p, texel| {
        let q = sub(p, centre);
        let r = length(q);
        let outwards = scale(q, 1.0 / r.max(1e-3));
        texel.tilt(outwards, 0.9 * smooth(THREAD + 2.5, THREAD, r));
        let share = cover(r - THREAD);
        if share <= 0.0 {
            return;
        }
        let towards = (q[0] * along[0] + q[1] * along[1]) / r.max(1e-3);
        let depth = r / THREAD;
        // Rings move closer with depth, and lean a little, as a thread does.
        let phase = 6.0 / (0.35 + depth) + 0.16 * towards;
        let ring = (phase - phase.floor() - 0.5).abs() * 2.0;
        let bright = 0.015 + 0.30 * smooth(0.35, 1.0, depth) * smooth(-0.3, 1.0, towards) * ring;
        let mut hole = Texel::matte([bright, bright, bright]);
        hole.mirror = [0.01; 3];
        hole.shadow(0.2, 0.5);
        texel.lay(&hole, share);
    });
}
