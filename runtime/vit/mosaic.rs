//! A frame that is cut into tiles, each an input of its own: which of them are run, and what they
//! give put together on one grid, so that whatever follows never knows of tiles.

use std::sync::Arc;

use super::{BlockTaps, Grid, Kept, TapKind, TapMatrix, Taps};

/// How the tiles of a frame lie.
#[derive(Debug, Clone)]
pub struct Mosaic {
    tile: Grid,
    grid: Grid,
    kept: Option<Kept>,
    tiles: Vec<Tile>,
}

/// A tile that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Column and row among the tiles, from 0.
    pub place: [usize; 2],
    /// Which of its patches are looked at; `None`: all of them.
    pub kept: Option<Kept>,
}

impl Mosaic {
    /// `columns` x `rows` tiles with a grid of `tile` each; of the patches of all, those that are
    /// `kept`, which are some of [`Self::grid`], or all. A tile with none of them is not run.
    pub fn new(tile: Grid, [columns, rows]: [usize; 2], kept: Option<Kept>) -> Self {
        let grid = Grid {
            rows: rows * tile.rows,
            cols: columns * tile.cols,
        };
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| [column, row]));
        let of_tile = |place: [usize; 2]| match &kept {
            Some(kept) => {
                let of_tile = Kept::new(tile, |patch| {
                    kept.number(on_grid(grid, tile, place, *patch)).is_some()
                })?;
                let all = of_tile.patches().len() == tile.patches();
                let kept = (!all).then_some(of_tile);
                Some(Tile { place, kept })
            }
            None => Some(Tile { place, kept: None }),
        };
        Self {
            tiles: places.filter_map(of_tile).collect(),
            tile,
            grid,
            kept,
        }
    }

    /// The grid of all patches.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Which of all patches are looked at; `None`: all of them.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// The tiles that are run, row by row.
    pub fn tiles(&self) -> &[Tile] {
        &self.tiles
    }

    /// Starts putting together what the tiles give.
    pub fn assemble(&self) -> Assembly<'_> {
        Assembly {
            mosaic: self,
            blocks: Vec::new(),
        }
    }
}

/// Number on the whole grid of a `patch` of the tile at `[column, row]`.
fn on_grid(grid: Grid, tile: Grid, [column, row]: [usize; 2], patch: usize) -> usize {
    let row = row * tile.rows + patch / tile.cols;
    let col = column * tile.cols + patch % tile.cols;
    row * grid.cols + col
}

/// Taps of tiles, put together as they come: the rows of a tile are copied and then let go, so that
/// no more than one tile is held twice.
pub struct Assembly<'a> {
    mosaic: &'a Mosaic,
    blocks: Vec<(usize, Vec<Tap>)>,
}

/// A tap of the whole frame.
struct Tap {
    kind: TapKind,
    dim: usize,
    /// `[patches, dim]` of those that are kept.
    rows: Vec<f32>,
}

