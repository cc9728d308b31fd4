//! The cameras of a machine, for `andon doctor`.

use std::io;
use std::path::{Path, PathBuf};

use v4l::Device;
use v4l::capability::Flags;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;

use super::guard::guarded;
use crate::frame::PixelFormat;
use crate::natural;

/// One video device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its node, such as `/dev/video0`.
    pub path: PathBuf,
    /// A name that does not depend on the order of plugging in, below `/dev/v4l/by-id` or
    /// `by-path`, when the system gives one. A station file should use it.
    pub stable_path: Option<PathBuf>,
    /// What it is and can do, or why that cannot be told.
    pub details: Result<DeviceDetails, String>,
}

/// What a video device says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceDetails {
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// Formats of its frames; empty when it is no camera that this room can use.
    pub formats: Vec<FormatInfo>,
}

/// A format that a camera offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatInfo {
    /// Its four-character code.
    pub fourcc: String,
    /// The format, when this room can read it.
    pub format: Option<PixelFormat>,
    /// Sizes of its frames.
    pub sizes: Vec<SizeInfo>,
}

/// Sizes that a camera offers, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeInfo {
    /// Width and height.
    Exact(u32, u32),
    /// Every size from the least to the greatest in these steps, each width and height.
    Range {
        /// Least width and height.
        least: (u32, u32),
        /// Greatest width and height.
        greatest: (u32, u32),
        /// Steps of width and height.
        step: (u32, u32),
    },
}

/// All video devices, in the order of their numbers. Nodes that are no cameras (metadata, codecs,
/// outputs) are left out; those that cannot be opened are in it with the reason.
pub fn list() -> Vec<DeviceInfo> {
    let mut paths: Vec<PathBuf> = entries(Path::new("/dev"))
        .filter(|path| is_video_node(path))
        .collect();
    paths.sort_by(|a, b| natural::compare(&a.to_string_lossy(), &b.to_string_lossy()));
    paths
        .into_iter()
        .filter_map(|path| {
            let details = guarded(|| details(&path)).map_err(|error| error.to_string());
            if let Ok(details) = &details
                && details.formats.is_empty()
            {
                return None;
            }
            Some(DeviceInfo {
                stable_path: stable_path(&path),
                path,
                details,
            })
        })
        .collect()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    // A folder that is not there has no entries.
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.path())
}

fn is_video_node(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_prefix("video"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn stable_path(path: &Path) -> Option<PathBuf> {
    ["/dev/v4l/by-id", "/dev/v4l/by-path"]
        .into_iter()
        .flat_map(|folder| entries(Path::new(folder)))
        .find(|link| std::fs::canonicalize(link).is_ok_and(|target| target == path))
}

fn details(path: &Path) -> io::Result<DeviceDetails> {
    let device = Device::with_path(path)?;
    let caps = device.query_caps()?;
    let usable = caps
        .capabilities
        .contains(Flags::VIDEO_CAPTURE | Flags::STREAMING);
    let formats = if usable {
        device.enum_formats()?
    } else {
        Vec::new()
    };
    let formats = formats
        .into_iter()
        .map(|format| FormatInfo {
            fourcc: String::from_utf8_lossy(&format.fourcc.repr).into_owned(),
            format: PixelFormat::from_fourcc(format.fourcc.repr),
            // A driver that does not list sizes takes what it is asked for, or says what it can.
            sizes: device
                .enum_framesizes(format.fourcc)
                .unwrap_or_default()
                .into_iter()
                .map(|size| size_info(&size.size))
                .collect(),
        })
        .collect();
    Ok(DeviceDetails {
        name: caps.card,
        driver: caps.driver,
        bus: caps.bus,
        formats,
    })
}

const fn size_info(size: &FrameSizeEnum) -> SizeInfo {
    match size {
        FrameSizeEnum::Discrete(one) => SizeInfo::Exact(one.width, one.height),
        FrameSizeEnum::Stepwise(range) => SizeInfo::Range {
            least: (range.min_width, range.min_height),
            greatest: (range.max_width, range.max_height),
            step: (range.step_width, range.step_height),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbered_video_nodes_are_looked_at() {
        assert!(is_video_node(Path::new("/dev/video0")));
        assert!(is_video_node(Path::new("/dev/video12")));
        for path in ["/dev/video", "/dev/videobuf", "/dev/vbi0", "/dev/video1x"] {
            assert!(!is_video_node(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn listing_works_with_and_without_cameras() {
        for device in list() {
            assert!(device.path.starts_with("/dev"), "{device:?}");
        }
    }
}
