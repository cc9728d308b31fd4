//! From light to grey levels: lens blur, tone curve, sensor noise, eight bits.

use super::maths::exp_minus;
use super::noise::scramble;
use super::view::Rect;

/// Half of a symmetric blur kernel: the middle weight first.
#[derive(Debug, Clone)]
pub(super) struct Blur(Vec<f32>);

impl Blur {
    /// A Gaussian of this standard deviation, frame pixels, cut off at three of them.
    pub(super) fn new(sigma_px: f32) -> Self {
        let radius = (3.0 * sigma_px).ceil() as usize;
        let weight = |step: usize| {
            let distance = step as f64 / f64::from(sigma_px);
            exp_minus(0.5 * distance * distance) as f32
        };
        if radius == 0 {
            return Self(vec![1.0]);
        }
        let mut half: Vec<f32> = (0..=radius).map(weight).collect();
        let sum = half[0] + 2.0 * half[1..].iter().sum::<f32>();
        half.iter_mut().for_each(|w| *w /= sum);
        Self(half)
    }

    /// Pixels on each side that one pixel takes light from.
    pub(super) fn reach(&self) -> u32 {
        (self.0.len() - 1) as u32
    }

    /// Blurs rows of `width` red, green, blue pixels. Beyond the border the outermost pixel counts
    /// again.
    pub(super) fn apply(&self, light: Vec<f32>, width: usize) -> Vec<f32> {
        if self.0.len() == 1 || width == 0 {
            return light;
        }
        let across = self.across(&light, width);
        // Large frames: never more than two of them at a time.
        drop(light);
        self.down(&across, width)
    }

    fn across(&self, light: &[f32], width: usize) -> Vec<f32> {
        let reach = self.0.len() - 1;
        let mut out = Vec::with_capacity(light.len());
        let mut padded = vec![0.0; (width + 2 * reach) * 3];
        let mut sums = vec![0.0; width * 3];
        for row in light.chunks_exact(width * 3) {
            for (column, pixel) in padded.chunks_exact_mut(3).enumerate() {
                let from = column.saturating_sub(reach).min(width - 1) * 3;
                pixel.copy_from_slice(&row[from..from + 3]);
            }
            let shifted = |step: usize| &padded[step * 3..(step + width) * 3];
            weigh(&mut sums, shifted(reach), None, self.0[0]);
            for (step, &weight) in self.0.iter().enumerate().skip(1) {
                weigh(
                    &mut sums,
                    shifted(reach - step),
                    Some(shifted(reach + step)),
                    weight,
                );
            }
            out.extend_from_slice(&sums);
        }
        out
    }

    fn down(&self, light: &[f32], width: usize) -> Vec<f32> {
        let rows = light.len() / (width * 3);
        let row = |y: usize| &light[y * width * 3..(y + 1) * width * 3];
        let mut out = vec![0.0; light.len()];
        for (y, sums) in out.chunks_exact_mut(width * 3).enumerate() {
            weigh(sums, row(y), None, self.0[0]);
            for (step, &weight) in self.0.iter().enumerate().skip(1) {
                let (above, below) = (y.saturating_sub(step), (y + step).min(rows - 1));
                weigh(sums, row(above), Some(row(below)), weight);
            }
        }
        out
    }
}

/// Starts `sums` with `weight` times `a`, or adds `weight` times both `a` and `b`.
fn weigh(sums: &mut [f32], a: &[f32], b: Option<&[f32]>, weight: f32) {
    match b {
        None => {
            for (sum, a) in sums.iter_mut().zip(a) {
                *sum = weight * a;
            }
        }
        Some(b) => {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += weight * (a + b);
            }
        }
    }
}

