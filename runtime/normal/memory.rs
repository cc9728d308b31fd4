//! Choosing which patches to remember: greedy k-centre (Gonzalez 1985), whose largest gap is at
//! most twice the best possible one.

use nalgebra::DMatrix;

/// Which points a choice took and what each of them stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Centres {
    /// Indices of the chosen points, in the order of choice: every prefix is itself a choice.
    pub chosen: Vec<usize>,
    /// For each point, which of the chosen ones (an index into `chosen`) lies nearest.
    pub nearest: Vec<u32>,
}

/// Chooses at most `count` of the columns of `points`, `[dim, n]`: each time the one that is
/// farthest from all chosen so far, beginning with the one farthest from the origin. Stops early
/// when every point coincides with a chosen one. Ties go to the lower index, so the choice is the
/// same on every machine that rounds alike.
///
/// Costs at most `count * n * dim` multiplications, and far fewer when `dim` is large and the first
/// coordinates vary most.
pub(crate) fn k_centres(points: &DMatrix<f32>, count: usize) -> Centres {
    let n = points.ncols();
    let dim = points.nrows();
    let mut centres = Centres {
        chosen: Vec::with_capacity(count.min(n)),
        nearest: vec![0; n],
    };
    let columns = || points.as_slice().chunks_exact(dim.max(1));
    let mut gaps = vec![f32::INFINITY; n];
    let farthest = |gaps: &[f32]| {
        let first = (0, f32::NEG_INFINITY);
        let better = |best: (usize, f32), (i, &gap): (usize, &f32)| {
            if gap > best.1 { (i, gap) } else { best }
        };
        gaps.iter().enumerate().fold(first, better)
    };
    let norms: Vec<f32> = columns().map(|c| c.iter().map(|v| v * v).sum()).collect();
    let mut next = farthest(&norms).0;
    let mut centre = vec![0.0; dim];
    while centres.chosen.len() < count.min(n) {
        let order = centres.chosen.len() as u32;
        centres.chosen.push(next);
        centre.copy_from_slice(&points.as_slice()[next * dim..(next + 1) * dim]);
        let slots = gaps.iter_mut().zip(&mut centres.nearest);
        for ((gap, nearest), point) in slots.zip(columns()) {
            if let Some(distance) = squared_distance_below(*gap, point, &centre) {
                *gap = distance;
                *nearest = order;
            }
        }
        let gap;
        (next, gap) = farthest(&gaps);
        if gap <= 0.0 {
            break;
        }
    }
    centres
}

/// Numbers after which a distance is compared with its bound. Coordinates come by falling variance,
/// so most points show after few of them that they are too far away.
const GLANCE: usize = 32;

/// The squared distance between `a` and `b` if it is below `bound`.
fn squared_distance_below(bound: f32, a: &[f32], b: &[f32]) -> Option<f32> {
    let (a_pieces, b_pieces) = (a.chunks(GLANCE), b.chunks(GLANCE));
    let mut distance = 0.0;
    for (a, b) in a_pieces.zip(b_pieces) {
        distance += squared_distance(a, b);
        if distance >= bound {
            return None;
        }
    }
    (distance < bound).then_some(distance)
}

/// In sixteen running sums, so that it becomes vector instructions.
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let (a16, a_rest) = a.as_chunks::<16>();
    let (b16, b_rest) = b.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for (x, y) in a16.iter().zip(b16) {
        for i in 0..16 {
            let d = x[i] - y[i];
            sums[i] += d * d;
        }
    }
    let rest: f32 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farthest_points_are_chosen_first_and_every_point_knows_its_centre() {
        let points = DMatrix::from_row_slice(1, 6, &[0.0, 0.1, 5.0, 5.1, -3.0, -3.1]);
        let centres = k_centres(&points, 3);
        assert_eq!(centres.chosen, [3, 5, 1]);
        assert_eq!(centres.nearest, [2, 2, 0, 0, 1, 1]);
    }

    #[test]
    fn equal_points_are_remembered_once() {
        let points = DMatrix::from_row_slice(2, 4, &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(k_centres(&points, 3).chosen.len(), 1);
    }

    #[test]
    fn asking_for_more_centres_than_points_takes_them_all() {
        let points = DMatrix::from_fn(3, 7, |i, j| (i * 7 + j * j) as f32);
        let mut chosen = k_centres(&points, 100).chosen;
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_gap_is_at_most_twice_that_of_any_other_choice() {
        // Against random choices of the same size: Gonzalez' bound holds for the best of them.
        let points = DMatrix::from_fn(4, 60, |i, j| ((i * 31 + j * 17) % 23) as f32);
        let gap = |chosen: &[usize]| {
            (0..60)
                .map(|p| {
                    let to = |&c: &usize| (points.column(p) - points.column(c)).norm();
                    chosen.iter().map(to).fold(f32::INFINITY, f32::min)
                })
                .fold(0.0, f32::max)
        };
        let greedy = gap(&k_centres(&points, 8).chosen);
        for seed in 0..200usize {
            let other: Vec<_> = (0..8)
                .map(|k| (seed * 37 + k * k * 11 + k * 7) % 60)
                .collect();
            assert!(greedy <= 2.0 * gap(&other) + 1e-4);
        }
    }
}
