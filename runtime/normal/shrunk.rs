use nalgebra::{DMatrix, SymmetricEigen};

/// Rounds after which a decomposition that does not settle is given up.
const MAX_ROUNDS: usize = 10_000;

/// Variances below this share of the largest are rounding.
const NO_VARIANCE: f64 = 1e-10;

/// A covariance shrunk towards a sphere.
pub(crate) struct Shrunk {
    /// Orthonormal, `[numbers, axes]`.
    pub axes: DMatrix<f64>,
    /// Along each axis.
    pub variances: Vec<f64>,
    /// Along everything else.
    pub rest: f64,
}

impl Shrunk {
    /// Of `deviations` from their mean, `[numbers, samples]`: `(1 - s) S + s m I`, where `S` is
    /// their covariance, `m` its mean variance, and `s` the share that comes closest to the true
    /// covariance (Ledoit and Wolf 2004, lemma 3.2 to 3.4). `S` is never formed: its rank is below
    /// the number of samples, and all that `s` needs are its eigenvalues and the samples' lengths.
    /// `None` when nothing is left to divide by.
    pub fn covariance(deviations: DMatrix<f64>) -> Option<Self> {
        let (numbers, samples) = deviations.shape();
        let (p, n) = (numbers as f64, samples as f64);
        let lengths = deviations.column_iter().map(|column| column.norm_squared());
        // Mean of |x|^4.
        let fourth = lengths.map(|square| square * square).sum::<f64>() / n;
        let x = deviations / n.sqrt();
        // The smaller of x^T x and x x^T, which have the same eigenvalues. (nalgebra's singular
        // values go wrong on matrices without full rank, which centred samples never have.)
        let dual = samples < numbers;
        let gram = if dual {
            x.tr_mul(&x)
        } else {
            &x * x.transpose()
        };
        let eigen = SymmetricEigen::try_new(gram, f64::EPSILON, MAX_ROUNDS)?;
        let eigenvalues: Vec<f64> = eigen.eigenvalues.iter().map(|v| v.max(0.0)).collect();
        let mean = eigenvalues.iter().sum::<f64>() / p;
        let squares: f64 = eigenvalues.iter().map(|v| v * v).sum();
        // |S - m I|^2, and the error of S: the mean over the samples of |x x^T - S|^2, over n.
        let apart = squares - p * mean * mean;
        let error = (fourth - squares) / n;
        let share = if error < apart { error / apart } else { 1.0 };
        let rest = share * mean;
        if !(rest.is_finite() && rest > 0.0) {
            return None;
        }
        let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
        let kept: Vec<usize> = (0..eigenvalues.len())
            .filter(|&axis| eigenvalues[axis] > NO_VARIANCE * largest)
            .collect();
        let mut axes = eigen.eigenvectors.select_columns(&kept);
        if dual {
            axes = x * axes;
            axes.column_iter_mut().for_each(|mut axis| {
                axis.normalize_mut();
            });
        }
        let variance = |&axis: &usize| (1.0 - share) * eigenvalues[axis] + rest;
        Some(Self {
            axes,
            variances: kept.iter().map(variance).collect(),
            rest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_low_rank_form_is_the_dense_shrunk_covariance_of_the_definition() {
        // More samples than numbers, and fewer.
        for (numbers, samples) in [(4, 9), (24, 5), (60, 16)] {
            let mut dice = ChaCha8Rng::seed_from_u64(5);
            let mut x = DMatrix::from_fn(numbers, samples, |i, _| {
                (i + 1) as f64 * dice.random_range(-1.0..1.0)
            });
            let mean = x.column_mean();
            x.column_iter_mut().for_each(|mut column| column -= &mean);
            let n = samples as f64;
            let covariance = &x * x.transpose() / n;
            let average = covariance.trace() / numbers as f64;
            let sphere = DMatrix::identity(numbers, numbers) * average;
            let apart = (&covariance - &sphere).norm_squared();
            let error = |x: nalgebra::DVectorView<'_, f64>| {
                (x * x.transpose() - &covariance).norm_squared()
            };
            let error = x.column_iter().map(error).sum::<f64>() / (n * n);
            let share = (error / apart).min(1.0);
            assert!((0.01..0.99).contains(&share), "{share} proves little");
            let shrunk = covariance * (1.0 - share) + sphere * share;

            let found = Shrunk::covariance(x).unwrap();
            let mut dense = DMatrix::identity(numbers, numbers) * found.rest;
            for (axis, variance) in found.axes.column_iter().zip(&found.variances) {
                dense += axis * axis.transpose() * (variance - found.rest);
            }
            assert!((dense - shrunk).amax() < 1e-9, "{numbers} of {samples}");
        }
    }
}
