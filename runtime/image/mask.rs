use std::path::Path;

use image::GrayImage;

use super::{ImageError, grey, read};

/// Grey level from which a pixel of a mask is white.
const WHITE: u8 = 128;

/// A picture that says where to look: white (128 or above) is inspected, black is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask(GrayImage);

impl Mask {
    /// From grey levels.
    pub fn new(grey: GrayImage) -> Self {
        Self(grey)
    }

    /// Reads a mask from a file, as pictures are read.
    ///
    /// # Errors
    /// [`ImageError::Read`] and [`ImageError::Decode`].
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        Ok(Self(grey(&read(path)?, None)))
    }

    /// Share of white in each cell, 0..=1, row by row, when the mask is stretched over `[columns,
    /// rows]` cells. A pixel that lies in several cells counts in each by its area there.
    pub fn white(&self, [columns, rows]: [usize; 2]) -> Vec<f64> {
        let across = parts(self.0.width(), columns);
        let down = parts(self.0.height(), rows);
        let mut white = vec![0.0; columns * rows];
        for (y, line) in self.0.rows().enumerate() {
            for (x, _) in line.enumerate().filter(|(_, pixel)| pixel.0[0] >= WHITE) {
                for (row, height) in &down[y] {
                    for (column, width) in &across[x] {
                        white[row * columns + column] += height * width;
                    }
                }
            }
        }
        white
    }
}

/// For each pixel along a side, the cells that it lies in, and what part of each it covers.
fn parts(pixels: u32, cells: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = cells as f64 / f64::from(pixels);
    let part = |pixel: u32| {
        let (start, end) = (f64::from(pixel) * scale, f64::from(pixel + 1) * scale);
        let cell = |cell: usize| {
            let covered = end.min((cell + 1) as f64) - start.max(cell as f64);
            (covered > 0.0).then_some((cell, covered))
        };
        (start as usize..=(end as usize).min(cells.saturating_sub(1)))
            .filter_map(cell)
            .collect()
    };
    (0..pixels).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;

    fn mask(width: u32, height: u32, white: impl Fn(u32, u32) -> bool) -> Mask {
        let level = |x, y| Luma([if white(x, y) { 255 } else { 0 }]);
        Mask(GrayImage::from_fn(width, height, level))
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_mask_of_any_size_covers_all_cells() {
        for (width, height) in [(1, 1), (5, 3), (100, 70), (641, 479)] {
            near(&mask(width, height, |_, _| true).white([4, 3]), &[1.0; 12]);
        }
    }

    #[test]
    fn a_pixel_counts_in_each_cell_by_its_area_there() {
        // Three pixels over two cells: the middle one lies half in either.
        near(&mask(3, 1, |x, _| x == 1).white([2, 1]), &[1.0 / 3.0; 2]);
        // One pixel over many cells.
        let left = mask(2, 2, |x, _| x == 0).white([4, 2]);
        near(&left, &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
