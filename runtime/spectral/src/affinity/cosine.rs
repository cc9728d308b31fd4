//! The cosine affinity of tokens as an implicit operator: never a tokens x tokens matrix.

use nalgebra::{DMatrix, DVector};

use super::unit_rows::UnitRows;
use super::{NO_DEGREE, inverse_roots, trivial_eigenvector};
use crate::error::Error;
use crate::gemm::{Operand, PACKING, Part, product};
use crate::operator::SymmetricOperator;

/// S = D^-1/2 W D^-1/2 for W = (1 1^T + v v^T)/2, where v holds the rows of one tap at unit length:
/// affinity 1 for equal directions, 1/2 for orthogonal ones, 0 for opposite ones. Or, between two
/// taps such as query and key, W = (1 1^T + (q k^T + k q^T)/2)/2.
///
/// The taps are borrowed as they are, `f32`, row by row. A product with c vectors costs
/// 4 tokens dim c flops, and twice that between two taps.
#[derive(Debug, Clone)]
pub struct CosineAffinity<'a> {
    left: UnitRows<'a>,
    /// `None` if it is the same as `left`.
    right: Option<UnitRows<'a>>,
    degrees: DVector<f64>,
    inverse_roots: Vec<f64>,
}

impl<'a> CosineAffinity<'a> {
    /// The affinity within one tap, `[tokens, dim]`.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`] if the length is no multiple of `dim`,
    /// [`Error::NotFinite`], [`Error::ZeroRow`].
    pub fn within(rows: &'a [f32], dim: usize) -> Result<Self, Error> {
        Self::with(UnitRows::new(rows, dim, "rows of a cosine affinity")?, None)
    }

    /// The affinity between two taps, both `[tokens, dim]`.
    ///
    /// # Errors
    /// As for [`within`](Self::within), and [`Error::IsolatedToken`] if a token is opposite to
    /// all others and to itself.
    pub fn between(query: &'a [f32], key: &'a [f32], dim: usize) -> Result<Self, Error> {
        if query.len() != key.len() {
            return Err(Error::DimensionMismatch {
                what: "entries of the key tap",
                expected: query.len(),
                found: key.len(),
            });
        }
        let query = UnitRows::new(query, dim, "query rows of a cosine affinity")?;
        Self::with(
            query,
            Some(UnitRows::new(key, dim, "key rows of a cosine affinity")?),
        )
    }

    fn with(left: UnitRows<'a>, right: Option<UnitRows<'a>>) -> Result<Self, Error> {
        let tokens = left.tokens() as f64;
        let sum_of = |rows: &UnitRows<'_>| {
            let mut sum = vec![0.0; rows.dim()];
            rows.add_sum_to(&mut sum);
            sum
        };
        let other = right.as_ref().unwrap_or(&left);
        let (left_sum, right_sum) = (sum_of(&left), sum_of(other));
        let along = left.along(&right_sum).zip(other.along(&left_sum));
        let degrees: Vec<f64> = along.map(|(l, r)| 0.5 * (tokens + 0.5 * (l + r))).collect();
        Ok(Self {
            inverse_roots: inverse_roots(&degrees, NO_DEGREE * tokens)?,
            degrees: DVector::from_vec(degrees),
            left,
            right,
        })
    }

    /// The degrees D, `[tokens]`.
    pub fn degrees(&self) -> &DVector<f64> {
        &self.degrees
    }

    /// D^1/2 1 at unit length, `[tokens, 1]`: eigenvector with eigenvalue 1, to be deflated.
    pub fn trivial_eigenvector(&self) -> DMatrix<f64> {
        trivial_eigenvector(self.degrees.as_slice())
    }
}

