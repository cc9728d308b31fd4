use andon_spectral::Eigenpairs;
use nalgebra::{DMatrix, DVector};

use crate::vit::Grid;

/// The leading eigenvectors of a normalised graph S = D^-1/2 W D^-1/2 over the patches of an image,
/// without the first one, D^1/2 1, which says nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Eigenvalues, descending, `[k]`.
    pub values: Vec<f64>,
    /// Unit eigenvectors of S, `[patches, k]`.
    pub vectors: DMatrix<f64>,
    /// Degrees D, `[patches]`.
    pub degrees: DVector<f64>,
    /// Relative residual of each pair, `[k]`.
    pub residuals: Vec<f64>,
    /// Rayleigh-Ritz steps used.
    pub iterations: usize,
    /// Products of the graph with a block of vectors used.
    pub products: usize,
    /// False if a residual is above the tolerance.
    pub converged: bool,
}

impl Spectrum {
    pub(super) fn new(pairs: &Eigenpairs<'_>, degrees: DVector<f64>) -> Self {
        Self {
            values: pairs.values().to_vec(),
            vectors: pairs.vectors().clone_owned(),
            degrees,
            residuals: pairs.residuals().to_vec(),
            iterations: pairs.iterations(),
            products: pairs.products(),
            converged: pairs.converged(),
        }
    }

    /// The eigenvectors as functions of the patch, y = D^-1/2 u, `[patches, k]`: those of the random
    /// walk on the graph (Shi and Malik 2000, equation 11). Weighted by the degrees, each has mean 0
    /// and variance 1.
    #[must_use]
    pub fn functions(&self) -> DMatrix<f64> {
        let volume = self.degrees.sum().sqrt();
        let mut functions = self.vectors.clone();
        for mut column in functions.column_iter_mut() {
            for (value, degree) in column.iter_mut().zip(&self.degrees) {
                *value *= volume / degree.sqrt();
            }
        }
        functions
    }

    /// How many groups the spectrum speaks for, by its largest gap.
    #[must_use]
    pub fn groups_by_gap(&self) -> usize {
        groups_by_gap(&self.values)
    }

    /// How well the place of a patch, its row and column, can be read from the eigenvectors by a
    /// linear function: R^2, mean of both axes, 0 to 1. An axis one patch long counts for nothing.
    #[must_use]
    pub fn place(&self, grid: Grid) -> f64 {
        let functions = self.functions();
        let weights = &self.degrees / self.degrees.sum();
        let axis = |of: &dyn Fn(usize) -> usize| {
            let at = DVector::from_fn(grid.patches(), |i, _| of(i) as f64);
            let mean = at.dot(&weights);
            let at = at.add_scalar(-mean);
            let weighted = at.component_mul(&weights);
            let variance = at.dot(&weighted);
            // The functions are orthonormal under the weights, so the projections add up.
            let explained = functions.tr_mul(&weighted).norm_squared();
            (variance > 0.0).then(|| (explained / variance).min(1.0))
        };
        let both = [axis(&|i| i / grid.cols), axis(&|i| i % grid.cols)];
        let known: Vec<f64> = both.into_iter().flatten().collect();
        known.iter().sum::<f64>() / known.len().max(1) as f64
    }

    /// Turns the first three functions, `[patches, 3]`, as near as possible to those of `to`
    /// (orthogonal Procrustes, Schoenemann 1966), so that pictures of both compare. Their span stays
    /// what it is.
    #[must_use]
    pub fn first_three_turned_to(&self, to: &DMatrix<f64>) -> DMatrix<f64> {
        let functions = self.functions();
        let three = functions.columns(0, functions.ncols().min(3)).clone_owned();
        let svd = three.tr_mul(&to.columns(0, three.ncols())).svd(true, true);
        match (svd.u, svd.v_t) {
            (Some(u), Some(v_t)) => three * (u * v_t),
            _ => three,
        }
    }
}

/// How many groups eigenvalues speak for, from 2 to their number: one more than the eigenvectors in
/// front of the largest relative gap, (l_j - l_j+1)/l_j.
pub(crate) fn groups_by_gap(values: &[f64]) -> usize {
    let gaps = values.windows(2).enumerate();
    let relative =
        gaps.map(|(j, pair)| (j + 2, (pair[0] - pair[1]) / pair[0].max(f64::MIN_POSITIVE)));
    let largest = relative.fold(
        (2, 0.0),
        |best, now| if now.1 > best.1 { now } else { best },
    );
    largest.0
}
