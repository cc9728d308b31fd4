//! Patches that may be remembered, gathered part by part in bounded memory.

use nalgebra::{DMatrix, DMatrixView};

use crate::normal::{k_centres, nearest};

/// One patch of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PatchOf {
    pub part: usize,
    pub patch: usize,
}

/// A bounded set of patches: when it is full it keeps only a covering choice of them, and goes on.
/// A covering of coverings is a covering (Indyk, Mahabadi, Mahdian and Mirrokni 2014, composable
/// core-sets), so the final choice stays near the best.
pub(super) struct Pool {
    capacity: usize,
    /// Coordinates in the subspace, column by column, `[rank, patches]`.
    coordinates: Vec<f32>,
    /// Which patch each column is.
    patches: Vec<PatchOf>,
    rank: usize,
    /// Whether patches were dropped.
    thinned: bool,
}

/// What was chosen to be remembered.
pub(super) struct Chosen {
    /// Coordinates in the subspace of all parts, `[rank, memory]`.
    pub coordinates: DMatrix<f32>,
    /// Which patches these are.
    pub patches: Vec<PatchOf>,
    /// The patch of another part that is most like each one: what would have been remembered in
    /// its place if its part had not been there. Itself when there is no other part.
    pub understudies: Vec<PatchOf>,
    /// For each part and patch, the chosen one that it is most like; `None` if the pool no longer
    /// held all patches.
    pub seen: Option<Vec<Vec<u32>>>,
}

impl Pool {
    /// Room for `capacity` patches.
    pub fn new(rank: usize, capacity: usize) -> Self {
        Self {
            capacity,
            coordinates: Vec::new(),
            patches: Vec::new(),
            rank,
            thinned: false,
        }
    }

    /// Adds the patches of a part by their coordinates, `[rank, patches]`.
    pub fn add(&mut self, part: usize, coordinates: &DMatrix<f32>) {
        let count = coordinates.ncols();
        if self.patches.len() + count > self.capacity && !self.patches.is_empty() {
            self.thin(self.capacity / 4);
        }
        self.coordinates.extend_from_slice(coordinates.as_slice());
        self.patches
            .extend((0..count).map(|patch| PatchOf { part, patch }));
    }

    fn thin(&mut self, keep: usize) {
        self.thinned = true;
        let mut chosen = self.choose(keep);
        chosen.sort_unstable();
        self.coordinates = self.columns(&chosen);
        self.patches = chosen.iter().map(|&i| self.patches[i]).collect();
    }

    fn choose(&self, count: usize) -> Vec<usize> {
        k_centres(&self.coordinates, self.rank, count)
    }

    /// Chooses what to remember.
    pub fn choose_memory(self, count: usize) -> Chosen {
        let chosen = self.choose(count);
        let coordinates = DMatrix::from_vec(self.rank, chosen.len(), self.columns(&chosen));
        let (understudies, seen) = self.compare(&chosen, &coordinates);
        let patches = |columns: &[usize]| columns.iter().map(|&i| self.patches[i]).collect();
        Chosen {
            patches: patches(&chosen),
            understudies: patches(&understudies),
            coordinates,
            seen: (!self.thinned).then_some(seen),
        }
    }

