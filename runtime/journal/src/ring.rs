//! Images of parts, as many as there is room for: the oldest make way for the newest. It stores
//! bytes under a name and knows nothing of what is in them.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::files;

/// Longest name of an image in bytes.
const MAX_NAME: usize = 128;
const TEMPORARY: &str = ".incoming";

/// Which images of good parts are kept; those of bad ones and of errors always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Keep the first of every so many good parts; `None` keeps none.
    pub every_nth_ok: Option<NonZeroU32>,
}

impl Sampling {
    /// Whether the image of a part is kept. `good_before` is how many good parts came before it.
    #[must_use]
    pub fn keeps(&self, is_good: bool, good_before: u64) -> bool {
        !is_good
            || self
                .every_nth_ok
                .is_some_and(|n| good_before.is_multiple_of(n.get().into()))
    }
}

/// How much room images may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of all images together.
    pub max_bytes: u64,
    /// Fewest bytes to leave free on the file system.
    pub min_free_bytes: u64,
}

/// Why an image was not stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room even after every older image was removed.
    #[error(
        "image {name}: no room for {bytes} bytes with {free} free, {keep} of which stay free: make room on the disk"
    )]
    NoRoom {
        /// The image.
        name: String,
        /// Its size.
        bytes: u64,
        /// Free bytes on the file system.
        free: u64,
        /// Bytes to leave free.
        keep: u64,
    },
    /// Larger than all images together may be.
    #[error("image {name}: {bytes} bytes, all images together may have {limit}: raise the limit")]
    TooLarge {
        /// The image.
        name: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The folder or file system may not be written.
    #[error("{}: may not be written: remount it writable or give this user the right", path.display())]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
    },
    /// Not a plain file name.
    #[error("image name {name:?}: use at most 128 of A-Z a-z 0-9 . _ - and no dot in front")]
    Name {
        /// The name.
        name: String,
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

/// A folder of images within [`Limits`].
#[derive(Debug)]
pub struct ImageRing {
    folder: PathBuf,
    limits: Limits,
    /// Oldest first.
    images: VecDeque<(String, u64)>,
    bytes: u64,
}

impl ImageRing {
    /// Opens the ring in `folder`, which is made if need be and must hold nothing else. Images from
    /// before count, in the order of their time of change.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: impl Into<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let folder = folder.into();
        let failed = |error| sort(&folder, error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = entry.metadata().map_err(failed)?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if metadata.is_file() && is_name(&name) {
                let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push((changed, name, metadata.len()));
            }
        }
        found.sort();
        let images: VecDeque<_> = found
            .into_iter()
            .map(|(_, name, bytes)| (name, bytes))
            .collect();
        let bytes = images.iter().map(|(_, bytes)| bytes).sum();
        Ok(Self {
            folder,
            limits,
            images,
            bytes,
        })
    }

    /// Stores an image whole or not at all, under a plain file name; the oldest images make room.
    /// An image of the same name is replaced.
    ///
    /// # Errors
    /// [`StoreError`]; no image but the oldest ones is touched.
    pub fn store(&mut self, name: &str, image: &[u8]) -> Result<PathBuf, StoreError> {
        if !is_name(name) {
            return Err(StoreError::Name { name: name.into() });
        }
        let bytes = image.len() as u64;
        if bytes > self.limits.max_bytes {
            return Err(StoreError::TooLarge {
                name: name.into(),
                bytes,
                limit: self.limits.max_bytes,
            });
        }
        self.make_room(bytes)?;
        let free = self.free()?;
        if free < self.limits.min_free_bytes.saturating_add(bytes) {
            return Err(self.no_room(name, bytes, free));
        }
        let path = self.folder.join(name);
        match files::write_whole(&self.folder.join(TEMPORARY), &path, image) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                Err(self.no_room(name, bytes, free))
            }
            Err(error) => Err(sort(&path, error)),
            Ok(()) => {
                self.forget(|other| other == name);
                self.images.push_back((name.into(), bytes));
                self.bytes += bytes;
                Ok(path)
            }
        }
    }

    /// Removes the oldest images until `bytes` more fit, or none is left.
    ///
    /// # Errors
    /// An image cannot be removed.
    pub fn make_room(&mut self, bytes: u64) -> Result<(), StoreError> {
        while self.bytes.saturating_add(bytes) > self.limits.max_bytes
            || self.free()? < self.limits.min_free_bytes.saturating_add(bytes)
        {
            let Some((name, _)) = self.images.front().cloned() else {
                break;
            };
            let path = self.folder.join(&name);
            match fs::remove_file(&path) {
                // Somebody tidied up by hand.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome.map_err(|error| sort(&path, error))?,
            }
            self.forget(|other| other == name);
        }
        Ok(())
    }

    /// Images kept now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether no image is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Bytes of all images kept.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Names of the images kept, oldest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.images.iter().map(|(name, _)| name.as_str())
    }

    fn free(&self) -> Result<u64, StoreError> {
        files::free_bytes(&self.folder).map_err(|error| sort(&self.folder, error))
    }

    fn forget(&mut self, is_gone: impl Fn(&str) -> bool) {
        self.images.retain(|(name, _)| !is_gone(name));
        self.bytes = self.images.iter().map(|(_, bytes)| bytes).sum();
    }

    fn no_room(&self, name: &str, bytes: u64, free: u64) -> StoreError {
        StoreError::NoRoom {
            name: name.into(),
            bytes,
            free,
            keep: self.limits.min_free_bytes,
        }
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

fn sort(path: &Path, source: io::Error) -> StoreError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly { path }
        }
        _ => StoreError::Io { path, source },
    }
}
