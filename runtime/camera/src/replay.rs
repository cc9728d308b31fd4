//! A folder of pictures as a source, for pilots and tests.

use std::path::{Path, PathBuf};
use std::time::Duration;

use image::RgbImage;

use crate::clock;
use crate::error::{Corruption, FrameError};
use crate::frame::Frame;
use crate::natural;
use crate::pace::Pace;
use crate::source::FrameSource;

/// How a replay goes through its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplaySettings {
    /// Time from frame to frame; `None` gives the next one whenever it is asked for.
    pub interval: Option<Duration>,
    /// Whether it begins again behind the last file. Otherwise it ends.
    pub endless: bool,
}

/// Reads a picture. It is given by the caller so that a replayed picture has exactly the pixels
/// that an inspection of the file itself has; the `Err` says why, without the file's name.
pub type ReadPicture = dyn Fn(&Path) -> Result<RgbImage, String> + Send;

/// The pictures of a folder in natural order of their names (`part-2` before `part-10`), as
/// RGB frames that carry the name of their file.
///
/// A file that cannot be read is a [`FrameError::Corrupt`] that names it; the next one follows.
pub struct Replay {
    folder: PathBuf,
    files: Vec<PathBuf>,
    read: Box<ReadPicture>,
    settings: ReplaySettings,
    /// Files given so far, through all rounds.
    given: u64,
    pace: Pace,
}

impl Replay {
    /// The files of `folder` (not of folders inside) whose extension is one of `extensions`
    /// (lower case, without the dot), read by `read`. Hidden files are left out.
    ///
    /// # Errors
    /// [`FrameError::Refused`] when the folder cannot be listed or holds no such file.
    pub fn open(
        folder: &Path,
        extensions: &[&str],
        settings: ReplaySettings,
        read: Box<ReadPicture>,
    ) -> Result<Self, FrameError> {
        let refused = |reason: String| FrameError::Refused {
            name: name_of(folder),
            reason,
        };
        let unlisted = |error: std::io::Error| {
            refused(format!(
                "cannot list it: {error}: correct the folder's path or its permissions"
            ))
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unlisted)? {
            let path = entry.map_err(unlisted)?.path();
            if is_picture(&path, extensions) && path.is_file() {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(refused(format!(
                "it holds no picture ({}): put some in or correct the path",
                extensions.join(", ")
            )));
        }
        files.sort_by(|a, b| natural::compare(&a.to_string_lossy(), &b.to_string_lossy()));
        Ok(Self {
            folder: folder.to_path_buf(),
            files,
            read,
            settings,
            given: 0,
            pace: Pace::new(settings.interval),
        })
    }

    /// The files in the order in which they come.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl FrameSource for Replay {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let sequence = self.given;
        let count = self.files.len() as u64;
        if sequence >= count && !self.settings.endless {
            return Err(FrameError::End {
                name: self.describe(),
            });
        }
        if !self.pace.wait(timeout) {
            return Err(FrameError::TimedOut {
                name: self.describe(),
                waited: timeout,
            });
        }
        self.given += 1;
        let file = &self.files[(sequence % count) as usize];
        let captured = clock::now();
        (self.read)(file)
            .map_err(|reason| Corruption::File {
                file: file.display().to_string(),
                reason,
            })
            .and_then(|picture| Frame::from_rgb(picture, captured, sequence))
            .map(|frame| frame.with_file(file.clone()))
            .map_err(|reason| FrameError::Corrupt {
                name: self.describe(),
                sequence,
                reason,
            })
    }

    fn describe(&self) -> String {
        name_of(&self.folder)
    }
}

fn name_of(folder: &Path) -> String {
    format!("replay of {}", folder.display())
}

fn is_picture(path: &Path, extensions: &[&str]) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let known = path.extension().is_some_and(|extension| {
        extensions.contains(&extension.to_string_lossy().to_lowercase().as_str())
    });
    known && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;

    fn decode(path: &Path) -> Result<RgbImage, String> {
        let picture = image::open(path).map_err(|error| error.to_string())?;
        Ok(picture.into_rgb8())
    }

    /// A folder with `part-1`, `part-2` and `part-10`, told apart by their first level.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in [10_u8, 1, 2] {
            let picture = RgbImage::from_pixel(4, 3, image::Rgb([number; 3]));
            picture
                .save(folder.path().join(format!("part-{number}.png")))
                .unwrap();
        }
        std::fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
        folder
    }

    fn replay(folder: &Path, settings: ReplaySettings) -> Replay {
        Replay::open(folder, &["png", "jpg"], settings, Box::new(decode)).unwrap()
    }

    #[test]
    fn pictures_come_in_natural_order_with_their_names_and_then_end() {
        let folder = folder();
        let mut replay = replay(folder.path(), ReplaySettings::default());
        for (sequence, number) in (0..).zip([1_u8, 2, 10]) {
            let frame = replay.next(NO_WAIT).unwrap();
            assert_eq!((frame.data()[0], frame.sequence()), (number, sequence));
            let name = frame.file().unwrap().file_name().unwrap();
            assert_eq!(name.to_str().unwrap(), format!("part-{number}.png"));
        }
        for _ in 0..2 {
            assert!(matches!(replay.next(NO_WAIT), Err(FrameError::End { .. })));
        }
    }

    #[test]
    fn an_endless_replay_begins_again_and_goes_on_counting() {
        let folder = folder();
        let settings = ReplaySettings {
            endless: true,
            ..ReplaySettings::default()
        };
        let mut replay = replay(folder.path(), settings);
        let frames: Vec<_> = (0..7).map(|_| replay.next(NO_WAIT).unwrap()).collect();
        assert_eq!(frames[6].data()[0], 1);
        assert_eq!(frames[6].sequence(), 6);
    }

    #[test]
    fn an_unreadable_file_is_named_and_the_next_one_follows() {
        let folder = folder();
        std::fs::write(folder.path().join("part-2.png"), b"\x89PNG cut off").unwrap();
        let mut replay = replay(folder.path(), ReplaySettings::default());
        replay.next(NO_WAIT).unwrap();
        let error = replay.next(NO_WAIT).unwrap_err();
        assert!(matches!(error, FrameError::Corrupt { sequence: 1, .. }));
        assert!(error.to_string().contains("part-2.png"), "{error}");
        assert_eq!(replay.next(NO_WAIT).unwrap().data()[0], 10);
    }

    #[test]
    fn a_rate_makes_the_next_frame_wait_and_a_short_time_out_says_so() {
        let folder = folder();
        let settings = ReplaySettings {
            interval: Some(Duration::from_millis(40)),
            endless: false,
        };
        let mut replay = replay(folder.path(), settings);
        let first = replay.next(NO_WAIT).unwrap();
        let early = replay.next(Duration::from_millis(1));
        assert!(matches!(early, Err(FrameError::TimedOut { .. })));
        let second = replay.next(Duration::from_secs(5)).unwrap();
        assert_eq!(second.sequence(), 1);
        assert!(second.captured() - first.captured() >= Duration::from_millis(39));
    }

    #[test]
    fn a_missing_folder_and_one_without_pictures_are_refused_by_name() {
        let empty = tempfile::tempdir().unwrap();
        for path in [empty.path(), Path::new("no/such/folder")] {
            let opened = Replay::open(path, &["png"], ReplaySettings::default(), Box::new(decode));
            let Err(error @ FrameError::Refused { .. }) = opened else {
                panic!("{} was taken", path.display());
            };
            assert!(error.to_string().contains(&path.display().to_string()));
        }
    }
}
