//! The last part as a small picture of half blocks: two pixels a sign, one above the other.

use std::fmt::Write as _;

use image::{Rgb, RgbImage, imageops};

use super::style::PLAIN;
use crate::inspect::Inspection;

/// Columns of the picture, and its rows of signs; each sign shows two pixels.
pub(super) const COLUMNS: u32 = 42;
pub(super) const ROWS: u32 = 16;

/// Frame of a region.
const FLAG: Rgb<u8> = Rgb([255, 48, 48]);

/// A part reduced to the size of the view, with its regions framed.
pub(in crate::line) fn sketch(picture: &RgbImage, inspection: Option<&Inspection>) -> RgbImage {
    let (width, height) = picture.dimensions();
    let scale =
        (f64::from(COLUMNS) / f64::from(width)).min(f64::from(2 * ROWS) / f64::from(height));
    let side = |px: u32| ((f64::from(px) * scale).round() as u32).max(1);
    let mut small = imageops::thumbnail(picture, side(width), side(height));
    let regions = inspection.map(|i| &i.regions[..]).unwrap_or_default();
    for region in regions {
        let [x, y, w, h] = region.bbox.map(f64::from);
        // One pixel around it, so that what is framed can still be seen.
        let low = |at: f64| (at * scale).floor() as i64 - 1;
        let high = |at: f64| (at * scale).ceil() as i64;
        frame(&mut small, [low(x), low(y), high(x + w), high(y + h)]);
    }
    small
}

/// Draws the edges of a rectangle, as far as they lie inside.
fn frame(picture: &mut RgbImage, [left, top, right, bottom]: [i64; 4]) {
    let (right_most, lowest) = (
        i64::from(picture.width()) - 1,
        i64::from(picture.height()) - 1,
    );
    let (left, top) = (left.max(0), top.max(0));
    let (right, bottom) = (right.min(right_most), bottom.min(lowest));
    for y in top..=bottom {
        for x in left..=right {
            if x == left || x == right || y == top || y == bottom {
                picture.put_pixel(x as u32, y as u32, FLAG);
            }
        }
    }
}

/// The picture as lines of signs.
pub(super) fn lines(picture: &RgbImage) -> Vec<String> {
    let dark = Rgb([0; 3]);
    let line = |top: u32| {
        let mut text = String::new();
        for x in 0..picture.width() {
            let Rgb([r, g, b]) = *picture.get_pixel(x, top);
            let Rgb([r2, g2, b2]) = picture
                .get_pixel_checked(x, top + 1)
                .copied()
                .unwrap_or(dark);
            // Writing into a text cannot fail.
            let _ = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{r2};{g2};{b2}m▀");
        }
        text + PLAIN
    };
    (0..picture.height()).step_by(2).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Pathway, Region, ScoreMap, Verdict};
    use crate::line::watch::style::columns;

    fn inspection(bbox: [u32; 4]) -> Inspection {
        let region = Region {
            bbox,
            area_px: 1,
            score: 2.0,
            pathway: Pathway::What,
            what: 1.0,
            where_: 0.0,
            blocks: Vec::new(),
            cells: Vec::new(),
        };
        Inspection {
            verdict: Verdict::Ng,
            score: 2.0,
            layout: None,
            regions: vec![region],
            map: ScoreMap {
                cols: 1,
                rows: 1,
                values: vec![2.0],
                area: [0, 0, 640, 480],
                kept: None,
            },
        }
    }

    #[test]
    fn a_part_of_any_shape_fits_into_its_place_in_the_view() {
        for (width, height) in [(640, 480), (1920, 1080), (100, 900), (3000, 40), (1, 1)] {
            let small = sketch(&RgbImage::new(width, height), None);
            let lines = lines(&small);
            assert!(lines.len() <= ROWS as usize, "{width} x {height}");
            assert!(lines.iter().all(|line| columns(line) <= COLUMNS as usize));
        }
    }

    #[test]
    fn a_region_is_framed_and_what_it_shows_is_left() {
        let grey = RgbImage::from_pixel(640, 480, Rgb([90; 3]));
        let small = sketch(&grey, Some(&inspection([200, 150, 120, 90])));
        let red = |x, y| *small.get_pixel(x, y) == FLAG;
        assert!(red(12, 9) && red(21, 16) && !red(16, 12) && !red(2, 2));
        // A region at the edge is drawn as far as there is a picture.
        sketch(&grey, Some(&inspection([600, 470, 40, 10])));
    }
}
