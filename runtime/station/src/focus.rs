//! Sharpness of an image: gradient energy over variance (Tenengrad, Krotkov 1987, made independent
//! of contrast and light). Sharpness lives in single pixels, so nothing is reduced here; of large
//! images only tiles are looked at. The margin is left out, and what is looked at follows the part,
//! so that structure which a shift brings into the frame or takes out of it does not count.

use crate::grey::Grey;

/// Images up to this many pixels are looked at whole.
const WHOLE_PX: usize = 400_000;
/// Tiles a side of the grid that is laid over larger ones.
const TILES: usize = 8;
/// Pixels a side of a tile.
const TILE_PX: usize = 64;

/// Share of a side that is left out at each end.
const MARGIN: usize = 16;

/// Natural logarithm of mean squared gradient over variance, of grey levels. The part is shifted by
/// `shift` pixels to the right and downwards; what is beyond the margin is not followed.
pub(crate) fn focus(image: &Grey, shift: [f32; 2]) -> f32 {
    let inner = |side: usize, shift: f32| {
        let margin = side / MARGIN;
        let most = margin as f32;
        // In `0..=2 * margin`, and 0 for a shift that is no number.
        let begin = (most + shift.clamp(-most, most)).round() as usize;
        (begin, side - 2 * margin)
    };
    let (left, width) = inner(image.width(), shift[0]);
    let (top, height) = inner(image.height(), shift[1]);
    let mut sums = Sums::default();
    if width * height <= WHOLE_PX {
        sums.add(image, [left, top], [width, height]);
    } else {
        let size = [width.min(TILE_PX), height.min(TILE_PX)];
        let place = |k: usize, px: usize, tile: usize| k * (px - tile) / (TILES - 1);
        for tile in 0..TILES * TILES {
            let corner = [
                left + place(tile % TILES, width, size[0]),
                top + place(tile / TILES, height, size[1]),
            ];
            sums.add(image, corner, size);
        }
    }
    sums.focus()
}

#[derive(Default)]
struct Sums {
    /// Squares of the gradient, times 64, as Sobel's weights add up to 8.
    gradient: u64,
    level: u64,
    square: u64,
    pixels: u64,
}

impl Sums {
    /// Adds the inner pixels of a rectangle.
    fn add(&mut self, image: &Grey, [left, top]: [usize; 2], [width, height]: [usize; 2]) {
        let row = |y: usize| image.row(top + y, left, width);
        for y in 1..height.saturating_sub(1) {
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            let (mut gradient, mut level, mut square) = (0_u64, 0_u64, 0_u64);
            // Short stretches, so that 32 bits hold the sums and eight pixels go at once.
            const STRETCH: usize = 256;
            let inner = width.saturating_sub(2);
            for begin in (0..inner).step_by(STRETCH) {
                let end = (begin + STRETCH).min(inner);
                let of = |by: usize| begin + by..end + by;
                let (a0, a1, a2) = (&above[of(0)], &above[of(1)], &above[of(2)]);
                let (h0, h1, h2) = (&here[of(0)], &here[of(1)], &here[of(2)]);
                let (b0, b1, b2) = (&below[of(0)], &below[of(1)], &below[of(2)]);
                let (mut g, mut l, mut s) = (0_u32, 0_u32, 0_u32);
                for i in 0..end - begin {
                    let v = |line: &[u8]| i32::from(line[i]);
                    let dx = v(a2) - v(a0) + 2 * (v(h2) - v(h0)) + v(b2) - v(b0);
                    let dy = v(b0) - v(a0) + 2 * (v(b1) - v(a1)) + v(b2) - v(a2);
                    // At most 2 * 1020^2, times 256 below 2^30.
                    g += (dx * dx + dy * dy) as u32;
                    l += v(h1) as u32;
                    s += (v(h1) * v(h1)) as u32;
                }
                gradient += u64::from(g);
                level += u64::from(l);
                square += u64::from(s);
            }
            self.gradient += gradient;
            self.level += level;
            self.square += square;
            self.pixels += inner as u64;
        }
    }

    fn focus(&self) -> f32 {
        let n = self.pixels.max(1) as f64;
        let mean = self.level as f64 / n;
        let variance = (self.square as f64 / n - mean * mean).max(0.0);
        let energy = self.gradient as f64 / 64.0 / n;
        // Rounding to whole levels alone has a variance of 1/12; it keeps an even image finite.
        (((energy + 1.0 / 12.0) / (variance + 1.0 / 12.0)).ln()) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(width: usize, height: usize, gain: f32) -> Vec<u8> {
        let level = |i: usize| {
            if (i % width / 8).is_multiple_of(2) {
                200.0
            } else {
                40.0
            }
        };
        (0..width * height)
            .map(|i| (gain * level(i)) as u8)
            .collect()
    }

    fn of(pixels: &[u8], width: usize, height: usize) -> f32 {
        focus(
            &Grey::new(pixels, width, height).expect("it has this size"),
            [0.0; 2],
        )
    }

    #[test]
    fn sharpness_does_not_depend_on_the_light() {
        let bright = of(&bars(320, 200, 1.0), 320, 200);
        let dark = of(&bars(320, 200, 0.5), 320, 200);
        assert!((bright - dark).abs() < 1e-3, "{bright} and {dark}");
    }

    #[test]
    fn tiles_of_a_large_image_say_what_all_of_it_would() {
        let small = of(&bars(640, 480, 1.0), 640, 480);
        let large = of(&bars(1920, 1080, 1.0), 1920, 1080);
        assert!((small - large).abs() < 0.05, "{small} and {large}");
    }

    #[test]
    fn an_even_image_has_a_sharpness_that_is_a_number() {
        assert!(of(&[7; 64 * 64], 64, 64).is_finite());
    }
}