/// Light as a grey level, 0 to 255: a soft shoulder before saturation, then the square root that
/// machine-vision cameras call gamma 0.5.
pub(super) fn tone(light: f32) -> f32 {
    const KNEE: f32 = 0.72;
    const ROOM: f32 = 1.0 - KNEE;
    let light = light.max(0.0);
    let held = if light > KNEE {
        let over = (light - KNEE) / ROOM;
        KNEE + ROOM * over / (1.0 + over)
    } else {
        light
    };
    255.0 * held.sqrt()
}

/// Sensor noise of one frame.
pub(super) struct Sensor {
    /// Tells frames apart.
    pub(super) key: u64,
    /// Standard deviation, grey levels.
    pub(super) levels: f32,
}

impl Sensor {
    /// The bytes of one row of grey levels that begins at pixel (`x`, `y`) of a frame.
    pub(super) fn read(&self, levels: &[f32], x: u32, y: u32, bytes: &mut [u8]) {
        if self.levels <= 0.0 {
            quantise(levels, bytes);
            return;
        }
        // The sum of four uniform 16-bit numbers is nearly normal; this is its deviation.
        let scale = self.levels / (65536.0 * (4.0_f32 / 12.0).sqrt());
        let pixels = levels.chunks_exact(3).zip(bytes.chunks_exact_mut(3));
        for (x, (levels, bytes)) in (x..).zip(pixels) {
            let at = self.key ^ (u64::from(y) << 34 | u64::from(x) << 2);
            for (channel, (level, byte)) in (0..).zip(levels.iter().zip(bytes)) {
                let hash = scramble(at ^ channel);
                let sum =
                    (hash & 0xFFFF) + (hash >> 16 & 0xFFFF) + (hash >> 32 & 0xFFFF) + (hash >> 48);
                let grain = (sum as i32 - 2 * 0xFFFF) as f32 * scale;
                *byte = round(level + grain);
            }
        }
    }
}

/// Grey levels as bytes, without noise.
pub(super) fn quantise(levels: &[f32], bytes: &mut [u8]) {
    for (level, byte) in levels.iter().zip(bytes) {
        *byte = round(*level);
    }
}

fn round(level: f32) -> u8 {
    // Conversions saturate at 0 and 255.
    (level + 0.5) as u8
}

/// Grey levels of the part `inner` of a picture that covers `outer`, row by row.
pub(super) fn crop(levels: &[f32], outer: &Rect, inner: &Rect) -> Vec<f32> {
    let width = outer.width() * 3;
    let mut out = Vec::with_capacity(inner.width() * inner.height() * 3);
    for y in inner.y0..inner.y1 {
        let first = (y - outer.y0) as usize * width + (inner.x0 - outer.x0) as usize * 3;
        out.extend_from_slice(&levels[first..first + inner.width() * 3]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_even_light_even_and_the_sum_of_a_point() {
        let blur = Blur::new(1.3);
        let even = vec![0.5; 9 * 7 * 3];
        assert!(blur.apply(even, 9).iter().all(|v| (v - 0.5).abs() < 1e-6));
        let mut point = vec![0.0; 15 * 15 * 3];
        point[(7 * 15 + 7) * 3] = 1.0;
        let spread = blur.apply(point, 15);
        assert!((spread.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(spread[(7 * 15 + 7) * 3] < 0.2);
    }

    #[test]
    fn noise_has_the_deviation_that_was_asked_for() {
        let sensor = Sensor {
            key: 9,
            levels: 3.0,
        };
        let levels = vec![128.0; 3 * 40_000];
        let mut bytes = vec![0; levels.len()];
        sensor.read(&levels, 0, 0, &mut bytes);
        let n = bytes.len() as f64;
        let mean = bytes.iter().map(|&b| f64::from(b)).sum::<f64>() / n;
        let variance = bytes
            .iter()
            .map(|&b| (f64::from(b) - mean).powi(2))
            .sum::<f64>()
            / n;
        assert!((mean - 128.0).abs() < 0.1, "{mean}");
        // Rounding adds a variance of 1/12.
        assert!((variance.sqrt() - 3.0).abs() < 0.1, "{}", variance.sqrt());
    }
}
