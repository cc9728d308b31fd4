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

/// Least height of the peak, where 1 is the same image. Two images that have nothing in common
/// reach about 0.06 somewhere: four standard deviations of a sum of about 1200 unit vectors with
/// random directions, at 128 points a side.
const LEAST_PEAK: f32 = 0.12;

/// The reference with its plans.
#[derive(Clone)]
pub(crate) struct Correlator {
    columns: usize,
    rows: usize,
    along_rows: Transform,
    along_columns: Transform,
    window: Vec<f32>,
    weights: Vec<f32>,
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
        let weights = (0..rows * columns)
            .map(|i| {
                let (u, v) = (frequency(i / rows, columns), frequency(i % rows, rows));
                (-(u * u + v * v) / (2.0 * BANDWIDTH * BANDWIDTH)).exp()
            })
            .collect();
        let mut correlator = Self {
            columns,
            rows,
            along_rows: Transform::new(&mut planner, columns),
            along_columns: Transform::new(&mut planner, rows),
            window,
            weights,
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
        let mut total = 0.0;
        for ((value, reference), &weight) in
            spectrum.iter_mut().zip(&self.reference).zip(&self.weights)
        {
            let cross = *value * reference.conj();
            *value = cross * (weight / cross.norm().max(f32::MIN_POSITIVE));
            total += weight;
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
        // Written so that a value that is not a number is refused, too.
        if !(peak >= LEAST_PEAK * total) {
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
