use std::fmt;
use std::str::FromStr;

use image::{RgbImage, imageops};
use serde::{Deserialize, Serialize};

use super::InputSize;

/// Longest tile, in widths, that is chosen by itself: the network was trained on squares.
const LONGEST: f64 = 2.0;

/// How many inputs of the network a frame is cut into, side by side and one above the other, so that
/// what is small in it is still seen. One of them is the usual case: the frame is the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiles {
    /// Tiles from left to right.
    pub columns: usize,
    /// Tiles from top to bottom.
    pub rows: usize,
}

impl Tiles {
    /// A frame that is not cut.
    pub const ONE: Self = Self {
        columns: 1,
        rows: 1,
    };

    /// Most patches of a frame, all tiles together: what is kept of each while it is looked at and
    /// learned grows with them. These are 16 inputs of 448 px.
    pub const MOST_PATCHES: usize = 16_384;

    /// Most patches along a side of a frame: what a recipe can hold.
    pub const MOST_ALONG: usize = 256;

    /// Whether the frame is not cut.
    pub fn is_one(&self) -> bool {
        *self == Self::ONE
    }

    /// Number of tiles.
    pub fn count(&self) -> usize {
        self.columns * self.rows
    }

    /// Size of a frame whose tiles are inputs of this size, in pixels. Numbers that no frame has
    /// stay as large as a number can be.
    pub fn frame(&self, input: InputSize) -> InputSize {
        InputSize {
            width: input.width.saturating_mul(self.columns),
            height: input.height.saturating_mul(self.rows),
        }
    }

    /// Refuses a frame without tiles, or with more patches, `patch` pixels long, than can be served.
    /// One tile is always a frame: it is up to the network how large an input may be.
    ///
    /// # Errors
    /// [`TilesError`].
    pub fn check(&self, input: InputSize, patch: usize) -> Result<(), TilesError> {
        if self.is_one() || self.fit(input, patch) {
            return Ok(());
        }
        Err(TilesError {
            tiles: *self,
            input,
            patch,
        })
    }

    fn fit(&self, input: InputSize, patch: usize) -> bool {
        let frame = self.frame(input);
        let (cols, rows) = (frame.width / patch.max(1), frame.height / patch.max(1));
        let along = 1..=Self::MOST_ALONG;
        let sides = [self.columns, self.rows, cols, rows];
        sides.iter().all(|side| along.contains(side)) && cols * rows <= Self::MOST_PATCHES
    }

    /// Size of an input for each tile of `content` (width, height): see
    /// [`InputSize::for_content`].
    pub fn input(&self, side: usize, patch: usize, content: (u32, u32)) -> InputSize {
        // Twice as many columns halve a tile's width as twice the height would.
        let scaled = |length: u32, by: usize| {
            let by = u32::try_from(by).unwrap_or(u32::MAX);
            length.max(1).saturating_mul(by)
        };
        let tile = (
            scaled(content.0, self.rows),
            scaled(content.1, self.columns),
        );
        InputSize::for_content(side, patch, tile)
    }

    /// As many tiles as `content` (width, height) holds inputs of the area of `side` x `side` pixels
    /// without being enlarged, none of them longer than twice its width; one where it holds fewer.
    /// Of several ways to cut that many, the one that stretches least.
    pub fn for_content(side: usize, patch: usize, content: (u32, u32)) -> Self {
        let (width, height) = (content.0 as usize, content.1 as usize);
        let aspect = |size: InputSize| size.width as f64 / size.height.max(1) as f64;
        let content_aspect = f64::from(content.0.max(1)) / f64::from(content.1.max(1));
        let mut best = (Self::ONE, f64::INFINITY);
        for rows in 1..=Self::MOST_ALONG {
            for columns in 1..=Self::MOST_ALONG {
                let tiles = Self { columns, rows };
                let input = tiles.input(side, patch, content);
                let frame = tiles.frame(input);
                let held = frame.width <= width && frame.height <= height;
                let long = !(1.0 / LONGEST..=LONGEST).contains(&aspect(input));
                if !held || long || !tiles.fit(input, patch) {
                    continue;
                }
                let stretched = (aspect(frame) / content_aspect).ln();
                let found = (tiles, stretched.abs());
                let more = tiles.count().cmp(&best.0.count());
                if more.is_gt() || more.is_eq() && found.1 < best.1 {
                    best = found;
                }
            }
        }
        best.0
    }

    /// What the tile at `[column, row]` of `frame` shows.
    pub fn cut(&self, frame: &RgbImage, [column, row]: [usize; 2]) -> RgbImage {
        let width = frame.width() / self.columns as u32;
        let height = frame.height() / self.rows as u32;
        let (x, y) = (column as u32 * width, row as u32 * height);
        imageops::crop_imm(frame, x, y, width, height).to_image()
    }
}

