use std::f32::consts::PI;

use nalgebra::DMatrix;

use crate::vit::{Grid, Kept};

/// Waves along each side of the grid, the constant one included.
const ORDERS: usize = 3;

/// How many [`cosine_maps`] there are: every product of two waves but the constant one.
pub(crate) const COSINE_MAPS: usize = ORDERS * ORDERS - 1;

/// The slowest cosines over a grid of patches, `[patches, COSINE_MAPS]`: products of a half wave or
/// a whole one down the grid and across it (DCT-II), as columns of unit length that are orthogonal
/// to each other and to a constant. So whatever is the same in all patches, as light is, adds
/// nothing. `None` where a side is too short to tell these waves apart.
///
/// Where some patches are left out, the maps are cut down to the `kept` ones and made orthogonal to a
/// constant again: smooth still, but neither orthogonal to each other nor of unit length.
pub(crate) fn cosine_maps(grid: Grid, kept: Option<&Kept>) -> Option<DMatrix<f32>> {
    let Grid { rows, cols } = grid;
    if rows < ORDERS || cols < ORDERS {
        return None;
    }
    let wave = |order: usize, at: usize, side: usize| {
        let phase = PI * order as f32 * (at as f32 + 0.5) / side as f32;
        let power = if order == 0 { 1.0 } else { 2.0 };
        (power / side as f32).sqrt() * phase.cos()
    };
    let maps = DMatrix::from_fn(grid.patches(), COSINE_MAPS, |patch, map| {
        // Number 0 would be the constant.
        let (down, across) = ((map + 1) / ORDERS, (map + 1) % ORDERS);
        wave(down, patch / cols, rows) * wave(across, patch % cols, cols)
    });
    Some(match kept {
        Some(kept) => {
            let mut some = maps.select_rows(kept.patches());
            for mut map in some.column_iter_mut() {
                let mean = map.mean();
                map.add_scalar_mut(-mean);
            }
            some
        }
        None => maps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_maps_are_orthonormal_and_see_nothing_in_a_constant() {
        for (rows, cols) in [(3, 3), (8, 11), (28, 37)] {
            let maps = cosine_maps(Grid { rows, cols }, None).unwrap();
            let products = maps.transpose() * &maps;
            let identity = DMatrix::identity(COSINE_MAPS, COSINE_MAPS);
            assert!((products - identity).amax() < 1e-5, "{rows} x {cols}");
            assert!(maps.row_sum().amax() < 1e-4, "{rows} x {cols}");
        }
    }

    #[test]
    fn maps_of_some_patches_rise_as_those_of_all_and_see_nothing_in_a_constant() {
        let grid = Grid { rows: 4, cols: 5 };
        let all = cosine_maps(grid, None).unwrap();
        let kept = Kept::new(grid, |patch| patch % 3 == 1).unwrap();
        let some = cosine_maps(grid, Some(&kept)).unwrap();
        assert_eq!(some.nrows(), kept.patches().len());
        assert!(some.row_sum().amax() < 1e-6);
        let first = kept.patches()[0];
        for (row, &patch) in kept.patches().iter().enumerate() {
            let rise = all.row(patch) - all.row(first);
            assert!((some.row(row) - some.row(0) - rise).amax() < 1e-6);
        }
    }

    #[test]
    fn a_grid_too_small_for_the_waves_has_no_maps() {
        assert_eq!(cosine_maps(Grid { rows: 2, cols: 9 }, None), None);
    }
}
