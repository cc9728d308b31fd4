//! What a limit does to good and bad images, and how sure one can be of it.

/// Two-sided 95 % quantile of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// How often something happened, out of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Rate {
    /// How often it happened.
    pub count: usize,
    /// Out of how many.
    pub of: usize,
}

impl Rate {
    /// `count / of`; `None` out of nothing.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }

    /// The 95 % confidence interval of the true share (Wilson, JASA 1927), which stays honest for
    /// few images and at 0 and 1; `None` out of nothing.
    #[must_use]
    pub fn interval(&self) -> Option<[f64; 2]> {
        let (share, n) = (self.share()?, self.of as f64);
        let z2 = Z_95 * Z_95;
        let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z_95 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
        // At 0 and 1 the formula's end is exact; rounding must not show.
        let low = if self.count == 0 { 0.0 } else { centre - half };
        let high = if self.count == self.of {
            1.0
        } else {
            centre + half
        };
        Some([low, high])
    }
}

/// What would have happened with another limit.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct WhatIf {
    /// The limit, in the unit of the scores.
    pub limit: f64,
    /// Good images at or above it.
    pub false_reject: Rate,
    /// Bad images below it.
    pub miss: Rate,
}

/// False rejects and misses if the limit were `limit`: scores at the limit or above are rejected.
#[must_use]
pub fn what_if(good: &[f64], bad: &[f64], limit: f64) -> WhatIf {
    let below = |scores: &[f64]| scores.iter().filter(|&&s| s < limit).count();
    WhatIf {
        limit,
        false_reject: Rate {
            count: good.len() - below(good),
            of: good.len(),
        },
        miss: Rate {
            count: below(bad),
            of: bad.len(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_at_the_limit_is_rejected() {
        let at_one = what_if(&[0.5, 1.0], &[0.9, 1.0, 2.0], 1.0);
        assert_eq!(at_one.false_reject, Rate { count: 1, of: 2 });
        assert_eq!(at_one.miss, Rate { count: 1, of: 3 });
    }

    #[test]
    fn no_event_in_few_images_leaves_a_wide_interval() {
        // Wilson, 0 of 10: z^2 / (n + z^2).
        let [low, high] = Rate { count: 0, of: 10 }.interval().unwrap();
        assert_eq!(low, 0.0);
        assert!((high - 0.277_533).abs() < 1e-5, "{high}");
    }

    #[test]
    fn the_interval_agrees_with_a_published_example() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263.
        let [low, high] = Rate { count: 81, of: 263 }.interval().unwrap();
        assert!(
            (low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5,
            "{low} {high}"
        );
    }

    #[test]
    fn out_of_nothing_there_is_no_share() {
        assert_eq!(Rate::default().share(), None);
        assert_eq!(Rate::default().interval(), None);
    }
}
