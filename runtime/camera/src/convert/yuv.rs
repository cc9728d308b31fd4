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

    /// What U and V add to red, green and blue, with the half that makes the shift round.
    #[inline(always)]
    fn chroma(&self, u: u8, v: u8) -> [i32; 3] {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let half = 1 << (BITS - 1);
        [
            self.red_v * v + half,
            half - self.green_u * u - self.green_v * v,
            self.blue_u * u + half,
        ]
    }

    #[inline(always)]
    fn rgb(&self, y: u8, chroma: [i32; 3]) -> [u8; 3] {
        let y = (i32::from(y) - self.black) * self.y;
        chroma.map(|c| ((y + c) >> BITS).clamp(0, 255) as u8)
    }
}

/// Pixels `left..` of a row of YUYV. `row` reaches to the last pair that is needed at least.
#[inline(always)]
pub(super) fn yuyv_row(matrix: &Matrix, row: &[u8], left: usize, out: &mut [u8]) {
    let pairs = row[left / 2 * 4..].as_chunks::<4>().0;
    let pairs = pairs
        .iter()
        .map(|&[first, u, second, v]| ([first, second], [u, v]));
    convert(matrix, pairs, left, out);
}

/// Pixels `left..` of a row of NV12; `chroma` is the row of U V pairs that belongs to it.
#[inline(always)]
pub(super) fn nv12_row(matrix: &Matrix, row: &[u8], chroma: &[u8], left: usize, out: &mut [u8]) {
    let even = left / 2 * 2;
    // Where the width is odd, the last pair has one pixel; what stands for the other is not read.
    let levels = row[even..].as_chunks::<2>().0;
    let pairs = levels.iter().zip(chroma[even..].as_chunks::<2>().0);
    convert(matrix, pairs.map(|(y, uv)| (*y, *uv)), left, out);
}

/// Writes pixels `left..` of pairs that share U and V; the first pair is that of pixel `left`.
#[inline(always)]
fn convert(
    matrix: &Matrix,
    mut pairs: impl Iterator<Item = ([u8; 2], [u8; 2])>,
    left: usize,
    out: &mut [u8],
) {
    // A row that begins inside a pair begins with its second pixel.
    let (head, out) = out.split_at_mut(if left % 2 == 1 { 3 } else { 0 });
    if !head.is_empty()
        && let Some(([_, y], [u, v])) = pairs.next()
    {
        head.copy_from_slice(&matrix.rgb(y, matrix.chroma(u, v)));
    }
    let (whole, tail) = out.as_chunks_mut::<6>();
    for (to, ([first, second], [u, v])) in whole.iter_mut().zip(&mut pairs) {
        let chroma = matrix.chroma(u, v);
        let [r, g, b] = matrix.rgb(first, chroma);
        let [r2, g2, b2] = matrix.rgb(second, chroma);
        *to = [r, g, b, r2, g2, b2];
    }
    if !tail.is_empty()
        && let Some(([y, _], [u, v])) = pairs.next()
    {
        tail.copy_from_slice(&matrix.rgb(y, matrix.chroma(u, v)));
    }
}
