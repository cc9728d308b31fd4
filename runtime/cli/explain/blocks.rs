//! A list of blocks on the command line.

use anyhow::{Result, bail};

/// Blocks as they are written: numbers and ranges.
#[derive(Debug, Clone)]
pub struct BlockList(pub Vec<usize>);

impl BlockList {
    /// The blocks that were asked for, or `usual` ones, of a model of so many.
    pub fn or(asked: Option<&Self>, usual: Vec<usize>, of: usize) -> Result<Vec<usize>> {
        let blocks = asked.map_or(usual, |list| list.0.clone());
        match blocks.iter().find(|block| !(1..=of).contains(*block)) {
            Some(block) => bail!("--blocks names block {block}, the model has blocks 1 to {of}"),
            None => Ok(blocks),
        }
    }
}

impl std::str::FromStr for BlockList {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("{text:?} is no list of blocks, such as 5,6,7,8 or 5-8");
        let number = |text: &str| {
            text.trim()
                .parse::<u8>()
                .map(usize::from)
                .map_err(|_| wrong())
        };
        let mut blocks = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((from, to)) => blocks.extend(number(from)?..=number(to)?),
                None => blocks.push(number(part)?),
            }
        }
        blocks.sort_unstable();
        blocks.dedup();
        if blocks.is_empty() {
            return Err(wrong());
        }
        Ok(Self(blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbers_and_ranges_each_once_in_order() {
        let list = |text: &str| text.parse::<BlockList>().map(|list| list.0);
        assert_eq!(list("5-8"), Ok(vec![5, 6, 7, 8]));
        assert_eq!(list("9, 2,5-6,5"), Ok(vec![2, 5, 6, 9]));
        for text in ["", "5-", "a", "8-5", "-3"] {
            assert!(list(text).is_err(), "{text}");
        }
    }
}
