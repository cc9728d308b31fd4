//! Attention of a vision transformer, softmax(Q K / sqrt d) V, without ever storing a whole attention matrix: each block
//! of rows gets its logits, its weights and its result while they are in the cache.
//!
//! Q K is the int8 linear layer with the keys in the place of the weights: queries are quantised per token to u8, keys
//! per token to s8 after their mean is taken off (which moves all logits of a row alike, so that softmax does not see it,
//! and leaves less to round; SageAttention, Zhang et al. 2024). Weights and values stay in float: rounded to 8 bits they
//! cost more accuracy than all linear layers together.

mod keys;
mod mix;
mod softmax;

use crate::buffer::Buffer;
use crate::error::{same_len, whole_rows};
use crate::linear::{Epilogue, LINE, run_block};
use crate::{Error, Isa, PackedWeights, Scratch};

/// Channels of a head: 64 in every published vision transformer of the ViT family.
pub const HEAD_WIDTH: usize = 64;
/// Longest sequence; only keeps index arithmetic far from overflow.
const MOST_TOKENS: usize = 1 << 20;
/// Rows that are worked on at a time: whole tiles, and 50 KB of logits at 1 025 tokens.
const BLOCK_ROWS: usize = 12;

/// Keys and values of one head of one image, laid out for the instruction set that will read them. Memory is kept between
/// images.
#[derive(Clone)]
pub struct PackedHead {
    keys: PackedWeights,
    /// `[tokens, HEAD_WIDTH]`.
    values: Buffer<f32>,
    /// Whether all keys and values were finite.
    finite: bool,
}

impl PackedHead {
    /// A head without tokens.
    ///
    /// # Errors
    /// [`Error::IsaUnavailable`].
    pub fn new(isa: Isa) -> Result<PackedHead, Error> {
        Ok(PackedHead {
            keys: PackedWeights::empty(isa)?,
            values: Buffer::default(),
            finite: true,
        })
    }

    /// Takes the columns of head `head` (from 0) out of `keys` and `values`, both `[tokens, width]` with all heads side by
    /// side. Logits are multiplied by `scale`, usually 1 / sqrt(64).
    ///
    /// # Errors
    /// [`Error::HeadWidth`] when `width` is no multiple of [`HEAD_WIDTH`], [`Error::Dimension`] when there is no such head
    /// or no token, [`Error::NotWholeRows`] and [`Error::Length`] when the slices do not fit, [`Error::NotFinite`] when
    /// `scale` is not.
    pub fn pack(
        &mut self,
        head: usize,
        keys: &[f32],
        values: &[f32],
        width: usize,
        scale: f32,
    ) -> Result<(), Error> {
        if width == 0 || !width.is_multiple_of(HEAD_WIDTH) {
            return Err(Error::HeadWidth { found: width });
        }
        let within = |what, found, most| match (1..=most).contains(&found) {
            true => Ok(()),
            false => Err(Error::Dimension { what, found, most }),
        };
        within("number of the head, from 1", head + 1, width / HEAD_WIDTH)?;
        let tokens = whole_rows("keys [tokens, width]", width, keys.len())?;
        within("tokens", tokens, MOST_TOKENS)?;
        same_len("values [tokens, width]", keys.len(), values.len())?;
        crate::error::all_finite("scale of the logits", &[scale])?;
        self.keys.reshape(HEAD_WIDTH, tokens);
        let first = head * HEAD_WIDTH;
        let isa = self.keys.isa();
        // SAFETY: the instruction set was checked when the head was made.
        unsafe {
            self.finite = keys::pack(isa, keys, width, first, scale, &mut self.keys);
            self.finite &= copy_columns(isa, values, width, first, &mut self.values);
        }
        Ok(())
    }

    /// Tokens that were packed.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.keys.n()
    }
}

impl std::fmt::Debug for PackedHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PackedHead")
            .field("isa", &self.keys.isa())
            .field("tokens", &self.tokens())
            .finish_non_exhaustive()
    }
}

