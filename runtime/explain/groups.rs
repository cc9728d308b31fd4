use nalgebra::DMatrix;

use super::kmeans::{centres, nearest};
use super::refine::{CELLS_PER_PATCH, Finer, Labels};
use super::{GroupArea, Spectrum, parts};
use crate::vit::Grid;

/// The most groups of an image: more cannot be told apart by colour.
pub const MOST_GROUPS: usize = 8;

/// The patches of an image in groups that hang together more within than between.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// How many.
    pub count: usize,
    /// The group of each cell, on a grid finer than the patches; the largest group is 0.
    pub labels: Labels,
}

impl Groups {
    /// Cuts into `count` groups, 2 to [`MOST_GROUPS`], or as many as the largest gap of the
    /// eigenvalues says; fewer come out if the patches have too few different values.
    ///
    /// The functions y of the first count - 1 eigenvectors, each times the root of its eigenvalue,
    /// are cut by k-means weighted with the degrees. With all eigenvectors that would be the
    /// normalised cut itself (Dhillon, Guan and Kulis 2004); the leading ones are its best
    /// approximation of that rank. Boundaries are refined by interpolating y between patches and
    /// asking for the nearest centre at each cell.
    #[must_use]
    pub fn of(spectrum: &Spectrum, grid: Grid, count: Option<usize>) -> Self {
        let count = count.unwrap_or_else(|| spectrum.groups_by_gap());
        let count = count.clamp(2, MOST_GROUPS);
        let points = embedding(spectrum, count - 1);
        let centres = centres(&points, spectrum.degrees.as_slice(), count);
        let finer = Finer::new(grid, CELLS_PER_PATCH);
        let (cols, rows) = finer.size();
        let mut values = Vec::with_capacity(cols * rows);
        finer.for_each(&points, |cell| {
            values.push(nearest(&centres, |c| cell[c]).0 as u8);
        });
        let mut groups = Self {
            count: centres.nrows(),
            labels: Labels { cols, rows, values },
        };
        groups.renumber();
        groups
    }

    /// Area and connected parts of each group, in pixels of an image of `size` (width, height).
    #[must_use]
    pub fn areas(&self, size: (u32, u32)) -> Vec<GroupArea> {
        parts::areas(self, size)
    }

    /// For each group, the one of `others` that it covers most of, each given once; the rest of
    /// the numbers follow. It is for colours that agree between pictures.
    #[must_use]
    pub fn matched_to(&self, others: &Self) -> Vec<usize> {
        let mut shared = vec![[0_usize; MOST_GROUPS]; self.count];
        for (&mine, &other) in self.labels.values.iter().zip(&others.labels.values) {
            shared[usize::from(mine)][usize::from(other)] += 1;
        }
        let mut pairs: Vec<(usize, usize, usize)> = (0..self.count)
            .flat_map(|mine| (0..MOST_GROUPS).map(move |other| (mine, other)))
            .map(|(mine, other)| (shared[mine][other], mine, other))
            .collect();
        pairs.sort_by_key(|&(cells, mine, other)| (std::cmp::Reverse(cells), other, mine));
        let mut found: Vec<Option<usize>> = vec![None; self.count];
        let mut taken = [false; MOST_GROUPS];
        for (_, mine, other) in pairs {
            if found[mine].is_none() && !taken[other] {
                found[mine] = Some(other);
                taken[other] = true;
            }
        }
        found.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// The largest group becomes 0.
    fn renumber(&mut self) {
        let mut cells = vec![0_usize; self.count];
        for &label in &self.labels.values {
            cells[usize::from(label)] += 1;
        }
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_by_key(|&group| std::cmp::Reverse(cells[group]));
        let mut number = vec![0_u8; self.count];
        for (new, &old) in (0..).zip(&order) {
            number[old] = new;
        }
        for label in &mut self.labels.values {
            *label = number[usize::from(*label)];
        }
    }
}

/// Functions of the patch, each times the root of its eigenvalue, `[patches, dim]`.
fn embedding(spectrum: &Spectrum, dim: usize) -> DMatrix<f64> {
    let functions = spectrum.functions();
    let mut points = functions.columns(0, dim.min(functions.ncols())).clone_owned();
    for (mut column, value) in points.column_iter_mut().zip(&spectrum.values) {
        column *= value.max(0.0).sqrt();
    }
    points
}
