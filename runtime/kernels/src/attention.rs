//! Attention of a vision transformer, softmax(Q K / sqrt d) V, without ever storing a whole attention matrix: each block
//! of rows gets its logits, its weights and its result while they are in the cache.
//!
//! Q K is the int8 linear layer with the keys in the place of the weights: queries are quantised per token to u8, keys
//! per token to s8 after their mean is taken off (which moves all logits of a row alike, so that softmax does not see it,
//! and leaves less to round; SageAttention, Zhang et al. 2024). The weights that softmax gives have 14 bits: at 8 they
//! lose the many small ones, which cost more accuracy than all linear layers together. Values are s8 per channel, less
//! their mean, which the weights, summing to one, bring back exactly.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod i8mm;
mod keys;
mod mix;
#[cfg(target_arch = "aarch64")]
mod neon;
mod softmax;
mod values;

use crate::buffer::Buffer;
use crate::error::{same_len, whole_rows};
use crate::linear::{Epilogue, LINE, Target, run_block};
use crate::{Error, Isa, PackedWeights, Scratch};
use std::ops::Range;
use values::Values;

/// Channels of a head: 64 in every published vision transformer of the ViT family.
pub const HEAD_WIDTH: usize = 64;
/// Longest sequence; only keeps index arithmetic far from overflow.
const MOST_TOKENS: usize = 1 << 20;
/// Tokens are padded to a multiple of this with weights of 0, so that no kernel has a remainder.
const PADDING: usize = 16;
/// Rows that are worked on at a time: whole tiles, and 50 KB of logits at 1 025 tokens.
pub(crate) const BLOCK_ROWS: usize = 12;

/// Keys and values of one head of one image, laid out for the instruction set that will read them. Memory is kept between
/// images.
#[derive(Clone)]
pub struct PackedHead {
    keys: PackedWeights,
    values: Values,
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
            values: Values::empty(),
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
        self.check(head, keys, values, width, scale)?;
        // SAFETY: checked.
        unsafe { self.fill(head, keys, values, width, scale) };
        Ok(())
    }

    /// `Ok` when [`Self::fill`] may be called.
    pub(crate) fn check(
        &self,
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
        crate::error::all_finite("scale of the logits", &[scale])
    }

    /// [`Self::pack`] for what was checked.
    ///
    /// # Safety
    /// [`Self::check`] has passed.
    pub(crate) unsafe fn fill(
        &mut self,
        head: usize,
        keys: &[f32],
        values: &[f32],
        width: usize,
        scale: f32,
    ) {
        let tokens = keys.len() / width;
        self.keys.reshape(HEAD_WIDTH, tokens);
        let first = head * HEAD_WIDTH;
        let isa = self.keys.isa();
        // SAFETY: the instruction set was checked when the head was made.
        unsafe {
            self.finite = keys::pack(keys, width, first, scale, &mut self.keys);
            self.keys.widen();
            let padded = tokens.next_multiple_of(PADDING);
            self.finite &= self.values.pack(isa, values, width, first, padded);
        }
    }

    fn isa(&self) -> Isa {
        self.keys.isa()
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
/// Against exact attention in float: bounded by the rounding of queries (255 levels over the range of each), keys and values
/// (255 levels each), and weights (14 bits), tested.
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
    let rows = check(heads, queries, out)?;
    for number in 0..heads.len() {
        // SAFETY: the instruction set was checked when the heads were made; the lengths agree.
        unsafe { run_head(heads, number, queries, out.as_mut_ptr(), 0..rows, scratch) };
    }
    Ok(())
}

/// The number of rows, when heads and lengths agree.
pub(crate) fn check(heads: &[PackedHead], queries: &[f32], out: &[f32]) -> Result<usize, Error> {
    let width = heads.len() * HEAD_WIDTH;
    let (tokens, isa) = match heads.first() {
        Some(head) if head.tokens() > 0 => (head.tokens(), head.isa()),
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
        if head.isa() != isa {
            return Err(Error::IsaUnavailable { isa: head.isa() });
        }
    }
    let rows = whole_rows("queries [rows, width]", width, queries.len())?;
    same_len("output of attention [rows, width]", rows * width, out.len())?;
    Ok(rows)
}

