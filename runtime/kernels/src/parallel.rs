//! The kernels on a pool of threads. Work is split by rows, which do not see each other, and attention by heads and rows;
//! so every number of threads gives the same bits.

use crate::attention::{self, HEAD_WIDTH, PackedHead};
use crate::linear::{self, Epilogue, Target};
use crate::{Error, Isa, PackedWeights, Pool, norm};

/// Rows of a unit of a linear layer and of LayerNorm: the height of a tile.
const fn unit_rows(isa: Isa) -> usize {
    match isa {
        Isa::Avx512Vnni => 6,
        Isa::NeonI8mm => 8,
        _ => 4,
    }
}

/// Rows of a unit of attention: what one head works on at a time.
const ATTENTION_ROWS: usize = attention::BLOCK_ROWS;
/// Multiply-adds below which a linear layer stays on one thread: a few microseconds of work.
const SMALLEST_PRODUCT: usize = 1 << 19;
/// The same for LayerNorm, in values.
const SMALLEST_NORM: usize = 1 << 13;

/// An address that threads may share: each writes what no other one does.
struct Shared<T>(*mut T);

// SAFETY: a plain address; whoever uses it promises that the accesses do not overlap.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// A method, so that closures take the whole and not the pointer in it.
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

impl Pool {
    /// [`linear()`](crate::linear()) on all threads.
    ///
    /// # Errors
    /// As for [`linear()`](crate::linear()).
    pub fn linear(
        &self,
        weights: &PackedWeights,
        x: &[f32],
        epilogue: Epilogue<'_>,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let rows = linear::check(weights, x, epilogue, out)?;
        let target = Target::new(epilogue, out);
        let small = rows * weights.k() * weights.n() < SMALLEST_PRODUCT;
        let unit = if small {
            rows.max(1)
        } else {
            unit_rows(weights.isa())
        };
        self.run(rows.div_ceil(unit), &|scratch, units| {
            let rows = units.start * unit..rows.min(units.end * unit);
            // SAFETY: packed weights are for an instruction set that is available; the lengths agree, and every row is in
            // one unit.
            unsafe { linear::run_rows(weights, x, target, rows, scratch) };
        });
        Ok(())
    }

    /// Packs keys and values and applies attention, [`PackedHead::pack`] and [`attend`](crate::attend()), on all threads.
    /// `queries` and `out` are `[rows, heads * 64]`, `keys` and `values` `[tokens, heads * 64]`; `heads` is memory that is
    /// overwritten.
    ///
    /// # Errors
    /// As for the two.
    pub fn attention(
        &self,
        heads: &mut [PackedHead],
        queries: &[f32],
        keys: &[f32],
        values: &[f32],
        scale: f32,
        out: &mut [f32],
    ) -> Result<(), Error> {
        let (count, width) = (heads.len(), heads.len() * HEAD_WIDTH);
        if let Some(head) = heads.first() {
            head.check(0, keys, values, width, scale)?;
        }
        let shared = Shared(heads.as_mut_ptr());
        self.run(count, &|_, units| {
            for number in units {
                // SAFETY: every head is one unit, and nobody else uses the heads meanwhile.
                let head = unsafe { &mut *shared.at(number) };
                // SAFETY: checked for the first head, and all have the same shape.
                unsafe { head.fill(number, keys, values, width, scale) };
            }
        });
        let heads = &*heads;
        let rows = attention::check(heads, queries, out)?;
        let out = Shared(out.as_mut_ptr());
        let blocks = rows.div_ceil(ATTENTION_ROWS);
        self.run(count * blocks, &|scratch, units| {
            let mut next = units.start;
            while next < units.end {
                let (number, block) = (next / blocks, next % blocks);
                let end = blocks.min(block + units.end - next);
                let rows = block * ATTENTION_ROWS..rows.min(end * ATTENTION_ROWS);
                // SAFETY: all was checked; these rows of this head are in these units only.
                unsafe { attention::run_head(heads, number, queries, out.at(0), rows, scratch) };
                next += end - block;
            }
        });
        Ok(())
    }

    /// Gives each piece of `values`, `piece` of them (the last may be shorter), with its number to `work`, on all threads:
    /// for what surrounds the kernels. `work` must not use the pool itself: it would wait for its own end.
    ///
    /// # Panics
    /// If `piece` is 0, or with what `work` panics with.
    pub fn chunks<T: Send>(
        &self,
        values: &mut [T],
        piece: usize,
        work: &(impl Fn(usize, &mut [T]) + Sync),
    ) {
        let (len, pieces) = (values.len(), values.len().div_ceil(piece));
        let values = Shared(values.as_mut_ptr());
        self.run(pieces, &|_, units| {
            for number in units {
                let (start, end) = (number * piece, len.min((number + 1) * piece));
                // SAFETY: the range lies within `values`, and every piece is one unit.
                let piece =
                    unsafe { std::slice::from_raw_parts_mut(values.at(start), end - start) };
                work(number, piece);
            }
        });
    }

    /// [`layer_norm`](crate::layer_norm) on all threads.
    ///
    /// # Errors
    /// As for [`layer_norm`](crate::layer_norm).
    pub fn layer_norm(
        &self,
        isa: Isa,
        x: &[f32],
        scale: &[f32],
        offset: &[f32],
        epsilon: f32,
        out: &mut [f32],
    ) -> Result<(), Error> {
        norm::check(isa, x, scale, offset, out)?;
        let k = scale.len();
        let rows = x.len() / k;
        let unit = if x.len() < SMALLEST_NORM {
            rows.max(1)
        } else {
            unit_rows(isa)
        };
        let out = Shared(out.as_mut_ptr());
        self.run(rows.div_ceil(unit), &|_, units| {
            let values = units.start * unit * k..rows.min(units.end * unit) * k;
            // SAFETY: the range lies within `out`, and every row is in one unit.
            let out = unsafe { std::slice::from_raw_parts_mut(out.at(values.start), values.len()) };
            // SAFETY: all was checked.
            unsafe { norm::rows(isa, &x[values], scale, offset, epsilon, out) };
        });
        Ok(())
    }
}
