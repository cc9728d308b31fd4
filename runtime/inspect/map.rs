use crate::image::Roi;
use crate::inspect::ScoreMap;
use crate::vit::Grid;

/// Cells of the map along each side of a patch: fine enough for smooth outlines, coarse enough
/// to cost nothing.
pub(crate) const CELLS_PER_PATCH: usize = 4;

/// Deviation of the Gaussian that smooths the map, in cells.
const SIGMA_CELLS: f32 = 2.0;

/// Brings one score a patch onto the finer grid: bilinear between patch centres, then a light
/// Gaussian. `scale` turns scores into units of the limit; `area` is what of the picture the
/// patches cover.
pub(crate) fn refine(scores: &[f32], grid: Grid, scale: f32, area: Roi) -> ScoreMap {
    let (cols, rows) = (grid.cols * CELLS_PER_PATCH, grid.rows * CELLS_PER_PATCH);
    let across = stencil(grid.cols);
    let down = stencil(grid.rows);
    let mut wide = Vec::with_capacity(cols * grid.rows);
    for row in scores.chunks_exact(grid.cols.max(1)) {
        wide.extend(across.iter().map(|s| s.mix(row[s.left], row[s.right])));
    }
    let mut values = Vec::with_capacity(cols * rows);
    for s in &down {
        let upper = &wide[s.left * cols..][..cols];
        let lower = &wide[s.right * cols..][..cols];
        values.extend(upper.iter().zip(lower).map(|(u, l)| s.mix(*u, *l) * scale));
    }
    ScoreMap {
        cols,
        rows,
        values: smooth(&values, cols, SIGMA_CELLS),
        area: [area.x, area.y, area.width, area.height],
    }
}

/// Between which two patches a cell lies, and how far towards the second.
struct Between {
    left: usize,
    right: usize,
    share: f32,
}

impl Between {
    fn mix(&self, left: f32, right: f32) -> f32 {
        left + self.share * (right - left)
    }
}

/// For each cell along a side of `patches`.
fn stencil(patches: usize) -> Vec<Between> {
    let last = patches.saturating_sub(1);
    (0..patches * CELLS_PER_PATCH)
        .map(|cell| {
            let centre = (cell as f32 + 0.5) / CELLS_PER_PATCH as f32 - 0.5;
            let left = centre.floor().max(0.0);
            Between {
                left: (left as usize).min(last),
                right: (left as usize + 1).min(last),
                share: (centre - left).clamp(0.0, 1.0),
            }
        })
        .collect()
}

/// Separable Gaussian on a grid of `cols` columns; at the edges the kernel is cut and weighted
/// anew, so that a constant stays constant.
fn smooth(values: &[f32], cols: usize, sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let kernel: Vec<f32> = (0..=reach)
        .map(|d| (-0.5 * (d as f32 / sigma).powi(2)).exp())
        .collect();
    let along = |source: &[f32], length: usize, step: usize, start: usize, out: &mut [f32]| {
        for i in 0..length {
            let (mut sum, mut weight) = (0.0, 0.0);
            for j in i.saturating_sub(reach)..=(i + reach).min(length - 1) {
                let w = kernel[i.abs_diff(j)];
                sum += w * source[start + j * step];
                weight += w;
            }
            out[start + i * step] = sum / weight;
        }
    };
    let rows = values.len().checked_div(cols).unwrap_or(0);
    let mut horizontal = vec![0.0; values.len()];
    for row in 0..rows {
        along(values, cols, 1, row * cols, &mut horizontal);
    }
    let mut both = vec![0.0; values.len()];
    for col in 0..cols {
        along(&horizontal, rows, cols, col, &mut both);
    }
    both
}

impl ScoreMap {
    /// The map at every pixel of a picture of this size, bilinear between cell centres, row by
    /// row; 0 outside the inspected area.
    pub fn to_pixels(&self, width: u32, height: u32) -> Vec<f32> {
        let [x0, y0, w, h] = self.area;
        let axis = |pixel: u32, start: u32, length: u32, cells: usize| {
            let inside = pixel >= start && pixel - start < length;
            let centre = ((pixel.wrapping_sub(start)) as f32 + 0.5) * cells as f32 / length as f32;
            let at = (centre - 0.5).clamp(0.0, cells.saturating_sub(1) as f32);
            let left = at as usize;
            inside.then(|| Between {
                left,
                right: (left + 1).min(cells.saturating_sub(1)),
                share: at - left as f32,
            })
        };
        let across: Vec<_> = (0..width).map(|x| axis(x, x0, w, self.cols)).collect();
        let mut pixels = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            let Some(down) = axis(y, y0, h, self.rows) else {
                pixels.resize(pixels.len() + width as usize, 0.0);
                continue;
            };
            let upper = &self.values[down.left * self.cols..][..self.cols];
            let lower = &self.values[down.right * self.cols..][..self.cols];
            pixels.extend(across.iter().map(|across| {
                across.as_ref().map_or(0.0, |s| {
                    down.mix(s.mix(upper[s.left], upper[s.right]), s.mix(lower[s.left], lower[s.right]))
                })
            }));
        }
        pixels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { rows: 5, cols: 7 };

    #[test]
    fn a_constant_stays_constant_and_is_scaled() {
        let map = refine(&[3.0; 35], GRID, 0.5, Roi::whole(70, 50));
        assert_eq!((map.cols, map.rows), (28, 20));
        assert!(map.values.iter().all(|v| (v - 1.5).abs() < 1e-5));
        assert!(map.to_pixels(70, 50).iter().all(|v| (v - 1.5).abs() < 1e-5));
    }

    #[test]
    fn a_hot_patch_is_hottest_at_its_own_pixels() {
        let mut scores = [0.0; 35];
        scores[2 * 7 + 4] = 1.0;
        let pixels = refine(&scores, GRID, 1.0, Roi::whole(70, 50)).to_pixels(70, 50);
        let (top, _) = pixels
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .unwrap();
        let (x, y) = (top % 70, top / 70);
        assert!((40..50).contains(&x) && (20..30).contains(&y), "{x} {y}");
    }

    #[test]
    fn pixels_outside_the_inspected_area_are_zero() {
        let area = Roi { x: 10, y: 5, width: 20, height: 10 };
        let pixels = refine(&[1.0; 35], GRID, 1.0, area).to_pixels(40, 20);
        let inside = pixels.iter().filter(|v| **v > 0.0).count();
        assert_eq!(inside, 200);
        assert!(pixels[5 * 40 + 10] > 0.9 && pixels[4 * 40 + 10] == 0.0);
    }
}
