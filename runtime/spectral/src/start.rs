//! The deterministic source of start directions: the same seed gives the same block on every
//! machine. It must never be taken for a cryptographic or statistical generator.

/// SplitMix64 (Steele, Lea and Flood 2014): one addition and three mixing steps a number.
#[derive(Debug, Clone)]
pub(crate) struct Directions {
    state: u64,
}

impl Directions {
    /// A stream that depends on `seed` only.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Uniform in [-1, 1), in steps of 2^-52.
    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Overwrites `column` with independent entries. Uniform rather than Gaussian ones: only that
    /// the directions are generic matters, and a uniform entry needs no logarithm.
    pub(crate) fn fill(&mut self, column: &mut [f64]) {
        column.iter_mut().for_each(|v| *v = self.next());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_directions_and_another_seed_gives_others() {
        let draw = |seed| {
            let mut column = [0.0; 64];
            Directions::new(seed).fill(&mut column);
            column
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn entries_fill_the_range_evenly() {
        let mut column = vec![0.0; 100_000];
        Directions::new(0).fill(&mut column);
        assert!(column.iter().all(|v| (-1.0..1.0).contains(v)));
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let square = column.iter().map(|v| v * v).sum::<f64>() / column.len() as f64;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.01, "{square}");
    }
}
