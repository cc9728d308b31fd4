//! A region of interest of any shape: which patches of the input a mask keeps.

use super::ViewSettings;
use crate::image::{InputShape, InputSize, Mask};
use crate::vit::{Grid, Kept};

/// Share of a patch that must be white for the patch to be looked at. Along the edge of a patch of
/// 14 px this is 0.7 px, less than the network resolves; a mask that was drawn along patches and is a
/// pixel off does not take in another row of them.
const LEAST_WHITE: f64 = 0.05;

/// Why a mask cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// Each picture has an input of its own shape.
    #[error(
        "a mask needs one shape of input for all images: a place on one shape is none on another; \
         leave out --shape own"
    )]
    OwnShape,
    /// No patch is kept.
    #[error(
        "mask {name} keeps nothing: no patch of the input ({input}, {grid}) is white by a twentieth; \
         white (128 or above) is inspected, black is ignored"
    )]
    Nothing {
        /// The mask.
        name: String,
        /// The input that it was laid over.
        input: InputSize,
        /// Its patches.
        grid: Grid,
    },
}

impl ViewSettings {
    /// Leaves out what `mask`, stretched over the input or over all tiles, shows in black: a patch, `patch` pixels
    /// long, is looked at if at least a twentieth of it is white. `name` stands in errors.
    ///
    /// # Errors
    /// [`MaskError`] when each picture has an input of its own shape, or nothing is left.
    pub fn with_mask(self, mask: &Mask, patch: usize, name: &str) -> Result<Self, MaskError> {
        if self.shape == InputShape::Own {
            return Err(MaskError::OwnShape);
        }
        let frame = self.tiles.frame(self.input);
        let grid = Grid {
            rows: frame.height / patch.max(1),
            cols: frame.width / patch.max(1),
        };
        let white = mask.white([grid.cols, grid.rows]);
        let kept = Kept::new(grid, |place| white[*place] >= LEAST_WHITE);
        let kept = kept.ok_or_else(|| MaskError::Nothing {
            name: name.into(),
            input: frame,
            grid,
        })?;
        Ok(Self {
            kept: Some(kept),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Tiles;
    use image::{GrayImage, Luma};

    fn view(shape: InputShape) -> ViewSettings {
        ViewSettings {
            roi: None,
            input: InputSize {
                width: 42,
                height: 28,
            },
            shape,
            tiles: Tiles::ONE,
            kept: None,
        }
    }

    /// White to the left of `edge`, 90 x 60 pixels: 30 pixels a patch.
    fn mask(edge: u32) -> Mask {
        let white = |x, _| Luma([if x < edge { 128 } else { 127 }]);
        Mask::new(GrayImage::from_fn(90, 60, white))
    }

    fn rows(edge: u32) -> Vec<String> {
        let view = view(InputShape::Common);
        let view = view.with_mask(&mask(edge), 14, "mask.png").unwrap();
        view.kept.unwrap().into()
    }

    #[test]
    fn a_patch_is_looked_at_when_a_twentieth_of_it_is_white() {
        assert_eq!(rows(30), ["#..", "#.."]);
        assert_eq!(rows(31), ["#..", "#.."], "a pixel off is 3 %");
        assert_eq!(rows(32), ["##.", "##."]);
        assert_eq!(rows(90), ["###", "###"]);
    }

    #[test]
    fn a_mask_is_laid_over_all_tiles_together() {
        let view = ViewSettings {
            tiles: Tiles {
                columns: 2,
                rows: 1,
            },
            ..view(InputShape::Common)
        };
        let view = view.with_mask(&mask(45), 14, "mask.png").unwrap();
        let rows: Vec<String> = view.kept.unwrap().into();
        assert_eq!(rows, ["###...", "###..."]);
    }

    #[test]
    fn a_mask_that_keeps_nothing_and_one_for_inputs_of_many_shapes_are_refused() {
        let refused = |shape, edge| {
            let error = view(shape).with_mask(&mask(edge), 14, "mask.png");
            error.unwrap_err().to_string()
        };
        let nothing = refused(InputShape::Common, 0);
        for word in [
            "mask.png",
            "keeps nothing",
            "42 x 28 px",
            "2 x 3 patches",
            "white",
        ] {
            assert!(nothing.contains(word), "{nothing}");
        }
        assert!(refused(InputShape::Own, 90).contains("--shape own"));
    }
}
