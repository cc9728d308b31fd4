//! Proof that the record is whole: every line's own hash, every link of the chain, and the anchor
//! for what was removed to make room. Names the first thing that is wrong.

use std::path::{Path, PathBuf};

use crate::anchor::Anchor;
use crate::error::{At, JournalError};
use crate::files::{self, JournalFile};
use crate::lines::Lines;
use crate::record::{self, Digest, Record, Seal};

/// What a journal was found to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the station; `None` if neither genesis nor anchor could be read.
    pub station: Option<String>,
    /// Sound records from the first one kept up to the first fault.
    pub records: u64,
    /// The last record that was removed to make room; `None` if none was.
    pub removed: Option<Seal>,
    /// The last record that is proved.
    pub last: Option<Seal>,
    /// The first thing that is wrong; `None` if all is well.
    pub fault: Option<Fault>,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The line's own hash does not hold.
    #[error("{} line {line}: record {number} was edited or damaged: its hash does not hold", path.display())]
    Edited {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Number of the record that should stand there.
        number: u64,
    },
    /// The line holds by itself and does not continue the record before it.
    #[error("{} line {line}: record {number} does not continue the one before: one of the two was written anew", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Number of the record.
        number: u64,
    },
    /// Records are not there at all.
    #[error("{} line {line}: records {first} to {last} are missing before this line", path.display())]
    Missing {
        /// The file in which the next record stands.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// First record that is missing.
        first: u64,
        /// Last record that is missing.
        last: u64,
    },
    /// A record stands where it does not belong.
    #[error("{} line {line}: record {found} stands where record {number} belongs: lines were moved", path.display())]
    Reordered {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Number that belongs there.
        number: u64,
        /// Number that stands there.
        found: u64,
    },
    /// The last line has no end: a crash, or it is being written at this moment.
    #[error("{}: ends in the middle of record {number}: a crash did that; the next start of the station moves it aside and records it", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Number of the record.
        number: u64,
    },
    /// The journal ends before a record that it is known to have had.
    #[error("the journal ends after record {last:?}, it had record {known}: the end was cut off")]
    CutOff {
        /// The last record there is.
        last: Option<u64>,
        /// The record that was there.
        known: u64,
    },
    /// A record is not the one that it is known to have been.
    #[error("record {known} is not the one noted: the journal was written anew")]
    Rewritten {
        /// The record that was noted.
        known: u64,
    },
    /// The anchor has no record that confirms it.
    #[error(
        "records up to {number} are gone and no record confirms their removal: they were removed by hand"
    )]
    Unconfirmed {
        /// The last record that is gone.
        number: u64,
    },
    /// There is no record at all.
    #[error("{}: holds no records", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}

/// Verifies the journal in `folder`. Needs no lock, so it can run beside the writer; a record that
/// is being written at that moment can show as [`Fault::Truncated`].
///
/// # Errors
/// The files cannot be read; what they hold is told by the report.
pub fn verify(folder: &Path) -> Result<Report, JournalError> {
    check(folder, None)
}

/// As [`verify`], and the journal must still hold the record of which `known` was noted.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(folder: &Path, known: &Seal) -> Result<Report, JournalError> {
    check(folder, Some(*known))
}

fn check(folder: &Path, known: Option<Seal>) -> Result<Report, JournalError> {
    let anchor = Anchor::read(folder)?;
    let files = files::list(folder).at(folder)?;
    let mut check = Check::new(&files, anchor, known);
    let fault = check.files(&files)?.or_else(|| check.end(folder));
    Ok(Report {
        station: check.station,
        records: check.records,
        removed: check.removed,
        last: check.last,
        fault,
    })
}

struct Check {
    station: Option<String>,
    records: u64,
    removed: Option<Seal>,
    /// Whether a record confirms `removed`.
    confirmed: bool,
    last: Option<Seal>,
    /// Number that comes next.
    next: u64,
    /// The hash that the next record must carry; `None` where the chain is picked up in the middle.
    before: Option<Digest>,
    known: Option<Seal>,
}

