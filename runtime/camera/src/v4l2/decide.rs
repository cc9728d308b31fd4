//! What an answer of the kernel means. Pure.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

use crate::error::{Corruption, FrameError};

/// `V4L2_BUF_FLAG_ERROR`: the data may be damaged.
const FLAG_ERROR: u32 = 0x40;

/// `V4L2_BUF_FLAG_TIMESTAMP_MASK` and `V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC`.
const TIMESTAMP_MASK: u32 = 0xe000;
const TIMESTAMP_MONOTONIC: u32 = 0x2000;

/// What to do after an error of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A signal came in between: ask again.
    Again,
    /// No frame in time.
    TimedOut,
    /// The device is not there.
    Gone,
    /// Another program has the device.
    Busy,
    /// The stream broke; a new one may work.
    Broken,
    /// Not allowed, or not possible with this device: a person must act.
    Refused,
}

/// What an error means. The time-out of `v4l` has no number, as it is not the kernel's.
pub(super) fn answer(error: &io::Error) -> Answer {
    match (Errno::from_io_error(error), error.kind()) {
        (_, io::ErrorKind::TimedOut) => Answer::TimedOut,
        (Some(Errno::INTR), _) => Answer::Again,
        (Some(Errno::NODEV | Errno::NXIO | Errno::NOENT), _) => Answer::Gone,
        (Some(Errno::BUSY), _) => Answer::Busy,
        (Some(Errno::ACCESS | Errno::PERM | Errno::NOTTY), _) => Answer::Refused,
        // EIO and EPIPE from the device, EAGAIN and EINVAL from a queue that has stopped, ENOSPC
        // from a USB bus without bandwidth, and whatever a driver thinks of.
        _ => Answer::Broken,
    }
}

/// The error for a failed call: `doing` says which.
pub(super) fn failure(name: &str, doing: &str, error: &io::Error, waited: Duration) -> FrameError {
    let name = name.to_owned();
    let unplugged = |hint: &str| FrameError::Unplugged {
        name: name.clone(),
        reason: format!("{doing}: {error}: {hint}"),
    };
    match answer(error) {
        // A signal that came last took the rest of the time.
        Answer::TimedOut | Answer::Again => FrameError::TimedOut { name, waited },
        Answer::Gone => unplugged("plug the camera in"),
        Answer::Busy => unplugged("another program uses the camera: close it"),
        Answer::Broken => unplugged("look at the USB cable, hub, bandwidth and power"),
        Answer::Refused => FrameError::Refused {
            reason: format!(
                "{doing}: {error}: the path must be a capture device that this user may open \
                 (group video)"
            ),
            name,
        },
    }
}

/// How many bytes of a buffer are the frame's.
///
/// # Errors
/// [`Corruption::Marked`] when the driver set the error flag or says a size that cannot be.
pub(super) const fn used_bytes(
    flags: u32,
    bytesused: u32,
    mapped: usize,
) -> Result<usize, Corruption> {
    let used = bytesused as usize;
    if flags & FLAG_ERROR != 0 || used == 0 || used > mapped {
        return Err(Corruption::Marked);
    }
    Ok(used)
}

/// When a frame was captured: the buffer's time when it is of the monotonic clock, otherwise the
/// time at which it was fetched. It is never later than that: some drivers (vivid) stamp a frame
/// with the time at which it should have ended.
pub(super) fn captured(flags: u32, seconds: i64, micros: i64, fetched: Duration) -> Duration {
    if flags & TIMESTAMP_MASK != TIMESTAMP_MONOTONIC {
        return fetched;
    }
    match (u64::try_from(seconds), u32::try_from(micros)) {
        (Ok(seconds), Ok(micros @ 0..1_000_000)) => {
            Duration::new(seconds, micros * 1000).min(fetched)
        }
        _ => fetched,
    }
}

/// The kernel's 32-bit numbers of frames as numbers that do not wrap, and that go on growing
/// when a stream begins again at 0.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// The kernel's number of the last frame of this stream.
    raw: Option<u32>,
    /// Ours.
    last: Option<u64>,
}

