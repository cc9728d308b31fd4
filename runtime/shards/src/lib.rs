//! Features of patches on disk, so that more images can be looked at together than fit in memory,
//! on this machine or on many.
//!
//! A *shard* is one Parquet file that any engine reads. One row is one patch:
//!
//! | column | type | holds |
//! |---|---|---|
//! | `image` | string | name of the image, unique in the data set |
//! | `row`, `col` | int32 | place of the patch on the grid, from the top left, from 0 |
//! | `block5_value`, ... | list of float | one row of a tap, `dim` numbers; a column for each block and tap |
//!
//! One row group is one image, its patches row by row, so that a reader holds no more than one
//! image, and skips images as a whole. Key-value metadata: `andon.layout`, `andon.model` (SHA-256),
//! `andon.blocks`, `andon.taps`, `andon.grid` (rows x columns), `andon.dim`, and `andon.crc32`, a
//! checksum for each row group and column of features, which [`Shard`] verifies as it reads.
//!
//! Values are stored as the network gave them, uncompressed: 4 bytes a number.
//!
//! The crate knows no network and no mathematics. It writes a shard under another name and renames
//! it when it is whole; a damaged or foreign file is an error that says what is wrong.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod error;
mod reader;
mod schema;
mod writer;

pub use error::ShardError;
pub use reader::{Image, Shard, open_folder};
pub use schema::{Column, Schema, Tap};
pub use writer::{ShardWriter, ShardsWriter};