/// A frame has no tiles, or more patches than can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a frame of {tiles} tiles of {input} cannot be served: it needs at least one tile each way, and may \
     have {} patches of {patch} px at most, and {} along a side; take fewer tiles or a smaller input",
    Tiles::MOST_PATCHES,
    Tiles::MOST_ALONG
)]
pub struct TilesError {
    /// How the frame is cut.
    pub tiles: Tiles,
    /// Size of a tile.
    pub input: InputSize,
    /// Side of a patch in pixels.
    pub patch: usize,
}

impl Default for Tiles {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

impl FromStr for Tiles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x').map(|(c, r)| [c.parse(), r.parse()]);
        match sides {
            Some([Ok(columns @ 1..), Ok(rows @ 1..)]) => Ok(Self { columns, rows }),
            _ => Err(format!(
                "{text:?} is not COLUMNSxROWS, each at least 1, such as 2x2 or 4x1"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiles(columns: usize, rows: usize) -> Tiles {
        Tiles { columns, rows }
    }

    #[test]
    fn tiles_are_read_as_columns_and_rows_and_printed_the_same_way() {
        let read: Tiles = "4x2".parse().unwrap();
        assert_eq!((read, read.to_string()), (tiles(4, 2), "4x2".into()));
        for text in ["", "2", "0x2", "2x0", "-1x2", "2x2x2", "2 x 2", "axb"] {
            let error = text.parse::<Tiles>().unwrap_err();
            assert!(error.contains("COLUMNSxROWS"), "{error}");
        }
    }

    #[test]
    fn as_many_tiles_are_taken_as_the_content_holds_without_being_enlarged() {
        let found = |content| Tiles::for_content(448, 14, content);
        assert_eq!(found((640, 480)), Tiles::ONE);
        assert_eq!(found((100, 100)), Tiles::ONE);
        assert_eq!(found((896, 896)), tiles(2, 2));
        assert_eq!(found((895, 896)), tiles(1, 2), "nothing is enlarged");
        assert_eq!(found((1920, 1080)), tiles(3, 3));
        assert_eq!(found((4000, 500)), tiles(8, 1));
        for content in [(1280, 960), (2448, 2048), (1080, 1920), (60_000, 60_000)] {
            let tiles = found(content);
            let input = tiles.input(448, 14, content);
            let frame = tiles.frame(input);
            assert_eq!(tiles.check(input, 14), Ok(()), "{content:?}");
            assert!(frame.width <= content.0 as usize && frame.height <= content.1 as usize);
        }
        assert_eq!(found((60_000, 60_000)).count(), 16, "the cap");
    }

    #[test]
    fn each_tile_has_the_shape_of_its_part_of_the_content() {
        let input = |tiles: Tiles, content| {
            let size = tiles.input(448, 14, content);
            (size.width, size.height)
        };
        assert_eq!(input(Tiles::ONE, (1920, 1080)), (602, 336));
        assert_eq!(input(tiles(2, 2), (1920, 1080)), (602, 336));
        assert_eq!(input(tiles(2, 1), (1920, 1080)), (448, 448));
    }

    #[test]
    fn no_tiles_and_more_patches_than_a_recipe_holds_do_not_fit() {
        let input = InputSize {
            width: 448,
            height: 448,
        };
        for fits in [tiles(1, 1), tiles(4, 4), tiles(8, 2)] {
            assert_eq!(fits.check(input, 14), Ok(()));
        }
        for forged in [
            tiles(0, 1),
            tiles(1, 0),
            tiles(9, 1),
            tiles(5, 4),
            tiles(usize::MAX, 2),
            tiles(usize::MAX, usize::MAX),
        ] {
            let error = forged.check(input, 14).unwrap_err().to_string();
            for word in [&forged.to_string(), "448 x 448 px", "16384 patches", "256"] {
                assert!(error.contains(word), "{error}");
            }
        }
    }

    #[test]
    fn tiles_cover_the_frame_row_by_row() {
        let frame = RgbImage::from_fn(6, 4, |x, y| image::Rgb([x as u8, y as u8, 0]));
        let cut = tiles(3, 2);
        for (column, row) in (0..3).flat_map(|c| (0..2).map(move |r| (c, r))) {
            let tile = cut.cut(&frame, [column, row]);
            assert_eq!(tile.dimensions(), (2, 2));
            let first = [2 * column as u8, 2 * row as u8, 0];
            assert_eq!(tile.get_pixel(0, 0).0, first);
            assert_eq!(tile.get_pixel(1, 1).0, [first[0] + 1, first[1] + 1, 0]);
        }
    }
}
