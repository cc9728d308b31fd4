//! How well scores separate good from bad images, whatever the limit.

/// Area under the ROC curve: the probability that a random bad image scores higher than a random
/// good one, ties counting half.
///
/// Exact, by mid-ranks (the Mann-Whitney U statistic). `None` when either side is empty or any
/// score is NaN.
#[must_use]
pub fn auroc(good: &[f64], bad: &[f64]) -> Option<f64> {
    let points = roc(good, bad)?;
    // Between two points all scores are equal, so the trapezoid counts these ties half.
    let area = points
        .windows(2)
        .map(|pair| {
            let width = pair[1].false_rejects - pair[0].false_rejects;
            width as f64 * (pair[0].catches + pair[1].catches) as f64 / 2.0
        })
        .sum::<f64>();
    Some(area / (good.len() as f64 * bad.len() as f64))
}

/// One point of a ROC curve: what happens when every score at `limit` or above is rejected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// The limit, in the unit of the scores; infinity for the first point, where nothing is
    /// rejected.
    pub limit: f64,
    /// Good images that are rejected.
    pub false_rejects: usize,
    /// Bad images that are rejected.
    pub catches: usize,
}

/// The ROC curve, one point for each distinct score, from "nothing is rejected" to "everything is".
///
/// `None` when either side is empty or any score is NaN.
#[must_use]
pub fn roc(good: &[f64], bad: &[f64]) -> Option<Vec<RocPoint>> {
    if good.is_empty() || bad.is_empty() || good.iter().chain(bad).any(|s| s.is_nan()) {
        return None;
    }
    let mut scores: Vec<(f64, bool)> = good
        .iter()
        .map(|&s| (s, false))
        .chain(bad.iter().map(|&s| (s, true)))
        .collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = vec![RocPoint {
        limit: f64::INFINITY,
        false_rejects: 0,
        catches: 0,
    }];
    let (mut false_rejects, mut catches) = (0, 0);
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let bad_here = tied.iter().filter(|(_, bad)| *bad).count();
        catches += bad_here;
        false_rejects += tied.len() - bad_here;
        points.push(RocPoint {
            limit: tied[0].0,
            false_rejects,
            catches,
        });
    }
    Some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        good: Vec<f64>,
        bad: Vec<f64>,
        auroc: f64,
    }

    #[derive(serde::Deserialize)]
    struct Reference {
        ranking: Vec<Case>,
    }

    #[test]
    fn auroc_agrees_with_scikit_learn() {
        let reference: Reference =
            serde_json::from_str(include_str!("../../tests/reference/metrics.json")).unwrap();
        assert!(reference.ranking.len() >= 6);
        for case in reference.ranking {
            let ours = auroc(&case.good, &case.bad).unwrap();
            assert!(
                (ours - case.auroc).abs() < 1e-12,
                "{}: {ours} against {}",
                case.name,
                case.auroc
            );
        }
    }

    #[test]
    fn a_tie_counts_half() {
        assert_eq!(auroc(&[1.0], &[1.0]), Some(0.5));
        assert_eq!(auroc(&[1.0, 2.0], &[2.0, 3.0]), Some(0.875));
    }

    #[test]
    fn a_missing_side_or_a_nan_gives_no_figure() {
        assert_eq!(auroc(&[], &[1.0]), None);
        assert_eq!(auroc(&[1.0], &[]), None);
        assert_eq!(auroc(&[f64::NAN], &[1.0]), None);
    }

    #[test]
    fn the_curve_runs_from_nothing_rejected_to_everything_rejected() {
        let points = roc(&[0.2, 0.4], &[0.4, 0.9, 0.1]).unwrap();
        assert_eq!((points[0].false_rejects, points[0].catches), (0, 0));
        let last = points.last().unwrap();
        assert_eq!((last.limit, last.false_rejects, last.catches), (0.1, 2, 3));
        assert!(points.windows(2).all(|p| p[0].limit > p[1].limit));
    }
}
