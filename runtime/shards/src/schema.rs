//! What the columns of a shard are, and the metadata that says so.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use parquet::file::metadata::KeyValue;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;

use crate::ShardError;

/// Layout of the files that this crate writes and reads.
const LAYOUT: &str = "1";

/// The most numbers that one column of one image may hold: 1 GiB.
const MAX_VALUES: usize = 1 << 28;

/// Columns in front of the features: image, row, col.
pub(crate) const KEYS: usize = 3;

/// What of a block is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tap {
    /// Query projection.
    Query,
    /// Key projection.
    Key,
    /// Value projection.
    Value,
    /// The block's output tokens.
    Tokens,
}

impl Tap {
    const ALL: [Self; 4] = [Self::Query, Self::Key, Self::Value, Self::Tokens];

    /// The word for it in column names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Key => "key",
            Self::Value => "value",
            Self::Tokens => "tokens",
        }
    }
}

impl FromStr for Tap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|tap| tap.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is no tap"))
    }
}

/// A column of features: a block, from 1, and what is stored of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Column {
    /// Block number, 1-based.
    pub block: usize,
    /// Which tap.
    pub tap: Tap,
}

impl fmt::Display for Column {
    /// Its name in the file, such as `block5_value`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block{}_{}", self.block, self.tap.as_str())
    }
}

/// What the shards of a data set hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// SHA-256 of the model's file, lower-case hexadecimal.
    pub model: String,
    /// Blocks, 1-based.
    pub blocks: Vec<usize>,
    /// What is stored of each block.
    pub taps: Vec<Tap>,
    /// Patches from top to bottom, and from left to right.
    pub grid: [usize; 2],
    /// Numbers of a row of a tap.
    pub dim: usize,
}

impl Schema {
    /// The columns of features, in the order of the file: by block, then tap.
    pub fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        let of = |block: usize| self.taps.iter().map(move |&tap| Column { block, tap });
        self.blocks.iter().flat_map(move |&block| of(block))
    }

    /// Patches of an image.
    #[must_use]
    pub fn patches(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// Numbers that one column of one image holds.
    pub(crate) fn values(&self) -> usize {
        self.patches() * self.dim
    }

    /// Where a column stands in the file, counted with the three in front.
    pub(crate) fn position(&self, column: Column) -> Result<usize, ShardError> {
        let found = self.columns().position(|c| c == column);
        let found = found.ok_or_else(|| ShardError::NotStored {
            column: column.to_string(),
            stored: self.names().join(", "),
        })?;
        Ok(KEYS + found)
    }

    fn names(&self) -> Vec<String> {
        self.columns().map(|c| c.to_string()).collect()
    }

    /// Refuses what no file can hold.
    pub(crate) fn check(&self) -> Result<(), String> {
        let values = self.grid[0]
            .checked_mul(self.grid[1])
            .and_then(|patches| patches.checked_mul(self.dim));
        if !values.is_some_and(|values| (1..=MAX_VALUES).contains(&values)) {
            return Err(format!(
                "{} x {} patches of {} numbers",
                self.grid[0], self.grid[1], self.dim
            ));
        }
        let mut columns: Vec<Column> = self.columns().collect();
        let count = columns.len();
        columns.sort_unstable();
        columns.dedup();
        if columns.len() < count.max(1) {
            return Err("no block and tap, or one of them twice".into());
        }
        Ok(())
    }

    /// What of another schema differs, in words.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let differs = |what: &str, a: &dyn fmt::Debug, b: &dyn fmt::Debug| {
            Some(format!("{what} {a:?} instead of {b:?}"))
        };
        if self.model != other.model {
            differs("model", &self.model, &other.model)
        } else if self.blocks != other.blocks {
            differs("blocks", &self.blocks, &other.blocks)
        } else if self.taps != other.taps {
            differs("taps", &self.taps, &other.taps)
        } else if self.grid != other.grid {
            differs("grid", &self.grid, &other.grid)
        } else if self.dim != other.dim {
            differs("numbers a patch", &self.dim, &other.dim)
        } else {
            None
        }
    }

    /// The message type of the file.
    pub(crate) fn message(&self) -> Result<Arc<Type>, ShardError> {
        let features: String = self
            .columns()
            .map(|column| {
                format!(
                    "required group {column} (LIST) \
                     {{ repeated group list {{ required float element; }} }}\n"
                )
            })
            .collect();
        let text = format!(
            "message patches {{ required binary image (STRING); required int32 row; \
             required int32 col; {features} }}"
        );
        let parsed = parse_message_type(&text).map_err(|e| ShardError::Schema {
            reason: e.to_string(),
        })?;
        Ok(Arc::new(parsed))
    }

    pub(crate) fn metadata(&self) -> Vec<KeyValue> {
        let numbers: Vec<String> = self.blocks.iter().map(ToString::to_string).collect();
        let taps: Vec<&str> = self.taps.iter().map(|tap| tap.as_str()).collect();
        [
            ("andon.layout", LAYOUT.to_owned()),
            ("andon.model", self.model.clone()),
            ("andon.blocks", numbers.join(",")),
            ("andon.taps", taps.join(",")),
            ("andon.grid", format!("{}x{}", self.grid[0], self.grid[1])),
            ("andon.dim", self.dim.to_string()),
        ]
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
        .into()
    }

    /// The schema that metadata tells of, or what is wrong with it.
    pub(crate) fn parse(metadata: &[KeyValue]) -> Result<Self, String> {
        let layout = entry(metadata, "andon.layout")?;
        if layout != LAYOUT {
            return Err(format!(
                "it is of layout {layout}, this program reads {LAYOUT}"
            ));
        }
        let number = |text: &str| {
            text.parse::<usize>()
                .map_err(|_| format!("{text:?} is no number"))
        };
        let (rows, cols) = entry(metadata, "andon.grid")?
            .split_once('x')
            .ok_or("its grid is odd")?;
        let schema = Self {
            model: entry(metadata, "andon.model")?.to_owned(),
            blocks: entry(metadata, "andon.blocks")?
                .split(',')
                .map(number)
                .collect::<Result<_, _>>()?,
            taps: entry(metadata, "andon.taps")?
                .split(',')
                .map(Tap::from_str)
                .collect::<Result<_, _>>()?,
            grid: [number(rows)?, number(cols)?],
            dim: number(entry(metadata, "andon.dim")?)?,
        };
        schema.check()?;
        Ok(schema)
    }
}

/// The value of a metadata entry.
pub(crate) fn entry<'a>(metadata: &'a [KeyValue], key: &str) -> Result<&'a str, String> {
    let found = metadata.iter().find(|entry| entry.key == key);
    let value = found.and_then(|entry| entry.value.as_deref());
    value.ok_or_else(|| format!("it has no metadata entry {key:?}"))
}
