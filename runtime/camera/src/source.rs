//! What every source of frames can do.

use std::time::Duration;

use crate::error::FrameError;
use crate::frame::Frame;

/// Something that frames come from. Sources are asked, they never push; a thread that turns this
/// into "the newest frame" is [`crate::Newest`].
pub trait FrameSource: Send {
    /// The next frame, waited for at most `timeout`.
    ///
    /// # Errors
    /// One of the kinds of [`FrameError`]; each says what to do next. After
    /// [`FrameError::Corrupt`] and [`FrameError::TimedOut`] the same source may be asked again.
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError>;

    /// What the source is, for people: device, size, format, rate. Errors begin with it, too.
    fn describe(&self) -> String;
}

impl<S: FrameSource + ?Sized> FrameSource for Box<S> {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        (**self).next(timeout)
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}
