use crate::image::Roi;
use crate::inspect::ScoreMap;
use crate::vit::{Grid, Kept};

/// Cells of the map along each side of a patch: fine enough for smooth outlines, coarse enough
/// to cost nothing. It is odd, so that a cell lies on the centre of each patch and the map reaches
/// the patch's own score there.
pub(crate) const CELLS_PER_PATCH: usize = 5;

/// Brings one score a patch of `grid`, or of those that are `kept`, onto the finer grid: bilinear
/// between patch centres. `scale` turns scores into units of the limit; `area` is what of the picture
/// the patches cover.
///
/// No smoothing follows: on single-template circuit boards a Gaussian of half a patch costs 2 to 3
/// points of region F, and on magnetic tiles 1 point of AUROC.
pub(crate) fn refine(
    scores: &[f32],
    grid: Grid,
    kept: Option<&Kept>,
    scale: f32,
    area: Roi,
) -> ScoreMap {
    let whole = kept.map(|kept| beyond_the_mask(scores, kept));
    let scores = whole.as_deref().unwrap_or(scores);
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
    if let Some(kept) = kept {
        for (cell, value) in values.iter_mut().enumerate() {
            if kept.number(patch_of(cell, cols)).is_none() {
                *value = 0.0;
            }
        }
    }
    ScoreMap {
        cols,
        rows,
        values,
        area: [area.x, area.y, area.width, area.height],
        kept: kept.cloned(),
    }
}

/// Scores of all patches of a grid from those of the kept ones: one that was left out has the mean of
/// its neighbours, so that scores do not fall off towards the edge of a mask, as they do not towards
/// the edge of the picture.
fn beyond_the_mask(scores: &[f32], kept: &Kept) -> Vec<f32> {
    let Grid { rows, cols } = kept.grid();
    let around = |at: usize, side: usize| at.saturating_sub(1)..(at + 2).min(side);
    let mut all = kept.scatter(scores, 1, 0.0);
    for (patch, score) in all.iter_mut().enumerate() {
        if kept.number(patch).is_some() {
            continue;
        }
        let near = around(patch / cols, rows)
            .flat_map(|row| around(patch % cols, cols).map(move |col| row * cols + col))
            .filter_map(|patch| scores.get(kept.number(patch)?));
        let (sum, count) = near.fold((0.0, 0), |(sum, count), score| (sum + score, count + 1));
        if count > 0 {
            *score = sum / count as f32;
        }
    }
    all
}

/// The patch on which a cell lies, of a map with `cols` cells in a row.
fn patch_of(cell: usize, cols: usize) -> usize {
    let across = (cols / CELLS_PER_PATCH).max(1);
    let (row, col) = (cell / cols, cell % cols);
    row / CELLS_PER_PATCH * across + col / CELLS_PER_PATCH
}

/// The patches that cells of a map lie on, numbered row by row, each once, ascending.
pub(crate) fn patches(cells: &[u32], map: &ScoreMap) -> Vec<usize> {
    let mut patches: Vec<usize> = cells
        .iter()
        .map(|&cell| patch_of(cell as usize, map.cols))
        .collect();
    patches.sort_unstable();
    patches.dedup();
    patches
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

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { rows: 5, cols: 7 };

    #[test]
    fn a_constant_stays_constant_and_is_scaled() {
        let map = refine(&[3.0; 35], GRID, None, 0.5, Roi::whole(70, 50));
        assert_eq!((map.cols, map.rows), (35, 25));
        assert!(map.values.iter().all(|v| (v - 1.5).abs() < 1e-5));
    }

    #[test]
    fn a_hot_patch_is_hottest_at_its_own_cells() {
        let mut scores = [0.0; 35];
        scores[2 * 7 + 4] = 1.0;
        let map = refine(&scores, GRID, None, 1.0, Roi::whole(70, 50));
        let hottest = map
            .values
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1));
        let cell = hottest.map(|(cell, _)| cell).unwrap();
        assert_eq!((cell % map.cols, cell / map.cols), (4 * 5 + 2, 2 * 5 + 2));
        assert_eq!(map.values[cell], 1.0);
    }

    #[test]
    fn what_is_left_out_shows_nothing_and_takes_nothing_from_its_neighbours() {
        let kept = Kept::new(GRID, |patch| patch % 7 > 2).unwrap();
        let scores = vec![2.0; kept.patches().len()];
        let map = refine(&scores, GRID, Some(&kept), 1.0, Roi::whole(70, 50));
        for (cell, value) in map.values.iter().enumerate() {
            let expected = if cell % map.cols < 3 * 5 { 0.0 } else { 2.0 };
            assert!((value - expected).abs() < 1e-6, "cell {cell}: {value}");
        }
    }
}
