//! Drawing on pixels with soft edges: rectangles, discs, lines, text.

use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::palette::{Colour, mix};

/// A point in pixels; whole numbers are the upper left corners of pixels.
pub(super) type Point = [f32; 2];

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) height: RasterHeight,
    pub(super) weight: FontWeight,
    pub(super) colour: Colour,
}

impl Style {
    pub(super) fn regular(height: RasterHeight, colour: Colour) -> Self {
        Self {
            height,
            weight: FontWeight::Regular,
            colour,
        }
    }

    pub(super) fn bold(height: RasterHeight, colour: Colour) -> Self {
        Self {
            height,
            weight: FontWeight::Bold,
            colour,
        }
    }

    /// Width of one character in pixels; all are equal.
    pub(super) fn advance(&self) -> u32 {
        get_raster_width(self.weight, self.height) as u32
    }

    /// Height of a line in pixels.
    pub(super) fn line(&self) -> u32 {
        self.height.val() as u32
    }

    /// Width of a text in pixels.
    pub(super) fn width(&self, text: &str) -> u32 {
        text.chars().count() as u32 * self.advance()
    }

    /// The text, its middle left out when it is wider than `width` pixels.
    pub(super) fn fit(&self, text: &str, width: u32) -> String {
        let most = (width / self.advance()) as usize;
        let chars: Vec<char> = text.chars().collect();
        if chars.len() <= most {
            return text.to_owned();
        }
        let keep = most.saturating_sub(2);
        let (head, tail) = (keep - keep / 2, keep / 2);
        let mut short: String = chars[..head].iter().collect();
        short.push_str("..");
        short.extend(&chars[chars.len() - tail..]);
        short
    }
}

/// A picture being drawn. Whatever falls outside is clipped.
pub(super) struct Canvas(RgbImage);

impl Canvas {
    pub(super) fn new(width: u32, height: u32, colour: Colour) -> Self {
        Self(RgbImage::from_pixel(width, height, Rgb(colour)))
    }

    pub(super) fn into_image(self) -> RgbImage {
        self.0
    }

    pub(super) fn blend(&mut self, x: i64, y: i64, colour: Colour, alpha: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if let Some(pixel) = self.0.get_pixel_mut_checked(x, y) {
            pixel.0 = mix(pixel.0, colour, alpha);
        }
    }

    pub(super) fn paste(&mut self, picture: &RgbImage, x: u32, y: u32) {
        image::imageops::replace(&mut self.0, picture, i64::from(x), i64::from(y));
    }

    /// Fills `[x, y, width, height]` with corners rounded by `radius` pixels.
    pub(super) fn fill(&mut self, [x, y, width, height]: [f32; 4], radius: f32, colour: Colour) {
        let half = [width / 2.0, height / 2.0];
        let centre = [x + half[0], y + half[1]];
        let bounds = [[x, y], [x + width, y + height]];
        self.shade(&bounds, 1.0, colour, |p| {
            let beyond = |axis: usize| (p[axis] - centre[axis]).abs() - half[axis] + radius;
            let (dx, dy) = (beyond(0), beyond(1));
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
        });
    }

    /// A disc around `centre`.
    pub(super) fn disc(&mut self, centre: Point, radius: f32, colour: Colour) {
        self.shade(&[centre], radius + 1.0, colour, |p| {
            distance(p, centre) - radius
        });
    }

    /// Lines through `points`, `width` pixels thick, with round joints. Overlaps of one line with
    /// itself are drawn once.
    pub(super) fn line(&mut self, points: &[Point], width: f32, colour: Colour) {
        let reach = width / 2.0 + 1.0;
        let Some((from, to)) = self.window(points, reach) else {
            return;
        };
        let columns = (to[0] - from[0]) as usize;
        let mut coverage = vec![0.0_f32; columns * (to[1] - from[1]) as usize];
        for pair in points.windows(2) {
            let Some((low, high)) = self.window(pair, reach) else {
                continue;
            };
            for y in low[1]..high[1] {
                for x in low[0]..high[0] {
                    let away = to_segment([x as f32 + 0.5, y as f32 + 0.5], pair[0], pair[1]);
                    let here = (width / 2.0 + 0.5 - away).clamp(0.0, 1.0);
                    let index = (y - from[1]) as usize * columns + (x - from[0]) as usize;
                    coverage[index] = coverage[index].max(here);
                }
            }
        }
        for (row, y) in coverage.chunks_exact(columns).zip(from[1]..) {
            for (&alpha, x) in row.iter().zip(from[0]..) {
                if alpha > 0.0 {
                    self.blend(x, y, colour, alpha);
                }
            }
        }
    }