/// Attention of some rows: `queries` and `out` are `[rows, width]`, all heads side by side, as many as there are in
/// `heads`. Rows do not see each other, so they may be split over threads at will: the result has the same bits.
///
/// A query that holds a NaN or an infinity gives NaN in its row of that head; a key or value that does gives NaN in all
/// rows of that head.
///
/// Against exact attention in float: bounded by the rounding of queries (255 levels over their range) and keys (255 levels
/// each), tested.
///
/// # Errors
/// [`Error::Dimension`] when there is no head, or heads disagree on their tokens, [`Error::NotWholeRows`] and
/// [`Error::Length`] when the slices do not fit, [`Error::IsaUnavailable`] when heads were packed for different
/// instruction sets.
pub fn attend(
    heads: &[PackedHead],
    queries: &[f32],
    out: &mut [f32],
    scratch: &mut Scratch,
) -> Result<(), Error> {
    let width = heads.len() * HEAD_WIDTH;
    let (tokens, isa) = match heads.first() {
        Some(head) if head.tokens() > 0 => (head.tokens(), head.keys.isa()),
        _ => {
            return Err(Error::Dimension {
                what: "heads with tokens",
                found: 0,
                most: MOST_TOKENS,
            });
        }
    };
    for head in heads {
        same_len("tokens of a head", tokens, head.tokens())?;
        if head.keys.isa() != isa {
            return Err(Error::IsaUnavailable {
                isa: head.keys.isa(),
            });
        }
    }
    let rows = whole_rows("queries [rows, width]", width, queries.len())?;
    same_len("output of attention [rows, width]", rows * width, out.len())?;
    // Rows of logits start on a cache line.
    let stride = tokens.next_multiple_of(16);
    let mut own = Block {
        queries: std::mem::take(&mut scratch.queries),
        logits: std::mem::take(&mut scratch.logits),
        inverse: std::mem::take(&mut scratch.inverse),
        stride,
    };
    for start in (0..rows).step_by(BLOCK_ROWS) {
        let count = BLOCK_ROWS.min(rows - start);
        let queries = &queries[start * width..(start + count) * width];
        let out = &mut out[start * width..(start + count) * width];
        for (number, head) in heads.iter().enumerate() {
            // SAFETY: the instruction set was checked when the heads were made; the lengths agree.
            unsafe { own.run(head, number * HEAD_WIDTH, queries, out, width, scratch) };
        }
    }
    scratch.queries = own.queries;
    scratch.logits = own.logits;
    scratch.inverse = own.inverse;
    Ok(())
}

/// Working memory of a block of rows.
struct Block {
    /// `[rows, HEAD_WIDTH]`.
    queries: Buffer<f32>,
    /// `[rows, stride]`, later the weights.
    logits: Buffer<f32>,
    stride: usize,
    /// `[rows]`: one over the sum of a row of weights.
    inverse: Buffer<f32>,
}

impl Block {
    /// One head, whose columns start at `first`.
    ///
    /// # Safety
    /// The instruction set of `head` is available; `queries` and `out` are whole rows of `width`, and
    /// `first + HEAD_WIDTH <= width`.
    unsafe fn run(
        &mut self,
        head: &PackedHead,
        first: usize,
        queries: &[f32],
        out: &mut [f32],
        width: usize,
        scratch: &mut Scratch,
    ) {
        let isa = head.keys.isa();
        let rows = queries.len() / width;
        let own = self.queries.prepare(rows * HEAD_WIDTH);
        for (own, row) in own
            .chunks_exact_mut(HEAD_WIDTH)
            .zip(queries.chunks_exact(width))
        {
            own.copy_from_slice(&row[first..first + HEAD_WIDTH]);
        }
        let logits = self.logits.prepare(rows * self.stride);
        let stride = HEAD_WIDTH.next_multiple_of(LINE);
        // SAFETY: the promise of the caller; logits are [rows, stride] with stride >= tokens.
        unsafe {
            run_block(
                &head.keys,
                own,
                stride,
                Epilogue::None,
                logits,
                self.stride,
                scratch,
            )
        };
        let inverse = self.inverse.prepare(rows);
        // SAFETY: the promise of the caller.
        unsafe { softmax::rows(isa, logits, self.stride, head.tokens(), inverse) };
        for (inverse, query) in inverse.iter_mut().zip(&scratch.rows) {
            if !head.finite || query.scale.is_nan() {
                *inverse = f32::NAN;
            }
        }
        let mix = mix::Mix {
            weights: logits,
            stride: self.stride,
            values: head.values.as_slice(),
            inverse,
        };
        // SAFETY: the instruction set is available; weights are [rows, stride], values [tokens, HEAD_WIDTH] with
        // tokens <= stride, and each row of `out` has HEAD_WIDTH values from `first` on.
        unsafe { mix.run(isa, &mut out[first..], width) };
    }
}

/// Copies the columns of one head to rows of their own; says whether all are finite.
#[inline(always)]
fn copy_columns_body(from: &[f32], width: usize, first: usize, to: &mut Buffer<f32>) -> bool {
    let to = to.prepare(from.len() / width * HEAD_WIDTH);
    let mut poison = [0f32; HEAD_WIDTH];
    let (to, _) = to.as_chunks_mut::<HEAD_WIDTH>();
    for (to, row) in to.iter_mut().zip(from.chunks_exact(width)) {
        to.copy_from_slice(&row[first..first + HEAD_WIDTH]);
        for i in 0..HEAD_WIDTH {
            poison[i] += to[i] * 0.0;
        }
    }
    poison.iter().all(|p| *p == 0.0)
}

crate::multiversion::multiversion! {
    /// Columns `first..first + HEAD_WIDTH` of `from` (`[tokens, width]`).
    unsafe fn copy_columns(from: &[f32], width: usize, first: usize, to: &mut Buffer<f32>) -> bool = copy_columns_body;
}
