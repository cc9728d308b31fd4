//! Softmax attention as an affinity.

use nalgebra::DMatrix;

use crate::covariance::check_rows;
use crate::error::Error;
use crate::gemm::{Operand, PACKING, Part, product};

/// Mean over the heads of softmax(Q K^T / sqrt(dim / heads)), `[tokens, tokens]`, each row summing
/// to 1: the attention of a vision transformer (Vaswani et al. 2017, equation 1) without its CLS
/// token if the taps are given without it. Not symmetric: [`DenseAffinity`](crate::DenseAffinity)
/// symmetrises.
///
/// `query` and `key` are `[tokens, dim]` row by row, with the heads side by side. Costs
/// 2 tokens^2 dim flops and heads tokens^2 exponentials; memory for two such matrices.
///
/// # Errors
/// [`Error::Empty`], [`Error::DimensionMismatch`] if the sizes do not fit each other or the heads,
/// [`Error::NotFinite`].
pub fn attention(
    query: &[f32],
    key: &[f32],
    dim: usize,
    heads: usize,
) -> Result<DMatrix<f64>, Error> {
    let mismatch = |what, expected, found| {
        Err(Error::DimensionMismatch {
            what,
            expected,
            found,
        })
    };
    if dim == 0 || heads == 0 || query.is_empty() {
        return Err(Error::Empty { what: "attention" });
    }
    if !query.len().is_multiple_of(dim) {
        return mismatch("entries of the last query row", dim, query.len() % dim);
    }
    if key.len() != query.len() {
        return mismatch("entries of the key tap", query.len(), key.len());
    }
    if !dim.is_multiple_of(heads) {
        return mismatch("width that the heads divide", dim / heads * heads, dim);
    }
    check_rows(query, dim, "query rows of an attention")?;
    check_rows(key, dim, "key rows of an attention")?;

    let tokens = query.len() / dim;
    let width = dim / heads;
    let scale = (width as f64).sqrt().recip();
    let mut packing = vec![0.0; PACKING];
    // Transposed: a column holds the scores of one query over all keys, contiguous.
    let mut scores = DMatrix::zeros(tokens, tokens);
    let mut mean = DMatrix::zeros(tokens, tokens);
    for head in 0..heads {
        let part = |tap: &[f32]| -> Vec<f32> {
            tap.chunks_exact(dim)
                .flat_map(|row| &row[head * width..][..width])
                .copied()
                .collect()
        };
        let (q, k) = (part(query), part(key));
        product(
            Operand::new(&k, width, tokens).transposed(),
            Operand::new(&q, width, tokens),
            scores.as_mut_slice(),
            Part::Full,
            &mut packing,
        );
        let columns = scores.as_mut_slice().chunks_exact_mut(tokens);
        for (scores, mean) in columns.zip(mean.as_mut_slice().chunks_exact_mut(tokens)) {
            let top = scores.iter().fold(f64::NEG_INFINITY, |t, v| t.max(*v));
            let mut sum = 0.0;
            for score in scores.iter_mut() {
                *score = ((*score - top) * scale).exp();
                sum += *score;
            }
            let share = 1.0 / (sum * heads as f64);
            for (mean, score) in mean.iter_mut().zip(scores) {
                *mean += share * *score;
            }
        }
    }
    Ok(mean.transpose())
}
