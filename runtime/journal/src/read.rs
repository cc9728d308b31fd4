//! Reading back, in order and with little memory. It believes each line by its own hash; whether
//! the chain holds is for [`crate::verify()`].

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{At, JournalError};
use crate::files::{self, JournalFile};
use crate::lines::Lines;
use crate::record::Record;

/// Which records are wanted; the default wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Not at or after this time.
    pub to: Option<Timestamp>,
    /// Only these kinds; empty for every kind.
    pub kinds: Vec<String>,
}

impl Filter {
    /// Whether a record is wanted.
    #[must_use]
    pub fn wants(&self, record: &Record) -> bool {
        self.from.is_none_or(|from| record.at >= from)
            && self.to.is_none_or(|to| record.at < to)
            && (self.kinds.is_empty() || self.kinds.contains(&record.kind))
    }
}

/// The records of a journal, oldest first. A line that is no sound record comes as an error, and
/// the records after it follow.
pub struct Reader {
    files: VecDeque<JournalFile>,
    current: Option<(PathBuf, Lines)>,
    filter: Filter,
}

/// Reads the records in `folder` that `filter` wants. Needs no lock, so it can run beside the
/// writer.
///
/// # Errors
/// The folder cannot be read.
pub fn read(folder: &Path, filter: Filter) -> Result<Reader, JournalError> {
    Ok(Reader {
        files: files::list(folder).at(folder)?.into(),
        current: None,
        filter,
    })
}

impl Reader {
    /// The next line of the next file that has one.
    fn step(&mut self) -> Result<Option<(PathBuf, crate::lines::Line)>, JournalError> {
        loop {
            if let Some((path, lines)) = &mut self.current {
                match lines.next().at(path) {
                    Ok(Some(line)) => return Ok(Some((path.clone(), line))),
                    Ok(None) => self.current = None,
                    Err(error) => {
                        self.current = None;
                        return Err(error);
                    }
                }
            }
            let Some(file) = self.files.pop_front() else {
                return Ok(None);
            };
            let lines = Lines::open(&file.path).at(&file.path)?;
            self.current = Some((file.path, lines));
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.step() {
                Err(error) => return Some(Err(error)),
                Ok(None) => return None,
                Ok(Some((path, line))) => match line.record.filter(|_| line.complete) {
                    Some(record) if self.filter.wants(&record) => return Some(Ok(record)),
                    Some(_) => {}
                    None => {
                        return Some(Err(JournalError::Damaged {
                            path,
                            line: line.number,
                        }));
                    }
                },
            }
        }
    }
}
