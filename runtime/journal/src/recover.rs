//! Going on after a stop of any kind: where the chain ends, and what becomes of a line that was
//! being written. Nothing but that last, unfinished stretch is ever cut off.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::anchor::Anchor;
use crate::error::{At, JournalError};
use crate::files::{self, JournalFile};
use crate::journal::{Journal, Measured};
use crate::lines::{Scan, scan};
use crate::record::{self, Digest, Record, Seal};
use crate::settings::Settings;

/// How many of the newest files are searched for the last record of a kind, so that a start does not
/// read through years of records for a kind that never came.
const RECALL_FILES: usize = 4;

/// What was there when a journal was opened.
#[derive(Debug)]
pub struct Opened {
    /// How many records the files hold, those that opening wrote included.
    pub records: u64,
    /// The unfinished line that was moved aside; `None` after an orderly stop.
    pub torn: Option<Torn>,
    /// For each kind of [`Settings::recall`], the last record of that kind, if the newest four files
    /// hold one.
    pub last: BTreeMap<String, Record>,
    /// File and line of a record in the newest file that is not sound although sound ones follow,
    /// which no crash does; [`crate::verify()`] looks at all files.
    pub damaged: Option<(PathBuf, u64)>,
}

/// An unfinished line, as a crash leaves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Torn {
    /// Number that the record would have had.
    pub number: u64,
    /// Bytes that were moved aside; 0 if an earlier start moved them and was stopped before it
    /// could record that.
    pub bytes: u64,
    /// File in the journal's folder that holds them.
    pub file: String,
}

/// What the folder holds, before anything is written.
pub(crate) struct Found {
    pub files: VecDeque<Measured>,
    pub next: u64,
    pub before: Digest,
    pub anchor: Option<Anchor>,
    newest: Option<(PathBuf, Scan)>,
    last: BTreeMap<String, Record>,
}

/// Reads the folder; of the old files only what is needed to go on.
pub(crate) fn look(folder: &Path, settings: &Settings) -> Result<Found, JournalError> {
    let anchor = Anchor::read(folder)?;
    let mut list: VecDeque<_> = files::list(folder).at(folder)?.into();
    if let Some(anchor) = &anchor {
        finish_removal(&mut list, anchor)?;
    }
    let mut newest = None;
    let mut end = None;
    let mut last = BTreeMap::new();
    for (back, file) in list.iter().rev().enumerate() {
        let is_wanted = |kind: &String| !last.contains_key(kind);
        let wanted: Vec<_> = settings.recall.iter().filter(|k| is_wanted(k)).collect();
        if end.is_some() && (wanted.is_empty() || back >= RECALL_FILES) {
            break;
        }
        let mut here = BTreeMap::new();
        let scan = scan(&file.path, |record| {
            if wanted.contains(&&record.kind) {
                here.insert(record.kind.clone(), record);
            }
        })
        .at(&file.path)?;
        last.extend(here);
        end = end.or(scan.last);
        newest.get_or_insert((file.path.clone(), scan));
    }
    // Where not one record is sound, the chain can still begin at the genesis or at the anchor.
    let start = anchor.as_ref().map(|anchor| anchor.removed);
    let begins = start.map_or(0, |seal| seal.number + 1);
    if let (None, Some(file)) = (end, list.front())
        && (list.len() > 1 || file.first != begins)
    {
        let path = file.path.clone();
        return Err(JournalError::Unreadable { path });
    }
    let end: Option<Seal> = end.or(start);
    let files = measure(&list, newest.as_ref().map(|(_, scan)| scan))?;
    Ok(Found {
        files,
        next: end.map_or(0, |seal| seal.number + 1),
        before: end.map_or(Digest::NOTHING, |seal| seal.sha256),
        anchor,
        newest,
        last,
    })
}

/// Removes the files that an earlier run had recorded as removed when it was stopped.
fn finish_removal(list: &mut VecDeque<JournalFile>, anchor: &Anchor) -> Result<(), JournalError> {
    while let Some(second) = list.get(1)
        && second.first <= anchor.removed.number + 1
        && let Some(gone) = list.pop_front()
    {
        fs::remove_file(&gone.path).at(&gone.path)?;
    }
    Ok(())
}

fn measure(
    list: &VecDeque<JournalFile>,
    newest: Option<&Scan>,
) -> Result<VecDeque<Measured>, JournalError> {
    let mut measured = VecDeque::new();
    for file in list {
        let bytes = fs::metadata(&file.path).at(&file.path)?.len();
        measured.push_back(Measured {
            file: file.clone(),
            bytes,
        });
    }
    if let (Some(last), Some(scan)) = (measured.back_mut(), newest) {
        last.bytes = scan.sound_bytes;
    }
    Ok(measured)
}

/// What the genesis record says.
#[derive(Serialize)]
struct Genesis<'a> {
    station: &'a str,
    format: u32,
}

/// Moves a torn line aside and writes what has to be said before the first new record.
pub(crate) fn go_on(
    journal: &mut Journal,
    found: Found,
    now: Timestamp,
) -> Result<Opened, JournalError> {
    let torn = move_aside(journal.folder(), &found)?;
    if found.files.is_empty() {
        journal.begin_file()?;
    }
    if found.next == 0 {
        let station = journal.station().to_owned();
        let genesis = Genesis {
            station: &station,
            format: 1,
        };
        journal.write_own(now, record::GENESIS, &genesis)?;
    }
    if let Some(torn) = &torn {
        journal.write_own(now, record::TORN, torn)?;
    }
    Ok(Opened {
        records: journal.records(),
        torn,
        last: found.last,
        damaged: found
            .newest
            .and_then(|(path, scan)| Some((path, scan.damaged_line?))),
    })
}

/// Copies the torn bytes into a file of their own, then cuts them off. A stop between the two makes
/// a second copy at the next start, and a stop before it is recorded is noticed by the file's name.
fn move_aside(folder: &Path, found: &Found) -> Result<Option<Torn>, JournalError> {
    let torn = |bytes, name| Torn {
        number: found.next,
        bytes,
        file: name,
    };
    let name = |copy: u32| format!("torn-{:012}-{copy}.part", found.next);
    let Some((path, scan)) = found
        .newest
        .as_ref()
        .filter(|(_, scan)| scan.torn_bytes > 0)
    else {
        let earlier = name(0);
        let is_there = folder.join(&earlier).exists();
        return Ok(is_there.then(|| torn(0, earlier)));
    };
    for copy in 0.. {
        let part = folder.join(name(copy));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(to) => {
                if let Err(error) = cut(path, scan, to) {
                    let _ = fs::remove_file(&part);
                    return Err(JournalError::io(path, error));
                }
                files::sync_folder(folder).at(folder)?;
                return Ok(Some(torn(scan.torn_bytes, name(copy))));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(JournalError::io(&part, error)),
        }
    }
    Ok(None)
}

fn cut(path: &Path, scan: &Scan, mut to: File) -> io::Result<()> {
    let mut from = OpenOptions::new().read(true).write(true).open(path)?;
    from.seek(SeekFrom::Start(scan.sound_bytes))?;
    io::copy(&mut (&from).take(scan.torn_bytes), &mut to)?;
    to.sync_all()?;
    from.set_len(scan.sound_bytes)?;
    from.sync_all()
}
