//! Graphs over the tokens of an image: W holds the affinity of every two tokens, not negative; D
//! the sums of its rows, the degrees; S = D^-1/2 W D^-1/2 is the normalised graph, whose leading
//! eigenvectors are the relaxed normalised cut (Shi and Malik 2000). Its eigenvalues lie in
//! [-1, 1], and D^1/2 1 is an eigenvector with eigenvalue 1 that says nothing: deflate it.

mod attention;
mod cosine;
mod dense;
mod dual;
mod embedding;
mod unit_rows;

pub use attention::attention;
pub use cosine::{CosineAffinity, share_degrees};
pub use dense::DenseAffinity;
pub use dual::{DirectionSum, DualAffinity};
pub use embedding::DualEmbedding;

use nalgebra::DMatrix;

use crate::error::Error;

/// Degrees at or below this, where a token's affinity to itself is about 1, are rounding.
const NO_DEGREE: f64 = 1e-12;

/// D^-1/2, or the first token without a degree.
fn inverse_roots(degrees: &[f64], no_degree: f64) -> Result<Vec<f64>, Error> {
    match degrees.iter().position(|degree| *degree <= no_degree) {
        Some(token) => Err(Error::IsolatedToken { token }),
        None => Ok(degrees.iter().map(|degree| degree.sqrt().recip()).collect()),
    }
}

/// D^1/2 1 at unit length, `[tokens, 1]`.
fn trivial_eigenvector(degrees: &[f64]) -> DMatrix<f64> {
    let total: f64 = degrees.iter().sum();
    DMatrix::from_iterator(
        degrees.len(),
        1,
        degrees.iter().map(|degree| (degree / total).sqrt()),
    )
}
