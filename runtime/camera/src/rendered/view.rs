//! Where a point of the part lands in the frame, and back.

use super::maths::{Point, Turn, add, scale, sub};

/// Size of the frame that all lengths refer to, px.
pub(super) const REFERENCE: Point = [640.0, 480.0];

/// A rectangle of whole pixels; the far edges are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    /// Left edge.
    pub(super) x0: u32,
    /// Upper edge.
    pub(super) y0: u32,
    /// Right edge, outside.
    pub(super) x1: u32,
    /// Lower edge, outside.
    pub(super) y1: u32,
}

impl Rect {
    /// All of a frame.
    pub(super) fn frame(width: u32, height: u32) -> Self {
        Self {
            x0: 0,
            y0: 0,
            x1: width,
            y1: height,
        }
    }

    /// Width in pixels; 0 when the edges are the wrong way round.
    pub(super) fn width(&self) -> usize {
        self.x1.saturating_sub(self.x0) as usize
    }

    /// Height in pixels; 0 when the edges are the wrong way round.
    pub(super) fn height(&self) -> usize {
        self.y1.saturating_sub(self.y0) as usize
    }

    /// Whether it has no pixels.
    pub(super) fn is_empty(&self) -> bool {
        self.width() == 0 || self.height() == 0
    }

    /// What both have in common.
    pub(super) fn intersect(&self, other: &Self) -> Self {
        Self {
            x0: self.x0.max(other.x0),
            y0: self.y0.max(other.y0),
            x1: self.x1.min(other.x1),
            y1: self.y1.min(other.y1),
        }
    }

    /// The smallest rectangle around both; an empty one does not count.
    pub(super) fn hull(&self, other: &Self) -> Self {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Self {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// `margin` pixels more on each side, but not beyond `limit`.
    pub(super) fn grow(&self, margin: u32, limit: &Self) -> Self {
        Self {
            x0: self.x0.saturating_sub(margin),
            y0: self.y0.saturating_sub(margin),
            x1: self.x1.saturating_add(margin),
            y1: self.y1.saturating_add(margin),
        }
        .intersect(limit)
    }
}

/// The pose of a part in front of the camera.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// The whole frame.
    pub(super) frame: Rect,
    /// Frame pixels per px of the drawing.
    pub(super) scale: f32,
    /// Px of the drawing per frame pixel.
    per_pixel: f32,
    /// Where the centre of the part lands, frame pixels.
    centre: Point,
    /// How the part is turned.
    pub(super) turn: Turn,
}

impl View {
    /// The view of a part that is shifted by `shift` px and turned by `degrees`.
    pub(super) fn new(frame: Rect, shift: Point, degrees: f32) -> Self {
        let size = [frame.width() as f32, frame.height() as f32];
        let px = (size[0] / REFERENCE[0]).min(size[1] / REFERENCE[1]);
        Self {
            frame,
            scale: px,
            per_pixel: 1.0 / px,
            centre: add(scale(size, 0.5), scale(shift, px)),
            turn: Turn::degrees(degrees),
        }
    }

    /// The point of the drawing that is seen in the middle of pixel (`x`, `y`).
    pub(super) fn part_point(&self, x: u32, y: u32) -> Point {
        let p = sub([x as f32 + 0.5, y as f32 + 0.5], self.centre);
        self.turn.undo(scale(p, self.per_pixel))
    }

    /// The pixels in which a box of the drawing can be seen. The box is `half` around `centre` and
    /// turned by `turn`.
    pub(super) fn bounds(&self, centre: Point, half: Point, turn: Turn) -> Rect {
        let middle = add(scale(self.turn.apply(centre), self.scale), self.centre);
        let across = |[a, b]: Point| {
            // The long way round a box that is turned twice.
            let once = [
                turn.cos.abs() * a + turn.sin.abs() * b,
                turn.sin.abs() * a + turn.cos.abs() * b,
            ];
            [
                self.turn.cos.abs() * once[0] + self.turn.sin.abs() * once[1],
                self.turn.sin.abs() * once[0] + self.turn.cos.abs() * once[1],
            ]
        };
        let reach = add(scale(across(half), self.scale), [1.0, 1.0]);
        let (low, high) = (sub(middle, reach), add(middle, reach));
        // Conversions to integers saturate, so a box outside the frame gives an empty rectangle.
        Rect {
            x0: low[0] as u32,
            y0: low[1] as u32,
            x1: high[0].ceil() as u32,
            y1: high[1].ceil() as u32,
        }
        .intersect(&self.frame)
    }
}
