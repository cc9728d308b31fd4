//! The frames of a camera that is set up.

use std::io;
use std::time::Duration;

use v4l::buffer::Type;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;

use super::decide::{Answer, Sequence, answer, captured, failure, used_bytes};
use super::device::{CameraSettings, Taken, open};
use super::guard::{Guarded, close, guarded, stop};
use crate::clock;
use crate::error::FrameError;
use crate::frame::Frame;
use crate::source::FrameSource;

/// Buffers asked for: one that is read, and three that the camera fills meanwhile.
const BUFFERS: u32 = 4;

/// `POLLIN`, the same on every Linux.
const POLLIN: i16 = 1;

/// A camera. Give it to [`crate::Recovering`], which opens it again when it fails.
pub struct V4l2Source {
    name: String,
    taken: Taken,
    device: Guarded,
    /// `None` once it could not be stopped after an error.
    stream: Option<Stream<'static>>,
    streaming: bool,
    sequence: Sequence,
}

impl V4l2Source {
    /// Opens a camera and sets it up. It starts with the first frame that is asked for.
    ///
    /// # Errors
    /// [`FrameError::Unplugged`] when the camera is absent, busy or fails, which may pass, and
    /// [`FrameError::Refused`] when it cannot do what the settings say or may not be opened.
    pub fn open(settings: &CameraSettings) -> Result<Self, FrameError> {
        let (device, taken) = open(settings)?;
        let stream = device
            .call(|device| Stream::with_buffers(device, Type::VideoCapture, BUFFERS))
            .map_err(|e| failure(&settings.name(), "asking for buffers", &e, Duration::ZERO))?;
        Ok(Self {
            name: settings.name(),
            taken,
            device,
            stream: Some(stream),
            streaming: false,
            sequence: Sequence::default(),
        })
    }

    /// What the camera made of its settings.
    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// Waits until a buffer is ready, or something is wrong. The stream is not touched, so nothing
    /// has to be put right when the time is over.
    fn ready(&self, deadline: Duration) -> io::Result<()> {
        loop {
            let left = millis(deadline.saturating_sub(clock::now()));
            match self
                .device
                .call(|device| device.handle().poll(POLLIN, left))
            {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(error) if answer(&error) == Answer::Again => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next buffer's bytes and what the kernel says about them.
    fn fetch(&mut self, deadline: Duration) -> io::Result<Result<Frame, FrameError>> {
        if self.streaming {
            self.ready(deadline)?;
        }
        let Some(stream) = &mut self.stream else {
            return Err(io::Error::other("its stream could not be stopped"));
        };
        // The first call starts the camera and waits for it; later ones find a buffer ready.
        let wait = if self.streaming {
            Duration::ZERO
        } else {
            deadline.saturating_sub(clock::now())
        };
        // Rounded up and bounded as the library panics on what does not fit its milliseconds.
        stream.set_timeout(Duration::from_millis(u64::from(
            millis(wait).unsigned_abs(),
        )));
        let layout = self.taken.layout;
        let sequence = &mut self.sequence;
        let frame = guarded(|| {
            let (bytes, meta) = CaptureStream::next(stream)?;
            let flags = u32::from(meta.flags);
            let number = sequence.of(meta.sequence);
            let time = captured(flags, meta.timestamp.sec, meta.timestamp.usec, clock::now());
            let frame = used_bytes(flags, meta.bytesused, bytes.len())
                .and_then(|used| Frame::new(bytes[..used].to_vec(), layout, time, number));
            Ok(frame.map_err(|reason| (number, reason)))
        })?;
        self.streaming = true;
        Ok(frame.map_err(|(sequence, reason)| FrameError::Corrupt {
            name: self.name.clone(),
            sequence,
            reason,
        }))
    }

    /// Takes all buffers back after an error, so that the next call starts the camera anew. A
    /// stream that cannot be stopped is given up.
    fn reset(&mut self) {
        self.streaming = false;
        self.sequence.restart();
        if let Some(stream) = &mut self.stream
            && stop(stream).is_err()
            && let Some(stream) = self.stream.take()
        {
            close(stream);
        }
    }
}

impl FrameSource for V4l2Source {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let deadline = clock::now() + timeout;
        loop {
            let error = match self.fetch(deadline) {
                Ok(frame) => return frame,
                Err(error) => error,
            };
            // A running camera that was only waited for has all its buffers where they belong.
            let untouched = self.streaming && answer(&error) == Answer::TimedOut;
            if !untouched {
                self.reset();
            }
            let interrupted = answer(&error) == Answer::Again && clock::now() < deadline;
            if !interrupted {
                return Err(failure(&self.name, "capturing", &error, timeout));
            }
        }
    }

    fn describe(&self) -> String {
        let layout = &self.taken.layout;
        format!(
            "{} ({}, {} x {} {})",
            self.name, self.taken.card, layout.width, layout.height, layout.format
        )
    }
}

impl Drop for V4l2Source {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            close(stream);
        }
    }
}

/// A duration in whole milliseconds for `poll`, rounded up so that a short wait is none of 0.
fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_to_milliseconds_and_bounded() {
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::from_nanos(1)), 1);
        assert_eq!(millis(Duration::from_millis(250)), 250);
        assert_eq!(millis(Duration::MAX), i32::MAX);
    }
}
