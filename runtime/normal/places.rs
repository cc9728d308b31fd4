use crate::vit::Grid;

/// Where on the grid each remembered patch was seen on good parts: one bit a patch place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    grid: Grid,
    /// 64-bit words a row.
    words: usize,
    /// `[memory, words]`.
    bits: Vec<u64>,
}

impl Places {
    /// `memory` elements, none seen anywhere yet.
    pub fn new(grid: Grid, memory: usize) -> Self {
        let words = grid.patches().div_ceil(64);
        Self {
            grid,
            words,
            bits: vec![0; words * memory],
        }
    }

    /// Restores what [`Self::as_words`] gave; `None` when the length does not fit.
    pub fn from_words(grid: Grid, memory: usize, bits: Vec<u64>) -> Option<Self> {
        let words = grid.patches().div_ceil(64);
        (words.checked_mul(memory)? == bits.len()).then_some(Self { grid, words, bits })
    }

    /// All bits, `[memory, ceil(patches / 64)]`.
    pub fn as_words(&self) -> &[u64] {
        &self.bits
    }

    /// Notes that `element` was seen at `patch`; what lies outside is passed over.
    pub fn see(&mut self, element: usize, patch: usize) {
        if patch < self.grid.patches()
            && let Some(word) = self.bits.get_mut(element * self.words + patch / 64)
        {
            *word |= 1 << (patch % 64);
        }
    }

    /// Whether `element` was seen at `patch`.
    pub fn seen(&self, element: usize, patch: usize) -> bool {
        self.bits
            .get(element * self.words + patch / 64)
            .is_some_and(|word| word >> (patch % 64) & 1 == 1)
    }

    /// The same places, each grown by `reach` patches in every direction (a square window).
    #[must_use]
    pub fn grown(&self, reach: usize) -> Self {
        let Grid { rows, cols } = self.grid;
        let mut grown = Self {
            bits: vec![0; self.bits.len()],
            ..*self
        };
        let elements = self.bits.len().checked_div(self.words).unwrap_or(0);
        for element in 0..elements {
            for patch in (0..self.grid.patches()).filter(|&p| self.seen(element, p)) {
                let (row, col) = (patch / cols, patch % cols);
                for r in row.saturating_sub(reach)..=(row + reach).min(rows - 1) {
                    for c in col.saturating_sub(reach)..=(col + reach).min(cols - 1) {
                        grown.see(element, r * cols + c);
                    }
                }
            }
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_grow_in_every_direction_and_stop_at_the_edge() {
        let grid = Grid { rows: 9, cols: 10 };
        let mut places = Places::new(grid, 2);
        places.see(0, 0);
        places.see(1, 4 * 10 + 5);
        let grown = places.grown(2);
        let count = |element| {
            (0..grid.patches())
                .filter(|&p| grown.seen(element, p))
                .count()
        };
        assert_eq!((count(0), count(1)), (9, 25));
        assert!(grown.seen(1, 2 * 10 + 3) && !grown.seen(1, 10 + 3));
    }

    #[test]
    fn words_restore_the_same_places_and_a_wrong_length_is_refused() {
        let grid = Grid { rows: 9, cols: 10 };
        let mut places = Places::new(grid, 3);
        places.see(2, 89);
        let words = places.as_words().to_vec();
        assert_eq!(Places::from_words(grid, 3, words.clone()), Some(places));
        assert_eq!(Places::from_words(grid, 4, words), None);
    }
}