/// Rows `rows` of one head. One head at a time, so that its keys and values stay in the level-2 cache.
///
/// # Safety
/// `check` has passed for `heads`, `queries` and the slice behind `out`, `rows` lies within them, and nobody else uses the
/// columns of this head in these rows of the output.
pub(crate) unsafe fn run_head(
    heads: &[PackedHead],
    number: usize,
    queries: &[f32],
    out: *mut f32,
    rows: Range<usize>,
    scratch: &mut Scratch,
) {
    let (width, head, first) = (
        heads.len() * HEAD_WIDTH,
        &heads[number],
        number * HEAD_WIDTH,
    );
    let mut own = std::mem::take(&mut scratch.attention);
    for start in rows.clone().step_by(BLOCK_ROWS) {
        let end = rows.end.min(start + BLOCK_ROWS);
        let queries = &queries[start * width..end * width];
        // SAFETY: the promise of the caller.
        unsafe {
            let out = out.add(start * width + first);
            own.run(head, first, queries, out, width, scratch);
        }
    }
    scratch.attention = own;
}

/// Working memory of a block of rows.
#[derive(Default, Clone)]
pub(crate) struct Block {
    /// `[rows, HEAD_WIDTH]`.
    queries: Buffer<f32>,
    /// `[rows, tokens]`, rows padded to a multiple of 16.
    logits: Buffer<f32>,
    /// As the logits.
    weights: Buffer<i16>,
    #[cfg(target_arch = "x86_64")]
    crosses: Buffer<i32>,
    #[cfg(target_arch = "aarch64")]
    halves: Buffer<i8>,
    /// `[rows]`: one over the sum of a row of weights.
    inverse: Buffer<f32>,
}

impl Block {
    /// One head, whose columns start at `first`.
    ///
    /// # Safety
    /// The instruction set of `head` is available; `queries` are whole rows of `width`, `first + HEAD_WIDTH <= width`, and
    /// `out` is valid for `HEAD_WIDTH` writes for each of them, `width` apart.
    unsafe fn run(
        &mut self,
        head: &PackedHead,
        first: usize,
        queries: &[f32],
        out: *mut f32,
        width: usize,
        scratch: &mut Scratch,
    ) {
        let isa = head.isa();
        let rows = queries.len() / width;
        let row = head.tokens().next_multiple_of(PADDING);
        let own = self.queries.prepare(rows * HEAD_WIDTH);
        // Of fixed length, which the compiler copies without a call.
        let (heads, _) = own.as_chunks_mut::<HEAD_WIDTH>();
        for (own, row) in heads.iter_mut().zip(queries.chunks_exact(width)) {
            *own = std::array::from_fn(|i| row[first..first + HEAD_WIDTH][i]);
        }
        let logits = self.logits.prepare(rows * row);
        let stride = HEAD_WIDTH.next_multiple_of(LINE);
        // SAFETY: the promise of the caller; logits are [rows, stride] with stride >= tokens.
        unsafe {
            run_block(
                &head.keys,
                own,
                stride,
                Target::new(Epilogue::None, logits),
                row,
                scratch,
            )
        };
        let weights = self.weights.prepare(rows * row);
        let inverse = self.inverse.prepare(rows);
        // SAFETY: the promise of the caller.
        unsafe { softmax::rows(isa, logits, row, head.tokens(), weights, inverse) };
        for (inverse, query) in inverse.iter_mut().zip(&scratch.rows) {
            if !head.finite || query.scale.is_nan() {
                *inverse = f32::NAN;
            }
        }
        let mix = mix::Mix {
            weights,
            stride: row,
            values: &head.values,
            inverse,
            #[cfg(target_arch = "x86_64")]
            crosses: &mut self.crosses,
            #[cfg(target_arch = "aarch64")]
            halves: &mut self.halves,
        };
        // SAFETY: the instruction set is available; weights are [rows, stride], values were packed for stride tokens, and
        // the promise of the caller.
        unsafe { mix.run(isa, out, width) };
    }
}
