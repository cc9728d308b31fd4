//! The drawing of the product: where everything sits on a part that is as it should be.
//!
//! Lengths are px of the 640 x 480 reference frame, measured from the centre of the plate; x grows
//! to the right, y downwards.

use super::maths::{Point, sub};
use super::shape::{circle, rounded_box};

/// A rectangle in the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    /// Its centre.
    pub(super) centre: Point,
    /// Its half sides.
    pub(super) half: Point,
}

/// A round thing in the drawing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// Its centre.
    pub(super) centre: Point,
    /// Its radius.
    pub(super) radius: f32,
}

/// Half sides of the plate.
pub(super) const PLATE: Point = [265.0, 192.0];
/// Radius of the plate's corners.
pub(super) const PLATE_CORNER: f32 = 20.0;
/// How much of the lower left corner is cut off, along each side.
pub(super) const PLATE_CUT: f32 = 36.0;
/// The half-round notch in the right edge.
pub(super) const NOTCH: Round = round(270.0, 62.0, 24.0);
/// Width of the bevel along the plate's edge.
pub(super) const BEVEL: f32 = 5.0;

/// Centres of the four screws.
pub(super) const SCREWS: [Point; 4] = [
    [-228.0, -155.0],
    [228.0, -155.0],
    [-228.0, 155.0],
    [228.0, 155.0],
];
/// Radius of a screw head.
pub(super) const HEAD: f32 = 18.5;
/// Radius of the counterbore that a screw head sits in.
pub(super) const COUNTERBORE: f32 = 24.0;

/// The milled pocket.
pub(super) const POCKET: Area = area(-128.0, -92.0, 88.0, 42.0);
/// Radius of the pocket's corners.
pub(super) const POCKET_CORNER: f32 = 20.0;

/// The drilled holes.
pub(super) const HOLES: [Round; 5] = [
    round(-178.0, -92.0, 16.0),
    round(-124.0, -92.0, 11.5),
    round(-76.0, -92.0, 8.0),
    round(-234.0, 2.0, 8.5),
    round(234.0, -24.0, 8.5),
];

/// The connector.
pub(super) const CONNECTOR: Area = area(97.0, -94.0, 90.0, 31.0);
/// The label.
pub(super) const LABEL: Area = area(-93.0, 48.0, 100.0, 52.0);
/// The sticker.
pub(super) const STICKER: Area = area(124.0, 48.0, 46.0, 33.0);
/// The laser-marked material number.
pub(super) const MARKING: Area = area(-10.0, 152.0, 70.0, 12.0);

const fn area(x: f32, y: f32, half_width: f32, half_height: f32) -> Area {
    Area {
        centre: [x, y],
        half: [half_width, half_height],
    }
}

const fn round(x: f32, y: f32, radius: f32) -> Round {
    Round {
        centre: [x, y],
        radius,
    }
}

/// Signed distance to the outline of an unbroken plate. Further inside than any caller looks, cut
/// and notch no longer count: most pixels lie there.
pub(super) fn plate(p: Point) -> f32 {
    const DEEP: f32 = 60.0;
    const HALF_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;
    let outline = rounded_box(p, PLATE, PLATE_CORNER);
    if outline < -DEEP {
        return outline;
    }
    let cut = (p[1] - p[0] - PLATE[0] - PLATE[1] + PLATE_CUT) * HALF_SQRT_2;
    let notch = -circle(sub(p, NOTCH.centre), NOTCH.radius);
    outline.max(cut).max(notch)
}

/// Signed distance to the nearest of pocket and drilled holes.
pub(super) fn cavities(p: Point) -> f32 {
    let pocket = rounded_box(sub(p, POCKET.centre), POCKET.half, POCKET_CORNER);
    HOLES
        .iter()
        .map(|hole| circle(sub(p, hole.centre), hole.radius))
        .fold(pocket, f32::min)
}

/// Whether the plate's own flat surface shows at `p` and for `room` around it.
pub(super) fn is_bare(p: Point, room: f32) -> bool {
    let clear = |area: Area| rounded_box(sub(p, area.centre), area.half, 1.0) > room;
    plate(p) < -(BEVEL + room)
        && SCREWS
            .iter()
            .all(|&screw| circle(sub(p, screw), COUNTERBORE) > room)
        && HOLES
            .iter()
            .all(|hole| circle(sub(p, hole.centre), hole.radius + 3.0) > room)
        && [POCKET, CONNECTOR, LABEL, STICKER].into_iter().all(clear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plate_covers_two_thirds_of_the_frame() {
        let inside = (0..480)
            .flat_map(|y| (0..640).map(move |x| [x as f32 - 319.5, y as f32 - 239.5]))
            .filter(|&p| plate(p) < 0.0)
            .count();
        let share = inside as f64 / (640.0 * 480.0);
        assert!((0.6..0.75).contains(&share), "{share}");
    }

    #[test]
    fn the_label_fits_where_the_sticker_is() {
        for corner in [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]] {
            let p = [
                STICKER.centre[0] + corner[0] * LABEL.half[0],
                STICKER.centre[1] + corner[1] * LABEL.half[1],
            ];
            assert!(plate(p) < -BEVEL, "{p:?} is off the plate");
            for screw in SCREWS {
                assert!(circle(sub(p, screw), COUNTERBORE) > 0.0, "{p:?} on a screw");
            }
        }
    }
}
