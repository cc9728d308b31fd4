//! Where good ends, and what that promises.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF, Normal};

/// How sure the stated bound is.
const CONFIDENCE: f64 = 0.95;

/// What a limit promises and on what ground; kept in the recipe for whoever asks later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Share of good parts that may be rejected, as asked.
    pub false_reject: f64,
    /// Upper 95 % bound of that share which this many parts allow, without any assumption about
    /// how scores are distributed.
    pub false_reject_bound: f64,
    /// Parts after which the bound would reach what was asked.
    pub parts_needed: usize,
    /// Score of each good part while it was left out, in units of the limit.
    pub left_out_scores: Vec<f32>,
    /// What the limit was taken from.
    pub ground: Ground,
}

/// What a limit was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The quantile of the parts' own scores: there are enough of them for the rate.
    Quantile,
    /// The tail of a log-normal distribution fitted to the parts' scores: none of so few reaches
    /// as far as the rate.
    Tail,
    /// Altered views of the parts, because there are too few parts to leave one out.
    Views,
}

/// A limit and its calibration.
pub(super) struct Limit {
    /// In the unit of the scores that were given.
    pub value: f32,
    /// What it promises.
    pub calibration: Calibration,
}

/// Spread (standard deviation of the logarithm) that scores of good parts are taken to have before
/// any is seen, and how many parts' worth of say that has: without it, four parts that happen to
/// score alike would give a limit that the fifth fails. Spreads of left-out scores on the
/// development sets: 0.11 to 0.25.
const PRIOR_SPREAD: f64 = 0.12;
const PRIOR_PARTS: f64 = 2.0;

impl Limit {
    /// From the scores of parts that were each left out while the others were learned.
    ///
    /// With enough parts for the rate it is the conformal quantile (Vovk, Gammerman and Shafer
    /// 2005): the `ceil((n + 1)(1 - rate))`-th smallest score. With fewer no score reaches that
    /// far, and the limit is the quantile of a log-normal distribution with the scores' own mean
    /// and spread. That is an estimate, not a promise: what so few parts can promise is the bound.
    /// (Limits that allow for the error of mean and spread, at eight parts half as high again,
    /// rejected as few good parts on the development sets and missed a fifth more bad ones.)
    pub fn from_left_out(scores: &[f32], rate: f64) -> Self {
        let n = scores.len();
        let mut sorted = scores.to_vec();
        sorted.sort_by(f32::total_cmp);
        let rank = ((n as f64 + 1.0) * (1.0 - rate)).ceil() as usize;
        match sorted.get(rank.saturating_sub(1)) {
            // Just above the score, so that the part itself passes.
            Some(&score) => {
                let value = f64::from(score) * (1.0 + 1e-6);
                Self::stated(value, scores, n, rate, Ground::Quantile)
            }
            None => {
                let value = tail_quantile(scores, rate);
                Self::stated(value, scores, n, rate, Ground::Tail)
            }
        }
    }

    /// From the scores of altered views, because there are only `parts` parts: all of the views
    /// must pass.
    pub fn from_views(scores: &[f32], parts: usize, rate: f64) -> Self {
        let highest = scores.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        let value = f64::from(highest) * (1.0 + 1e-6);
        Self::stated(value, scores, parts, rate, Ground::Views)
    }

    fn stated(value: f64, scores: &[f32], parts: usize, rate: f64, ground: Ground) -> Self {
        let above = scores
            .iter()
            .filter(|&&score| f64::from(score) >= value)
            .count();
        Self {
            value: value as f32,
            calibration: Calibration {
                false_reject: rate,
                false_reject_bound: upper_bound(above.min(parts), parts),
                parts_needed: parts_needed(rate),
                left_out_scores: scores
                    .iter()
                    .map(|&s| (f64::from(s) / value) as f32)
                    .collect(),
                ground,
            },
        }
    }
}

/// The quantile of a log-normal distribution that scores exceed at this rate.
fn tail_quantile(scores: &[f32], rate: f64) -> f64 {
    let logs = || scores.iter().map(|&s| f64::from(s).max(1e-12).ln());
    let count = scores.len().max(1) as f64;
    let mean = logs().sum::<f64>() / count;
    let squares: f64 = logs().map(|log| (log - mean).powi(2)).sum();
    let freedom = PRIOR_PARTS + count - 1.0;
    let spread = ((PRIOR_PARTS * PRIOR_SPREAD.powi(2) + squares) / freedom).sqrt();
    let z = Normal::standard().inverse_cdf(1.0 - rate.clamp(1e-9, 0.5));
    (mean + z * spread).exp()
}

