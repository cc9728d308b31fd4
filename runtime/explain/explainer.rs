use andon_spectral::{
    CosineAffinity, DenseAffinity, Error, Mean, Options, SubspaceSolver, SymmetricOperator,
    share_degrees,
};
use nalgebra::{DMatrix, DVector};

use super::affinity::{Block, kinds, mean_attention};
use super::{MOST_GROUPS, Spectrum, WhatTap, WhereAffinity};
use crate::inspect::Pathway;
use crate::vit::{TapKind, TapRequest, Taps};

/// Eigenvectors that are computed: as many as the choice of the number of groups looks at.
const EIGENVECTORS: usize = MOST_GROUPS;

/// Relative residual that is enough to draw and to group by; the eigenvalues are then right to its
/// square.
const TOLERANCE: f64 = 1e-3;

/// Rayleigh-Ritz steps after which a spectrum is given as it is, with its residual.
const MAX_ITERATIONS: usize = 20;

/// What is compared with what.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Blocks, 1-based, that are looked at.
    pub blocks: Vec<usize>,
    /// Whose rows are compared for *what*.
    pub what: WhatTap,
    /// How queries and keys are compared for *where*.
    pub where_: WhereAffinity,
}

/// Why an image could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// No block was asked for.
    #[error("no blocks: name at least one")]
    NoBlocks,
    /// The backbone was not asked for a tap.
    #[error("{kind:?} of block {block} was not tapped: ask the backbone for it")]
    NotTapped {
        /// Block number, 1-based.
        block: usize,
        /// Which tap.
        kind: TapKind,
    },
    /// The taps of a block make no graph.
    #[error("block {block} gives no affinity graph: {source}")]
    Graph {
        /// Block number, 1-based.
        block: usize,
        /// Why.
        source: Error,
    },
    /// The eigenproblem was refused.
    #[error(transparent)]
    Spectral(#[from] Error),
}

/// Finds the leading eigenvectors of the affinity graphs of one image after another; its memory is
/// used again as long as the number of patches stays the same.
pub struct Explainer {
    settings: Settings,
    heads: usize,
    /// With the number of patches that it has memory for.
    solver: Option<(usize, SubspaceSolver)>,
}

impl Explainer {
    /// For a network with `heads` attention heads.
    ///
    /// # Errors
    /// [`ExplainError::NoBlocks`].
    pub fn new(settings: Settings, heads: usize) -> Result<Self, ExplainError> {
        if settings.blocks.is_empty() {
            return Err(ExplainError::NoBlocks);
        }
        Ok(Self {
            settings,
            heads,
            solver: None,
        })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The taps that the explainer reads.
    pub fn request(&self) -> TapRequest {
        let what = self.settings.what;
        let both = [Pathway::What, Pathway::Where];
        let all: Vec<TapKind> = both.into_iter().flat_map(|p| kinds(p, what)).collect();
        let blocks = self.settings.blocks.iter();
        TapRequest::new(blocks.flat_map(|&block| all.iter().map(move |&kind| (block, kind))))
    }

    /// The spectrum of all blocks together: of the mean of their graphs, normalised by the mean of
    /// their degrees so that the eigenvector that says nothing is common to all and known.
    ///
    /// # Errors
    /// [`ExplainError`] when a tap is missing or holds what has no affinity.
    pub fn together(&mut self, taps: &Taps, pathway: Pathway) -> Result<Spectrum, ExplainError> {
        let blocks = self.settings.blocks.clone();
        if let (Pathway::Where, WhereAffinity::Attention) = (pathway, self.settings.where_) {
            let graph = mean_attention(taps, &blocks, self.heads)?;
            return self.solve_dense(&graph);
        }
        let graphs = blocks.iter().map(|&block| self.cosine(taps, pathway, block));
        let mut graphs = graphs.collect::<Result<Vec<_>, _>>()?;
        share_degrees(&mut graphs)?;
        let first = graphs.first().ok_or(ExplainError::NoBlocks)?;
        let (trivial, degrees) = (first.trivial_eigenvector(), first.degrees().clone());
        let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|g| g as _).collect();
        self.solve(&Mean::equal(&parts)?, &trivial, degrees)
    }

    /// The spectrum of one block alone.
    ///
    /// # Errors
    /// As for [`Self::together`].
    pub fn block(
        &mut self,
        taps: &Taps,
        pathway: Pathway,
        block: usize,
    ) -> Result<Spectrum, ExplainError> {
        if let (Pathway::Where, WhereAffinity::Attention) = (pathway, self.settings.where_) {
            let graph = mean_attention(taps, &[block], self.heads)?;
            return self.solve_dense(&graph);
        }
        let graph = self.cosine(taps, pathway, block)?;
        let (trivial, degrees) = (graph.trivial_eigenvector(), graph.degrees().clone());
        self.solve(&graph, &trivial, degrees)
    }

    fn cosine<'a>(
        &self,
        taps: &'a Taps,
        pathway: Pathway,
        block: usize,
    ) -> Result<CosineAffinity<'a>, ExplainError> {
        let block = Block { taps, block };
        match pathway {
            Pathway::What => block.what(self.settings.what),
            Pathway::Where => block.where_cosine(),
        }
    }

    fn solve_dense(&mut self, graph: &DenseAffinity) -> Result<Spectrum, ExplainError> {
        let (trivial, degrees) = (graph.trivial_eigenvector(), graph.degrees().clone());
        self.solve(graph, &trivial, degrees)
    }

    fn solve(
        &mut self,
        graph: &dyn SymmetricOperator,
        trivial: &DMatrix<f64>,
        degrees: DVector<f64>,
    ) -> Result<Spectrum, ExplainError> {
        let patches = graph.dim();
        let kept = self.solver.take().filter(|(dim, _)| *dim == patches);
        let mut solver = match kept {
            Some((_, solver)) => solver,
            None => SubspaceSolver::new(patches, EIGENVECTORS, options())?,
        };
        solver.deflate(trivial)?;
        let pairs = solver.solve(&LikelyFloor(graph))?;
        let spectrum = Spectrum::new(&pairs, degrees);
        self.solver = Some((patches, solver));
        Ok(spectrum)
    }
}

/// A normalised graph whose floor is taken to be 0. Between queries and keys it lies a little lower,
/// but far from the -1 that is sure; the solver finds out by itself where it lies, and needs a third
/// of the products.
struct LikelyFloor<'a>(&'a dyn SymmetricOperator);

impl SymmetricOperator for LikelyFloor<'_> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn floor(&self) -> f64 {
        0.0
    }

    fn scratch_len(&self, columns: usize) -> usize {
        self.0.scratch_len(columns)
    }

    fn apply(&self, block: &DMatrix<f64>, out: &mut DMatrix<f64>, scratch: &mut [f64]) {
        self.0.apply(block, out, scratch);
    }
}

fn options() -> Options {
    Options {
        tolerance: TOLERANCE,
        max_iterations: MAX_ITERATIONS,
        ..Options::default()
    }
}
