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
    /// asking for the nearest centre at each cell; what is then smaller than a patch goes to the
    /// group around it.
    #[must_use]
    pub fn of(spectrum: &Spectrum, grid: Grid, count: Option<usize>) -> Self {
        let count = count.unwrap_or_else(|| spectrum.groups_by_gap());
        let count = count.clamp(2, MOST_GROUPS);
        let points = embedding(spectrum, count - 1);
        let centres = centres(&points.transpose(), spectrum.degrees.as_slice(), count);
        let mut groups = Self::around(&points, &centres, grid);
        groups.renumber();
        groups
    }

    /// The group of the nearest of the `centres` `[dim, k]`, in their order, for each cell between
    /// the `points` `[patches, dim]`; what is smaller than a patch goes to the group around it.
    pub(crate) fn around(points: &DMatrix<f64>, centres: &DMatrix<f64>, grid: Grid) -> Self {
        let finer = Finer::new(grid, CELLS_PER_PATCH);
        let (cols, rows) = finer.size();
        let mut values = Vec::with_capacity(cols * rows);
        finer.for_each(points, |cell| {
            values.push(nearest(centres, cell).0 as u8);
        });
        let mut groups = Self {
            count: centres.ncols(),
            labels: Labels { cols, rows, values },
        };
        parts::join_specks(&mut groups, CELLS_PER_PATCH * CELLS_PER_PATCH);
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
    let mut points = functions
        .columns(0, dim.min(functions.ncols()))
        .clone_owned();
    for (mut column, value) in points.column_iter_mut().zip(&spectrum.values) {
        column *= value.max(0.0).sqrt();
    }
    points
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;

    /// Two columns of three patches, and one function that tells them apart.
    fn two_halves() -> (Spectrum, Grid) {
        let grid = Grid { rows: 3, cols: 4 };
        let side = |i: usize| if i % 4 < 2 { -1.0 } else { 1.0 };
        let other = |i: usize| if i < 4 { -2.0 } else { 1.0 };
        let mut vectors = DMatrix::from_fn(12, 2, |i, c| if c == 0 { side(i) } else { other(i) });
        for mut column in vectors.column_iter_mut() {
            column.normalize_mut();
        }
        let spectrum = Spectrum {
            values: vec![0.5, 0.01],
            vectors,
            degrees: DVector::from_element(12, 6.0),
            residuals: vec![0.0; 2],
            iterations: 1,
            products: 1,
            converged: true,
        };
        (spectrum, grid)
    }

    #[test]
    fn two_halves_become_two_groups_whose_border_lies_between_patches() {
        let (spectrum, grid) = two_halves();
        let groups = Groups::of(&spectrum, grid, None);
        assert_eq!(groups.count, 2);
        for (cell, label) in groups.labels.values.iter().enumerate() {
            let left = groups.labels.values[0];
            assert_eq!(*label == left, cell % 16 < 8);
        }
    }

    #[test]
    fn place_is_read_from_an_eigenvector_that_follows_an_axis() {
        let (spectrum, grid) = two_halves();
        // Steps at the middle explain 80 % of four columns, and the first of three rows 75 %.
        assert!(
            (spectrum.place(grid) - 0.775).abs() < 1e-9,
            "{}",
            spectrum.place(grid)
        );
    }

    #[test]
    fn groups_take_the_numbers_of_those_they_cover() {
        let labels = |values: &[u8]| Groups {
            count: 3,
            labels: Labels {
                cols: 6,
                rows: 1,
                values: values.to_vec(),
            },
        };
        let (one, other) = (labels(&[0, 0, 0, 1, 1, 2]), labels(&[2, 2, 0, 0, 0, 1]));
        assert_eq!(one.matched_to(&other), [2, 0, 1]);
        assert_eq!(one.matched_to(&one), [0, 1, 2]);
    }
}
