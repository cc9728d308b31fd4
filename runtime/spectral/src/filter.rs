//! Which polynomial of the operator is applied between two Rayleigh-Ritz steps: a Chebyshev
//! polynomial that stays within 1 on the unwanted part of the spectrum and grows as fast as any
//! can above it (Rutishauser 1970; Zhou, Saad, Tiago and Chelikowsky 2006). Degree 1 is one step
//! of power iteration with the best shift.

use crate::solver::Options;

/// How much of a leading eigenvector may swamp another column: beyond it Cholesky-QR breaks down
/// and the slower Gram-Schmidt takes over.
const SWAMP: f64 = 1e5;
/// Aim this far below the tolerance, so that one more step is not needed for a rounding's width.
const MARGIN: f64 = 0.3;

/// `T_degree(factor (A - centre))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    pub(crate) degree: usize,
    pub(crate) centre: f64,
    pub(crate) factor: f64,
}

impl Filter {
    /// `values` are all Ritz values, descending; `residuals` theirs, relative to `unit`. `floor`
    /// is lowered if a Ritz value proves it too high.
    pub(crate) fn choose(
        values: &[f64],
        residuals: &[f64],
        wanted: usize,
        unit: f64,
        floor: &mut f64,
        options: &Options,
    ) -> Self {
        let least = values[values.len() - 1];
        if least < *floor - f64::EPSILON * unit {
            // Twice as far, because the least eigenvalue lies lower still.
            *floor = least - (*floor - least);
        }
        // Without oversampling nothing is known below the wanted values, and damping the last of
        // them would stall it.
        let ceiling = if values.len() > wanted {
            least
        } else {
            0.5 * least + 0.5 * *floor
        };
        let centre = 0.5 * *floor + 0.5 * ceiling;
        let radius = 0.5 * ceiling - 0.5 * *floor;
        // Everything unwanted seems to lie in one point: one shifted power step removes it.
        if radius <= f64::EPSILON * unit || !(1.0 / radius).is_finite() {
            return Self {
                degree: 1,
                centre,
                factor: 1.0,
            };
        }
        let rate = |value: f64| {
            let x = ((value - centre) / radius).max(1.0);
            (x + (x * x - 1.0).sqrt()).ln()
        };
        let mut degree = options.max_degree as f64;
        // What the wanted pairs need, the slowest of them deciding.
        let needed = (0..wanted)
            .map(|j| (residuals[j] / (MARGIN * options.tolerance)).ln().max(0.0) / rate(values[j]))
            .fold(1.0, f64::max);
        if needed < degree {
            degree = needed.ceil();
        }
        // What orthonormalisation bears: Ritz vector j is in the other columns with at most about
        // its residual over its distance from them.
        for j in 0..wanted {
            let mixed = (residuals[j] * unit / (values[j] - ceiling)).clamp(f64::EPSILON, 1.0);
            let bearable = (SWAMP / mixed).ln() / rate(values[j]);
            degree = degree.min(bearable.floor());
        }
        Self {
            degree: degree.max(1.0) as usize,
            centre,
            factor: 1.0 / radius,
        }
    }
}
