//! The files of a journal's folder: their names and order, room on the disk, and the ways of
//! writing that survive a loss of power.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const PREFIX: &str = "journal-";
const SUFFIX: &str = ".jsonl";

/// One file of records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct JournalFile {
    /// Number of its first record, as its name says.
    pub first: u64,
    pub path: PathBuf,
}

impl JournalFile {
    pub fn new(folder: &Path, first: u64) -> Self {
        Self {
            first,
            path: folder.join(format!("{PREFIX}{first:012}{SUFFIX}")),
        }
    }
}

/// The files of records in their order.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<JournalFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let first = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX))
            .and_then(|number| number.parse().ok());
        if let Some(first) = first {
            files.push(JournalFile { first, path });
        }
    }
    files.sort();
    Ok(files)
}

/// Bytes that this user can still write on the file system that holds `path`.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Brings the names in a folder to the disk. Some file systems cannot; the names then come with
/// their own journal.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}

/// Writes a file as a whole or not at all: beside it under `temporary`, to the disk, then renamed.
pub(crate) fn write_whole(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let outcome = (|| {
        let mut file = File::create(temporary)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(temporary, path)
    })();
    if outcome.is_err() {
        // It may not exist; what matters is what went wrong before.
        let _ = fs::remove_file(temporary);
    }
    outcome
}
