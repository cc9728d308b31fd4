//! Choosing which patches to remember: greedy k-centre (Gonzalez 1985), whose largest gap is at
//! most twice the best possible one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Coordinates after which a distance is compared with its bound. They come by falling variance, so
/// most points show after these that they are too far away.
const GLANCE: usize = 32;

/// A point that may be chosen next.
struct Candidate {
    /// Its squared distance from the nearest of those chosen ones that it was compared with: its
    /// true gap is at most this.
    gap: f32,
    index: usize,
    /// How many of the chosen ones it was compared with.
    compared: usize,
}

impl Ord for Candidate {
    /// By gap; of equal ones the lower index comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_gap = self.gap.total_cmp(&other.gap);
        by_gap.then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// Chooses at most `count` of `points`, `dim` numbers each, one behind the other, and gives their indices in the
/// order of choice, of which every prefix is itself a choice: each time the point that is farthest
/// from all chosen so far, beginning with the one farthest from the origin. Stops early when every
/// point coincides with a chosen one. Ties go to the lower index, so the choice is the same on
/// every machine that rounds alike.
///
/// Costs at most `count * n * dim` multiplications, and far fewer on real patches: gaps only
/// shrink, so a point is compared with newer choices only when it would be the next one by its old
/// gap (lazy greedy, Minoux 1978), and then mostly by a glance.
pub(crate) fn k_centres(points: &[f32], dim: usize, count: usize) -> Vec<usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(
            #[inline(always)]
            || choose(points, dim, count),
        );
    }
    choose(points, dim, count)
}

/// In one piece, so that it is compiled once for every processor and once for AVX2.
#[inline(always)]
fn choose(points: &[f32], dim: usize, count: usize) -> Vec<usize> {
    let dim = dim.max(1);
    let glance = GLANCE.min(dim);
    let point = |index: usize| &points[index * dim..(index + 1) * dim];
    let mut candidates: BinaryHeap<Candidate> = (0..points.len() / dim)
        .map(|index| Candidate {
            gap: point(index).iter().map(|v| v * v).sum(),
            index,
            compared: 0,
        })
        .collect();
    let mut chosen: Vec<usize> = Vec::with_capacity(count.min(candidates.len()));
    // The first coordinates of those chosen, close together: most comparisons read no more.
    let mut glances: Vec<f32> = Vec::with_capacity(glance * chosen.capacity());
    while chosen.len() < count
        && let Some(mut next) = candidates.pop()
    {
        if next.compared == chosen.len() {
            chosen.push(next.index);
            glances.extend_from_slice(&point(next.index)[..glance]);
            if chosen.len() == 1 {
                // So far the distance from the origin stood for the gap; no point has one yet.
                let others = std::mem::take(&mut candidates).into_iter();
                let unbound = |other| Candidate {
                    gap: f32::INFINITY,
                    ..other
                };
                candidates = others.map(unbound).collect();
            }
            continue;
        }
        let (near, far) = point(next.index).split_at(glance);
        let newer = chosen[next.compared..].iter();
        let glances = glances[next.compared * glance..].chunks_exact(glance);
        for (&centre, at_a_glance) in newer.zip(glances) {
            let mut distance = squared_distance(near, at_a_glance);
            if distance < next.gap {
                distance += squared_distance(far, &point(centre)[glance..]);
                next.gap = if distance < next.gap {
                    distance
                } else {
                    next.gap
                };
            }
        }
        next.compared = chosen.len();
        if next.gap > 0.0 {
            candidates.push(next);
        }
    }
    chosen
}

/// In sixteen running sums, so that it becomes vector instructions.
#[inline(always)]
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
    use nalgebra::DMatrix;

    use super::*;

    fn k_centres(points: &DMatrix<f32>, count: usize) -> Vec<usize> {
        super::k_centres(points.as_slice(), points.nrows(), count)
    }

    #[test]
    fn the_farthest_points_are_chosen_first() {
        let points = DMatrix::from_row_slice(1, 6, &[0.0, 0.1, 5.0, 5.1, -3.0, -3.1]);
        assert_eq!(k_centres(&points, 3), [3, 5, 1]);
    }

    #[test]
    fn equal_points_are_remembered_once() {
        let points = DMatrix::from_row_slice(2, 4, &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(k_centres(&points, 3).len(), 1);
    }

    #[test]
    fn asking_for_more_centres_than_points_takes_them_all() {
        let points = DMatrix::from_fn(3, 7, |i, j| (i * 7 + j * j) as f32);
        let mut chosen = k_centres(&points, 100);
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn being_lazy_changes_no_choice() {
        let mut state = 1u64;
        let mut throw = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        // In clumps and with equal points, as real patches are.
        let clumps = DMatrix::from_fn(40, 12, |i, _| throw() * 8.0 / (1 + i) as f32);
        let mut points = DMatrix::from_fn(40, 900, |i, j| clumps[(i, j % 12)] + throw() / 4.0);
        for twin in 0..40 {
            points.swap_columns(twin, 2 * twin);
            let column = points.column(twin).clone_owned();
            points.set_column(899 - twin, &column);
        }
        let first = (0..900).fold(0, |best, j| {
            let norm = |j: usize| squared_distance(points.column(j).as_slice(), &[0.0; 40]);
            if norm(j) > norm(best) { j } else { best }
        });
        let mut eager = vec![first];
        let mut gaps = vec![f32::INFINITY; 900];
        while eager.len() < 80 {
            let centre = points.column(eager[eager.len() - 1]);
            for (gap, point) in gaps.iter_mut().zip(points.column_iter()) {
                let [point, centre] = [point.as_slice(), centre.as_slice()];
                let near = squared_distance(&point[..GLANCE], &centre[..GLANCE]);
                *gap = gap.min(near + squared_distance(&point[GLANCE..], &centre[GLANCE..]));
            }
            let farther = |best: usize, j: usize| if gaps[j] > gaps[best] { j } else { best };
            eager.push((0..900).fold(0, farther));
        }
        assert_eq!(k_centres(&points, 80), eager);
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
        let greedy = gap(&k_centres(&points, 8));
        for seed in 0..200usize {
            let other: Vec<_> = (0..8)
                .map(|k| (seed * 37 + k * k * 11 + k * 7) % 60)
                .collect();
            assert!(greedy <= 2.0 * gap(&other) + 1e-4);
        }
    }
}
