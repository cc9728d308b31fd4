//! Whether what a recipe says of its view can be.

use super::ViewSettings;
use crate::image::{InputShape, Tiles};
use crate::vit::Grid;

impl ViewSettings {
    /// Refuses tiles and kept patches that cannot be those of `grid`; in words, what is wrong.
    pub(super) fn check(&self, grid: Grid) -> Result<(), String> {
        let Self {
            shape, tiles, kept, ..
        } = self;
        let own = *shape == InputShape::Own;
        // No tiles at all divide nothing.
        let cut = grid.cols.is_multiple_of(tiles.columns) && grid.rows.is_multiple_of(tiles.rows);
        match kept {
            _ if own && !tiles.is_one() => {
                Err("it has tiles, and an input of its own shape for each image".into())
            }
            _ if !cut => Err(format!("its {tiles} tiles cannot have {grid} together")),
            _ if !tiles.is_one() && grid.patches() > Tiles::MOST_PATCHES => Err(format!(
                "its {tiles} tiles have {grid}, more than {} together",
                Tiles::MOST_PATCHES
            )),
            Some(_) if own => {
                Err("it has a mask, and an input of its own shape for each image".into())
            }
            Some(kept) if kept.grid() != grid => Err(format!(
                "its mask is of {}, but its images have {grid}",
                kept.grid()
            )),
            _ => Ok(()),
        }
    }
}
