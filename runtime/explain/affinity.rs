//! Which affinity stands for which pathway, and the graph of one block.

use andon_spectral::{CosineAffinity, Error, attention};
use nalgebra::DMatrix;

use super::ExplainError;
use crate::inspect::Pathway;
use crate::vit::{TapKind, Taps};

/// Whose rows are compared for *what*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhatTap {
    /// Values, as in the paper.
    #[default]
    Value,
    /// Keys.
    Key,
    /// The block's output tokens.
    Tokens,
}

impl WhatTap {
    pub(super) fn kind(self) -> TapKind {
        match self {
            Self::Value => TapKind::Value,
            Self::Key => TapKind::Key,
            Self::Tokens => TapKind::Tokens,
        }
    }
}

/// How queries and keys are compared for *where*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhereAffinity {
    /// The softmax attention of the block, averaged over its heads and symmetrised. It parts equal
    /// things in different places.
    #[default]
    Attention,
    /// Their cosine: linear, so that no patches x patches matrix is ever formed. Its eigenvectors
    /// are smoother and nearer to standing waves over the image.
    Cosine,
}

/// The taps that a pathway reads.
pub(super) fn kinds(pathway: Pathway, what: WhatTap) -> Vec<TapKind> {
    match pathway {
        Pathway::What => vec![what.kind()],
        Pathway::Where => vec![TapKind::Query, TapKind::Key],
    }
}

/// Taps of one block.
pub(super) struct Block<'a> {
    pub(super) taps: &'a Taps,
    pub(super) block: usize,
}

impl<'a> Block<'a> {
    /// Rows of one tap, `[patches, dim]`, and dim.
    fn rows(&self, kind: TapKind) -> Result<(&'a [f32], usize), ExplainError> {
        let tap = self.taps.get(self.block, kind);
        let tap = tap.ok_or(ExplainError::NotTapped {
            block: self.block,
            kind,
        })?;
        Ok((tap.rows(), tap.dim()))
    }

    /// *What*: W = (1 1^T + v v^T)/2.
    pub(super) fn what(&self, tap: WhatTap) -> Result<CosineAffinity<'a>, ExplainError> {
        let (rows, dim) = self.rows(tap.kind())?;
        CosineAffinity::within(rows, dim).map_err(|e| self.failed(e))
    }

    /// *Where*, linear: W = (1 1^T + (q k^T + k q^T)/2)/2.
    pub(super) fn where_cosine(&self) -> Result<CosineAffinity<'a>, ExplainError> {
        let (query, dim) = self.rows(TapKind::Query)?;
        let (key, _) = self.rows(TapKind::Key)?;
        CosineAffinity::between(query, key, dim).map_err(|e| self.failed(e))
    }

    /// *Where*, as the block attends: W before it is symmetrised, `[patches, patches]`.
    pub(super) fn where_attention(&self, heads: usize) -> Result<DMatrix<f64>, ExplainError> {
        let (query, dim) = self.rows(TapKind::Query)?;
        let (key, _) = self.rows(TapKind::Key)?;
        attention(query, key, dim, heads).map_err(|e| self.failed(e))
    }

    pub(super) fn failed(&self, source: Error) -> ExplainError {
        ExplainError::Graph {
            block: self.block,
            source,
        }
    }
}
