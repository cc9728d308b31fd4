use std::sync::Arc;

use andon_kernels::Pool;
use andon_spectral::{
    DenseAffinity, Error, Mean, Options, SubspaceSolver, SymmetricOperator, share_degrees,
};
use nalgebra::{DMatrix, DVector};

use super::affinity::{Block, kinds};
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
    /// Leaves out the spectra of single blocks, which take longer than all blocks together.
    pub together_only: bool,
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

/// The spectra of one pathway through the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectra {
    /// All blocks together.
    pub together: Spectrum,
    /// Each block alone, by its number; none if [`Settings::together_only`].
    pub blocks: Vec<(usize, Spectrum)>,
}

/// Finds the leading eigenvectors of the affinity graphs of one image after another.
#[derive(Debug, Clone)]
pub struct Explainer {
    settings: Settings,
    heads: usize,
    pool: Arc<Pool>,
}

impl Explainer {
    /// For a network with `heads` attention heads; as many blocks are worked on at a time as the
    /// pool has threads.
    ///
    /// # Errors
    /// [`ExplainError::NoBlocks`].
    pub fn new(settings: Settings, heads: usize, pool: Arc<Pool>) -> Result<Self, ExplainError> {
        if settings.blocks.is_empty() {
            return Err(ExplainError::NoBlocks);
        }
        Ok(Self {
            settings,
            heads,
            pool,
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

    /// The spectra of a pathway: of each block by its own graph, and of all blocks together by the
    /// mean of their graphs, normalised by the mean of their degrees so that the eigenvector that
    /// says nothing is common to all and known.
    ///
    /// With softmax attention one patches x patches matrix is held for the mean, and two for each
    /// block that is worked on; with cosines none is formed at all.
    ///
    /// # Errors
    /// [`ExplainError`] when a tap is missing or holds what has no affinity.
    pub fn spectra(&self, taps: &Taps, pathway: Pathway) -> Result<Spectra, ExplainError> {
        match (pathway, self.settings.where_) {
            (Pathway::Where, WhereAffinity::Attention) => self.attention_spectra(taps),
            _ => self.cosine_spectra(taps, pathway),
        }
    }

    fn each_block(&self) -> bool {
        !self.settings.together_only
    }

    fn cosine_spectra(&self, taps: &Taps, pathway: Pathway) -> Result<Spectra, ExplainError> {
        let blocks = &self.settings.blocks;
        let mut blocks_alone = Vec::with_capacity(blocks.len());
        let mut graphs = Vec::with_capacity(blocks.len());
        let alone = |block: usize| {
            let of = Block { taps, block };
            let graph = match pathway {
                Pathway::What => of.what(self.settings.what),
                Pathway::Where => of.where_cosine(),
            }?;
            let solve = || solve(&graph, &graph.trivial_eigenvector(), graph.degrees());
            let spectrum = self.each_block().then(solve).transpose()?;
            Ok((spectrum, graph))
        };
        for batch in blocks.chunks(self.pool.threads()) {
            for (block, result) in side_by_side(&self.pool, batch, &alone) {
                let (spectrum, graph) = result?;
                blocks_alone.extend(spectrum.map(|spectrum| (block, spectrum)));
                graphs.push(graph);
            }
        }
        share_degrees(&mut graphs)?;
        let first = graphs.first().ok_or(ExplainError::NoBlocks)?;
        let parts: Vec<&dyn SymmetricOperator> = graphs.iter().map(|g| g as _).collect();
        let mean = Mean::equal(&parts)?;
        Ok(Spectra {
            together: solve(&mean, &first.trivial_eigenvector(), first.degrees())?,
            blocks: blocks_alone,
        })
    }

    fn attention_spectra(&self, taps: &Taps) -> Result<Spectra, ExplainError> {
        let mut blocks_alone = Vec::with_capacity(self.settings.blocks.len());
        let mut sum: Option<DMatrix<f64>> = None;
        let alone = |block: usize| {
            let affinity = Block { taps, block }.where_attention(self.heads)?;
            let solve = || solve_dense(&DenseAffinity::new(affinity.clone())?);
            let spectrum = self.each_block().then(solve).transpose()?;
            Ok((spectrum, affinity))
        };
        for batch in self.settings.blocks.chunks(self.pool.threads()) {
            for (block, result) in side_by_side(&self.pool, batch, &alone) {
                let (spectrum, affinity) = result?;
                blocks_alone.extend(spectrum.map(|spectrum| (block, spectrum)));
                match &mut sum {
                    Some(sum) => *sum += affinity,
                    None => sum = Some(affinity),
                }
            }
        }
        // Normalising divides by the degrees, so the sum does as well as the mean.
        let sum = sum.ok_or(ExplainError::NoBlocks)?;
        Ok(Spectra {
            together: solve_dense(&DenseAffinity::new(sum)?)?,
            blocks: blocks_alone,
        })
    }
}

/// Calls `work` for each of a few blocks at the same time; the answers come in their order.
fn side_by_side<T: Send>(
    pool: &Pool,
    blocks: &[usize],
    work: &(impl Fn(usize) -> Result<T, ExplainError> + Sync),
) -> Vec<(usize, Result<T, ExplainError>)> {
    let mut results: Vec<_> = blocks.iter().map(|_| None).collect();
    pool.chunks(&mut results, 1, &|number, result| {
        result[0] = Some(work(blocks[number]));
    });
    let results = results.into_iter().flatten();
    blocks.iter().copied().zip(results).collect()
}

fn solve_dense(graph: &DenseAffinity) -> Result<Spectrum, ExplainError> {
    solve(graph, &graph.trivial_eigenvector(), graph.degrees())
}

fn solve(
    graph: &dyn SymmetricOperator,
    trivial: &DMatrix<f64>,
    degrees: &DVector<f64>,
) -> Result<Spectrum, ExplainError> {
    let options = Options {
        tolerance: TOLERANCE,
        max_iterations: MAX_ITERATIONS,
        ..Options::default()
    };
    let mut solver = SubspaceSolver::new(graph.dim(), EIGENVECTORS, options)?;
    solver.deflate(trivial)?;
    let pairs = solver.solve(&LikelyFloor(graph))?;
    Ok(Spectrum::new(&pairs, degrees.clone()))
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

#[cfg(test)]
mod tests {
    use andon_spectral::CosineAffinity;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const PATCHES: usize = 80;
    const DIM: usize = 24;

    /// Rows of a tap with a few groups in it.
    fn tap(seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let centres: Vec<f32> = (0..5 * DIM).map(|_| random.random::<f32>() - 0.5).collect();
        let entries = (0..PATCHES * DIM).map(|at| {
            let (patch, entry) = (at / DIM, at % DIM);
            centres[patch * 5 / PATCHES * DIM + entry] + 0.6 * (random.random::<f32>() - 0.5)
        });
        entries.collect()
    }

    /// Eigenvalues of a graph by a full decomposition, without the 1 that says nothing.
    fn all_values(graph: &dyn SymmetricOperator) -> Vec<f64> {
        let mut matrix = DMatrix::zeros(PATCHES, PATCHES);
        let mut scratch = vec![0.0; graph.scratch_len(PATCHES)];
        graph.apply(
            &DMatrix::identity(PATCHES, PATCHES),
            &mut matrix,
            &mut scratch,
        );
        let mut values: Vec<f64> = matrix.symmetric_eigenvalues().iter().copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values.split_off(1)
    }

    fn check(graph: &dyn SymmetricOperator, spectrum: &Spectrum) {
        assert!(spectrum.converged);
        for (found, exact) in spectrum.values.iter().zip(all_values(graph)) {
            assert!(
                (found - exact).abs() < TOLERANCE * exact.abs().max(0.01),
                "{found} {exact}"
            );
        }
    }

    #[test]
    fn graphs_with_negative_eigenvalues_are_solved_although_their_floor_is_taken_for_0() {
        let (query, key) = (tap(1), tap(2));
        let graph = CosineAffinity::between(&query, &key, DIM).unwrap();
        assert!(all_values(&graph).last() < Some(&-0.01));
        let spectrum = solve(&graph, &graph.trivial_eigenvector(), graph.degrees()).unwrap();
        check(&graph, &spectrum);
    }

    #[test]
    fn attention_and_what_are_solved_to_the_tolerance() {
        let (query, key) = (tap(1), tap(2));
        let attention = andon_spectral::attention(&query, &key, DIM, 3).unwrap();
        let graph = DenseAffinity::new(attention).unwrap();
        check(&graph, &solve_dense(&graph).unwrap());
        let graph = CosineAffinity::within(&key, DIM).unwrap();
        let spectrum = solve(&graph, &graph.trivial_eigenvector(), graph.degrees()).unwrap();
        check(&graph, &spectrum);
    }

    #[test]
    fn blocks_that_were_not_tapped_are_named() {
        let grid = crate::vit::Grid { rows: 1, cols: 1 };
        let taps = Taps {
            grid,
            kept: None,
            blocks: Vec::new(),
        };
        let settings = Settings {
            blocks: vec![7],
            ..Settings::default()
        };
        let explainer = Explainer::new(settings, 6, Pool::alone().into()).unwrap();
        let error = explainer
            .spectra(&taps, Pathway::What)
            .unwrap_err()
            .to_string();
        assert!(error.contains("Value of block 7"), "{error}");
        assert_eq!(explainer.request().iter().count(), 3);
        assert!(Explainer::new(Settings::default(), 6, Pool::alone().into()).is_err());
    }
}
