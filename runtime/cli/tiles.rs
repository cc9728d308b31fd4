//! `--tiles`: how many inputs a frame is cut into.

use std::str::FromStr;

use crate::image::{InputSize, Tiles, TilesError};

/// Values of `--tiles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilesArg {
    /// As many as the images hold without being enlarged.
    Auto,
    /// So many.
    Of(Tiles),
}

impl Default for TilesArg {
    fn default() -> Self {
        Self::Of(Tiles::ONE)
    }
}

impl FromStr for TilesArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            text => match text.parse() {
                Ok(tiles) => Ok(Self::Of(tiles)),
                Err(error) => Err(format!("{error}, or auto")),
            },
        }
    }
}

impl TilesArg {
    /// The tiles for `content` (width, height), and the input that each of them is: of the area of a
    /// square of `side` pixels, in whole patches of `patch` pixels.
    ///
    /// # Errors
    /// [`TilesError`] when they are more than can be served.
    pub fn of(
        self,
        side: usize,
        patch: usize,
        content: (u32, u32),
    ) -> Result<(Tiles, InputSize), TilesError> {
        let tiles = match self {
            Self::Auto => Tiles::for_content(side, patch, content),
            Self::Of(tiles) => tiles,
        };
        let input = tiles.input(side, patch, content);
        tiles.check(input, patch)?;
        Ok((tiles, input))
    }
}

/// Says how images of these sizes (width, height) are cut, and when that shows nothing new.
pub fn tell(tiles: Tiles, input: InputSize, contents: &[(u32, u32)]) {
    if tiles.is_one() {
        eprintln!("tiles: one input, {input}: the images hold no more");
        return;
    }
    let frame = tiles.frame(input);
    eprintln!(
        "tiles: {tiles} inputs of {input}, {frame} together: {} times the time of one",
        tiles.count()
    );
    let enlarged = |content: &&(u32, u32)| {
        (content.0 as usize) < frame.width || (content.1 as usize) < frame.height
    };
    if let Some((width, height)) = contents.iter().find(enlarged) {
        eprintln!(
            "note: that is larger than the {width} x {height} px that are inspected, and enlarging \
             shows nothing new: --tiles auto takes as many as fit"
        );
    }
}
