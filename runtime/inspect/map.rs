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

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { rows: 5, cols: 7 };

    #[test]
    fn a_constant_stays_constant_and_is_scaled() {
        let map = refine(&[3.0; 35], GRID, 0.5, Roi::whole(70, 50));
        assert_eq!((map.cols, map.rows), (28, 20));
        assert!(map.values.iter().all(|v| (v - 1.5).abs() < 1e-5));
    }

    #[test]
    fn a_hot_patch_is_hottest_at_its_own_cells() {
        let mut scores = [0.0; 35];
        scores[2 * 7 + 4] = 1.0;
        let map = refine(&scores, GRID, 1.0, Roi::whole(70, 50));
        let hottest = map
            .values
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1));
        let cell = hottest.map(|(cell, _)| cell).unwrap();
        assert_eq!((cell % map.cols / 4, cell / map.cols / 4), (4, 2));
    }
}
