//! Where damage can happen on a plate.

use super::dice::Dice;
use super::layout::{self, COUNTERBORE, SCREWS};
use super::maths::{Point, add, scale, sub};
use super::shape::circle;

/// A random spot of the plate whose surface shows for `room` around it.
pub(super) fn bare_spot(room: f32, dice: &mut Dice) -> Point {
    for _ in 0..400 {
        let p = plate_spot(dice);
        if layout::is_bare(p, room) {
            return p;
        }
    }
    // The largest bare area of the drawing: below the sticker.
    [120.0, 135.0]
}

/// A random spot of the plate, not too near its edge.
pub(super) fn plate_spot(dice: &mut Dice) -> Point {
    [
        dice.between(-0.9, 0.9) * layout::PLATE[0],
        dice.between(-0.88, 0.88) * layout::PLATE[1],
    ]
}

/// Where to bite into the edge of the plate: a random spot just outside it, `radius` away from
/// corners, screws and notch.
pub(super) fn edge_spot(radius: f32, dice: &mut Dice) -> Point {
    let [half_width, half_height] = layout::PLATE;
    for _ in 0..200 {
        let along = dice.between(-1.0, 1.0);
        let side = dice.sign();
        // The long sides are met more often, as they are longer.
        let (p, outwards) = if dice.chance(half_width / (half_width + half_height)) {
            (
                [along * (half_width - 20.0), side * half_height],
                [0.0, side],
            )
        } else {
            (
                [side * half_width, along * (half_height - 20.0)],
                [side, 0.0],
            )
        };
        let clear = SCREWS
            .iter()
            .all(|&screw| circle(sub(p, screw), COUNTERBORE) > 0.6 * radius)
            && circle(sub(p, layout::NOTCH.centre), layout::NOTCH.radius) > radius
            && layout::plate(p).abs() < 1.0;
        if clear {
            // From beyond the edge, the bite is widest where it enters.
            return add(p, scale(outwards, 0.3 * radius));
        }
    }
    [0.0, half_height]
}
