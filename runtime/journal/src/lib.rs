//! The record of a station: what happened, in order, in files that any tool can read, and in which
//! a line that was edited, removed or moved shows. Beside it the ring of images. It knows no part
//! and no lamp, and never makes the line wait: [`Writer`] takes a record or counts that it did not.
//!
//! # Files in the folder
//! | file | content |
//! |---|---|
//! | `journal-<number>.jsonl` | records from that number on, one JSON object a line |
//! | `anchor.json` | up to which record the oldest files were removed, and that record's hash |
//! | `torn-<number>-<k>.part` | the unfinished line that a crash left where that record was to be |
//! | `lock` | held by the one program that writes |
//!
//! # A record
//! ```json
//! {"number":7,"at":"2026-03-02T06:00:01.25Z","kind":"result","data":{"verdict":"ok"},"before":"<hash of record 6>","sha256":"<hash>"}
//! ```
//! `sha256` is the SHA-256 of the line's bytes before `,"sha256"`, so it covers `before`, and with
//! it every record so far. By hand:
//! ```text
//! sed -n 7p FILE | sed 's/,"sha256":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum
//! ```
//! Record 0 has the kind `journal.genesis`, names the station, and its `before` is 64 zeros. Kinds
//! that begin with `journal.` are the journal's own: `genesis`, `torn` (a crash left an unfinished
//! line), `removed` (old files made room), `lost` (records that never found room).
//!
//! # What it proves
//! [`verify()`] names the first record that was edited, is missing, or was moved. Hashes without a
//! key cannot show that *everything* from some record on was written anew, or that whole records
//! were cut off the end. For that, note a [`Seal`] elsewhere now and then and give it to
//! [`verify_against`].

#![forbid(unsafe_code)]

mod anchor;
mod error;
mod export;
mod files;
mod journal;
mod lane;
mod lines;
mod read;
mod record;
mod recorder;
mod recover;
mod ring;
mod room;
mod settings;
mod verify;
mod writer;

pub use error::JournalError;
pub use export::{ExportError, export_csv};
pub use journal::Journal;
pub use lane::Dropped;
pub use read::{Filter, Reader, read};
pub use record::{Digest, Record, Seal};
pub use recorder::{BACKLOG_BYTES, BACKLOG_RECORDS, Health, Recorder};
pub use recover::{Opened, Torn};
pub use ring::{ImageRing, Limits, Sampling, StoreError};
pub use settings::{Settings, Sync};
pub use verify::{Fault, Report, verify, verify_against};
pub use writer::{ImageWriter, RingHealth, TrySendError, Writer};
