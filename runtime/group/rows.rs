//! From taps to the rows that are compared.

use andon_shards::{Column, Image, Tap};

use super::GroupError;
use crate::inspect::Pathway;
use crate::vit::{TapKind, TapRequest, Taps};

/// How the rows of a pathway are made: the blocks side by side, each of unit length, so that the
/// cosine of two rows is the mean of the cosines of the blocks.
///
/// *What* compares values. *Where* compares q + k, the unit query and the unit key of a patch added
/// up, at unit length again: (q_i + k_i)(q_j + k_j) is the symmetrised query-key product
/// q_i k_j + k_i q_j, and q_i q_j + k_i k_j besides. That makes it a square, which a sum over shards
/// needs; the query-key product alone is not one. Softmax attention would be sharper, and would let
/// one patch of each pair ask without being asked; it needs a matrix of patches by patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathwayRows {
    /// Which pathway.
    pub pathway: Pathway,
    /// Blocks, 1-based.
    pub blocks: Vec<usize>,
}

impl PathwayRows {
    /// What is read of each block.
    fn taps(&self) -> &'static [Tap] {
        match self.pathway {
            Pathway::What => &[Tap::Value],
            Pathway::Where => &[Tap::Query, Tap::Key],
        }
    }

    /// The columns of a shard that the rows are made of.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let of = |&block: &usize| self.taps().iter().map(move |&tap| Column { block, tap });
        self.blocks.iter().flat_map(of).collect()
    }

    /// The taps of the network that the rows are made of.
    #[must_use]
    pub fn request(&self) -> TapRequest {
        let of = |&block: &usize| self.taps().iter().map(move |&tap| (block, tap_kind(tap)));
        TapRequest::new(self.blocks.iter().flat_map(of))
    }

    /// Numbers of a row, for taps of `dim` numbers.
    #[must_use]
    pub fn dim(&self, dim: usize) -> usize {
        self.blocks.len() * dim
    }

    /// Rows of an image that was read with [`columns`](Self::columns),
    /// `[patches, dim of the rows]`; `dim` is that of a tap.
    #[must_use]
    pub fn of_image(&self, image: &Image, dim: usize) -> Vec<f32> {
        let taps: Vec<&[f32]> = image.features.iter().map(Vec::as_slice).collect();
        self.join(&taps, dim)
    }

    /// Rows of an image whose taps are at hand.
    ///
    /// # Errors
    /// [`GroupError::NotTapped`].
    pub fn of_taps(&self, taps: &Taps) -> Result<Vec<f32>, GroupError> {
        let mut parts = Vec::new();
        let mut dim = 1;
        for &block in &self.blocks {
            for &tap in self.taps() {
                let kind = tap_kind(tap);
                let tap = taps.get(block, kind);
                let tap = tap.ok_or(GroupError::NotTapped { block, kind })?;
                dim = tap.dim();
                parts.push(tap.rows());
            }
        }
        Ok(self.join(&parts, dim))
    }

    fn join(&self, taps: &[&[f32]], dim: usize) -> Vec<f32> {
        let width = self.dim(dim);
        let patches = taps.first().map_or(0, |tap| tap.len() / dim.max(1));
        let mut rows = vec![0.0; patches * width];
        for (block, taps) in taps.chunks(self.taps().len()).enumerate() {
            for (patch, row) in rows.chunks_exact_mut(width.max(1)).enumerate() {
                let out = &mut row[block * dim..][..dim];
                for tap in taps {
                    let from = &tap[patch * dim..][..dim];
                    let scale = inverse_length(from);
                    for (out, v) in out.iter_mut().zip(from) {
                        *out += scale * v;
                    }
                }
                let scale = inverse_length(out);
                out.iter_mut().for_each(|v| *v *= scale);
            }
        }
        rows
    }
}

/// What the network calls a stored tap.
#[must_use]
pub fn tap_kind(tap: Tap) -> TapKind {
    match tap {
        Tap::Query => TapKind::Query,
        Tap::Key => TapKind::Key,
        Tap::Value => TapKind::Value,
        Tap::Tokens => TapKind::Tokens,
    }
}

/// 0 for a row of zeros, which then has no say.
fn inverse_length(row: &[f32]) -> f32 {
    let square: f32 = row.iter().map(|v| v * v).sum();
    if square > 0.0 {
        square.sqrt().recip()
    } else {
        0.0
    }
}
