//! Shift of an image against a reference by phase correlation (Kuglin and Hines, 1975): only where
//! the structure lies counts, not how bright it is or how sharp.

use std::f32::consts::TAU;
use std::sync::Arc;

use rustfft::{Fft, FftPlanner, num_complex::Complex};

use crate::grey::Thumbnail;

/// Standard deviation of the weights over frequency, in cycles a point. Higher frequencies are
/// mostly noise. The peak becomes a bell of 1 / (2 pi 0.15) = 1.06 points, whose top lies exactly
/// on a parabola through the logarithms of three points.
const BANDWIDTH: f32 = 0.15;

/// Least height of the peak in standard deviations of a sum of independent directions with these
/// weights; the same image reaches 50 to 60. The window couples neighbouring frequencies, so the
/// directions are not quite independent: the highest of 100 pairs of images that have nothing in
/// common but sensor noise was 9.2 (the test below).
const LEAST_PEAK: f32 = 12.0;

/// Frequencies from here up, in both directions and cycles a point, show how strong the noise is.
const NOISE_FROM: f32 = 0.375;

/// The reference with its plans.
#[derive(Clone)]
pub(crate) struct Correlator {
    columns: usize,
    rows: usize,
    along_rows: Transform,
    along_columns: Transform,
    window: Vec<f32>,
    weights: Vec<f32>,
    /// Places in the spectrum that show the noise.
    noise: Vec<usize>,
    /// Spectrum of the reference, `[columns, rows]`.
    reference: Vec<Complex<f32>>,
}

#[derive(Clone)]
struct Transform {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
}

impl Transform {
    fn new(planner: &mut FftPlanner<f32>, points: usize) -> Self {
        Self {
            forward: planner.plan_fft_forward(points),
            inverse: planner.plan_fft_inverse(points),
        }
    }
}

impl Correlator {
    pub(crate) fn new(reference: &Thumbnail) -> Self {
        let (columns, rows) = (reference.columns(), reference.rows());
        let mut planner = FftPlanner::new();
        // Hann, so that the edges of the image do not count as structure that stays in place.
        let hann = |k: usize, of: usize| 0.5 - 0.5 * (TAU * (k as f32 + 0.5) / of as f32).cos();
        let window = (0..rows * columns)
            .map(|i| hann(i % columns, columns) * hann(i / columns, rows))
            .collect();
        let frequency = |k: usize, of: usize| k.min(of - k) as f32 / of as f32;
        let frequencies = |i: usize| [frequency(i / rows, columns), frequency(i % rows, rows)];
        let weights = (0..rows * columns)
            .map(|i| {
                let [u, v] = frequencies(i);
                (-(u * u + v * v) / (2.0 * BANDWIDTH * BANDWIDTH)).exp()
            })
            .collect();
        let noise = (0..rows * columns)
            .filter(|&i| frequencies(i).iter().all(|&f| f >= NOISE_FROM))
            .collect();
        let mut correlator = Self {
            columns,
            rows,
            along_rows: Transform::new(&mut planner, columns),
            along_columns: Transform::new(&mut planner, rows),
            window,
            weights,
            noise,
            reference: Vec::new(),
        };
        correlator.reference = correlator.spectrum(reference);
        correlator
    }

    /// Shift of `image` to the right and downwards, in points; `None` where it has too little in
    /// common with the reference, or another size.
    pub(crate) fn shift(&self, image: &Thumbnail) -> Option<[f32; 2]> {
        if (image.columns(), image.rows()) != (self.columns, self.rows) {
            return None;
        }
        let mut spectrum = self.spectrum(image);
        for (value, reference) in spectrum.iter_mut().zip(&self.reference) {
            *value *= reference.conj();
        }
        // Only directions count, but those of frequencies in which there is nothing but noise mean
        // nothing: a blurred image has many of them.
        let noise: f32 = self.noise.iter().map(|&i| spectrum[i].norm()).sum();
        let noise = (noise / self.noise.len().max(1) as f32).max(f32::MIN_POSITIVE);
        let mut squares = 0.0;
        for (value, &weight) in spectrum.iter_mut().zip(&self.weights) {
            *value *= weight / (value.norm() + noise);
            squares += value.norm_sqr();
        }
        self.along_columns.inverse.process(&mut spectrum);
        let mut spectrum = transposed(&spectrum, self.rows);
        self.along_rows.inverse.process(&mut spectrum);
        // Now `[rows, columns]` again, the peak at the shift.
        let (at, peak) = spectrum
            .iter()
            .map(|value| value.re)
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        if peak.is_nan() || peak <= LEAST_PEAK * squares.sqrt() {
            return None;
        }
        let (x, y) = (at % self.columns, at / self.columns);
        let height = |x: usize, y: usize| {
            let (x, y) = (x % self.columns, y % self.rows);
            spectrum[y * self.columns + x].re
        };
        let beside_x = [height(x + self.columns - 1, y), peak, height(x + 1, y)];
        let beside_y = [height(x, y + self.rows - 1), peak, height(x, y + 1)];
        Some([
            signed(x, self.columns) + top(beside_x),
            signed(y, self.rows) + top(beside_y),
        ])
    }

