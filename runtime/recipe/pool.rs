//! Patches that may be remembered, gathered part by part in bounded memory.

use nalgebra::DMatrix;

use crate::normal::{Centres, k_centres};

/// A bounded set of patches: when it is full it keeps only a covering choice of them, and goes on.
/// A covering of coverings is a covering (Indyk, Mahabadi, Mahdian and Mirrokni 2014, composable
/// core-sets), so the final choice stays near the best.
pub(super) struct Pool {
    capacity: usize,
    /// Features, column by column, `[dim, patches]`.
    features: Vec<f32>,
    /// Coordinates in the subspace, column by column, `[rank, patches]`.
    coordinates: Vec<f32>,
    /// Which part each patch is of.
    part: Vec<u32>,
    dim: usize,
    rank: usize,
}

/// What was chosen to be remembered.
pub(super) struct Memory {
    /// Features, `[dim, memory]`.
    pub features: DMatrix<f32>,
    /// Coordinates in the subspace of all parts, `[rank, memory]`.
    pub coordinates: DMatrix<f32>,
    /// Which part each one is of.
    pub part: Vec<u32>,
    /// Features of the patch of another part that is most like each one, `[dim, memory]`: what
    /// would have been remembered in its place if its part had not been there. Its own features
    /// when there is no other part.
    pub understudies: DMatrix<f32>,
}

impl Pool {
    /// Room for `capacity` patches.
    pub fn new(dim: usize, rank: usize, capacity: usize) -> Self {
        Self {
            capacity,
            features: Vec::new(),
            coordinates: Vec::new(),
            part: Vec::new(),
            dim,
            rank,
        }
    }

    /// Adds the patches of a part: features `[dim, patches]`, coordinates `[rank, patches]`.
    pub fn add(&mut self, part: u32, features: &DMatrix<f32>, coordinates: &DMatrix<f32>) {
        if self.part.len() + features.ncols() > self.capacity && !self.part.is_empty() {
            self.thin(self.capacity / 4);
        }
        self.features.extend_from_slice(features.as_slice());
        self.coordinates.extend_from_slice(coordinates.as_slice());
        self.part.resize(self.part.len() + features.ncols(), part);
    }

    fn thin(&mut self, keep: usize) {
        let mut chosen = self.choose(keep).chosen;
        chosen.sort_unstable();
        self.features = gather(&self.features, self.dim, &chosen);
        self.coordinates = gather(&self.coordinates, self.rank, &chosen);
        self.part = chosen.iter().map(|&i| self.part[i]).collect();
    }

    fn choose(&self, count: usize) -> Centres {
        let points = DMatrix::from_column_slice(self.rank, self.part.len(), &self.coordinates);
        k_centres(&points, count)
    }

    /// Chooses what to remember.
    pub fn remember(self, count: usize) -> Memory {
        let chosen = self.choose(count).chosen;
        let understudies = self.understudies(&chosen);
        let matrix = |values: Vec<f32>, rows| DMatrix::from_vec(rows, chosen.len(), values);
        Memory {
            features: matrix(gather(&self.features, self.dim, &chosen), self.dim),
            coordinates: matrix(gather(&self.coordinates, self.rank, &chosen), self.rank),
            part: chosen.iter().map(|&i| self.part[i]).collect(),
            understudies: matrix(gather(&self.features, self.dim, &understudies), self.dim),
        }
    }

    /// For each chosen patch, the nearest patch of another part (itself when there is none).
    fn understudies(&self, chosen: &[usize]) -> Vec<usize> {
        const AT_ONCE: usize = 1024;
        let memory = gather(&self.coordinates, self.rank, chosen);
        let memory = DMatrix::from_vec(self.rank, chosen.len(), memory).transpose();
        let mut best: Vec<(usize, f32)> = chosen.iter().map(|&i| (i, f32::INFINITY)).collect();
        let chunks = self.coordinates.chunks(AT_ONCE * self.rank.max(1));
        for (chunk, points) in chunks.enumerate() {
            let points = DMatrix::from_column_slice(self.rank, points.len() / self.rank, points);
            let products = &memory * &points;
            for (column, point) in points.column_iter().enumerate() {
                let index = chunk * AT_ONCE + column;
                let own = point.norm_squared();
                let products = products.column(column);
                for ((best, &of), product) in best.iter_mut().zip(chosen).zip(products.iter()) {
                    let distance = own - 2.0 * product;
                    if distance < best.1 && self.part[of] != self.part[index] {
                        *best = (index, distance);
                    }
                }
            }
        }
        best.into_iter().map(|(index, _)| index).collect()
    }
}

/// Columns of a `[rows, _]` matrix stored column by column.
fn gather(values: &[f32], rows: usize, columns: &[usize]) -> Vec<f32> {
    let column = |&i: &usize| values[i * rows..(i + 1) * rows].iter().copied();
    columns.iter().flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(seed: usize, patches: usize) -> DMatrix<f32> {
        DMatrix::from_fn(3, patches, |i, j| ((seed * 7 + i * 5 + j * 13) % 29) as f32)
    }

    #[test]
    fn the_pool_never_holds_more_than_its_capacity_and_keeps_far_patches() {
        let mut pool = Pool::new(3, 3, 64);
        let mut outlier = part(0, 16);
        outlier.column_mut(5).fill(1000.0);
        pool.add(0, &outlier, &outlier);
        for seed in 1..40 {
            let features = part(seed, 16);
            pool.add(seed as u32, &features, &features);
            assert!(pool.part.len() <= 64);
        }
        let memory = pool.remember(8);
        assert_eq!(memory.features.column(0).as_slice(), [1000.0; 3]);
        assert_eq!((memory.features.ncols(), memory.part[0]), (8, 0));
    }

    #[test]
    fn an_understudy_is_the_nearest_patch_of_another_part() {
        let mut pool = Pool::new(1, 1, 64);
        let first = DMatrix::from_row_slice(1, 3, &[0.0, 10.0, 20.0]);
        let second = DMatrix::from_row_slice(1, 3, &[0.4, 9.0, 100.0]);
        pool.add(0, &first, &first);
        pool.add(1, &second, &second);
        let memory = pool.remember(6);
        for (own, other) in memory.features.iter().zip(memory.understudies.iter()) {
            let expected = match *own as i32 {
                20 => 9.0,
                100 => 20.0,
                10 => 9.0,
                9 => 10.0,
                _ => 0.4 - *own,
            };
            assert!((other - expected).abs() < 1e-6, "{own} {other}");
        }
    }

    #[test]
    fn a_single_part_has_no_understudies_but_itself() {
        let mut pool = Pool::new(3, 3, 64);
        pool.add(0, &part(1, 10), &part(1, 10));
        let memory = pool.remember(4);
        assert_eq!(memory.features, memory.understudies);
    }
}
