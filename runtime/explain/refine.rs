//! From patches to a finer grid of cells.

use nalgebra::DMatrix;

use crate::vit::Grid;

/// Cells along a side of a patch: boundaries are drawn that much finer than patches.
pub(super) const CELLS_PER_PATCH: usize = 4;

/// The group of each cell of a grid finer than the patches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Cells from left to right.
    pub cols: usize,
    /// Cells from top to bottom.
    pub rows: usize,
    /// Group of each cell, row by row from the top left.
    pub values: Vec<u8>,
}

/// Interpolates between the values of patches: bilinear between their centres, constant outside.
pub(super) struct Finer {
    grid: Grid,
    factor: usize,
}

impl Finer {
    pub(super) fn new(grid: Grid, factor: usize) -> Self {
        Self { grid, factor }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.grid.cols * self.factor, self.grid.rows * self.factor)
    }

    /// Calls `cell` with the interpolated row of `values` `[patches, dim]` at each cell, row by row.
    pub(super) fn for_each(&self, values: &DMatrix<f64>, mut cell: impl FnMut(&[f64])) {
        let (cols, rows) = self.size();
        let mut here = vec![0.0; values.ncols()];
        for y in 0..rows {
            let (top, bottom, down) = self.between(y, self.grid.rows);
            for x in 0..cols {
                let (left, right, along) = self.between(x, self.grid.cols);
                let corner = |row: usize, col: usize| row * self.grid.cols + col;
                for (c, here) in here.iter_mut().enumerate() {
                    let at = |row, col| values[(corner(row, col), c)];
                    let upper = at(top, left) * (1.0 - along) + at(top, right) * along;
                    let lower = at(bottom, left) * (1.0 - along) + at(bottom, right) * along;
                    *here = upper * (1.0 - down) + lower * down;
                }
                cell(&here);
            }
        }
    }

    /// The two patches around a cell's centre, and how far it is from the first to the second.
    fn between(&self, cell: usize, patches: usize) -> (usize, usize, f64) {
        let at = (cell as f64 + 0.5) / self.factor as f64 - 0.5;
        let at = at.clamp(0.0, (patches - 1) as f64);
        let first = at as usize;
        (first, (first + 1).min(patches - 1), at - first as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_between_the_centres_of_the_outer_patches() {
        let grid = Grid { rows: 1, cols: 3 };
        let values = DMatrix::from_column_slice(3, 1, &[0.0, 1.0, 2.0]);
        let mut fine = Vec::new();
        Finer::new(grid, 2).for_each(&values, |v| fine.push(v[0]));
        let row = [0.0, 0.25, 0.75, 1.25, 1.75, 2.0];
        assert_eq!(fine, [row, row].concat());
    }
}