/// Upper 95 % bound of a rate of which `above` of `n` draws were seen (Clopper and Pearson 1934).
fn upper_bound(above: usize, n: usize) -> f64 {
    if above >= n {
        return 1.0;
    }
    Beta::new(above as f64 + 1.0, (n - above) as f64)
        .map_or(1.0, |beta| beta.inverse_cdf(CONFIDENCE))
}

/// Parts of which none may lie above a limit for its 95 % bound to be `rate`.
fn parts_needed(rate: f64) -> usize {
    if rate <= 0.0 {
        return usize::MAX;
    }
    ((1.0 - CONFIDENCE).ln() / (1.0 - rate.min(0.5)).ln()).ceil() as usize
}

impl Calibration {
    /// One sentence for people.
    pub fn summary(&self) -> String {
        let parts = self.left_out_scores.len();
        let from = match self.ground {
            Ground::Quantile => format!("quantile of {parts} left-out parts"),
            Ground::Tail => format!("tail fitted to {parts} left-out parts"),
            Ground::Views => format!("{parts} altered views of too few parts"),
        };
        format!(
            "false rejects asked {:.2} %, sure (95 %) only of {:.1} %; {from}",
            100.0 * self.false_reject,
            100.0 * self.false_reject_bound
        )
    }

    /// What to say when there were too few parts for the rate that was asked.
    pub fn too_few(&self) -> Option<String> {
        (self.false_reject_bound > self.false_reject).then(|| {
            format!(
                "these parts can only promise, with 95 % confidence, that at most {:.1} % of good \
                 parts are rejected; {:.2} % was asked, which {} good parts could promise. The \
                 recipe is made all the same and carries this bound.",
                100.0 * self.false_reject_bound,
                100.0 * self.false_reject,
                self.parts_needed
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_for_parts_without_a_reject_is_the_rule_of_three() {
        assert!((upper_bound(0, 300) - 0.00994).abs() < 1e-4);
        assert!((upper_bound(0, 8) - (1.0 - 0.05f64.powf(1.0 / 8.0))).abs() < 1e-6);
        assert_eq!(upper_bound(3, 3), 1.0);
        assert_eq!(parts_needed(0.01), 299);
        assert!(upper_bound(0, 299) <= 0.01 && upper_bound(0, 298) > 0.01);
    }

    #[test]
    fn with_enough_parts_the_limit_is_a_score_of_theirs_and_keeps_its_promise() {
        let scores: Vec<f32> = (1..=400).map(|i| i as f32).collect();
        let limit = Limit::from_left_out(&scores, 0.01);
        assert_eq!(limit.calibration.ground, Ground::Quantile);
        assert!((limit.value - 397.0).abs() < 0.1, "{}", limit.value);
    }

    #[test]
    fn with_few_parts_the_limit_lies_above_all_of_them_and_says_how_many_would_do() {
        let few = Limit::from_left_out(&[1.0, 1.2, 0.9, 1.1], 0.01);
        let scores: Vec<f32> = [1.0, 1.2, 0.9, 1.1].repeat(6);
        let more = Limit::from_left_out(&scores, 0.01);
        assert_eq!(few.calibration.ground, Ground::Tail);
        assert!(
            few.value > more.value && more.value > 1.2,
            "{} {}",
            few.value,
            more.value
        );
        assert!(few.calibration.too_few().unwrap().contains("299"));
    }

    #[test]
    fn log_normal_scores_exceed_the_tail_quantile_about_as_often_as_asked() {
        use rand::SeedableRng;
        use rand_chacha::rand_core::Rng;
        let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        // Sum of twelve uniforms: close to normal.
        let mut draw = || {
            let normal = (0..12)
                .map(|_| f64::from(dice.next_u32()) / 4294967296.0)
                .sum::<f64>()
                - 6.0;
            (0.2 * normal).exp() as f32
        };
        let (mut above, trials) = (0, 20_000);
        for _ in 0..trials {
            let scores: Vec<f32> = (0..8).map(|_| draw()).collect();
            let limit = Limit::from_left_out(&scores, 0.05);
            above += usize::from(draw() > limit.value);
        }
        let rate = above as f64 / trials as f64;
        assert!((0.04..0.10).contains(&rate), "{rate}");
    }
}
