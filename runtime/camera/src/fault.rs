//! Faults on demand: a source around any other, whose bad days come when they are told to.

use std::time::Duration;

use image::{Rgb, RgbImage};

use crate::convert::{Region, to_rgb};
use crate::error::{Corruption, FrameError};
use crate::frame::Frame;
use crate::plan::FaultPlan;
use crate::source::FrameSource;

/// How much too old a [`Fault::OldStamp`] is.
const OLD: Duration = Duration::from_secs(10);

/// Frames that a [`Fault::Slow`] swallows.
const SWALLOWED: u32 = 3;

/// Something that goes wrong with a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// No frame until the time-out.
    Stall,
    /// The device is gone until the source is built again.
    Unplug,
    /// Half the bytes of the frame are missing.
    Truncated,
    /// The driver marks the frame as damaged.
    Corrupt,
    /// The frame is a quarter of its size, as when another program set the camera.
    WrongSize,
    /// The last frame comes again, with its number and time.
    Duplicated,
    /// A new frame is stamped ten seconds before its time.
    OldStamp,
    /// The frame is black.
    Black,
    /// The frame is white.
    OverExposed,
    /// Three frames are lost before this one.
    Slow,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::Stall,
        Self::Unplug,
        Self::Truncated,
        Self::Corrupt,
        Self::WrongSize,
        Self::Duplicated,
        Self::OldStamp,
        Self::Black,
        Self::OverExposed,
        Self::Slow,
    ];

    /// Whether a frame with this fault may be judged all the same: it is sound, only late.
    pub const fn leaves_a_sound_frame(self) -> bool {
        matches!(self, Self::Slow)
    }
}

/// A source with faults. It is an ordinary source: what reads it cannot tell.
pub struct Faulty<S> {
    source: S,
    plan: FaultPlan,
    /// The last frame that was given.
    last: Option<Frame>,
    unplugged: bool,
}

impl<S: FrameSource> Faulty<S> {
    /// `source`, with the faults of `plan`. A clone of the plan goes on where the plan is: give it
    /// to each source that is built again.
    pub fn new(source: S, plan: FaultPlan) -> Self {
        Self {
            source,
            plan,
            last: None,
            unplugged: false,
        }
    }

    fn gone(&self) -> FrameError {
        FrameError::Unplugged {
            name: self.describe(),
            reason: "no such device (injected): plug it in again".into(),
        }
    }

    fn corrupt(&self, sequence: u64, reason: Corruption) -> FrameError {
        FrameError::Corrupt {
            name: self.describe(),
            sequence,
            reason,
        }
    }

    /// The picture of a frame changed, under the same number and time.
    fn repainted(&self, frame: &Frame, picture: RgbImage) -> Result<Frame, FrameError> {
        Frame::from_rgb(picture, frame.captured(), frame.sequence())
            .map_err(|reason| self.corrupt(frame.sequence(), reason))
    }

    fn flat(&self, frame: &Frame, level: u8) -> Result<Frame, FrameError> {
        let picture = RgbImage::from_pixel(frame.width(), frame.height(), Rgb([level; 3]));
        self.repainted(frame, picture)
    }

    fn spoil(&mut self, fault: Fault, timeout: Duration) -> Result<Frame, FrameError> {
        match fault {
            Fault::Stall => {
                if self.plan.waits() {
                    std::thread::sleep(timeout);
                }
                return Err(FrameError::TimedOut {
                    name: self.describe(),
                    waited: timeout,
                });
            }
            Fault::Unplug => {
                self.unplugged = true;
                return Err(self.gone());
            }
            Fault::Duplicated => {
                if let Some(last) = &self.last {
                    return Ok(last.clone());
                }
            }
            Fault::Slow => {
                for _ in 0..SWALLOWED {
                    self.source.next(timeout)?;
                }
            }
            _ => {}
        }
        let frame = self.source.next(timeout)?;
        let sequence = frame.sequence();
        match fault {
            Fault::Truncated => {
                let mut half = frame.data().to_vec();
                half.truncate(half.len() / 2);
                Frame::new(half, *frame.layout(), frame.captured(), sequence)
                    .map_err(|reason| self.corrupt(sequence, reason))
            }
            Fault::Corrupt => Err(self.corrupt(sequence, Corruption::Marked)),
            Fault::WrongSize => {
                let quarter = Region::whole(
                    frame.width().div_ceil(2).max(1),
                    frame.height().div_ceil(2).max(1),
                );
                // A JPEG that cannot be decoded is damaged, whatever else is wrong with it.
                let cut = to_rgb(&frame, Some(quarter))
                    .map_err(|_| self.corrupt(sequence, Corruption::Marked))?;
                self.repainted(&frame, cut)
            }
            Fault::OldStamp => {
                let old = frame.captured().saturating_sub(OLD);
                Ok(frame.renumbered(old, sequence))
            }
            Fault::Black => self.flat(&frame, 0),
            Fault::OverExposed => self.flat(&frame, u8::MAX),
            Fault::Stall | Fault::Unplug | Fault::Duplicated | Fault::Slow => Ok(frame),
        }
    }
}

impl<S: FrameSource> FrameSource for Faulty<S> {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        if self.unplugged {
            return Err(self.gone());
        }
        let possible = |fault: &Fault| *fault != Fault::Duplicated || self.last.is_some();
        let fault = self.plan.next().filter(possible);
        let given = match fault {
            Some(fault) => self.spoil(fault, timeout),
            None => self.source.next(timeout),
        };
        if let Some(fault) = fault {
            let sequence = given.as_ref().ok().map(Frame::sequence);
            self.plan.record(fault, sequence);
        }
        if let Ok(frame) = &given {
            self.last = Some(frame.clone());
        }
        given
    }

    fn describe(&self) -> String {
        format!("{} (with faults)", self.source.describe())
    }
}

#[cfg(test)]
mod tests;
