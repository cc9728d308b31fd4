//! Dense matrix product on caller-owned memory.
//!
//! The usual BLAS crates take a packing buffer from the heap on every call, which an iteration
//! that promises not to allocate cannot have. This one packs into a slice that the caller lends,
//! and must never allocate. Operands may be `f32`, widened while they are packed, so that large
//! data needs no second copy. Safe Rust throughout: the inner loop is written so that the compiler
//! turns it into vector instructions, NEON on 64-bit ARM; on x86-64 it is compiled twice and `pulp`
//! picks the AVX2 version where the processor has it.

/// Depth of a packed slice: a tile's two slices (16 KiB + 12 KiB at most) stay in L1 cache.
const DEPTH: usize = 256;
/// Rows packed at once (144 KiB of left operand); a multiple of every tile's rows.
const ROWS: usize = 72;
/// Columns packed at once (288 KiB of right operand); with the rows it fits a 512 KiB L2 cache.
const COLS: usize = 144;
/// Register tile without AVX2: 8 x 4 accumulators take 16 of the 32 two-lane registers of AArch64
/// and leave room to load ahead; the 16 registers of plain x86-64 hold 4 x 4.
const TILE: (usize, usize) = if cfg!(target_arch = "aarch64") {
    (8, 4)
} else {
    (4, 4)
};
/// Register tile with AVX2: 12 of its 16 four-lane registers accumulate. Measured against 12 x 4,
/// where the compiler spills one of them, and 8 x 4: 23 GFLOPS against 8 and 13.
#[cfg(target_arch = "x86_64")]
const TILE_AVX2: (usize, usize) = (8, 6);

/// Length of the packing buffer that [`product`] needs, in `f64`.
pub(crate) const PACKING: usize = DEPTH * (ROWS + COLS);

/// A column-major matrix, or the transpose of one, without padding between columns.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    transposed: bool,
}

impl<'a, T: Copy + Into<f64>> Operand<'a, T> {
    /// `data` holds `[rows, cols]`, column by column.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        debug_assert_eq!(data.len(), rows * cols);
        Self {
            data,
            rows,
            cols,
            transposed: false,
        }
    }

    /// The transpose; nothing is moved.
    #[inline(always)]
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }
}

/// Which part of the output is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Full,
    /// The output is known to be symmetric: compute its lower triangle and mirror it, at half
    /// the cost.
    Symmetric,
}

/// `out = a b`, with `out` column-major `[a.rows, b.cols]`. `packing` holds at least [`PACKING`].
pub(crate) fn product<A, B>(
    a: Operand<'_, A>,
    b: Operand<'_, B>,
    out: &mut [f64],
    part: Part,
    packing: &mut [f64],
) where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    debug_assert_eq!(b.rows, a.cols);
    debug_assert_eq!(out.len(), a.rows * b.cols);
    out.fill(0.0);
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(
            #[inline(always)]
            || blocked::<A, B, { TILE_AVX2.0 }, { TILE_AVX2.1 }, true>(a, b, out, part, packing),
        );
    }
    // Elsewhere than on ARM a fused multiply-add may be a library call, a hundred times slower.
    blocked::<A, B, { TILE.0 }, { TILE.1 }, { cfg!(target_arch = "aarch64") }>(
        a, b, out, part, packing,
    );
}

/// `out += a b` in register tiles of `R` x `C`; `FUSED` if multiply-add is one instruction.
#[inline(always)]
fn blocked<A, B, const R: usize, const C: usize, const FUSED: bool>(
    a: Operand<'_, A>,
    b: Operand<'_, B>,
    out: &mut [f64],
    part: Part,
    packing: &mut [f64],
) where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    let (m, n, depth) = (a.rows, b.cols, a.cols);
    let (left, rest) = packing.split_at_mut(DEPTH * ROWS);
    let right = &mut rest[..DEPTH * COLS];
    for k0 in (0..depth).step_by(DEPTH) {
        let kc = DEPTH.min(depth - k0);
        for j0 in (0..n).step_by(COLS) {
            let nc = COLS.min(n - j0);
            pack::<B, C>(b.transposed(), j0, nc, k0, kc, right);
            for i0 in (0..m).step_by(ROWS) {
                let mc = ROWS.min(m - i0);
                if part == Part::Symmetric && i0 + mc <= j0 {
                    continue;
                }
                pack::<A, R>(a, i0, mc, k0, kc, left);
                let strips_b = right[..nc.next_multiple_of(C) * kc]
                    .chunks_exact(kc * C)
                    .enumerate();
                for (jt, strip_b) in strips_b {
                    let j = j0 + jt * C;
                    let strips_a = left[..mc.next_multiple_of(R) * kc]
                        .chunks_exact(kc * R)
                        .enumerate();
                    for (it, strip_a) in strips_a {
                        let i = i0 + it * R;
                        if part == Part::Symmetric && i + R <= j {
                            continue;
                        }
                        let tile = tile::<R, C, FUSED>(strip_a, strip_b);
                        let rows = R.min(m - i);
                        for (jj, column) in tile.iter().enumerate().take(n - j) {
                            let start = (j + jj) * m + i;
                            let target = &mut out[start..start + rows];
                            for (t, v) in target.iter_mut().zip(column) {
                                *t += v;
                            }
                        }
                    }
                }
            }
        }
    }
    if part == Part::Symmetric {
        mirror_lower(out, m);
    }
}