impl Check {
    fn new(files: &[JournalFile], anchor: Option<Anchor>, known: Option<Seal>) -> Self {
        let removed = anchor.as_ref().map(|anchor| anchor.removed);
        let kept_from = removed.map_or(0, |seal| seal.number + 1);
        // A stop in the middle of a removal leaves files that the anchor already stands for.
        let first = files.first().map_or(kept_from, |file| file.first);
        let (next, before) = match removed {
            None => (0, Some(Digest::NOTHING)),
            Some(_) if first < kept_from => (first, None),
            Some(seal) => (kept_from, Some(seal.sha256)),
        };
        Self {
            station: anchor.map(|anchor| anchor.station),
            records: 0,
            removed,
            confirmed: removed.is_none(),
            last: None,
            next,
            before,
            known,
        }
    }

    fn files(&mut self, files: &[JournalFile]) -> Result<Option<Fault>, JournalError> {
        for (place, file) in files.iter().enumerate() {
            let path = &file.path;
            let mut lines = Lines::open(path).at(path)?;
            while let Some(line) = lines.next().at(path)? {
                let number = self.next;
                let Some(record) = line.record.filter(|_| line.complete) else {
                    let path = path.clone();
                    let is_last = place + 1 == files.len() && !line.complete;
                    return Ok(Some(match is_last {
                        true => Fault::Truncated { path, number },
                        false => Fault::Edited {
                            path,
                            line: line.number,
                            number,
                        },
                    }));
                };
                if record.number != number {
                    let rest = files.get(place..).unwrap_or_default();
                    return misplaced(rest, line.number, number, record.number).map(Some);
                }
                if let Some(fault) = self.link(path, line.number, &record) {
                    return Ok(Some(fault));
                }
            }
        }
        Ok(None)
    }

    /// Takes the next record into the chain.
    fn link(&mut self, path: &Path, line: u64, record: &Record) -> Option<Fault> {
        let number = record.number;
        if self.before.is_some_and(|before| before != record.before) {
            let path = path.to_owned();
            return Some(Fault::Replaced { path, line, number });
        }
        let seal = record.seal();
        let is = |other: Option<Seal>| other.filter(|other| other.number == number);
        if is(self.removed).is_some_and(|removed| removed != seal) {
            return Some(Fault::Unconfirmed { number });
        }
        if is(self.known).is_some_and(|known| known != seal) {
            return Some(Fault::Rewritten { known: number });
        }
        if number == 0 {
            let station = record.data.get("station").and_then(|name| name.as_str());
            self.station = station.map(str::to_owned);
        }
        if record.kind == record::REMOVED {
            let up_to = record.data.get("up_to").cloned();
            let up_to = up_to.and_then(|up_to| serde_json::from_value(up_to).ok());
            self.confirmed |= up_to.is_some() && up_to == self.removed;
        }
        self.records += 1;
        self.last = Some(seal);
        self.next = number + 1;
        self.before = Some(record.sha256);
        None
    }

    /// What can only be said at the end.
    fn end(&self, folder: &Path) -> Option<Fault> {
        let last = self.last.map(|seal| seal.number);
        match (self.removed, self.known) {
            (Some(removed), _) if !self.confirmed => Some(Fault::Unconfirmed {
                number: removed.number,
            }),
            (_, Some(known)) if last.is_none_or(|last| last < known.number) => {
                let known = known.number;
                Some(Fault::CutOff { last, known })
            }
            (Some(removed), Some(known)) if removed.number == known.number && removed != known => {
                Some(Fault::Rewritten {
                    known: known.number,
                })
            }
            _ if last.is_none() => Some(Fault::Empty {
                folder: folder.to_owned(),
            }),
            _ => None,
        }
    }
}

/// A record with another number than the next one: was the next one moved, or is it nowhere?
fn misplaced(
    rest: &[JournalFile],
    line: u64,
    number: u64,
    found: u64,
) -> Result<Fault, JournalError> {
    let path = rest
        .first()
        .map(|file| file.path.clone())
        .unwrap_or_default();
    let mut is_elsewhere = found < number;
    for file in rest {
        let mut lines = Lines::open(&file.path).at(&file.path)?;
        while let Some(other) = lines.next().at(&file.path)? {
            is_elsewhere |= other.record.is_some_and(|record| record.number == number);
        }
    }
    Ok(match is_elsewhere {
        true => Fault::Reordered {
            path,
            line,
            number,
            found,
        },
        false => Fault::Missing {
            path,
            line,
            first: number,
            last: found.saturating_sub(1),
        },
    })
}
