//! A journal on a bad day: while the disk is full or read-only, records wait in memory, within a
//! bound, and are written in order once it takes them. What finds no room is counted, and the count
//! is recorded.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::JournalError;
use crate::files;
use crate::journal::{Journal, raw};
use crate::record::{LOST, Seal};
use crate::recover::Opened;
use crate::settings::Settings;

/// Most records that wait in memory.
pub const BACKLOG_RECORDS: usize = 10_000;

/// Most bytes of payload that wait in memory.
pub const BACKLOG_BYTES: usize = 8 << 20;

/// How the record does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Why records are not on the disk; `None` if they are.
    pub fault: Option<String>,
    /// Records that wait in memory.
    pub waiting: usize,
    /// Records that found no room, since start.
    pub lost: u64,
    /// Records that the line could not hand over because the writer was busy, since start.
    pub dropped: u64,
    /// Records written since start.
    pub written: u64,
    /// The last record on the disk.
    pub last: Option<Seal>,
    /// Free bytes on the journal's file system; `None` if it does not say.
    pub free_bytes: Option<u64>,
}

/// A journal that keeps records while it cannot write them.
#[derive(Debug)]
pub struct Recorder {
    folder: PathBuf,
    settings: Settings,
    journal: Option<Journal>,
    backlog: VecDeque<Waiting>,
    backlog_bytes: usize,
    unreported: Option<Lost>,
    health: Health,
}

#[derive(Debug)]
struct Waiting {
    at: Timestamp,
    kind: String,
    payload: Box<RawValue>,
}

/// What the loss of records is recorded with.
#[derive(Debug, Serialize)]
struct Lost {
    records: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Recorder {
    /// A recorder for the journal in `folder`, and what opening it came to. If it could not be
    /// opened, records wait from the start and [`Self::poll`] tries again.
    pub fn start(
        folder: impl AsRef<Path>,
        settings: Settings,
        now: Timestamp,
    ) -> (Self, Result<Opened, JournalError>) {
        let mut recorder = Self {
            folder: folder.as_ref().to_owned(),
            settings,
            journal: None,
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            unreported: None,
            health: Health::default(),
        };
        let opened = recorder.open(now);
        recorder.health.fault = opened.as_ref().err().map(ToString::to_string);
        (recorder, opened)
    }

    /// Records something that happened `at`. `Ok` if it is written.
    ///
    /// # Errors
    /// Why it is not on the disk. It waits, or was counted as lost, unless the record itself is at
    /// fault ([`JournalError::is_lasting`]).
    pub fn record(
        &mut self,
        at: Timestamp,
        kind: &str,
        payload: &impl Serialize,
    ) -> Result<(), JournalError> {
        self.record_raw(at, kind.into(), raw(kind, payload)?)
    }

    pub(crate) fn record_raw(
        &mut self,
        at: Timestamp,
        kind: String,
        payload: Box<RawValue>,
    ) -> Result<(), JournalError> {
        // Room is made before the new record is weighed against the bound.
        if !self.backlog.is_empty() || self.unreported.is_some() {
            let _ = self.write_waiting();
        }
        let bytes = payload.get().len();
        if self.backlog.len() >= BACKLOG_RECORDS || self.backlog_bytes + bytes > BACKLOG_BYTES {
            self.health.lost += 1;
            let lost = self.unreported.get_or_insert(Lost {
                records: 0,
                from: at,
                to: at,
            });
            lost.records += 1;
            lost.to = at;
        } else {
            self.backlog_bytes += bytes;
            self.backlog.push_back(Waiting { at, kind, payload });
        }
        self.write_waiting()
    }

    /// Tries again to write what waits, and to open a journal that could not be opened. To be
    /// called every second or so; costs nothing while all is well.
    ///
    /// # Errors
    /// Why records still wait.
    pub fn poll(&mut self, now: Timestamp) -> Result<(), JournalError> {
        if self.journal.is_none() {
            let opened = self.open(now).map(drop);
            self.note(&opened);
            opened?;
        }
        self.write_waiting()
    }

    /// Writes what waits and brings it to the disk.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn finish(&mut self, now: Timestamp) -> Result<(), JournalError> {
        self.poll(now)?;
        self.journal.as_mut().map_or(Ok(()), Journal::sync)
    }

    /// How the record does.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            waiting: self.backlog.len(),
            last: self.journal.as_ref().map(Journal::seal),
            free_bytes: files::free_bytes(&self.folder).ok(),
            ..self.health.clone()
        }
    }

    fn open(&mut self, now: Timestamp) -> Result<Opened, JournalError> {
        let (journal, opened) = Journal::open(&self.folder, self.settings.clone(), now)?;
        self.journal = Some(journal);
        Ok(opened)
    }

    fn write_waiting(&mut self) -> Result<(), JournalError> {
        let outcome = self.try_write_waiting();
        self.note(&outcome);
        if matches!(outcome, Err(JournalError::Vanished { .. })) {
            // Nothing is left to go on with: the next poll opens the folder as it is then.
            self.journal = None;
        }
        outcome
    }

    fn try_write_waiting(&mut self) -> Result<(), JournalError> {
        let Some(journal) = &mut self.journal else {
            // What opening it came to stands in `health` since then.
            return Err(JournalError::Vanished {
                path: self.folder.clone(),
            });
        };
        let mut outcome = Ok(());
        while let Some(next) = self.backlog.front() {
            match journal.append_raw(next.at, &next.kind, &next.payload) {
                Ok(_) => self.health.written += 1,
                // It would hold up all behind it for ever.
                Err(error) if error.is_lasting() => outcome = Err(error),
                Err(error) => return Err(error),
            }
            self.backlog_bytes -= next.payload.get().len();
            self.backlog.pop_front();
        }
        if let Some(lost) = &self.unreported {
            journal.write_own(lost.to, LOST, lost)?;
            self.unreported = None;
        }
        outcome
    }

    fn note(&mut self, outcome: &Result<(), JournalError>) {
        match outcome {
            Ok(()) => self.health.fault = None,
            Err(_) if self.journal.is_none() && self.health.fault.is_some() => {}
            Err(error) => self.health.fault = Some(error.to_string()),
        }
    }
}
