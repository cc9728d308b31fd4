//! Weighted k-means: few points, few dimensions, always the same answer.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Starts, the best of which counts.
const STARTS: u64 = 10;

/// Sweeps after which a start is taken as it is; 10 to 30 are usual.
const MAX_SWEEPS: usize = 100;

/// Centres of the partition of `points` `[n, dim]` into `k` groups that has the least weighted sum
/// of squared distances among ten starts of Lloyd's algorithm from k-means++ seeds (Arthur and
/// Vassilvitskii 2007), `[k, dim]`. Fewer centres come back if there are fewer different points.
pub(super) fn centres(points: &DMatrix<f64>, weights: &[f64], k: usize) -> DMatrix<f64> {
    let best = (0..STARTS)
        .map(|seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            settle(points, weights, seeds(points, weights, k, &mut random))
        })
        .min_by(|a, b| a.1.total_cmp(&b.1));
    best.map_or_else(|| DMatrix::zeros(0, points.ncols()), |(centres, _)| centres)
}

/// The nearest centre to a point, and its squared distance.
pub(super) fn nearest(centres: &DMatrix<f64>, point: impl Fn(usize) -> f64) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for group in 0..centres.nrows() {
        let distance: f64 = (0..centres.ncols())
            .map(|c| (point(c) - centres[(group, c)]).powi(2))
            .sum();
        if distance < best.1 {
            best = (group, distance);
        }
    }
    best
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
    let mut distance = vec![f64::INFINITY; points.nrows()];
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
        for (i, (distance, pull)) in distance.iter_mut().zip(&mut pull).enumerate() {
            let away = (points.row(i) - points.row(drawn)).norm_squared();
            *distance = distance.min(away);
            *pull = *distance * weights[i];
        }
    }
    points.select_rows(&chosen)
}

fn settle(
    points: &DMatrix<f64>,
    weights: &[f64],
    mut centres: DMatrix<f64>,
) -> (DMatrix<f64>, f64) {
    let mut cost = f64::INFINITY;
    for _ in 0..MAX_SWEEPS {
        let mut sums = DMatrix::<f64>::zeros(centres.nrows(), centres.ncols());
        let mut mass = vec![0.0; centres.nrows()];
        let mut now = 0.0;
        for (i, weight) in weights.iter().enumerate() {
            let (group, away) = nearest(&centres, |c| points[(i, c)]);
            mass[group] += weight;
            now += weight * away;
            for c in 0..points.ncols() {
                sums[(group, c)] += weight * points[(i, c)];
            }
        }
        for (group, mass) in mass.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
            centres.row_mut(group).copy_from(&(sums.row(group) / *mass));
        }
        let settled = now >= cost * (1.0 - 1e-9);
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
        DMatrix::from_fn(k * each, k, |i, c| {
            let corner = if i / each == c { 1.0 } else { 0.0 };
            corner + noise * (random.random::<f64>() - 0.5)
        })
    }

    #[test]
    fn planted_clouds_are_found_exactly() {
        for k in 2..=8 {
            let points = clouds(k, 30, 0.6);
            let centres = centres(&points, &vec![1.0; k * 30], k);
            let group = |i: usize| nearest(&centres, |c| points[(i, c)]).0;
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
        let points = DMatrix::from_column_slice(4, 1, &[0.0, 1.0, 10.0, 90.0]);
        let found = centres(&points, &[1.0, 1.0, 1.0, 0.0], 2);
        let mut found: Vec<f64> = found.iter().copied().collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found, [0.5, 10.0]);
    }

    #[test]
    fn equal_points_give_one_group_however_many_are_asked() {
        let points = DMatrix::from_element(9, 2, 3.0);
        assert_eq!(centres(&points, &[1.0; 9], 4).nrows(), 1);
    }
}