impl Sequence {
    /// The stream was stopped; the next number has nothing to do with the last.
    pub(super) const fn restart(&mut self) {
        self.raw = None;
    }

    /// Our number for the kernel's.
    pub(super) fn of(&mut self, raw: u32) -> u64 {
        let number = match (self.raw, self.last) {
            // A gap of one at least: frames may be missing.
            (None, Some(last)) => last.saturating_add(2),
            (Some(before), Some(last)) => {
                // The short way round; a number that goes back makes ours go back, too.
                let step = raw.wrapping_sub(before).cast_signed();
                last.saturating_add_signed(i64::from(step))
            }
            (_, None) => u64::from(raw),
        };
        self.raw = Some(raw);
        self.last = Some(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno.raw_os_error())
    }

    #[test]
    fn each_error_of_the_kernel_has_its_answer() {
        for (errno, expected) in [
            (Errno::INTR, Answer::Again),
            (Errno::NODEV, Answer::Gone),
            (Errno::NOENT, Answer::Gone),
            (Errno::NXIO, Answer::Gone),
            (Errno::BUSY, Answer::Busy),
            (Errno::ACCESS, Answer::Refused),
            (Errno::NOTTY, Answer::Refused),
            (Errno::INVAL, Answer::Broken),
            (Errno::AGAIN, Answer::Broken),
            (Errno::IO, Answer::Broken),
            (Errno::PROTO, Answer::Broken),
            (Errno::NOSPC, Answer::Broken),
        ] {
            assert_eq!(answer(&os(errno)), expected, "{errno:?}");
        }
        let late = io::Error::new(io::ErrorKind::TimedOut, "VIDIOC_DQBUF");
        assert_eq!(answer(&late), Answer::TimedOut);
    }

    #[test]
    fn only_a_refusal_is_final() {
        let may_pass = |error: &io::Error| {
            failure("camera", "opening", error, Duration::from_secs(1)).may_pass()
        };
        for errno in [
            Errno::NODEV,
            Errno::BUSY,
            Errno::IO,
            Errno::INVAL,
            Errno::INTR,
        ] {
            assert!(may_pass(&os(errno)), "{errno:?}");
        }
        assert!(!may_pass(&os(Errno::ACCESS)));
    }

    #[test]
    fn a_marked_empty_or_impossible_buffer_is_damaged_and_a_short_one_is_cut_to_its_bytes() {
        assert_eq!(used_bytes(0x2001, 100, 4096), Ok(100));
        assert_eq!(used_bytes(0x2001, 4096, 4096), Ok(4096));
        for (flags, bytesused) in [(0x2041, 100), (0x2001, 0), (0x2001, 4097)] {
            assert_eq!(used_bytes(flags, bytesused, 4096), Err(Corruption::Marked));
        }
    }

    #[test]
    fn the_kernels_time_is_taken_only_when_it_is_monotonic_and_possible() {
        let fetched = Duration::from_secs(99);
        let time = |flags, s, us| captured(flags, s, us, fetched);
        assert_eq!(time(0x2000, 5, 250_000), Duration::from_millis(5250));
        assert_eq!(time(0x0000, 5, 250_000), fetched);
        assert_eq!(time(0x4000, 5, 250_000), fetched);
        assert_eq!(time(0x2000, -1, 0), fetched);
        assert_eq!(time(0x2000, 5, 1_000_000), fetched);
        assert_eq!(time(0x2000, 100, 0), fetched);
    }

    #[test]
    fn numbers_pass_the_wrap_of_32_bits_and_a_restart_of_the_stream() {
        let mut sequence = Sequence::default();
        let mut of = |raw| sequence.of(raw);
        assert_eq!(of(u32::MAX - 1), 0xffff_fffe);
        assert_eq!(of(u32::MAX), 0xffff_ffff);
        assert_eq!(of(2), 0x1_0000_0002);
        assert_eq!(of(2), 0x1_0000_0002);
        sequence.restart();
        assert_eq!(sequence.of(0), 0x1_0000_0004);
        assert_eq!(sequence.of(3), 0x1_0000_0007);
    }
}
