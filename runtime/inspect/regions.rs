use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::ScoreMap;
use super::map::CELLS_PER_PATCH;

/// Least area of a region in cells: a quarter of a patch, below which nothing but interpolation
/// can tell one place from another.
const LEAST_CELLS: usize = CELLS_PER_PATCH * CELLS_PER_PATCH / 4;

/// The connected sets (8-neighbour) of cells at or above `level`, as indices into the map. Specks
/// are dropped, unless nothing but specks is there: then the one with the highest score stays, so
/// that what made the verdict is always shown.
pub(super) fn connected(map: &ScoreMap, level: f32) -> Vec<Vec<u32>> {
    let (cols, rows) = (map.cols as u32, map.rows as u32);
    let over = GrayImage::from_fn(cols, rows, |x, y| {
        let value = map.values[(y * cols + x) as usize];
        Luma([u8::from(value >= level)])
    });
    let labels = connected_components(&over, Connectivity::Eight, Luma([0]));
    let mut regions: Vec<Vec<u32>> = Vec::new();
    for (cell, label) in (0..).zip(labels.as_raw()) {
        let Some(index) = (*label as usize).checked_sub(1) else {
            continue;
        };
        if index >= regions.len() {
            regions.resize(index + 1, Vec::new());
        }
        regions[index].push(cell);
    }
    let (large, specks): (Vec<_>, Vec<_>) = regions
        .into_iter()
        .partition(|cells| cells.len() >= LEAST_CELLS);
    if !large.is_empty() {
        return large;
    }
    let peak = |cells: &Vec<u32>| {
        let values = cells.iter().map(|&cell| map.values[cell as usize]);
        values.fold(f32::NEG_INFINITY, f32::max)
    };
    let brightest = specks
        .into_iter()
        .max_by(|a, b| peak(a).total_cmp(&peak(b)));
    brightest.into_iter().collect()
}

/// `[x, y, width, height]` in pixels of the picture around a set of cells.
pub(super) fn bounding_box(map: &ScoreMap, cells: &[u32]) -> [u32; 4] {
    let [x0, y0, width, height] = map.area;
    let axis = |start: u32, length: u32, count: usize, along: &dyn Fn(usize) -> usize| {
        let first = cells.iter().map(|&c| along(c as usize)).min().unwrap_or(0);
        let last = cells.iter().map(|&c| along(c as usize)).max().unwrap_or(0);
        let scale = f64::from(length) / count.max(1) as f64;
        let from = (first as f64 * scale).floor() as u32;
        let to = (((last + 1) as f64 * scale).ceil() as u32).min(length);
        (start + from, (to - from).max(1))
    };
    let (x, w) = axis(x0, width, map.cols, &|cell| cell % map.cols);
    let (y, h) = axis(y0, height, map.rows, &|cell| cell / map.cols);
    [x, y, w, h]
}

/// Area of so many cells in pixels of the picture.
pub(super) fn area_px(map: &ScoreMap, cells: usize) -> u64 {
    let [_, _, width, height] = map.area;
    let pixels = f64::from(width) * f64::from(height);
    (pixels * cells as f64 / map.values.len().max(1) as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(cols: usize, rows: usize, hot: &[(usize, usize, f32)]) -> ScoreMap {
        let mut values = vec![0.0; cols * rows];
        for (x, y, value) in hot {
            values[y * cols + x] = *value;
        }
        ScoreMap {
            cols,
            rows,
            values,
            area: [100, 50, cols as u32 * 3, rows as u32 * 3],
            kept: None,
        }
    }

    #[test]
    fn diagonal_neighbours_are_one_region_and_specks_are_dropped() {
        let hot = [1, 2, 3, 4, 5, 6].map(|y| (1 + y % 2, y, 2.0));
        let hot = [&hot[..], &[(12, 5, 9.0)]].concat();
        let map = map(16, 8, &hot);
        let regions = connected(&map, 1.0);
        assert_eq!(regions.len(), 1);
        assert_eq!(bounding_box(&map, &regions[0]), [103, 53, 6, 18]);
        assert_eq!(area_px(&map, regions[0].len()), 54);
    }

    #[test]
    fn a_lone_speck_is_shown_when_there_is_nothing_else() {
        let map = map(16, 8, &[(3, 3, 1.5), (12, 5, 2.0)]);
        assert_eq!(connected(&map, 1.0), [vec![5 * 16 + 12]]);
        assert!(connected(&map, 3.0).is_empty());
    }
}
