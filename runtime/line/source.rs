//! From the station file's camera to a source of frames that recovers by itself, and that begins
//! anew when it was given up and somebody has seen to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use andon_alert::Bell;
use andon_camera::rendered::LineConfig;
use andon_camera::v4l2::V4l2Source;
use andon_camera::{
    Delivery, Frame, FrameError, FrameSource, LineSource, MailboxCounts, Newest, Recovering,
    RecoverySettings, Replay, ReplaySettings, StopError, Waker,
};

use super::config::{Camera, StationFile};
use crate::image;

/// Frames that are being read, and how to begin anew when a camera was given up and repaired.
pub struct Feed {
    open: Box<dyn FnMut() -> Result<Newest, FrameError> + Send>,
    camera: Option<Newest>,
    /// Counts of cameras that were given up.
    before: MailboxCounts,
    /// Of the camera that is read.
    waker: Arc<Mutex<Option<Waker>>>,
    shows_a_part_a_frame: bool,
}

impl Feed {
    /// What the station file names.
    pub fn of(file: &StationFile) -> Self {
        let shows_a_part_a_frame = file.camera.shows_a_part_a_frame();
        let file = file.clone();
        Self {
            shows_a_part_a_frame,
            ..Self::camera(move || open_source(&file))
        }
    }

    /// Something else that behaves like a camera: parts are shown in many frames, and the newest
    /// one wins. `open` is called at start, and again when somebody has acknowledged that a camera
    /// was given up.
    pub fn camera(open: impl FnMut() -> Result<Newest, FrameError> + Send + 'static) -> Self {
        Self {
            open: Box::new(open),
            camera: None,
            before: MailboxCounts::default(),
            waker: Arc::default(),
            shows_a_part_a_frame: false,
        }
    }

    /// Whether each frame is a part of its own that must not be skipped.
    pub(super) fn shows_a_part_a_frame(&self) -> bool {
        self.shows_a_part_a_frame
    }

    /// Begins to read, or begins anew if the camera was given up.
    ///
    /// # Errors
    /// As for [`open_source`].
    pub(super) fn begin(&mut self) -> Result<(), FrameError> {
        if self.camera.as_ref().is_none_or(Newest::is_finished) {
            let before = self.counts();
            let camera = (self.open)()?;
            *lock(&self.waker) = Some(camera.waker());
            self.camera = Some(camera);
            self.before = before;
        }
        Ok(())
    }

    /// A bell that ends [`Self::wait`] early, whichever camera is read.
    pub(super) fn bell(&self) -> Bell {
        let waker = Arc::clone(&self.waker);
        Bell::new(move || {
            if let Some(waker) = &*lock(&waker) {
                waker.wake();
            }
        })
    }

    /// The newest frame or the next error, waited for at most `timeout`; `None` when neither came.
    pub(super) fn wait(&self, timeout: Duration) -> Option<Result<Frame, FrameError>> {
        match self.camera.as_ref()?.wait(None, timeout) {
            // The reader's own time-out, not one of the source.
            Err(FrameError::TimedOut { waited, .. }) if waited == timeout => None,
            item => Some(item),
        }
    }

    /// Counts since the start.
    pub(super) fn counts(&self) -> MailboxCounts {
        let now = self.camera.as_ref().map(Newest::counts).unwrap_or_default();
        MailboxCounts {
            captured: self.before.captured + now.captured,
            skipped: self.before.skipped + now.skipped,
            stale: self.before.stale + now.stale,
            errors: self.before.errors + now.errors,
            errors_dropped: self.before.errors_dropped + now.errors_dropped,
        }
    }

    /// Ends the capture thread.
    pub(super) fn stop(self, timeout: Duration) -> Result<(), StopError> {
        self.camera.map_or(Ok(()), |camera| camera.stop(timeout))
    }
}

fn lock(waker: &Mutex<Option<Waker>>) -> MutexGuard<'_, Option<Waker>> {
    // It holds one value, so nothing is ever half done.
    waker.lock().unwrap_or_else(PoisonError::into_inner)
}

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
            let patience = PATIENCE + settings.interval.unwrap_or_default();
            started(Newest::start(replay, patience, Delivery::Every))
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
            let patience = PATIENCE + interval.unwrap_or_default();
            started(Newest::start(source, patience, Delivery::Every))
        }
    }
}