    /// Spectrum of the windowed image, `[columns, rows]`.
    fn spectrum(&self, image: &Thumbnail) -> Vec<Complex<f32>> {
        let mean = image.mean();
        let mut values: Vec<Complex<f32>> = image
            .levels()
            .iter()
            .zip(&self.window)
            .map(|(&level, &window)| Complex::new((level - mean) * window, 0.0))
            .collect();
        self.along_rows.forward.process(&mut values);
        let mut values = transposed(&values, self.columns);
        self.along_columns.forward.process(&mut values);
        values
    }
}

/// `[n, columns]` to `[columns, n]`.
fn transposed(values: &[Complex<f32>], columns: usize) -> Vec<Complex<f32>> {
    (0..columns)
        .flat_map(|column| values.iter().skip(column).step_by(columns).copied())
        .collect()
}

/// Places beyond the middle are shifts to the other side.
fn signed(at: usize, of: usize) -> f32 {
    if at > of / 2 {
        at as f32 - of as f32
    } else {
        at as f32
    }
}

/// Where the top of a bell lies beside its middle one of three points.
fn top([before, at, after]: [f32; 3]) -> f32 {
    if !(before > 0.0 && at > 0.0 && after > 0.0) {
        return 0.0;
    }
    let [before, at, after] = [before.ln(), at.ln(), after.ln()];
    let bend = before - 2.0 * at + after;
    if bend < 0.0 {
        (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::grey::Grey;

    /// Blobs at places that follow from a seed, moved by a part of a pixel, seen with noise of 1.5
    /// grey levels.
    fn blobs(seed: u64, [dx, dy]: [f32; 2]) -> Thumbnail {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let places: Vec<[f32; 2]> = (0..60)
            .map(|_| [dice.random_range(0.0..128.0), dice.random_range(0.0..128.0)])
            .collect();
        let mut noise = ChaCha8Rng::seed_from_u64(seed + u64::from((dx * 7.0 + dy).to_bits()));
        let level = |i: usize| {
            let (x, y) = ((i % 128) as f32 - dx, (i / 128) as f32 - dy);
            let bright: f32 = places
                .iter()
                .map(|[px, py]| (-((x - px).powi(2) + (y - py).powi(2)) / 18.0).exp())
                .sum();
            (40.0 + 120.0 * bright + noise.random_range(-2.6..2.6)).min(255.0) as u8
        };
        let pixels: Vec<u8> = (0..128 * 128).map(level).collect();
        Thumbnail::of(&Grey::new(&pixels, 128, 128).expect("it has this size"))
    }

    #[test]
    fn shifts_are_found_to_a_quarter_of_a_point_in_both_directions() {
        let correlator = Correlator::new(&blobs(1, [0.0; 2]));
        for shift in [
            [0.0, 0.0],
            [0.3, -0.4],
            [5.0, 2.0],
            [-7.6, 3.25],
            [0.5, -11.0],
        ] {
            let found = correlator.shift(&blobs(1, shift)).expect("it is the same");
            for (found, shift) in found.iter().zip(shift) {
                assert!((found - shift).abs() < 0.25, "{found} for {shift}");
            }
        }
    }

    #[test]
    fn images_that_have_nothing_in_common_have_no_shift() {
        let correlator = Correlator::new(&blobs(1, [0.0; 2]));
        for seed in 100..200 {
            let found = correlator.shift(&blobs(seed, [0.0; 2]));
            assert_eq!(found, None, "seed {seed}");
        }
        let even = Grey::new(&[9; 128 * 128], 128, 128).map(|image| Thumbnail::of(&image));
        assert_eq!(correlator.shift(&even.expect("it has this size")), None);
    }
}
