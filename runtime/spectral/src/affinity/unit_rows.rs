//! Rows of tokens seen as directions, without a copy: the data and the inverse lengths.

use crate::covariance::check_rows;
use crate::error::Error;
use crate::gemm::Operand;

/// v = diag(inverse lengths) data, `[tokens, dim]`, row by row in memory.
#[derive(Debug, Clone)]
pub(super) struct UnitRows<'a> {
    data: &'a [f32],
    dim: usize,
    inverse_lengths: Vec<f64>,
}

impl<'a> UnitRows<'a> {
    /// # Errors
    /// [`Error::Empty`], [`Error::DimensionMismatch`] if the length is no multiple of `dim`,
    /// [`Error::NotFinite`], [`Error::ZeroRow`].
    pub(super) fn new(data: &'a [f32], dim: usize, what: &'static str) -> Result<Self, Error> {
        if dim == 0 || data.is_empty() {
            return Err(Error::Empty { what });
        }
        if !data.len().is_multiple_of(dim) {
            return Err(Error::DimensionMismatch {
                what: "entries of the last row",
                expected: dim,
                found: data.len() % dim,
            });
        }
        check_rows(data, dim, what)?;
        // Squares of f32 neither overflow nor vanish in f64.
        let square = |row: &[f32]| row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        let lengths: Vec<f64> = data
            .chunks_exact(dim)
            .map(|row| square(row).sqrt())
            .collect();
        if let Some(token) = lengths.iter().position(|length| *length == 0.0) {
            return Err(Error::ZeroRow { what, token });
        }
        Ok(Self {
            data,
            dim,
            inverse_lengths: lengths.iter().map(|length| length.recip()).collect(),
        })
    }

    pub(super) fn tokens(&self) -> usize {
        self.inverse_lengths.len()
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn inverse_lengths(&self) -> &[f64] {
        &self.inverse_lengths
    }

    /// The rows as they are, not of unit length, with the inverse length of each.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'a [f32], f64)> {
        self.data
            .chunks_exact(self.dim)
            .zip(self.inverse_lengths.iter().copied())
    }

    /// data^T, `[dim, tokens]`, not of unit length.
    pub(super) fn transposed_data(&self) -> Operand<'a, f32> {
        Operand::new(self.data, self.dim, self.tokens())
    }

    /// Sum of the unit rows, `[dim]`, added to `sum`.
    pub(super) fn add_sum_to(&self, sum: &mut [f64]) {
        for (row, inverse) in self.rows() {
            for (sum, v) in sum.iter_mut().zip(row) {
                *sum += inverse * f64::from(*v);
            }
        }
    }

    /// Inner product of every unit row with `direction`, `[tokens]`.
    pub(super) fn along(&self, direction: &[f64]) -> impl Iterator<Item = f64> {
        self.rows().map(move |(row, inverse)| {
            let pairs = row.iter().zip(direction);
            inverse * pairs.map(|(v, d)| f64::from(*v) * d).sum::<f64>()
        })
    }
}