impl Assembly<'_> {
    /// Puts the taps of a tile of the mosaic where its patches lie. All tiles give the same taps.
    pub fn put(&mut self, tile: &Tile, taps: &Taps) {
        let patches = Kept::count(self.mosaic.kept.as_ref(), self.mosaic.grid);
        if self.blocks.is_empty() {
            let empty = |(kind, tap): &(TapKind, TapMatrix)| Tap {
                kind: *kind,
                dim: tap.dim(),
                rows: vec![0.0; patches * tap.dim()],
            };
            let block = |of: &BlockTaps| (of.block, of.taps.iter().map(empty).collect());
            self.blocks = taps.blocks.iter().map(block).collect();
        }
        let to = self.rows_of(tile);
        let wholes = self.blocks.iter_mut().flat_map(|(_, taps)| taps);
        let parts = taps.blocks.iter().flat_map(|block| &block.taps);
        for (whole, (_, part)) in wholes.zip(parts) {
            let dim = whole.dim.max(1);
            for (row, values) in to.iter().zip(part.rows().chunks_exact(dim)) {
                whole.rows[row * dim..][..dim].copy_from_slice(values);
            }
        }
    }

    /// Where the rows of a tile's taps go among those of the frame.
    fn rows_of(&self, tile: &Tile) -> Vec<usize> {
        let Mosaic {
            tile: of,
            grid,
            kept,
            ..
        } = self.mosaic;
        let row = |patch| {
            let patch = on_grid(*grid, *of, tile.place, patch);
            match kept {
                Some(kept) => kept.number(patch),
                None => Some(patch),
            }
        };
        match &tile.kept {
            Some(kept) => kept.patches().iter().copied().filter_map(row).collect(),
            None => (0..of.patches()).filter_map(row).collect(),
        }
    }

    /// The taps of the whole frame.
    pub fn finish(self) -> Taps {
        let tap = |tap: Tap| (tap.kind, TapMatrix::of_rows(Arc::new(tap.rows), tap.dim));
        let block = |(block, taps): (usize, Vec<Tap>)| BlockTaps {
            block,
            taps: taps.into_iter().map(tap).collect(),
        };
        Taps {
            grid: self.mosaic.grid,
            kept: self.mosaic.kept.clone(),
            blocks: self.blocks.into_iter().map(block).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: Grid = Grid { rows: 2, cols: 3 };
    const DIM: usize = 2;

    /// Taps of a tile whose rows are numbered by their places on the whole grid of `mosaic`.
    fn numbered(mosaic: &Mosaic, tile: &Tile) -> Taps {
        let patches: Vec<usize> = match &tile.kept {
            Some(kept) => kept.patches().to_vec(),
            None => (0..TILE.patches()).collect(),
        };
        let [column, row] = tile.place;
        let number = |patch: &usize| {
            let (y, x) = (row * 2 + patch / 3, column * 3 + patch % 3);
            (y * mosaic.grid().cols + x) as f32
        };
        let tap = |sign: f32| {
            let rows = patches.iter().flat_map(|p| [sign * number(p), 0.5]);
            TapMatrix::of_rows(Arc::new(rows.collect()), DIM)
        };
        let block = |block| BlockTaps {
            block,
            taps: vec![
                (TapKind::Key, tap(block as f32)),
                (TapKind::Tokens, tap(-(block as f32))),
            ],
        };
        Taps {
            grid: TILE,
            kept: tile.kept.clone(),
            blocks: vec![block(5), block(7)],
        }
    }

    fn assembled(mosaic: &Mosaic) -> Taps {
        let mut assembly = mosaic.assemble();
        // The order in which tiles come does not count.
        for tile in mosaic.tiles().iter().rev() {
            assembly.put(tile, &numbered(mosaic, tile));
        }
        assembly.finish()
    }

    #[test]
    fn each_patch_of_each_tile_goes_where_it_belongs() {
        let mosaic = Mosaic::new(TILE, [3, 2], None);
        assert_eq!(mosaic.grid(), Grid { rows: 4, cols: 9 });
        let taps = assembled(&mosaic);
        assert_eq!((taps.grid, taps.kept.as_ref()), (mosaic.grid(), None));
        for (block, kind, sign) in [(5, TapKind::Key, 5.0), (7, TapKind::Tokens, -7.0)] {
            let tap = taps.get(block, kind).unwrap();
            let expected: Vec<f32> = (0..36).flat_map(|p| [sign * p as f32, 0.5]).collect();
            assert_eq!(tap.rows(), expected);
            assert_eq!(tap.columns().shape(), (DIM, 36));
        }
    }

    #[test]
    fn of_a_mask_only_tiles_with_kept_patches_are_run_and_their_rows_are_in_order() {
        // Two tiles side by side and two below: all of the first, two patches of the last.
        let grid = Grid { rows: 4, cols: 6 };
        let kept = [0, 1, 2, 6, 7, 8, 15, 23];
        let kept = Kept::new(grid, |patch| kept.contains(patch)).unwrap();
        let mosaic = Mosaic::new(TILE, [2, 2], Some(kept.clone()));
        let last = Kept::new(TILE, |patch| [0, 5].contains(patch));
        let tile = |place, kept| Tile { place, kept };
        assert_eq!(
            mosaic.tiles(),
            [tile([0, 0], None), tile([1, 1], last.clone())]
        );
        let taps = assembled(&mosaic);
        assert_eq!(taps.kept.as_ref(), Some(&kept));
        let rows = taps.get(5, TapKind::Key).unwrap().rows().to_vec();
        let expected: Vec<f32> = kept
            .patches()
            .iter()
            .flat_map(|p| [5.0 * *p as f32, 0.5])
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn one_tile_is_the_frame() {
        let kept = Kept::new(TILE, |patch| *patch == 4);
        let mosaic = Mosaic::new(TILE, [1, 1], kept.clone());
        assert_eq!(mosaic.grid(), TILE);
        let place = [0, 0];
        assert_eq!(mosaic.tiles(), [Tile { place, kept }]);
    }
}