    /// Writes `text` with its upper left corner at `(x, y)`. Characters that the font lacks appear
    /// as `?`.
    pub(super) fn text(&mut self, x: u32, y: u32, text: &str, style: Style) {
        let mut left = i64::from(x);
        for c in text.chars() {
            let glyph = get_raster(c, style.weight, style.height)
                .or_else(|| get_raster('?', style.weight, style.height));
            for (row, top) in glyph.iter().flat_map(|g| g.rows()).zip(i64::from(y)..) {
                for (&level, column) in row.iter().zip(left..) {
                    if level > 0 {
                        self.blend(column, top, style.colour, f32::from(level) / 255.0);
                    }
                }
            }
            left += i64::from(style.advance());
        }
    }

    /// Colours every pixel near `points` by its signed distance to a shape (negative inside).
    fn shade(&mut self, points: &[Point], reach: f32, colour: Colour, away: impl Fn(Point) -> f32) {
        let Some((from, to)) = self.window(points, reach) else {
            return;
        };
        for y in from[1]..to[1] {
            for x in from[0]..to[0] {
                let alpha = 0.5 - away([x as f32 + 0.5, y as f32 + 0.5]);
                if alpha > 0.0 {
                    self.blend(x, y, colour, alpha);
                }
            }
        }
    }

    /// The pixels within `reach` of the points' bounding box, clipped: `(from, to)`, `to` exclusive.
    fn window(&self, points: &[Point], reach: f32) -> Option<([i64; 2], [i64; 2])> {
        let size = [i64::from(self.0.width()), i64::from(self.0.height())];
        let least = |axis: usize| points.iter().map(|p| p[axis]).fold(f32::INFINITY, f32::min);
        let most = |axis: usize| {
            points
                .iter()
                .map(|p| p[axis])
                .fold(-f32::INFINITY, f32::max)
        };
        let from: [i64; 2] = std::array::from_fn(|i| ((least(i) - reach).floor() as i64).max(0));
        let to: [i64; 2] = std::array::from_fn(|i| ((most(i) + reach).ceil() as i64).min(size[i]));
        (from[0] < to[0] && from[1] < to[1]).then_some((from, to))
    }
}

fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn to_segment(p: Point, a: Point, b: Point) -> f32 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let length2 = along[0] * along[0] + along[1] * along[1];
    if length2 == 0.0 {
        return distance(p, a);
    }
    let part = ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / length2;
    let part = part.clamp(0.0, 1.0);
    distance(p, [a[0] + part * along[0], a[1] + part * along[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Colour = [255; 3];

    #[test]
    fn drawing_outside_is_clipped() {
        let mut canvas = Canvas::new(8, 8, [0; 3]);
        canvas.line(&[[-50.0, 4.0], [50.0, 4.0]], 2.0, WHITE);
        canvas.disc([-10.0, -10.0], 3.0, WHITE);
        canvas.fill([6.0, 6.0, 100.0, 100.0], 0.0, WHITE);
        canvas.text(6, 6, "Wide", Style::regular(RasterHeight::Size16, WHITE));
        let image = canvas.into_image();
        assert_eq!(image.get_pixel(0, 3).0, WHITE);
        assert_eq!(image.get_pixel(0, 0).0, [0; 3]);
        assert_eq!(image.get_pixel(7, 7).0, WHITE);
    }

    #[test]
    fn the_font_is_built_with_the_characters_that_overlays_write() {
        // They are features of the font crate; without them text vanishes instead of failing.
        for weight in [FontWeight::Regular, FontWeight::Bold] {
            for height in [
                RasterHeight::Size16,
                RasterHeight::Size20,
                RasterHeight::Size24,
                RasterHeight::Size32,
            ] {
                for c in (' '..='~').chain(['×', 'é']) {
                    assert!(
                        get_raster(c, weight, height).is_some(),
                        "{c:?} {weight:?} {height:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_line_is_as_thick_as_asked() {
        let mut canvas = Canvas::new(20, 20, [0; 3]);
        canvas.line(&[[0.0, 10.0], [20.0, 10.0]], 4.0, WHITE);
        let image = canvas.into_image();
        let lit: f32 = (0..20)
            .map(|y| f32::from(image.get_pixel(10, y).0[0]) / 255.0)
            .sum();
        assert!((lit - 4.0).abs() < 0.1, "{lit}");
    }

    #[test]
    fn a_long_name_keeps_its_ends_and_fits() {
        let style = Style::regular(RasterHeight::Size16, WHITE);
        let name = "station-7_camera-left_2026-01-31_000123.png";
        let short = style.fit(name, 160);
        assert!(
            style.width(&short) <= 160 && short.starts_with("station") && short.ends_with(".png")
        );
        assert_eq!(style.fit("a.png", 160), "a.png");
    }
}
