//! Weighted k-means: few points, few dimensions, always the same answer.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Starts, the best of which counts.
const STARTS: u64 = 8;

/// Sweeps after which a start is taken as it is; 10 to 30 are usual.
const MAX_SWEEPS: usize = 50;

/// A sweep that gains less than this share of the cost is the last one.
const LEAST_GAIN: f64 = 1e-6;

/// Centres of the partition of `points` into `k` groups that has the least weighted sum of squared
/// distances among several starts of Lloyd's algorithm from k-means++ seeds (Arthur and
/// Vassilvitskii 2007). Points are columns, `[dim, n]`, and so are the centres, `[dim, k]`; fewer
/// come back if there are fewer different points.
pub(crate) fn centres(points: &DMatrix<f64>, weights: &[f64], k: usize) -> DMatrix<f64> {
    let best = (0..STARTS)
        .map(|seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            settle(points, weights, seeds(points, weights, k, &mut random))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or_else(|| DMatrix::zeros(points.nrows(), 0), |(centres, _)| centres)
}

/// The nearest of the centres `[dim, k]` to a point `[dim]`, and its squared distance.
pub(crate) fn nearest(centres: &DMatrix<f64>, point: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    let columns = centres.as_slice().chunks_exact(point.len().max(1));
    for (group, centre) in columns.enumerate() {
        let distance = distance(centre, point);
        if distance < best.1 {
            best = (group, distance);
        }
    }
    best
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn rows(points: &DMatrix<f64>) -> impl Iterator<Item = &[f64]> {
    points.as_slice().chunks_exact(points.nrows().max(1))
}

fn seeds(
    points: &DMatrix<f64>,
    weights: &[f64],
    k: usize,
    random: &mut ChaCha8Rng,
) -> DMatrix<f64> {
    let mut chosen: Vec<usize> = Vec::new();
    // Squared distance to the nearest seed, times the weight; the weight alone before the first.
    let mut pull = weights.to_vec();
    let mut nearest = vec![f64::INFINITY; points.ncols()];
    while chosen.len() < k {
        let total: f64 = pull.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut left = random.random::<f64>() * total;
        let drawn = pull.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        // Rounding may leave a trace behind the last point.
        let drawn = drawn.or_else(|| pull.iter().rposition(|share| *share > 0.0));
        let Some(drawn) = drawn else { break };
        chosen.push(drawn);
        let seed = points.column(drawn).clone_owned();
        for (i, point) in rows(points).enumerate() {
            nearest[i] = nearest[i].min(distance(point, seed.as_slice()));
            pull[i] = nearest[i] * weights[i];
        }
    }
    points.select_columns(&chosen)
}

fn settle(
    points: &DMatrix<f64>,
    weights: &[f64],
    mut centres: DMatrix<f64>,
) -> (DMatrix<f64>, f64) {
    let mut cost = f64::INFINITY;
    let mut sums = centres.clone();
    let mut mass = vec![0.0; centres.ncols()];
    for _ in 0..MAX_SWEEPS {
        sums.fill(0.0);
        mass.fill(0.0);
        let mut now = 0.0;
        for (point, weight) in rows(points).zip(weights) {
            let (group, away) = nearest(&centres, point);
            mass[group] += weight;
            now += weight * away;
            for (sum, value) in sums.column_mut(group).iter_mut().zip(point) {
                *sum += weight * value;
            }
        }
        for (group, mass) in mass.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
            centres.set_column(group, &(sums.column(group) / *mass));
        }
        let settled = now >= cost * (1.0 - LEAST_GAIN);
        cost = now;
        if settled {
            break;
        }
    }
    (centres, cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of `k` clouds around the corners of a simplex, `each` a cloud, with noise.
    fn clouds(k: usize, each: usize, noise: f64) -> DMatrix<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        DMatrix::from_fn(k, k * each, |c, i| {
            let corner = if i / each == c { 1.0 } else { 0.0 };
            corner + noise * (random.random::<f64>() - 0.5)
        })
    }

    #[test]
    fn planted_clouds_are_found_exactly() {
        for k in 2..=8 {
            let points = clouds(k, 30, 0.6);
            let centres = centres(&points, &vec![1.0; k * 30], k);
            let group = |i: usize| nearest(&centres, points.column(i).as_slice()).0;
            let of_clouds: Vec<usize> = (0..k).map(|cloud| group(cloud * 30)).collect();
            assert!((0..k * 30).all(|i| group(i) == of_clouds[i / 30]));
            let mut distinct = of_clouds;
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), k);
        }
    }

    #[test]
    fn a_point_without_weight_does_not_move_a_centre() {
        let points = DMatrix::from_column_slice(1, 4, &[0.0, 1.0, 10.0, 90.0]);
        let found = centres(&points, &[1.0, 1.0, 1.0, 0.0], 2);
        let mut found: Vec<f64> = found.iter().copied().collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found, [0.5, 10.0]);
    }

    #[test]
    fn equal_points_give_one_group_however_many_are_asked() {
        let points = DMatrix::from_element(2, 9, 3.0);
        assert_eq!(centres(&points, &[1.0; 9], 4).ncols(), 1);
    }
}
