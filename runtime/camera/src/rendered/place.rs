//! Places of the part that a defect touches: where ground truth looks for differences.

use super::layout;
use super::maths::{Point, add, scale, sub};
use super::scene::Placement;

/// A place of the part, in its coordinates, where a defect changes the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its centre.
    pub(super) centre: Point,
    /// Half sides of the box within which pixels can differ, before shadows and blur.
    pub(super) half: Point,
    /// Turn of that box, degrees.
    pub(super) degrees: f32,
    /// Where set, a thing was or is here that fills the box with corners of this radius, and all
    /// of it belongs to the mask, also where old and new look happen to agree.
    pub(super) filled: Option<f32>,
}

/// A square that reaches this far from its centre.
pub(super) fn box_around(centre: Point, reach: f32) -> Place {
    Place {
        centre,
        half: [reach, reach],
        degrees: 0.0,
        filled: None,
    }
}

/// The box around a line of this half width.
pub(super) fn line_place(line: &[Point], half_width: f32) -> Place {
    let fold = |pick: fn(f32, f32) -> f32| {
        line.iter()
            .copied()
            .reduce(|a, b| [pick(a[0], b[0]), pick(a[1], b[1])])
            .unwrap_or_default()
    };
    let (low, high) = (fold(f32::min), fold(f32::max));
    let half = scale(sub(high, low), 0.5);
    Place {
        centre: add(low, half),
        half: add(half, [half_width + 1.0, half_width + 1.0]),
        degrees: 0.0,
        filled: None,
    }
}

/// One box around several that are not turned.
pub(super) fn hull(places: &[Place]) -> Place {
    let corners: Vec<Point> = places
        .iter()
        .flat_map(|place| [sub(place.centre, place.half), add(place.centre, place.half)])
        .collect();
    line_place(&corners, 0.0)
}

/// All of a label.
pub(super) fn label_place(label: Placement) -> Place {
    piece_place(label, layout::LABEL.half)
}

/// All of a flat piece with these half sides.
pub(super) fn piece_place(at: Placement, half: Point) -> Place {
    Place {
        centre: at.centre,
        half,
        degrees: at.degrees,
        filled: Some(3.0),
    }
}