/// Copies the lower triangle of a column-major `[n, n]` matrix onto its upper one.
fn mirror_lower(matrix: &mut [f64], n: usize) {
    for j in 0..n {
        for i in j + 1..n {
            matrix[i * n + j] = matrix[j * n + i];
        }
    }
}

/// One register tile: `[R, kc] x [kc, C]`, both packed depth-first.
#[inline(always)]
fn tile<const R: usize, const C: usize, const FUSED: bool>(a: &[f64], b: &[f64]) -> [[f64; R]; C] {
    let mut sum = [[0.0; R]; C];
    let (a, _) = a.as_chunks::<R>();
    let (b, _) = b.as_chunks::<C>();
    for (a, b) in a.iter().zip(b) {
        for j in 0..C {
            for i in 0..R {
                sum[j][i] = if FUSED {
                    a[i].mul_add(b[j], sum[j][i])
                } else {
                    a[i] * b[j] + sum[j][i]
                };
            }
        }
    }
    sum
}

/// Packs rows `i0..i0 + mc`, columns `k0..k0 + kc` of `source` into strips of `R` rows, each strip
/// column after column; the last strip is padded with zeros.
#[inline(always)]
fn pack<T: Copy + Into<f64>, const R: usize>(
    source: Operand<'_, T>,
    i0: usize,
    mc: usize,
    k0: usize,
    kc: usize,
    target: &mut [f64],
) {
    for (strip, i) in target
        .chunks_exact_mut(kc * R)
        .zip((i0..i0 + mc).step_by(R))
    {
        let rows = R.min(i0 + mc - i);
        let (strip, _) = strip.as_chunks_mut::<R>();
        if source.transposed {
            // Stored as [cols, rows]: each wanted row is contiguous.
            let ld = source.cols;
            for r in 0..R {
                if r < rows {
                    let row = &source.data[(i + r) * ld + k0..][..kc];
                    for (group, v) in strip.iter_mut().zip(row) {
                        group[r] = (*v).into();
                    }
                } else {
                    for group in strip.iter_mut() {
                        group[r] = 0.0;
                    }
                }
            }
        } else {
            let ld = source.rows;
            for (k, group) in strip.iter_mut().enumerate() {
                let column = &source.data[(k0 + k) * ld + i..][..rows];
                for (packed, v) in group.iter_mut().zip(column) {
                    *packed = (*v).into();
                }
                group[rows..].fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    /// Whole numbers, so that every order of addition gives the same bits.
    fn whole(rows: usize, cols: usize, seed: usize) -> DMatrix<f64> {
        DMatrix::from_fn(rows, cols, |i, j| {
            ((i * 7 + j * 13 + seed * 5) % 17) as f64 - 8.0
        })
    }

    type Product = fn(Operand<'_, f64>, Operand<'_, f64>, &mut [f64], Part, &mut [f64]);

    /// The version that this processor takes, and the plain one.
    fn versions() -> [Product; 2] {
        [product, |a, b, out, part, packing| {
            out.fill(0.0);
            blocked::<f64, f64, { TILE.0 }, { TILE.1 }, false>(a, b, out, part, packing);
        }]
    }

    #[test]
    fn products_of_all_shapes_and_transpositions_are_right() {
        let mut packing = vec![f64::NAN; PACKING];
        for version in versions() {
            for m in [1, 3, 8, 13, 73, 150] {
                for n in [1, 4, 6, 11, 97] {
                    for k in [1, 5, 256, 300] {
                        let (a, b) = (whole(m, k, 1), whole(k, n, 2));
                        let (at, bt) = (a.transpose(), b.transpose());
                        let expected = &a * &b;
                        let direct = [
                            Operand::new(a.as_slice(), m, k),
                            Operand::new(at.as_slice(), k, m).transposed(),
                        ];
                        for a in direct {
                            for b in [
                                Operand::new(b.as_slice(), k, n),
                                Operand::new(bt.as_slice(), n, k).transposed(),
                            ] {
                                let mut out = DMatrix::repeat(m, n, f64::NAN);
                                version(a, b, out.as_mut_slice(), Part::Full, &mut packing);
                                assert_eq!(out, expected, "{m} {n} {k}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_symmetric_product_is_the_full_one() {
        let mut packing = vec![f64::NAN; PACKING];
        for version in versions() {
            for (m, k) in [(1, 1), (7, 3), (72, 10), (73, 300), (200, 20)] {
                let a = whole(m, k, 3);
                let view = Operand::new(a.as_slice(), m, k);
                let mut out = DMatrix::repeat(m, m, f64::NAN);
                let target = out.as_mut_slice();
                version(
                    view,
                    view.transposed(),
                    target,
                    Part::Symmetric,
                    &mut packing,
                );
                assert_eq!(out, &a * a.transpose(), "{m} {k}");
            }
        }
    }

    #[test]
    fn f32_operands_are_widened_before_they_are_multiplied() {
        let (a, b) = ([1.0e30_f32, 1.0], [1.0e30_f32, 1.0]);
        let mut out = [0.0];
        let (a, b) = (Operand::new(&a, 1, 2), Operand::new(&b, 2, 1));
        product(a, b, &mut out, Part::Full, &mut vec![0.0; PACKING]);
        assert_eq!(out[0], f64::from(1.0e30_f32) * f64::from(1.0e30_f32));
    }
}
