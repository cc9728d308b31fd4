//! Signed distances to plane figures: negative inside, positive outside, in the unit of the
//! coordinates. A distance times the pixels per unit gives coverage without jagged edges.

use super::maths::{Point, add, length, scale, sub};

/// Distance to a box with half sides `half` whose corners are rounded with `radius`.
pub(super) fn rounded_box(p: Point, half: Point, radius: f32) -> f32 {
    let x = p[0].abs() - half[0] + radius;
    let y = p[1].abs() - half[1] + radius;
    if x > 0.0 && y > 0.0 {
        length([x, y]) - radius
    } else {
        x.max(y) - radius
    }
}

/// Distance to a circle around the origin.
pub(super) fn circle(p: Point, radius: f32) -> f32 {
    length(p) - radius
}

/// Distance (exact inside, a little small outside the corners) to a hexagon whose sides are
/// `apothem` away from its centre.
pub(super) fn hexagon(p: Point, apothem: f32) -> f32 {
    const HALF_SQRT_3: f32 = 0.866_025_4;
    let (x, y) = (p[0].abs(), p[1].abs());
    y.max(HALF_SQRT_3 * x + 0.5 * y) - apothem
}

/// Distance to a cross of two bars, each `2 * arm` long and `2 * width` wide.
pub(super) fn cross(p: Point, arm: f32, width: f32) -> f32 {
    let corner = width * 0.4;
    rounded_box(p, [arm, width], corner).min(rounded_box(p, [width, arm], corner))
}

/// The nearest place on a line through several points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearest {
    /// Distance to the line; infinite when the line has fewer than two points.
    pub(super) distance: f32,
    /// How far along the line that place lies: 0 at its start, 1 at its end.
    pub(super) along: f32,
    /// From that place to the point.
    pub(super) away: Point,
}

/// The place on the polyline `line` that is nearest to `p`.
pub(super) fn polyline(p: Point, line: &[Point]) -> Nearest {
    let pieces = line.len().saturating_sub(1).max(1) as f32;
    let mut best = Nearest {
        distance: f32::INFINITY,
        along: 0.0,
        away: [0.0, 0.0],
    };
    let mut best_square = f32::INFINITY;
    for (piece, ends) in line.windows(2).enumerate() {
        let &[a, b] = ends else { continue };
        let (way, to) = (sub(b, a), sub(p, a));
        let square = way[0] * way[0] + way[1] * way[1];
        let t = if square > 0.0 {
            ((to[0] * way[0] + to[1] * way[1]) / square).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let away = sub(p, add(a, scale(way, t)));
        let away_square = away[0] * away[0] + away[1] * away[1];
        if away_square < best_square {
            best_square = away_square;
            best.along = (piece as f32 + t) / pieces;
            best.away = away;
        }
    }
    best.distance = best_square.sqrt();
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_figures() {
        assert_eq!(rounded_box([10.0, 0.0], [4.0, 3.0], 1.0), 6.0);
        assert_eq!(rounded_box([0.0, 0.0], [4.0, 3.0], 1.0), -3.0);
        assert_eq!(circle([3.0, 4.0], 1.0), 4.0);
        assert_eq!(hexagon([0.0, 7.0], 5.0), 2.0);
        assert!((hexagon([5.0 / 0.866_025_4, 0.0], 5.0)).abs() < 1e-5);
        assert!(cross([5.0, 0.0], 6.0, 2.0) < 0.0 && cross([5.0, 5.0], 6.0, 2.0) > 0.0);
        let near = polyline([5.0, 2.0], &[[0.0, 0.0], [10.0, 0.0], [10.0, 9.0]]);
        assert_eq!((near.distance, near.along), (2.0, 0.25));
    }
}
