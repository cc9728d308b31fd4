//! What a camera would need to know about every pixel before the light is switched on: colour,
//! gloss, slope and how much light arrives. Things are laid over one another with soft edges.

use super::maths::{Point, Turn, mix};
use super::view::{Rect, View};

/// The surface seen in one pixel. Colours are linear red, green, blue shares of reflected light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texel {
    /// Share of light that is scattered.
    pub(super) diffuse: [f32; 3],
    /// Share of light that is mirrored.
    pub(super) mirror: [f32; 3],
    /// How narrow the mirrored light stays, along x and y: one over the width of the lobe.
    pub(super) sharp: Point,
    /// Rise of the surface along x and y.
    pub(super) slope: Point,
    /// Share of the lamp's light that arrives: less than 1 in a shadow.
    pub(super) lit: f32,
    /// Share of the surroundings that is seen: less than 1 in a corner.
    pub(super) open: f32,
}

impl Texel {
    /// A flat, matte surface of this colour.
    pub(super) const fn matte(diffuse: [f32; 3]) -> Self {
        Self {
            diffuse,
            mirror: [0.03; 3],
            sharp: [1.4, 1.4],
            slope: [0.0, 0.0],
            lit: 1.0,
            open: 1.0,
        }
    }

    /// A flat, shiny surface: `mirror` is its colour, `sharp` is large when it is polished.
    pub(super) const fn metal(mirror: [f32; 3], sharp: f32) -> Self {
        Self {
            diffuse: [0.12 * mirror[0], 0.12 * mirror[1], 0.12 * mirror[2]],
            mirror,
            sharp: [sharp, sharp],
            slope: [0.0, 0.0],
            lit: 1.0,
            open: 1.0,
        }
    }

    /// Covers this surface with `over` to the share `cover`.
    pub(super) fn lay(&mut self, over: &Self, cover: f32) {
        for channel in 0..3 {
            self.diffuse[channel] = mix(self.diffuse[channel], over.diffuse[channel], cover);
            self.mirror[channel] = mix(self.mirror[channel], over.mirror[channel], cover);
        }
        for axis in 0..2 {
            self.sharp[axis] = mix(self.sharp[axis], over.sharp[axis], cover);
            self.slope[axis] = mix(self.slope[axis], over.slope[axis], cover);
        }
        self.lit = mix(self.lit, over.lit, cover);
        self.open = mix(self.open, over.open, cover);
    }

    /// Takes away the share `lamp` of the lamp's light and `sky` of the surroundings.
    pub(super) fn shadow(&mut self, lamp: f32, sky: f32) {
        self.lit *= 1.0 - lamp;
        self.open *= 1.0 - sky;
    }

    /// Multiplies both colours.
    pub(super) fn tint(&mut self, diffuse: f32, mirror: f32) {
        self.diffuse = self.diffuse.map(|c| c * diffuse);
        self.mirror = self.mirror.map(|c| c * mirror);
    }

    /// Tilts the surface further.
    pub(super) fn tilt(&mut self, direction: Point, rise: f32) {
        self.slope[0] += direction[0] * rise;
        self.slope[1] += direction[1] * rise;
    }
}

/// The surfaces in a rectangle of the frame.
pub(super) struct Canvas<'a> {
    /// The pose of the part.
    pub(super) view: &'a View,
    region: Rect,
    texels: Vec<Texel>,
}

impl<'a> Canvas<'a> {
    /// A canvas of matte black over `region`.
    pub(super) fn new(view: &'a View, region: Rect) -> Self {
        Self {
            view,
            region,
            texels: vec![Texel::matte([0.0; 3]); region.width() * region.height()],
        }
    }

    /// Calls `draw` for every pixel of the canvas in which the box `half` around `centre`, turned
    /// by `turn`, may be seen. `draw` gets the point of the drawing and the surface there.
    pub(super) fn paint(
        &mut self,
        centre: Point,
        half: Point,
        turn: Turn,
        draw: impl FnMut(Point, &mut Texel),
    ) {
        let bounds = self.view.bounds(centre, half, turn);
        self.paint_pixels(bounds, draw);
    }

    /// The same for a box that is not turned against the part.
    pub(super) fn paint_box(
        &mut self,
        centre: Point,
        half: Point,
        draw: impl FnMut(Point, &mut Texel),
    ) {
        self.paint(centre, half, Turn::degrees(0.0), draw);
    }

    /// The same for the whole canvas.
    pub(super) fn paint_all(&mut self, draw: impl FnMut(Point, &mut Texel)) {
        self.paint_pixels(self.region, draw);
    }

    fn paint_pixels(&mut self, bounds: Rect, mut draw: impl FnMut(Point, &mut Texel)) {
        let bounds = bounds.intersect(&self.region);
        if bounds.is_empty() {
            return;
        }
        let width = self.region.width();
        for y in bounds.y0..bounds.y1 {
            let row = (y - self.region.y0) as usize * width;
            let first = row + (bounds.x0 - self.region.x0) as usize;
            let texels = &mut self.texels[first..first + bounds.width()];
            for (x, texel) in (bounds.x0..).zip(texels) {
                draw(self.view.part_point(x, y), texel);
            }
        }
    }

    /// Share of a pixel that lies inside a figure at this signed distance, px.
    pub(super) fn cover(&self) -> impl Fn(f32) -> f32 + use<> {
        let scale = self.view.scale;
        move |distance| (0.5 - distance * scale).clamp(0.0, 1.0)
    }

    /// The surfaces, row by row.
    pub(super) fn texels(&self) -> &[Texel] {
        &self.texels
    }
}
