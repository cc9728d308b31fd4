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
/// Logarithm of the growth of the last wanted value in a filter of the highest degree, below which
/// the damped interval is lowered if the block cannot tell that value from its last.
const RELEASED: f64 = 2.3;
/// How far below the floor an eigenvalue may lie, relative to the largest: rounding gets there, and
/// the filter hardly lifts it.
const NEGLIGIBLE: f64 = 1e-10;

/// `T_degree(factor (A - centre))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    pub(crate) degree: usize,
    pub(crate) centre: f64,
    pub(crate) factor: f64,
}

impl Filter {
    #[allow(
        clippy::too_many_arguments,
        reason = "what one step of the solver knows"
    )]
    /// `values` are all Ritz values, descending; `residuals` theirs, relative to `unit`. `floor`
    /// is lowered if a Ritz value proves it too high. The degree is `at_least` that, as far as the
    /// options and orthonormalisation bear it.
    pub(crate) fn choose(
        values: &[f64],
        residuals: &[f64],
        wanted: usize,
        unit: f64,
        floor: &mut f64,
        at_least: usize,
        options: &Options,
    ) -> Self {
        let (last, least) = (values[wanted - 1], values[values.len() - 1]);
        if least < *floor - NEGLIGIBLE * unit {
            // Well below, because the least eigenvalue lies lower still.
            *floor = least - 0.25 * (values[0] - least);
        }
        let highest = options.max_degree as f64;
        let mut damped = Interval::new(*floor, least);
        let growth = damped.rate(last) * highest;
        let unresolved = residuals[values.len() - 1] * unit > last - least;
        if growth < RELEASED && unresolved {
            // The last of the block lies as high as the wanted values, as far as can be told (a
            // repeated eigenvalue): damping up to there would damp them, too.
            let reach = 2.0 * (last - *floor) / (1.0 + (RELEASED / highest).min(1.0).cosh());
            damped = Interval::new(*floor, *floor + reach);
        }
        // Everything unwanted seems to lie in one point: one shifted power step removes it.
        if damped.radius <= f64::EPSILON * unit || !damped.radius.recip().is_finite() {
            return Self {
                degree: 1,
                centre: damped.centre,
                factor: 1.0,
            };
        }

        let mut degree = highest;
        // What the wanted pairs need, the slowest of them deciding.
        let needed = (0..wanted)
            .map(|j| {
                let excess = residuals[j] / (MARGIN * options.tolerance);
                excess.ln().max(0.0) / damped.rate(values[j])
            })
            .fold(at_least as f64, f64::max);
        if needed < degree {
            degree = needed.ceil();
        }
        // What orthonormalisation bears: Ritz vector j is in the other columns with at most about
        // its residual over its distance from them.
        for j in 0..wanted {
            let mixed = residuals[j] * unit / (values[j] - damped.ceiling());
            let bearable = (SWAMP / mixed.clamp(f64::EPSILON, 1.0)).ln() / damped.rate(values[j]);
            degree = degree.min(bearable.floor());
        }
        Self {
            degree: degree.max(1.0) as usize,
            centre: damped.centre,
            factor: damped.radius.recip(),
        }
    }
}

/// The part of the spectrum that is damped.
struct Interval {
    centre: f64,
    radius: f64,
}

impl Interval {
    fn new(floor: f64, ceiling: f64) -> Self {
        Self {
            centre: 0.5 * floor + 0.5 * ceiling,
            radius: 0.5 * ceiling - 0.5 * floor,
        }
    }

    fn ceiling(&self) -> f64 {
        self.centre + self.radius
    }

    /// Logarithm of the growth per degree of an eigenvalue above the interval.
    fn rate(&self, value: f64) -> f64 {
        let x = ((value - self.centre) / self.radius).max(1.0);
        (x + (x * x - 1.0).sqrt()).ln()
    }
}
