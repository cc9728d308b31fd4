//! Whether the colour of the light changes from one good part to the next: then patches are measured
//! from their own image.

use image::RgbImage;

/// Spread of the colour of the light from which it counts as changing. A camera with fixed white
/// balance under one light stays below a hundredth; hand-held pictures with automatic white balance
/// reached 0.10 (red) and 0.24 (blue).
const WANDERS: f64 = 0.05;

/// The colour of the light in several pictures, as far as their means tell.
#[derive(Default)]
pub(crate) struct Tints {
    /// Logarithms of red and blue over green, of the mean of each picture.
    logarithms: Vec<[f64; 2]>,
}

impl Tints {
    /// Adds a picture, of which the pixels count that are looked at.
    pub fn add(&mut self, picture: &RgbImage, looked_at: impl Fn(u32, u32) -> bool) {
        let mut sums = [0u64; 3];
        let mut count = 0;
        let pixels = picture.enumerate_pixels();
        for (_, _, pixel) in pixels.filter(|(x, y, _)| looked_at(*x, *y)) {
            count += 1;
            for (sum, value) in sums.iter_mut().zip(pixel.0) {
                *sum += u64::from(value);
            }
        }
        // One level a pixel more, so that black has a colour, too.
        let [red, green, blue] = sums.map(|sum| (sum + count).max(1) as f64);
        self.logarithms
            .push([(red / green).ln(), (blue / green).ln()]);
    }

    /// Whether the colour of the light changes from picture to picture: the standard deviation of a
    /// logarithm is more than a twentieth.
    pub fn wander(&self) -> bool {
        let count = self.logarithms.len().max(1) as f64;
        let spread = |colour: usize| {
            let values = || self.logarithms.iter().map(|tint| tint[colour]);
            let mean = values().sum::<f64>() / count;
            (values().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt()
        };
        spread(0).max(spread(1)) > WANDERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wander(colours: &[[u8; 3]]) -> bool {
        let mut tints = Tints::default();
        for &colour in colours {
            tints.add(&RgbImage::from_pixel(8, 8, image::Rgb(colour)), |_, _| true);
        }
        tints.wander()
    }

    #[test]
    fn brightness_alone_is_no_colour() {
        assert!(!wander(&[]));
        assert!(!wander(&[[40; 3], [120; 3], [250; 3], [0; 3]]));
        assert!(!wander(&[[50, 100, 60], [100, 200, 120]]));
    }

    #[test]
    fn white_balance_that_changes_is_noticed() {
        assert!(wander(&[[100, 100, 100], [100, 100, 130], [100, 100, 90]]));
        assert!(!wander(&[[100, 100, 100], [101, 100, 102], [99, 100, 99]]));
    }
}
