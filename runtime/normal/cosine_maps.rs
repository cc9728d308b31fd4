use std::f32::consts::PI;

use nalgebra::DMatrix;

use crate::vit::Grid;

/// Waves along each side of the grid, the constant one included.
const ORDERS: usize = 3;

/// How many [`cosine_maps`] there are: every product of two waves but the constant one.
pub(crate) const COSINE_MAPS: usize = ORDERS * ORDERS - 1;

/// The slowest cosines over a grid of patches, `[patches, COSINE_MAPS]`: products of a half wave or
/// a whole one down the grid and across it (DCT-II), as columns of unit length that are orthogonal
/// to each other and to a constant. So whatever is the same in all patches, as light is, adds
/// nothing. `None` where a side is too short to tell these waves apart.
pub(crate) fn cosine_maps(grid: Grid) -> Option<DMatrix<f32>> {
    let Grid { rows, cols } = grid;
    if rows < ORDERS || cols < ORDERS {
        return None;
    }
    let wave = |order: usize, at: usize, side: usize| {
        let phase = PI * order as f32 * (at as f32 + 0.5) / side as f32;
        let power = if order == 0 { 1.0 } else { 2.0 };
        (power / side as f32).sqrt() * phase.cos()
    };
    Some(DMatrix::from_fn(
        grid.patches(),
        COSINE_MAPS,
        |patch, map| {
            // Number 0 would be the constant.
            let (down, across) = ((map + 1) / ORDERS, (map + 1) % ORDERS);
            wave(down, patch / cols, rows) * wave(across, patch % cols, cols)
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_maps_are_orthonormal_and_see_nothing_in_a_constant() {
        for (rows, cols) in [(3, 3), (8, 11), (28, 37)] {
            let maps = cosine_maps(Grid { rows, cols }).unwrap();
            let products = maps.transpose() * &maps;
            let identity = DMatrix::identity(COSINE_MAPS, COSINE_MAPS);
            assert!((products - identity).amax() < 1e-5, "{rows} x {cols}");
            assert!(maps.row_sum().amax() < 1e-4, "{rows} x {cols}");
        }
    }

    #[test]
    fn a_grid_too_small_for_the_waves_has_no_maps() {
        assert_eq!(cosine_maps(Grid { rows: 2, cols: 9 }), None);
    }
}
