//! The writer's side: one record after the other to the end of the newest file. A record that
//! could not be written leaves no trace, and the files are as they were before it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::anchor::Anchor;
use crate::error::{At, JournalError};
use crate::files::{self, JournalFile};
use crate::record::{self, Digest, MAX_LINE, Seal};
use crate::recover::{self, Opened};
use crate::settings::Settings;

/// How long a lock may be held by somebody else before that counts as another program.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);

/// A journal open for writing; holds the folder's lock as long as it lives.
#[derive(Debug)]
pub struct Journal {
    pub(crate) folder: PathBuf,
    pub(crate) settings: Settings,
    _lock: File,
    /// Never empty; the last one is being written.
    pub(crate) files: VecDeque<Measured>,
    /// `None` after a failure, until the file could be brought back to its sound length.
    open: Option<File>,
    next: u64,
    pub(crate) before: Digest,
    pub(crate) anchor: Option<Anchor>,
    /// The removal that is recorded and may not be done yet.
    pub(crate) removal: Option<Seal>,
    /// Whether something was written that has not been brought to the disk.
    unsynced: bool,
}

/// A file and how many bytes of sound records it holds.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub file: JournalFile,
    pub bytes: u64,
}

impl Journal {
    /// Opens the journal in `folder`, which is made if need be, and goes on after its last sound
    /// record. A line that a crash left unfinished is moved aside, with a record that says so.
    /// `now` is the time of the records that this writes.
    ///
    /// # Errors
    /// [`JournalError::Locked`] while another program writes it, [`JournalError::Full`] or
    /// [`JournalError::ReadOnly`] if it cannot be written, [`JournalError::Unreadable`] if there are
    /// files but no sound record, [`JournalError::Io`] for the rest.
    pub fn open(
        folder: impl Into<PathBuf>,
        settings: Settings,
        now: Timestamp,
    ) -> Result<(Self, Opened), JournalError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).at(&folder)?;
        let lock = lock(&folder)?;
        let found = recover::look(&folder, &settings)?;
        let mut journal = Self {
            next: found.next,
            before: found.before,
            anchor: found.anchor.clone(),
            files: found.files.clone(),
            settings,
            _lock: lock,
            open: None,
            removal: None,
            unsynced: false,
            folder,
        };
        let opened = recover::go_on(&mut journal, found, now)?;
        Ok((journal, opened))
    }

    /// Appends a record that happened `at`. `kind` decides what is in `payload`, which is anything
    /// that serde can write as JSON.
    ///
    /// # Errors
    /// The record is not in the journal: [`JournalError::Full`], [`JournalError::ReadOnly`],
    /// [`JournalError::Vanished`], [`JournalError::Io`], or it never can be
    /// ([`JournalError::is_lasting`]).
    pub fn append(
        &mut self,
        at: Timestamp,
        kind: &str,
        payload: &impl Serialize,
    ) -> Result<Seal, JournalError> {
        self.append_raw(at, kind, &raw(kind, payload)?)
    }

    /// As [`Self::append`] with the payload as JSON text.
    pub(crate) fn append_raw(
        &mut self,
        at: Timestamp,
        kind: &str,
        payload: &RawValue,
    ) -> Result<Seal, JournalError> {
        // Room is a wish, the record is the duty: it is tried whether or not files could be
        // removed, and the next record tries to make room again.
        let _ = self.make_room(at);
        self.write(at, kind, payload)
    }

    /// Number and hash of the last record.
    #[must_use]
    pub const fn seal(&self) -> Seal {
        // The genesis is written before anyone has a journal, so `next` is at least 1.
        Seal {
            number: self.next.saturating_sub(1),
            sha256: self.before,
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Brings everything that was written to the disk.
    ///
    /// # Errors
    /// The disk did not take it.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        let Some(file) = self.open.as_ref().filter(|_| self.unsynced) else {
            return Ok(());
        };
        let path = self.path();
        file.sync_data().at(&path)?;
        self.unsynced = false;
        Ok(())
    }

    pub(crate) fn write_own(
        &mut self,
        at: Timestamp,
        kind: &str,
        payload: &impl Serialize,
    ) -> Result<Seal, JournalError> {
        self.write(at, kind, &to_raw(kind, payload)?)
    }

    fn write(
        &mut self,
        at: Timestamp,
        kind: &str,
        payload: &RawValue,
    ) -> Result<Seal, JournalError> {
        let (line, sha256) = record::encode(self.next, at, kind, payload, self.before)
            .map_err(|source| payload_error(kind, source))?;
        if line.len() > MAX_LINE {
            return Err(JournalError::TooLong {
                kind: kind.into(),
                bytes: line.len(),
            });
        }
        let bytes = line.len() as u64;
        self.reopen()?;
        if self.length() > 0 && self.length() + bytes > self.settings.file_bytes {
            self.begin_file()?;
        }
        let synced = self.settings.sync.wants(kind) || kind.starts_with(record::RESERVED);
        if let Some(file) = &mut self.open {
            let written = file.write_all(&line).and_then(|()| match synced {
                true => file.sync_data(),
                false => Ok(()),
            });
            if let Err(error) = written {
                self.take_back();
                return Err(JournalError::io(&self.path(), error));
            }
        }
        self.unsynced = !synced;
        if let Some(last) = self.files.back_mut() {
            last.bytes += bytes;
        }
        self.before = sha256;
        self.next += 1;
        Ok(self.seal())
    }

    /// Cuts off what a failed write may have left. If even that fails, the next record does it.
    fn take_back(&mut self) {
        let length = self.length();
        // After a failed sync the kernel may have dropped pages of this file: it is opened anew.
        if let Some(file) = self.open.take() {
            let _ = file.set_len(length);
        }
    }

    /// Makes sure that the newest file is open, ends where the last sound record ends, and is still
    /// in the folder.
    fn reopen(&mut self) -> Result<(), JournalError> {
        let path = self.path();
        if self.open.is_none() {
            let file = OpenOptions::new()
                .append(true)
                .create(self.length() == 0)
                .open(&path);
            let file = match file {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(JournalError::Vanished { path });
                }
                outcome => outcome.at(&path)?,
            };
            file.set_len(self.length().min(file.metadata().at(&path)?.len()))
                .at(&path)?;
            self.open = Some(file);
        }
        if let Some(file) = &self.open {
            let metadata = file.metadata().at(&path)?;
            if metadata.nlink() == 0 || metadata.len() != self.length() {
                self.open = None;
                return Err(JournalError::Vanished { path });
            }
        }
        Ok(())
    }

    pub(crate) fn station(&self) -> &str {
        &self.settings.station
    }

    pub(crate) fn begin_file(&mut self) -> Result<(), JournalError> {
        // Only the newest file may ever end in the middle of a record.
        self.sync()?;
        let file = JournalFile::new(&self.folder, self.next);
        let open = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&file.path)
            .at(&file.path)?;
        files::sync_folder(&self.folder).at(&self.folder)?;
        self.open = Some(open);
        self.files.push_back(Measured { file, bytes: 0 });
        Ok(())
    }

    /// How many records the files hold.
    pub(crate) fn records(&self) -> u64 {
        let removed = self
            .anchor
            .as_ref()
            .map_or(0, |anchor| anchor.removed.number + 1);
        self.next.saturating_sub(removed)
    }

    fn length(&self) -> u64 {
        self.files.back().map_or(0, |file| file.bytes)
    }

    fn path(&self) -> PathBuf {
        self.files
            .back()
            .map_or_else(|| self.folder.clone(), |file| file.file.path.clone())
    }
}

/// A payload as JSON text, for [`Journal::append_raw`].
///
/// # Errors
/// The kind is the journal's own, or the payload cannot be written as JSON.
pub(crate) fn raw(kind: &str, payload: &impl Serialize) -> Result<Box<RawValue>, JournalError> {
    if kind.starts_with(record::RESERVED) {
        return Err(JournalError::ReservedKind { kind: kind.into() });
    }
    to_raw(kind, payload)
}

fn to_raw(kind: &str, payload: &impl Serialize) -> Result<Box<RawValue>, JournalError> {
    to_raw_value(payload).map_err(|source| payload_error(kind, source))
}

fn payload_error(kind: &str, source: serde_json::Error) -> JournalError {
    JournalError::Payload {
        kind: kind.into(),
        source,
    }
}

fn lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .at(&path)?;
    // A program that starts another one holds the lock twice for the moment between fork and exec,
    // so one refusal proves nothing.
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(JournalError::Locked {
                    folder: folder.to_owned(),
                });
            }
            Err(fs::TryLockError::Error(error)) => return Err(JournalError::io(&path, error)),
        }
    }
}
