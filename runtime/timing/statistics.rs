//! Medians and percentiles of a handful of times.

use serde::Serialize;

/// The middle of several values, and what nearly all of them stay below.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Median.
    pub median: f64,
    /// The value that 95 of 100 do not exceed.
    pub p95: f64,
}

/// The median; the mean of the two in the middle of an even number, NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(middle)) {
        (_, None) => f64::NAN,
        (1, Some(&value)) => value,
        (_, Some(&value)) => f64::midpoint(sorted[middle - 1], value),
    }
}

/// Median and 95th percentile (nearest rank: one of the values themselves).
pub fn spread(values: &[f64]) -> Spread {
    let sorted = sorted(values);
    let rank = (0.95 * sorted.len() as f64).ceil() as usize;
    Spread {
        median: median(values),
        p95: sorted
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN),
    }
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_percentile_one_of_the_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let of_hundred = spread(&hundred);
        assert_eq!((of_hundred.median, of_hundred.p95), (50.5, 95.0));
        assert_eq!(spread(&[7.0]).p95, 7.0);
    }
}
