//! The cosine affinity of any number of tokens by its thin side, in a stream and over shards. It
//! must never hold the tokens.

use nalgebra::{DMatrix, DMatrixView, DVector};

use super::unit_rows::UnitRows;
use super::{NO_DEGREE, inverse_roots};
use crate::covariance::check_rows;
use crate::error::Error;
use crate::gemm::{Operand, PACKING, Part, product};
use crate::operator::{Dense, check_symmetric};

/// Rows multiplied at once: as many as one packed slice of the product is deep.
const CHUNK: usize = 256;

/// First pass over the tokens: their number and the sum of their directions, which is all that
/// the degrees need.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionSum {
    tokens: u64,
    sum: DVector<f64>,
}

impl DirectionSum {
    /// No tokens yet, of `dim` entries.
    ///
    /// # Errors
    /// [`Error::Empty`] for dimension 0.
    pub fn new(dim: usize) -> Result<Self, Error> {
        if dim == 0 {
            return Err(Error::Empty { what: "row" });
        }
        Ok(Self {
            tokens: 0,
            sum: DVector::zeros(dim),
        })
    }

    /// Takes `[tokens, dim]` in, row by row in memory.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`], [`Error::NotFinite`], [`Error::ZeroRow`];
    /// nothing is taken in then.
    pub fn push(&mut self, rows: &[f32]) -> Result<(), Error> {
        let rows = UnitRows::new(rows, self.sum.len(), WHAT)?;
        rows.add_sum_to(self.sum.as_mut_slice());
        self.tokens += rows.tokens() as u64;
        Ok(())
    }

    /// Takes in all that `other` has seen.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_dim(
            "dimension of the sum to merge",
            self.sum.len(),
            other.sum.len(),
        )?;
        self.tokens += other.tokens;
        self.sum += &other.sum;
        Ok(())
    }

    /// The sum with these statistics, such as those of one that was stored.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotFinite`].
    pub fn from_parts(tokens: u64, sum: DVector<f64>) -> Result<Self, Error> {
        if tokens == 0 || sum.is_empty() {
            return Err(Error::Empty {
                what: "stored sum of directions",
            });
        }
        check_rows(sum.as_slice(), sum.len(), "stored sum of directions")?;
        Ok(Self { tokens, sum })
    }

    /// Tokens seen.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Sum of the unit rows, `[dim]`.
    pub fn sum(&self) -> &DVector<f64> {
        &self.sum
    }

    /// Entries of a token.
    pub fn dim(&self) -> usize {
        self.sum.len()
    }

    /// Sum of all degrees: (tokens^2 + |sum|^2)/2.
    pub fn volume(&self) -> f64 {
        0.5 * ((self.tokens as f64).powi(2) + self.sum.norm_squared())
    }

    /// Degree of each row in the graph over all tokens, (tokens + v . sum)/2.
    pub(super) fn degrees(&self, rows: &UnitRows<'_>) -> Vec<f64> {
        let tokens = self.tokens as f64;
        let along = rows.along(self.sum.as_slice());
        along.map(|along| 0.5 * (tokens + along)).collect()
    }

    /// The degrees' inverse roots, or the first row that no token of the first pass is like.
    pub(super) fn inverse_roots(&self, rows: &UnitRows<'_>) -> Result<Vec<f64>, Error> {
        inverse_roots(&self.degrees(rows), NO_DEGREE * self.tokens as f64)
    }
}

/// Second pass: G^T G, `[dim + 1, dim + 1]`, for the thin side G = [D^-1/2 1, D^-1/2 v]/sqrt 2 of
/// the same S = G G^T as [`CosineAffinity::within`](crate::CosineAffinity::within), over all
/// tokens of all images with the edges between images.
///
/// Both have the same eigenvalues above 0, and an eigenvector y of G^T G gives the eigenvector
/// G y / sqrt(lambda) of S. G^T G is a sum over tokens, so it streams, and those of shards add up to
/// the whole; its eigenvectors are directions among features and do not care where a part lies, so
/// those of one image are a good start for the next.
///
/// Several blocks of the network go in as one row: their unit rows side by side, which is the
/// mean of their affinities.
///
/// Memory: about 2 (dim + 1)^2 + 256 dim `f64`. A token costs (dim + 1)^2 flops.
#[derive(Debug, Clone)]
pub struct DualAffinity {
    directions: DirectionSum,
    /// Tokens pushed, which must be those of `directions` in the end.
    tokens: u64,
    gram: DMatrix<f64>,
    /// One chunk of G^T, `[dim + 1, CHUNK]`.
    thin: Vec<f64>,
    chunk_gram: Vec<f64>,
    packing: Vec<f64>,
}

