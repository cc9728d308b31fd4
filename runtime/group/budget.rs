use std::fmt;
use std::str::FromStr;

use super::GroupError;

/// Memory that the passes may use, in bytes. It does not count the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u64);

impl Budget {
    /// How many of `threads` may have a matrix of their own, at least one, for `blocks` blocks of
    /// `dim` numbers and images of `patches` patches.
    ///
    /// # Errors
    /// [`GroupError::Budget`] if not even one fits, with the number of blocks that would.
    pub fn workers(
        self,
        blocks: usize,
        dim: usize,
        patches: usize,
        threads: usize,
    ) -> Result<usize, GroupError> {
        let need = |blocks, workers| needed(blocks, dim, patches, workers);
        let fit = |workers: &usize| need(blocks, *workers) <= self.0;
        if let Some(workers) = (1..=threads.max(1)).rev().find(fit) {
            return Ok(workers);
        }
        let fewer = (1..blocks).rev().find(|&fewer| need(fewer, 1) <= self.0);
        Err(GroupError::Budget {
            blocks,
            needed: Self(need(blocks, 1)).to_string(),
            budget: self.to_string(),
            advice: match fewer {
                Some(1) => "1 block".into(),
                Some(fewer) => format!("at most {fewer} blocks"),
                None => "a smaller --size".into(),
            },
        })
    }
}

/// Bytes at the widest moment: each worker has G^T G, the product of a chunk, a chunk of 256 rows
/// and one image, stored and as rows; solving has G^T G once more and five blocks of vectors.
fn needed(blocks: usize, dim: usize, patches: usize, workers: usize) -> u64 {
    let (size, patches) = ((blocks * dim + 1) as u64, patches as u64);
    let matrix = 8 * size * size;
    // Of the two pathways, where reads twice as much: queries and keys.
    let image = 4 * 4 * patches * size;
    let worker = 2 * matrix + 8 * 256 * size + image;
    let solver = matrix + 8 * 5 * 16 * size;
    workers as u64 * worker + solver
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no amount of memory, such as 512M or 2G");
        let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let unit: u64 = match unit.to_ascii_uppercase().as_str() {
            "K" | "KB" => 1 << 10,
            "M" | "MB" => 1 << 20,
            "G" | "GB" => 1 << 30,
            _ => return Err(wrong()),
        };
        let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
        bytes.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Budget {
    /// In MB, rounded up, as it can be given again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}M", self.0.div_ceil(1 << 20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_can_be_had_with_the_memory_or_the_blocks_that_are_named() {
        let budget: Budget = "128M".parse().unwrap();
        let error = budget.workers(12, 384, 1024, 2).unwrap_err();
        let GroupError::Budget { needed, advice, .. } = &error else {
            panic!("{error}");
        };
        let enough: Budget = needed.parse().unwrap();
        assert_eq!(enough.workers(12, 384, 1024, 2).unwrap(), 1);
        let fewer: usize = advice
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
            .parse()
            .unwrap();
        assert!(fewer > 1 && budget.workers(fewer, 384, 1024, 2).is_ok());
        assert!(budget.workers(fewer + 1, 384, 1024, 2).is_err());
    }

    #[test]
    fn amounts_are_read_with_their_unit_and_nothing_else() {
        assert_eq!("512M".parse(), Ok(Budget(512 << 20)));
        assert_eq!("2g".parse(), Ok(Budget(2 << 30)));
        for text in ["", "M", "12", "1.5G", "99999999999999999G"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }
}
