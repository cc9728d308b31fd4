//! Y, U and V to R, G and B after ITU-R BT.601, in fixed point.

use crate::frame::YuvRange;

/// Pixels that are converted at once: enough for any vector, few enough to stay in the first cache.
const BLOCK: usize = 64;

/// Pairs of pixels in a block.
const PAIRS: usize = BLOCK / 2;

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

    /// All pixels of a block. Planes stand between, as the compiler vectorises the arithmetic and
    /// the shuffling only when each has a loop of its own.
    #[inline(always)]
    fn block(&self, block: &Block, out: &mut [u8; 3 * BLOCK]) {
        let [mut red, mut green, mut blue] = [[0; BLOCK]; 3];
        for i in 0..PAIRS {
            let chroma = self.chroma(block.u[i], block.v[i]);
            for (second, levels) in block.y.iter().enumerate() {
                let at = 2 * i + second;
                [red[at], green[at], blue[at]] = self.rgb(levels[i], chroma);
            }
        }
        for (i, to) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            *to = [red[i], green[i], blue[i]];
        }
    }
}

/// Pairs of pixels by component.
pub(super) struct Block {
    /// Y of the first pixels, and of the second ones.
    y: [[u8; PAIRS]; 2],
    u: [u8; PAIRS],
    v: [u8; PAIRS],
}

impl Block {
    const EMPTY: Self = Self {
        y: [[0; PAIRS]; 2],
        u: [0; PAIRS],
        v: [0; PAIRS],
    };
}

/// A row of pairs of pixels that share U and V.
pub(super) trait Pairs {
    /// Y, Y and U, V of a pair; `None` behind the end.
    fn pair(&self, at: usize) -> Option<([u8; 2], [u8; 2])>;

    /// So many pairs from this one; `None` where there are fewer.
    fn block(&self, at: usize) -> Option<Block>;
}

/// A row of YUYV.
pub(super) struct Yuyv<'a>(&'a [[u8; 4]]);

impl<'a> Yuyv<'a> {
    #[inline(always)]
    pub(super) fn of(row: &'a [u8]) -> Self {
        Self(row.as_chunks().0)
    }
}

impl Pairs for Yuyv<'_> {
    #[inline(always)]
    fn pair(&self, at: usize) -> Option<([u8; 2], [u8; 2])> {
        let &[first, u, second, v] = self.0.get(at)?;
        Some(([first, second], [u, v]))
    }

    #[inline(always)]
    fn block(&self, at: usize) -> Option<Block> {
        let pairs: &[_; PAIRS] = self.0.get(at..)?.first_chunk()?;
        let mut block = Block::EMPTY;
        for (i, &[first, u, second, v]) in pairs.iter().enumerate() {
            block.y[0][i] = first;
            block.y[1][i] = second;
            block.u[i] = u;
            block.v[i] = v;
        }
        Some(block)
    }
}

/// A row of NV12.
pub(super) struct Nv12<'a> {
    y: &'a [[u8; 2]],
    uv: &'a [[u8; 2]],
}

impl<'a> Nv12<'a> {
    /// `chroma` is the row of U V pairs that belongs to `row`. Where the width is odd, the last
    /// pair has one pixel; what stands for the other is not used.
    #[inline(always)]
    pub(super) fn of(row: &'a [u8], chroma: &'a [u8]) -> Self {
        Self {
            y: row.as_chunks().0,
            uv: chroma.as_chunks().0,
        }
    }
}

impl Pairs for Nv12<'_> {
    #[inline(always)]
    fn pair(&self, at: usize) -> Option<([u8; 2], [u8; 2])> {
        Some((*self.y.get(at)?, *self.uv.get(at)?))
    }

    #[inline(always)]
    fn block(&self, at: usize) -> Option<Block> {
        let y: &[_; PAIRS] = self.y.get(at..)?.first_chunk()?;
        let uv: &[_; PAIRS] = self.uv.get(at..)?.first_chunk()?;
        let mut block = Block::EMPTY;
        for (i, (y, uv)) in y.iter().zip(uv).enumerate() {
            [block.y[0][i], block.y[1][i]] = *y;
            [block.u[i], block.v[i]] = *uv;
        }
        Some(block)
    }
}

/// Writes pixels `left..` of a row, which has at least as many as `out`.
#[inline(always)]
pub(super) fn convert(matrix: Matrix, pairs: &impl Pairs, left: usize, out: &mut [u8]) {
    let mut at = left / 2;
    // A row that begins inside a pair begins with its second pixel.
    let (head, out) = out.split_at_mut(if left % 2 == 1 { 3 } else { 0 });
    if !head.is_empty()
        && let Some(([_, y], [u, v])) = pairs.pair(at)
    {
        head.copy_from_slice(&matrix.rgb(y, matrix.chroma(u, v)));
        at += 1;
    }
    let (blocks, out) = out.as_chunks_mut();
    for to in blocks {
        if let Some(block) = pairs.block(at) {
            matrix.block(&block, to);
        }
        at += PAIRS;
    }
    let (whole, tail) = out.as_chunks_mut::<6>();
    for to in whole {
        if let Some(([first, second], [u, v])) = pairs.pair(at) {
            let chroma = matrix.chroma(u, v);
            let [r, g, b] = matrix.rgb(first, chroma);
            let [r2, g2, b2] = matrix.rgb(second, chroma);
            *to = [r, g, b, r2, g2, b2];
        }
        at += 1;
    }
    if !tail.is_empty()
        && let Some(([y, _], [u, v])) = pairs.pair(at)
    {
        tail.copy_from_slice(&matrix.rgb(y, matrix.chroma(u, v)));
    }
}
