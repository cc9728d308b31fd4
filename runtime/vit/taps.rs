use std::fmt;
use std::sync::Arc;

use nalgebra::DMatrixView;
use tract_onnx::prelude::TValue;

use super::Kept;

/// The patches of one image: `rows x cols`, numbered row by row from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Grid {
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub cols: usize,
}

impl Grid {
    /// Number of patches.
    pub fn patches(&self) -> usize {
        self.rows * self.cols
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} patches", self.rows, self.cols)
    }
}

/// What is read out of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TapKind {
    /// The query projection, before it is split into heads.
    Query,
    /// The key projection, before it is split into heads.
    Key,
    /// The value projection, before it is split into heads.
    Value,
    /// The block's output tokens (the residual stream behind the block).
    Tokens,
}

/// Which taps a run shall give: blocks (1-based) by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapRequest(Vec<(usize, TapKind)>);

impl TapRequest {
    /// Output tokens of the given blocks (1-based).
    pub fn tokens(blocks: impl IntoIterator<Item = usize>) -> Self {
        Self::new(blocks.into_iter().map(|block| (block, TapKind::Tokens)))
    }

    /// Any mix of taps; duplicates are dropped and the order is by block, then kind.
    pub fn new(taps: impl IntoIterator<Item = (usize, TapKind)>) -> Self {
        let mut taps: Vec<_> = taps.into_iter().collect();
        taps.sort_unstable();
        taps.dedup();
        Self(taps)
    }

    /// The taps in run order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, TapKind)> + '_ {
        self.0.iter().copied()
    }
}

/// One tapped matrix. Shape `[patches, dim]`, row by row in memory, of the patches that were kept;
/// class tokens are left out.
#[derive(Debug, Clone)]
pub struct TapMatrix {
    values: Values,
    dim: usize,
}

/// Where the rows of a tap lie.
#[derive(Debug, Clone)]
enum Values {
    /// As the engine gave them, behind so many rows of class tokens.
    Engine { tensor: TValue, skip_rows: usize },
    /// Put together of several runs.
    Rows(Arc<Vec<f32>>),
}

impl TapMatrix {
    pub(super) fn new(tensor: TValue, class_tokens: usize, dim: usize) -> Self {
        let skip_rows = class_tokens;
        Self {
            values: Values::Engine { tensor, skip_rows },
            dim,
        }
    }

    /// Of rows that lie one behind the other, `dim` values each.
    pub(crate) fn of_rows(rows: Arc<Vec<f32>>, dim: usize) -> Self {
        Self {
            values: Values::Rows(rows),
            dim,
        }
    }

    /// Width of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All patch rows, one behind the other: `patches * dim` values.
    pub fn rows(&self) -> &[f32] {
        match &self.values {
            // The backbone checked type and shape when the tap was made, so an empty answer cannot
            // happen; it is still safer to score nothing than to panic on the line.
            Values::Engine { tensor, skip_rows } => tensor
                .as_plain_ram()
                .and_then(|plain| plain.as_slice::<f32>().ok())
                .and_then(|all| all.get(skip_rows * self.dim..))
                .unwrap_or_default(),
            Values::Rows(rows) => rows,
        }
    }

    /// The same values as a column-major matrix `[dim, patches]`: one column a patch.
    pub fn columns(&self) -> DMatrixView<'_, f32> {
        let rows = self.rows();
        DMatrixView::from_slice(rows, self.dim, rows.len() / self.dim.max(1))
    }
}

/// Everything that was tapped from one block.
#[derive(Debug, Clone)]
pub struct BlockTaps {
    /// Block number, 1-based.
    pub block: usize,
    /// The tapped matrices by kind.
    pub taps: Vec<(TapKind, TapMatrix)>,
}

/// What the backbone gives for one image.
#[derive(Debug, Clone)]
pub struct Taps {
    /// Grid of patches that every tap shares.
    pub grid: Grid,
    /// Which of them the taps have rows of; `None`: all.
    pub kept: Option<Kept>,
    /// Blocks in ascending order.
    pub blocks: Vec<BlockTaps>,
}

impl Taps {
    /// One tap, if it was asked for.
    pub fn get(&self, block: usize, kind: TapKind) -> Option<&TapMatrix> {
        let block = self.blocks.iter().find(|taps| taps.block == block)?;
        block
            .taps
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, tap)| tap)
    }
}
