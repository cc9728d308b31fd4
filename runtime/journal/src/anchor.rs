//! The anchor: up to which record the oldest files were removed to make room. It stands for them
//! when the chain is verified, and must be confirmed by a record in the files that remain.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{At, JournalError};
use crate::files;
use crate::record::Seal;

const NAME: &str = "anchor.json";

/// The last record that was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    /// The station, since the genesis record is gone.
    pub station: String,
    /// The last record that was removed, with all before it.
    pub removed: Seal,
}

impl Anchor {
    /// The anchor of a folder; `None` while nothing was removed.
    pub fn read(folder: &Path) -> Result<Option<Self>, JournalError> {
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            outcome => outcome.at(&path)?,
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| JournalError::Damaged { path, line: 1 })
    }

    pub fn write(&self, folder: &Path) -> Result<(), JournalError> {
        let path = folder.join(NAME);
        let mut bytes = serde_json::to_vec(self)
            .map_err(io::Error::other)
            .at(&path)?;
        bytes.push(b'\n');
        files::write_whole(&folder.join("anchor.json.new"), &path, &bytes)
            .and_then(|()| files::sync_folder(folder))
            .at(&path)
    }
}
