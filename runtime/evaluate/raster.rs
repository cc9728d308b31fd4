//! From the grid of a score map to pixels.

use crate::inspect::ScoreMap;

/// The scores of a map on a raster of `raster` = `[width, height]` pixels that covers the whole
/// original image of `image` = `[width, height]` pixels, row by row.
///
/// Bilinear between the centres of the cells, constant beyond the outermost centres. Pixels
/// outside the inspected area are 0: nothing was found there, because nothing was looked for.
/// A map without cells gives zeros.
#[must_use]
pub fn rasterise(map: &ScoreMap, image: [u32; 2], raster: [u32; 2]) -> Vec<f32> {
    let mut out = vec![0.0; raster[0] as usize * raster[1] as usize];
    if out.is_empty() || map.cols * map.rows == 0 || map.values.len() < map.cols * map.rows {
        return out;
    }
    let [x, y, width, height] = map.area;
    let columns = taps(raster[0], image[0], x, width, map.cols);
    let rows = taps(raster[1], image[1], y, height, map.rows);
    for (line, row) in out.chunks_exact_mut(raster[0] as usize).zip(&rows) {
        let Some(row) = row else { continue };
        let upper = &map.values[row.low * map.cols..][..map.cols];
        let lower = &map.values[row.high * map.cols..][..map.cols];
        for (score, column) in line.iter_mut().zip(&columns) {
            let Some(column) = column else { continue };
            let mix = |cells: &[f32]| {
                cells[column.low] + (cells[column.high] - cells[column.low]) * column.part
            };
            let (above, below) = (mix(upper), mix(lower));
            *score = above + (below - above) * row.part;
        }
    }
    out
}

/// The two cells whose centres enclose a pixel, and how far it is on the way to the second.
struct Tap {
    low: usize,
    high: usize,
    part: f32,
}

/// Along one axis, for each raster pixel; `None` outside the area.
fn taps(raster: u32, image: u32, start: u32, length: u32, cells: usize) -> Vec<Option<Tap>> {
    (0..raster)
        .map(|pixel| {
            let at = (f64::from(pixel) + 0.5) * f64::from(image) / f64::from(raster);
            let inside = (at - f64::from(start)) / f64::from(length);
            if !(0.0..1.0).contains(&inside) {
                return None;
            }
            let cell = (inside * cells as f64 - 0.5).clamp(0.0, cells as f64 - 1.0);
            let low = cell as usize;
            Some(Tap {
                low,
                high: (low + 1).min(cells - 1),
                part: (cell - low as f64) as f32,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(cols: usize, rows: usize, values: &[f32], area: [u32; 4]) -> ScoreMap {
        ScoreMap {
            cols,
            rows,
            values: values.to_vec(),
            area,
            kept: None,
        }
    }

    #[test]
    fn the_centre_of_a_cell_has_its_value_and_the_middle_between_two_their_mean() {
        let pixels = rasterise(&map(2, 1, &[0.0, 1.0], [0, 0, 6, 1]), [6, 1], [6, 1]);
        let expected = [0.0, 0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0];
        for (ours, expected) in pixels.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-6, "{pixels:?}");
        }
    }

    #[test]
    fn outside_the_inspected_area_the_score_is_zero() {
        let pixels = rasterise(&map(1, 1, &[2.0], [1, 1, 2, 2]), [4, 4], [4, 4]);
        let expected = [
            [0.0, 0.0, 0.0, 0.0],
            [0.0, 2.0, 2.0, 0.0],
            [0.0, 2.0, 2.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
        ];
        assert_eq!(pixels, expected.concat());
    }

    #[test]
    fn a_raster_smaller_than_the_image_covers_the_same_place() {
        let one = map(1, 1, &[1.0], [100, 0, 100, 200]);
        let pixels = rasterise(&one, [200, 200], [4, 2]);
        assert_eq!(pixels, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn an_empty_map_or_an_empty_area_gives_zeros() {
        assert_eq!(
            rasterise(&map(0, 0, &[], [0, 0, 2, 2]), [2, 2], [2, 2]),
            [0.0; 4]
        );
        assert_eq!(
            rasterise(&map(1, 1, &[1.0], [0, 0, 0, 0]), [2, 2], [2, 2]),
            [0.0; 4]
        );
    }
}
