//! Y, U and V to R, G and B after ITU-R BT.601, in fixed point.

use crate::frame::YuvRange;

/// Fraction bits of the factors: the error stays far under half a level.
const BITS: u32 = 16;

/// Factors of BT.601 for one range, times 2^16.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix {
    black: i32,
    y: i32,
    red_v: i32,
    green_u: i32,
    green_v: i32,
    blue_u: i32,
}

impl Matrix {
    /// Kr = 0.299, Kb = 0.114 (ITU-R BT.601-7, 2.5), with the gains of the range: Y by 255/219
    /// and chroma by 255/224 in the limited one, 1 in the full one (JFIF).
    pub(super) fn bt601(range: YuvRange) -> Self {
        let (black, luma, chroma) = match range {
            YuvRange::Limited => (16, 255.0 / 219.0, 255.0 / 224.0),
            YuvRange::Full => (0, 1.0, 1.0),
        };
        let fixed = |factor: f64| (factor * f64::from(1 << BITS)).round() as i32;
        Self {
            black,
            y: fixed(luma),
            red_v: fixed(1.402 * chroma),
            green_u: fixed(0.114 * 1.772 / 0.587 * chroma),
            green_v: fixed(0.299 * 1.402 / 0.587 * chroma),
            blue_u: fixed(1.772 * chroma),
        }
    }

    fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.y + (1 << (BITS - 1));
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let level = |value: i32| (value >> BITS).clamp(0, 255) as u8;
        [
            level(y + self.red_v * v),
            level(y - self.green_u * u - self.green_v * v),
            level(y + self.blue_u * u),
        ]
    }
}

/// Pixels `left..` of a row of YUYV. `row` reaches to the last pair that is needed at least.
pub(super) fn yuyv_row(matrix: &Matrix, row: &[u8], left: usize, out: &mut [u8]) {
    // Whole pairs lie side by side, so a region that begins inside one passes over its first half.
    let pairs = row[left / 2 * 4..].as_chunks::<4>().0;
    let (head, out) = out.split_at_mut(if left % 2 == 1 { 3 } else { 0 });
    let mut pairs = pairs.iter();
    if let ([to, ..], _) = head.as_chunks_mut::<3>()
        && let Some(&[_, u, y, v]) = pairs.next()
    {
        *to = matrix.rgb(y, u, v);
    }
    for (&[first, u, second, v], to) in pairs.zip(out.chunks_mut(6)) {
        for (y, to) in [first, second].into_iter().zip(to.as_chunks_mut::<3>().0) {
            *to = matrix.rgb(y, u, v);
        }
    }
}

/// Pixels `left..` of a row of NV12; `chroma` is the row of U V pairs that belongs to it.
pub(super) fn nv12_row(matrix: &Matrix, row: &[u8], chroma: &[u8], left: usize, out: &mut [u8]) {
    let pairs = chroma.as_chunks::<2>().0;
    for (x, to) in (left..).zip(out.as_chunks_mut::<3>().0) {
        let [u, v] = pairs[x / 2];
        *to = matrix.rgb(row[x], u, v);
    }
}
