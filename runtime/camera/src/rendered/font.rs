//! The letters and figures that are printed on the product: a small raster of Noto Sans Mono,
//! drawn at any size.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::maths::smooth;

/// Rows of the raster.
const ROWS: usize = RasterHeight::Size16.val();
/// Columns of one character.
const COLUMNS: usize = get_raster_width(FontWeight::Regular, RasterHeight::Size16);

/// Width of `text` when its line is `height` high, in the same unit.
pub(super) fn width(text: &str, height: f32) -> f32 {
    height * (text.chars().count() * COLUMNS) as f32 / ROWS as f32
}

/// One line of text as shares of ink.
pub(super) struct Text(Vec<[[u8; COLUMNS]; ROWS]>);

impl Text {
    /// The raster of `text`. Characters that the font lacks stay blank.
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().map(glyph).collect())
    }

    /// Share of ink at `x`, `y`, in line heights from the upper left corner.
    pub(super) fn ink(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x * ROWS as f32 - 0.5, y * ROWS as f32 - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let (left, top) = (left as i32, top as i32);
        let row = |y| self.dot(left, y) * (1.0 - fx) + self.dot(left + 1, y) * fx;
        // Enlarged, the raster's soft edges would look out of focus.
        smooth(0.15, 0.6, row(top) * (1.0 - fy) + row(top + 1) * fy)
    }

    fn dot(&self, x: i32, y: i32) -> f32 {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return 0.0;
        };
        let glyph = self.0.get(x / COLUMNS);
        let dot = glyph.and_then(|rows| Some(rows.get(y)?[x % COLUMNS]));
        f32::from(dot.unwrap_or_default()) / 255.0
    }
}

fn glyph(character: char) -> [[u8; COLUMNS]; ROWS] {
    let mut dots = [[0; COLUMNS]; ROWS];
    if let Some(raster) = get_raster(character, FontWeight::Regular, RasterHeight::Size16) {
        for (row, from) in dots.iter_mut().zip(raster.rows()) {
            row.copy_from_slice(from);
        }
    }
    dots
}
