use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Grid;

/// Longest side of a grid that text is read into.
const MOST: usize = 256;

/// Signs of a patch that is kept and of one that is not, in text.
const SIGNS: [char; 2] = ['#', '.'];

/// Some patches of a grid, at least one: those that are looked at where a mask leaves others out.
///
/// What is computed holds rows of kept patches only, in the order of the grid: row `number` is that
/// of patch `patches()[number]`. As text it is one line for each row of the grid, `#` for a patch
/// that is kept and `.` for one that is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Kept {
    grid: Grid,
    /// Ascending, each once.
    patches: Arc<[usize]>,
}

impl Kept {
    /// The patches of `grid`, numbered row by row, for which `keeps` holds; `None` when it holds for
    /// none.
    pub fn new(grid: Grid, keeps: impl FnMut(&usize) -> bool) -> Option<Self> {
        let patches: Arc<[usize]> = (0..grid.patches()).filter(keeps).collect();
        (!patches.is_empty()).then_some(Self { grid, patches })
    }

    /// How many patches of `grid` are kept: all of them where nothing says which.
    pub fn count(kept: Option<&Self>, grid: Grid) -> usize {
        kept.map_or(grid.patches(), |kept| kept.patches.len())
    }

    /// The grid that they are some of.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Their places on the grid, row by row, ascending.
    pub fn patches(&self) -> &[usize] {
        &self.patches
    }

    /// Which of the kept ones `patch` of the grid is; `None` when it is left out.
    pub fn number(&self, patch: usize) -> Option<usize> {
        self.patches.binary_search(&patch).ok()
    }

    /// Puts `rows` of kept patches, `[kept, width]`, back on the grid, `[patches, width]`; the rows
    /// of the others hold `empty`.
    pub fn scatter<T: Copy>(&self, rows: &[T], width: usize, empty: T) -> Vec<T> {
        let mut all = vec![empty; self.grid.patches() * width];
        // A width of 0 has no rows to put anywhere.
        for (patch, row) in self.patches.iter().zip(rows.chunks_exact(width.max(1))) {
            all[patch * width..][..width].copy_from_slice(row);
        }
        all
    }
}

impl fmt::Display for Kept {
    /// How many of how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.patches.len(), self.grid)
    }
}

impl From<Kept> for Vec<String> {
    fn from(kept: Kept) -> Self {
        let Grid { rows, cols } = kept.grid;
        let sign = |patch| SIGNS[usize::from(kept.number(patch).is_none())];
        (0..rows)
            .map(|row| (row * cols..(row + 1) * cols).map(sign).collect())
            .collect()
    }
}

impl TryFrom<Vec<String>> for Kept {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        let cols = lines.first().map_or(0, String::len);
        let even = lines
            .iter()
            .all(|line| line.len() == cols && line.chars().all(|sign| SIGNS.contains(&sign)));
        if !even || !(1..=MOST).contains(&cols) || lines.len() > MOST {
            return Err(format!(
                "kept patches are lines of {:?}, all of one length from 1 to {MOST}, at most {MOST} \
                 of them",
                SIGNS
            ));
        }
        let grid = Grid {
            rows: lines.len(),
            cols,
        };
        let signs = lines.concat().into_bytes();
        Self::new(grid, |patch| signs[*patch] == SIGNS[0] as u8)
            .ok_or_else(|| "no patch is kept".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { rows: 2, cols: 3 };

    #[test]
    fn rows_of_kept_patches_go_back_to_their_places_and_the_others_are_empty() {
        let kept = Kept::new(GRID, |patch| [1, 5].contains(patch)).unwrap();
        assert_eq!(kept.patches(), [1, 5]);
        assert_eq!((kept.number(5), kept.number(4)), (Some(1), None));
        let all = kept.scatter(&[1.0, 2.0, 3.0, 4.0], 2, 0.0);
        let expected = [0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0];
        assert_eq!(all, expected);
        assert!(kept.scatter(&[], 0, 0.0).is_empty());
    }

    #[test]
    fn text_shows_the_grid_and_is_read_back() {
        let kept = Kept::new(GRID, |patch| *patch != 2).unwrap();
        let text: Vec<String> = kept.clone().into();
        assert_eq!(text, ["##.", "###"]);
        assert_eq!(Kept::try_from(text), Ok(kept));
    }

    #[test]
    fn text_that_is_no_grid_or_keeps_nothing_is_refused() {
        let long = "#".repeat(MOST + 1);
        let refused: [&[&str]; 7] = [
            &[],
            &[""],
            &["##", "#"],
            &["#x"],
            &["#é", "###"],
            &[&long],
            &["..", ".."],
        ];
        for lines in refused {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            assert!(Kept::try_from(lines).is_err());
        }
        assert_eq!(Kept::new(GRID, |_| false), None);
    }
}