impl DualAffinity {
    /// Ready for the tokens that `directions` has seen; all its memory is taken here.
    ///
    /// # Errors
    /// [`Error::Empty`] if `directions` has seen none.
    pub fn new(directions: DirectionSum) -> Result<Self, Error> {
        if directions.tokens == 0 {
            return Err(Error::Empty { what: WHAT });
        }
        let size = directions.sum.len() + 1;
        Ok(Self {
            directions,
            tokens: 0,
            gram: DMatrix::zeros(size, size),
            thin: vec![0.0; size * CHUNK],
            chunk_gram: vec![0.0; size * size],
            packing: vec![0.0; PACKING],
        })
    }

    /// Both passes over the tokens of one image, `[tokens, dim]`.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn of(rows: &[f32], dim: usize) -> Result<Self, Error> {
        let mut directions = DirectionSum::new(dim)?;
        directions.push(rows)?;
        let mut dual = Self::new(directions)?;
        dual.push(rows)?;
        Ok(dual)
    }

    /// The accumulator with these statistics, such as [`tokens`](Self::tokens) and
    /// [`gram`](Self::gram) of one that was stored.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and [`Error::DimensionMismatch`], [`Error::NotFinite`],
    /// [`Error::NotSymmetric`] for the matrix.
    pub fn from_parts(
        directions: DirectionSum,
        tokens: u64,
        gram: DMatrix<f64>,
    ) -> Result<Self, Error> {
        check_symmetric(&gram)?;
        let mut dual = Self::new(directions)?;
        check_dim("rows of the stored G^T G", dual.dim() + 1, gram.nrows())?;
        dual.tokens = tokens;
        dual.gram = gram;
        Ok(dual)
    }

    /// Tokens seen in this pass.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// What the first pass has seen.
    pub fn directions(&self) -> &DirectionSum {
        &self.directions
    }

    /// G^T G over the tokens seen in this pass, `[dim + 1, dim + 1]`.
    pub fn gram(&self) -> &DMatrix<f64> {
        &self.gram
    }

    /// Takes `[tokens, dim]` in, row by row in memory.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`], [`Error::NotFinite`], [`Error::ZeroRow`],
    /// [`Error::IsolatedToken`] (numbered within `rows`) if a token cannot have been seen by the
    /// first pass; nothing is taken in then.
    pub fn push(&mut self, rows: &[f32]) -> Result<(), Error> {
        let dim = self.dim();
        let rows = UnitRows::new(rows, dim, WHAT)?;
        let roots = self.directions.inverse_roots(&rows)?;
        let size = dim + 1;
        let mut tokens = rows.rows().zip(&roots).peekable();
        while tokens.peek().is_some() {
            let mut used = 0;
            let columns = self.thin.chunks_exact_mut(size);
            for (column, ((row, inverse), root)) in columns.zip(tokens.by_ref().take(CHUNK)) {
                write_thin_row(column, row, inverse, *root);
                used += size;
            }
            let thin = Operand::new(&self.thin[..used], size, used / size);
            product(
                thin,
                thin.transposed(),
                &mut self.chunk_gram,
                Part::Symmetric,
                &mut self.packing,
            );
            for (sum, value) in self.gram.as_mut_slice().iter_mut().zip(&self.chunk_gram) {
                *sum += value;
            }
        }
        self.tokens += rows.tokens() as u64;
        Ok(())
    }

    /// Takes in all that `other` has seen, which was made from the same [`DirectionSum`].
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`], [`Error::OtherDirections`].
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        check_dim("dimension of the dual to merge", self.dim(), other.dim())?;
        if self.directions != other.directions {
            return Err(Error::OtherDirections);
        }
        self.tokens += other.tokens;
        self.gram += &other.gram;
        Ok(())
    }

    /// G^T G as an operator of dimension dim + 1, with floor 0.
    ///
    /// # Errors
    /// [`Error::DimensionMismatch`] if not exactly the tokens of the first pass were pushed.
    pub fn operator(&self) -> Result<Dense, Error> {
        if self.tokens != self.directions.tokens {
            return Err(Error::DimensionMismatch {
                what: "tokens in the second pass",
                expected: self.directions.tokens as usize,
                found: self.tokens as usize,
            });
        }
        Ok(Dense::trusted(self.gram.clone()).with_floor(0.0))
    }

    /// G^T D^1/2 1 at unit length, `[dim + 1, 1]`: eigenvector with eigenvalue 1, to be deflated.
    pub fn trivial_eigenvector(&self) -> DMatrix<f64> {
        let tokens = self.directions.tokens as f64;
        let mut vector = DMatrix::zeros(self.dim() + 1, 1);
        vector[0] = tokens;
        vector
            .rows_mut(1, self.dim())
            .copy_from(&self.directions.sum);
        let length = vector.norm();
        vector / length
    }

    /// Rows of the eigenvectors of S that belong to these tokens, `[tokens, k]`:
    /// U = G Y Lambda^-1/2, for eigenvectors `vectors` `[dim + 1, k]` and eigenvalues `values` `[k]`
    /// of [`operator`](Self::operator).
    ///
    /// # Errors
    /// As for [`push`](Self::push), [`Error::DimensionMismatch`] if the pairs do not fit, and
    /// [`Error::BadOption`] for an eigenvalue that is not above 0, which S does not share.
    pub fn embed(
        &self,
        rows: &[f32],
        vectors: DMatrixView<'_, f64>,
        values: &[f64],
    ) -> Result<DMatrix<f64>, Error> {
        embed(&self.directions, rows, vectors, values)
    }

    /// Entries of a token.
    pub fn dim(&self) -> usize {
        self.directions.sum.len()
    }
}

pub(super) const WHAT: &str = "rows of a dual affinity";

/// Refuses pairs of another size, and those that S does not share.
pub(super) fn check_pairs(
    directions: &DirectionSum,
    vectors: DMatrixView<'_, f64>,
    values: &[f64],
) -> Result<(), Error> {
    check_dim(
        "rows of the dual eigenvectors",
        directions.dim() + 1,
        vectors.nrows(),
    )?;
    check_dim("number of eigenvalues", vectors.ncols(), values.len())?;
    if let Some(value) = values.iter().find(|value| value.is_nan() || **value <= 0.0) {
        return Err(Error::BadOption {
            option: "eigenvalue",
            value: *value,
            allowed: "only eigenvectors with an eigenvalue above 0 have a counterpart",
        });
    }
    Ok(())
}

/// U = G Y Lambda^-1/2 for some rows of G.
pub(super) fn embed(
    directions: &DirectionSum,
    rows: &[f32],
    vectors: DMatrixView<'_, f64>,
    values: &[f64],
) -> Result<DMatrix<f64>, Error> {
    check_pairs(directions, vectors, values)?;
    let size = directions.dim() + 1;
    let rows = UnitRows::new(rows, directions.dim(), WHAT)?;
    let roots = directions.inverse_roots(&rows)?;
    let mut thin = DMatrix::zeros(size, rows.tokens());
    let columns = thin.as_mut_slice().chunks_exact_mut(size);
    for (column, ((row, inverse), root)) in columns.zip(rows.rows().zip(&roots)) {
        write_thin_row(column, row, inverse, *root);
    }
    let mut embedding = thin.tr_mul(&vectors);
    for (mut column, value) in embedding.column_iter_mut().zip(values) {
        column /= value.sqrt();
    }
    Ok(embedding)
}

/// One row of G as a column: d^-1/2 [1, v]/sqrt 2.
fn write_thin_row(column: &mut [f64], row: &[f32], inverse_length: f64, root: f64) {
    let factor = root * std::f64::consts::FRAC_1_SQRT_2;
    column[0] = factor;
    for (to, from) in column[1..].iter_mut().zip(row) {
        *to = factor * inverse_length * f64::from(*from);
    }
}

fn check_dim(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::DimensionMismatch {
            what,
            expected,
            found,
        })
    }
}
