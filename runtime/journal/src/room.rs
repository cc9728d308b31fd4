//! Room for new records: which old files go, and the trail that their removal leaves.

use std::fs;

use jiff::Timestamp;
use serde::Serialize;

use crate::anchor::Anchor;
use crate::error::{At, JournalError};
use crate::files;
use crate::journal::{Journal, Measured};
use crate::lines::Lines;
use crate::record::{self, Digest, Seal};

/// What the removal of old files is recorded with.
#[derive(Serialize)]
struct Removed {
    files: usize,
    records: u64,
    up_to: Seal,
}

impl Journal {
    /// Removes the oldest files while there are too many bytes or too few are free. The record that
    /// says so comes first and the anchor second, so that no crash leaves an unexplained gap.
    pub(crate) fn make_room(&mut self, at: Timestamp) -> Result<(), JournalError> {
        let mut total: u64 = self.files.iter().map(|file| file.bytes).sum();
        let mut free = files::free_bytes(&self.folder).at(&self.folder)?;
        let mut count = 0;
        for file in self.files.iter().take(self.files.len().saturating_sub(1)) {
            if total <= self.settings.max_bytes && free >= self.settings.min_free_bytes {
                break;
            }
            total = total.saturating_sub(file.bytes);
            free = free.saturating_add(file.bytes);
            count += 1;
        }
        let Some(kept) = self.files.get(count).filter(|_| count > 0) else {
            return Ok(());
        };
        let up_to = Seal {
            number: kept.file.first.saturating_sub(1),
            sha256: self.hash_before(kept)?,
        };
        let first = self.files.front().map_or(0, |file| file.file.first);
        let removed = Removed {
            files: count,
            records: kept.file.first.saturating_sub(first),
            up_to,
        };
        // A removal that failed half-way is taken up again without a second record.
        if self.removal != Some(up_to) {
            self.write_own(at, record::REMOVED, &removed)?;
            self.removal = Some(up_to);
        }
        let anchor = Anchor {
            station: self.settings.station.clone(),
            removed: up_to,
        };
        anchor.write(&self.folder)?;
        self.anchor = Some(anchor);
        for _ in 0..count {
            if let Some(gone) = self.files.pop_front() {
                fs::remove_file(&gone.file.path).at(&gone.file.path)?;
            }
        }
        Ok(())
    }

    /// Hash of the last record before a file.
    fn hash_before(&self, file: &Measured) -> Result<Digest, JournalError> {
        // A start that was stopped in the right moment leaves a newest file without any record.
        if file.bytes == 0 {
            return Ok(self.before);
        }
        let path = &file.file.path;
        let first = Lines::open(path).and_then(|mut lines| lines.next());
        let first = first.at(path)?.and_then(|line| line.record);
        // A damaged file must be able to go as well; what is lacking then shows in a verification.
        Ok(first.map_or(Digest::NOTHING, |record| record.before))
    }
}