    /// Compares all patches with the `chosen` ones, whose coordinates are `memory`: for each chosen
    /// patch the nearest patch of another part (itself when there is none), and for each patch, part
    /// by part, the chosen one that is nearest.
    fn compare(&self, chosen: &[usize], memory: &DMatrix<f32>) -> (Vec<usize>, Vec<Vec<u32>>) {
        const AT_ONCE: usize = 1024;
        let mut understudies: Vec<_> = chosen.iter().map(|&i| (i, f32::INFINITY)).collect();
        let mut seen = Vec::new();
        let memory_norms = norms(memory.as_view());
        let mut start = 0;
        for patches in self.patches.chunk_by(|a, b| a.part == b.part) {
            let end = start + patches.len();
            let mut nearest_chosen = Vec::with_capacity(patches.len());
            for from in (start..end).step_by(AT_ONCE) {
                let to = end.min(from + AT_ONCE);
                let points = &self.coordinates[from * self.rank..to * self.rank];
                let points = DMatrixView::from_slice(points, self.rank, to - from);
                let norms = norms(points);
                // [points, chosen]: what one chosen patch is compared with lies together.
                let products = points.transpose() * memory;
                let mut least = vec![(f32::INFINITY, 0); to - from];
                for (element, products) in products.column_iter().enumerate() {
                    let products = products.as_slice();
                    let norm = memory_norms[element];
                    for (least, product) in least.iter_mut().zip(products) {
                        let distance = norm - 2.0 * product;
                        if distance < least.0 {
                            *least = (distance, element as u32);
                        }
                    }
                    let of = chosen[element];
                    if self.patches[of].part != patches[0].part {
                        let (index, distance) = nearest(&norms, products);
                        if distance < understudies[element].1 {
                            understudies[element] = (from + index, distance);
                        }
                    }
                }
                nearest_chosen.extend(least.into_iter().map(|(_, element)| element));
            }
            seen.push(nearest_chosen);
            start = end;
        }
        let understudies = understudies.into_iter().map(|(index, _)| index);
        (understudies.collect(), seen)
    }

    /// Coordinates of some of the patches, one behind the other.
    fn columns(&self, columns: &[usize]) -> Vec<f32> {
        let column = |&i: &usize| &self.coordinates[i * self.rank..(i + 1) * self.rank];
        columns.iter().flat_map(column).copied().collect()
    }
}

/// Squared lengths of the columns.
fn norms(columns: DMatrixView<'_, f32>) -> Vec<f32> {
    columns.column_iter().map(|c| c.norm_squared()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(seed: usize, patches: usize) -> DMatrix<f32> {
        DMatrix::from_fn(3, patches, |i, j| ((seed * 7 + i * 5 + j * 13) % 29) as f32)
    }

    #[test]
    fn the_pool_never_holds_more_than_its_capacity_and_keeps_far_patches() {
        let mut pool = Pool::new(3, 64);
        let mut outlier = part(0, 16);
        outlier.column_mut(5).fill(1000.0);
        pool.add(0, &outlier);
        for seed in 1..40 {
            pool.add(seed, &part(seed, 16));
            assert!(pool.patches.len() <= 64);
        }
        let memory = pool.choose_memory(8);
        assert!(memory.seen.is_none(), "not all patches are at hand");
        assert_eq!(memory.coordinates.column(0).as_slice(), [1000.0; 3]);
        assert_eq!(memory.coordinates.ncols(), 8);
        assert_eq!(memory.patches[0], PatchOf { part: 0, patch: 5 });
    }

    #[test]
    fn an_understudy_is_the_nearest_patch_of_another_part() {
        let values = [[0.0, 10.0, 20.0], [0.4, 9.0, 100.0]];
        let mut pool = Pool::new(1, 64);
        for (part, values) in values.iter().enumerate() {
            pool.add(part, &DMatrix::from_row_slice(1, 3, values));
        }
        let memory = pool.choose_memory(6);
        let value = |of: &PatchOf| values[of.part][of.patch];
        for (part, seen) in memory.seen.unwrap().iter().enumerate() {
            for (patch, &element) in seen.iter().enumerate() {
                let own = PatchOf { part, patch };
                assert_eq!(memory.patches[element as usize], own, "all are remembered");
            }
        }
        for (own, other) in memory.patches.iter().zip(&memory.understudies) {
            let expected = match value(own) as i32 {
                20 => 9.0,
                100 => 20.0,
                10 => 9.0,
                9 => 10.0,
                _ => 0.4 - value(own),
            };
            assert_eq!(value(other), expected, "of {own:?}");
        }
    }

    #[test]
    fn a_single_part_has_no_understudies_but_itself() {
        let mut pool = Pool::new(3, 64);
        pool.add(0, &part(1, 10));
        let memory = pool.choose_memory(4);
        assert_eq!(memory.patches, memory.understudies);
    }
}
