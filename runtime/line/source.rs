//! From the station file's camera to a source of frames that recovers by itself.

use std::time::Duration;

use andon_camera::rendered::LineConfig;
use andon_camera::v4l2::V4l2Source;
use andon_camera::{
    Delivery, FrameError, FrameSource, LineSource, Newest, Recovering, RecoverySettings, Replay,
    ReplaySettings,
};

use super::config::{Camera, StationFile};
use crate::image;

/// How long a camera may take for a frame.
const PATIENCE: Duration = Duration::from_millis(1000);

/// Starts to read frames. Cameras are opened by the capture thread, and again after each failure.
///
/// # Errors
/// [`FrameError`] when a folder cannot be read; the system's, when there is no thread left.
pub fn open_source(file: &StationFile) -> Result<Newest, FrameError> {
    let started = |result: std::io::Result<Newest>| {
        result.map_err(|e| FrameError::Refused {
            name: "camera".into(),
            reason: format!("no thread for it: {e}"),
        })
    };
    match &file.camera {
        Camera::V4l2 { device, .. } => {
            let name = format!("camera {}", device.display());
            let Some(settings) = file.camera_settings() else {
                return Err(FrameError::Refused {
                    name,
                    reason: "its format is unknown: see `andon check`".into(),
                });
            };
            let open =
                move || V4l2Source::open(&settings).map(|s| Box::new(s) as Box<dyn FrameSource>);
            let source = Recovering::new(name, RecoverySettings::default(), Box::new(open));
            started(Newest::start(source, PATIENCE, Delivery::Newest))
        }
        Camera::Replay {
            folder,
            interval_ms,
            endless,
        } => {
            let settings = ReplaySettings {
                interval: interval_ms.map(Duration::from_millis),
                endless: *endless,
            };
            let decode = |path: &std::path::Path| image::read(path).map_err(|e| e.to_string());
            let replay = Replay::open(folder, &image::EXTENSIONS, settings, Box::new(decode))?;
            started(Newest::start(replay, PATIENCE, Delivery::Every))
        }
        Camera::Rendered {
            seed,
            first,
            interval_ms,
        } => {
            let config = LineConfig {
                seed: *seed,
                ..LineConfig::default()
            };
            let interval = interval_ms.map(Duration::from_millis);
            let source = LineSource::new(config, (*first).into(), interval)?;
            started(Newest::start(source, PATIENCE, Delivery::Every))
        }
    }
}
