//! What can go wrong with the record, by what has to be done about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a record is not on the disk, or a journal cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No room, or the quota is used up.
    #[error("{}: the disk is full: make room, records wait in memory meanwhile", path.display())]
    Full {
        /// What was written.
        path: PathBuf,
    },
    /// The file system or the folder may not be written.
    #[error("{}: may not be written: remount it writable or give this user the right", path.display())]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
    },
    /// Another program holds the lock.
    #[error("{}: another program writes this journal: stop it or choose another folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The file that is being written is gone or shorter than what was written.
    #[error("{}: was removed or cut by another program: the journal must be opened again", path.display())]
    Vanished {
        /// The file.
        path: PathBuf,
    },
    /// No record can be read, so there is nothing to chain on.
    #[error("{}: holds no readable record to go on from: move the folder away and keep it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
    },
    /// A line that is no sound record.
    #[error("{} line {line}: no sound record: `andon journal verify` tells more", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The caller used a kind that the journal keeps for itself.
    #[error(
        "kind {kind:?}: kinds that begin with \"journal.\" are the journal's own: choose another"
    )]
    ReservedKind {
        /// The kind.
        kind: String,
    },
    /// The payload cannot be written as one line of JSON.
    #[error("a record of kind {kind:?} cannot be written as JSON: {source}")]
    Payload {
        /// The kind.
        kind: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The payload is too long.
    #[error("a record of kind {kind:?} takes {bytes} bytes, the most is 1 MiB: store it as a file")]
    TooLong {
        /// The kind.
        kind: String,
        /// Length of the line.
        bytes: usize,
    },
    /// Anything else that the system reports.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was read or written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl JournalError {
    /// Sorts what the system says by what has to be done.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Full { path },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { path }
            }
            _ => Self::Io { path, source },
        }
    }

    /// Whether trying the same record again later can help.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::ReservedKind { .. } | Self::Payload { .. } | Self::TooLong { .. }
        )
    }
}

/// Names the file in what the system says.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T, JournalError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, JournalError> {
        self.map_err(|source| JournalError::io(path, source))
    }
}
