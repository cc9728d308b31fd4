//! Where everything on an overlay goes.

use noto_sans_mono_bitmap::RasterHeight;

use super::draw::Point;

/// The longer side of each of the two pictures, px: smaller images are enlarged, larger ones
/// reduced.
const PICTURE_PX: [u32; 2] = [560, 1200];
/// Narrower, the header and the scale would not be readable, px.
pub(super) const LEAST_WIDTH: u32 = 720;
/// Pictures wider than this many times their height stand one above the other.
const STACK_FROM: f32 = 1.7;
/// Regions that get a number and a line of text; all get an outline.
pub(super) const LISTED: usize = 8;

/// Where everything goes, in pixels of the overlay.
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Size of each picture.
    pub(super) picture: [u32; 2],
    /// Upper left corners of the two pictures.
    pub(super) first: [u32; 2],
    pub(super) second: [u32; 2],
    /// Overlay pixels for one pixel of the original, along x and y.
    zoom: [f32; 2],
    /// Free space around things.
    pub(super) pad: u32,
    /// Height of the strip at the top.
    pub(super) header: u32,
    /// Upper edges of the scale and of the list.
    pub(super) scale_top: u32,
    pub(super) list_top: u32,
    /// Text below the strip, and in it.
    pub(super) small: RasterHeight,
    pub(super) large: RasterHeight,
}

impl Layout {
    /// For an image of `size` = `[width, height]` pixels with `regions` flagged regions.
    pub(super) fn new(size: [u32; 2], regions: usize) -> Self {
        let size = size.map(|side| side.max(1));
        let longer = size[0].max(size[1]);
        let zoom = longer.clamp(PICTURE_PX[0], PICTURE_PX[1]) as f32 / longer as f32;
        let picture = size.map(|side| ((side as f32 * zoom).round() as u32).max(1));
        let roomy = picture[0].max(picture[1]) > 800;
        let (small, large) = if roomy {
            (RasterHeight::Size20, RasterHeight::Size32)
        } else {
            (RasterHeight::Size16, RasterHeight::Size24)
        };
        let line = small.val() as u32;
        let pad = line;
        let header = large.val() as u32 + pad * 3 / 2;
        let stacked = picture[0] as f32 > STACK_FROM * picture[1] as f32;
        let across = if stacked {
            picture[0]
        } else {
            picture[0] * 2 + pad
        };
        let width = (across + 2 * pad).max(LEAST_WIDTH);
        let left = (width - across) / 2;
        let top = header + pad + line;
        let first = [left, top];
        let second = if stacked {
            [left, top + picture[1] + pad + line]
        } else {
            [left + picture[0] + pad, top]
        };
        let scale_top = second[1] + picture[1] + pad;
        let list_top = scale_top + 3 * line + pad;
        let listed =
            regions.min(LISTED) as u32 + u32::from(regions > LISTED) + u32::from(regions > 0);
        let list_height = if listed == 0 {
            0
        } else {
            listed * (line + line / 4) + pad / 2
        };
        Self {
            width,
            height: list_top + list_height + pad / 2,
            picture,
            first,
            second,
            zoom: [
                picture[0] as f32 / size[0] as f32,
                picture[1] as f32 / size[1] as f32,
            ],
            pad,
            header,
            scale_top,
            list_top,
            small,
            large,
        }
    }

    /// A point of the original image on the second picture.
    pub(super) fn on_second(&self, p: Point) -> Point {
        std::array::from_fn(|i| self.second[i] as f32 + p[i] * self.zoom[i])
    }

    /// A point of the original image on the first picture.
    pub(super) fn on_first(&self, p: Point) -> Point {
        std::array::from_fn(|i| self.first[i] as f32 + p[i] * self.zoom[i])
    }

    /// The nearest point on the first picture.
    pub(super) fn clamp_to_first(&self, p: Point) -> Point {
        std::array::from_fn(|i| {
            let start = self.first[i] as f32;
            p[i].clamp(start, start + self.picture[i] as f32)
        })
    }

    /// Thickness of an outline, px.
    pub(super) fn stroke(&self) -> f32 {
        (self.picture[0].max(self.picture[1]) as f32 / 400.0).clamp(1.75, 3.0)
    }
}