/// Normalises several graphs over the same tokens by the mean of their degrees instead of each by
/// its own.
///
/// Only then does their equal-weight [`Mean`](crate::Mean) have an eigenvector that is known, the
/// [`trivial_eigenvector`](CosineAffinity::trivial_eigenvector) of any of them: it is the
/// normalised graph of the mean affinity. If each keeps its own degrees, D_b^1/2 1 differs
/// between them, and nothing may be deflated from their mean.
///
/// # Errors
/// [`Error::DimensionMismatch`] if the numbers of tokens differ; nothing is changed then.
pub fn share_degrees(graphs: &mut [CosineAffinity<'_>]) -> Result<(), Error> {
    let Some(first) = graphs.first() else {
        return Ok(());
    };
    let mut mean = DVector::zeros(first.dim());
    for graph in graphs.iter() {
        if graph.dim() != mean.len() {
            return Err(Error::DimensionMismatch {
                what: "tokens of a graph that shares degrees",
                expected: mean.len(),
                found: graph.dim(),
            });
        }
        mean += &graph.degrees;
    }
    mean /= graphs.len() as f64;
    for graph in graphs {
        for (root, degree) in graph.inverse_roots.iter_mut().zip(&mean) {
            *root = degree.sqrt().recip();
        }
        graph.degrees.copy_from(&mean);
    }
    Ok(())
}

impl SymmetricOperator for CosineAffinity<'_> {
    fn dim(&self) -> usize {
        self.left.tokens()
    }

    /// 0 within one tap, where W is a sum of squares; -1 between two.
    fn floor(&self) -> f64 {
        if self.right.is_some() { -1.0 } else { 0.0 }
    }

    fn scratch_len(&self, columns: usize) -> usize {
        (2 * self.dim() + self.left.dim() + 1) * columns + PACKING
    }

    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]) {
        let (n, columns) = block.shape();
        let (normalised, rest) = scratch.split_at_mut(n * columns);
        let (spare, rest) = rest.split_at_mut(n * columns);
        let (sums, rest) = rest.split_at_mut(columns);
        let (features, packing) = rest.split_at_mut(self.left.dim() * columns);
        let out = out.as_mut_slice();

        normalised.copy_from_slice(block.as_slice());
        scale_rows(normalised, &self.inverse_roots);
        for (sum, column) in sums.iter_mut().zip(normalised.chunks_exact(n)) {
            *sum = column.iter().sum();
        }

        let right = self.right.as_ref().unwrap_or(&self.left);
        project(right, normalised, spare, features, packing);
        expand(&self.left, features, out, packing);
        if self.right.is_some() {
            project(&self.left, normalised, spare, features, packing);
            expand(right, features, spare, packing);
            for (out, other) in out.iter_mut().zip(spare) {
                *out = 0.5 * (*out + *other);
            }
        }

        for (column, sum) in out.chunks_exact_mut(n).zip(sums) {
            for (value, root) in column.iter_mut().zip(&self.inverse_roots) {
                *value = 0.5 * root * (*value + *sum);
            }
        }
    }
}

/// `features = v^T block`, `[dim, columns]`; `spare` is as large as `block`.
fn project(
    rows: &UnitRows<'_>,
    block: &[f64],
    spare: &mut [f64],
    features: &mut [f64],
    packing: &mut [f64],
) {
    spare.copy_from_slice(block);
    scale_rows(spare, rows.inverse_lengths());
    let tokens = rows.tokens();
    let scaled = Operand::new(&*spare, tokens, spare.len() / tokens);
    product(
        rows.transposed_data(),
        scaled,
        features,
        Part::Full,
        packing,
    );
}

/// `out = v features`, `[tokens, columns]`.
fn expand(rows: &UnitRows<'_>, features: &[f64], out: &mut [f64], packing: &mut [f64]) {
    let features = Operand::new(features, rows.dim(), features.len() / rows.dim());
    let data = rows.transposed_data().transposed();
    product(data, features, out, Part::Full, packing);
    scale_rows(out, rows.inverse_lengths());
}

/// Row i of a column-major matrix times factor i.
fn scale_rows(matrix: &mut [f64], factors: &[f64]) {
    for column in matrix.chunks_exact_mut(factors.len()) {
        for (value, factor) in column.iter_mut().zip(factors) {
            *value *= factor;
        }
    }
}
