use std::io;
use std::path::PathBuf;

/// Why shards could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// The disk refuses.
    #[error("shard {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file was made by something else.
    #[error("{} is no shard of features: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is missing or different.
        reason: String,
    },
    /// The file was a shard once.
    #[error("shard {} is damaged: {reason}; write the features again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// Features of different models, blocks, taps or grids cannot be looked at together.
    #[error(
        "shard {} holds other features than {}: {what}; keep data sets in folders of their own",
        path.display(), first.display()
    )]
    Mixed {
        /// The file that differs.
        path: PathBuf,
        /// The file it was compared with.
        first: PathBuf,
        /// What differs.
        what: String,
    },
    /// A folder without shards.
    #[error("folder {} holds no shards: looked for files ending in .parquet", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// A schema that no file can have.
    #[error("no such features: {reason}")]
    Schema {
        /// What is wrong with it.
        reason: String,
    },
    /// A column that the schema does not name.
    #[error("column {column} is not stored: these are {stored}")]
    NotStored {
        /// The column asked for.
        column: String,
        /// What there is.
        stored: String,
    },
    /// Features of another size than the schema says.
    #[error("column {column} of image {image}: expected {expected} numbers, found {found}")]
    Length {
        /// The image.
        image: String,
        /// The column.
        column: String,
        /// Patches times numbers a patch.
        expected: usize,
        /// What was given.
        found: usize,
    },
}
