//! The rendered line as a source of frames.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use image::GrayImage;

use crate::clock;
use crate::error::FrameError;
use crate::frame::Frame;
use crate::pace::Pace;
use crate::rendered::{Defect, LineConfig, RenderedLine};
use crate::source::FrameSource;

/// How many parts [`Truths`] remembers.
const REMEMBERED: usize = 64;

/// What is really wrong with one part.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Number of the part, which is the number of its frame.
    pub sequence: u64,
    /// What is wrong with it; empty for a good part.
    pub defects: Vec<Defect>,
    /// 255 where the part is defective, 0 elsewhere; as large as the frame.
    pub mask: GrayImage,
}

/// The ground truth of the latest 64 parts, beside the frames: nothing that judges a frame may
/// see it, so it does not travel with them. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Truths(Arc<Mutex<VecDeque<Truth>>>);

impl Truths {
    /// The truth about the part of this frame, while it is remembered.
    pub fn of(&self, sequence: u64) -> Option<Truth> {
        let truths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        truths.iter().find(|t| t.sequence == sequence).cloned()
    }

    fn remember(&self, truth: Truth) {
        let mut truths = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if truths.len() == REMEMBERED {
            truths.pop_front();
        }
        truths.push_back(truth);
    }
}

/// A source that draws the parts of a [`RenderedLine`] one after the other.
#[derive(Debug)]
pub struct LineSource {
    line: RenderedLine,
    pace: Pace,
    next: u64,
    truths: Truths,
}

impl LineSource {
    /// The parts of the line from number `first` on, one each `interval`, or whenever a frame is
    /// asked for. It does not end.
    ///
    /// # Errors
    /// [`FrameError::Refused`] when the line cannot be rendered as configured.
    pub fn new(
        config: LineConfig,
        first: u64,
        interval: Option<Duration>,
    ) -> Result<Self, FrameError> {
        let line = RenderedLine::new(config).map_err(|error| FrameError::Refused {
            name: "rendered line".into(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            line,
            pace: Pace::new(interval),
            next: first,
            truths: Truths::default(),
        })
    }

    /// The ground truth of the parts that were drawn. Keep a clone; it goes on being filled.
    pub fn truths(&self) -> Truths {
        self.truths.clone()
    }
}

impl FrameSource for LineSource {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        if !self.pace.wait(timeout) {
            return Err(FrameError::TimedOut {
                name: self.describe(),
                waited: timeout,
            });
        }
        let sequence = self.next;
        self.next = sequence.wrapping_add(1);
        let captured = clock::now();
        let part = self.line.part(sequence, self.line.defect_at(sequence));
        self.truths.remember(Truth {
            sequence,
            defects: part.defects,
            mask: part.mask,
        });
        Frame::from_rgb(part.image, captured, sequence).map_err(|reason| FrameError::Corrupt {
            name: self.describe(),
            sequence,
            reason,
        })
    }

    fn describe(&self) -> String {
        let config = self.line.config();
        format!(
            "rendered line {} x {}, seed {}",
            config.width, config.height, config.seed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> LineConfig {
        LineConfig {
            width: 64,
            height: 48,
            defect_rate: 0.5,
            ..LineConfig::default()
        }
    }

    #[test]
    fn frames_are_the_parts_of_the_line_and_the_truth_stands_beside_them() {
        let line = RenderedLine::new(config()).unwrap();
        let mut source = LineSource::new(config(), 3, None).unwrap();
        let truths = source.truths();
        for number in 3..9 {
            let frame = source.next(Duration::ZERO).unwrap();
            let part = line.part(number, line.defect_at(number));
            assert_eq!(frame.sequence(), number);
            assert_eq!(frame.data(), part.image.as_raw().as_slice());
            let truth = truths.of(number).unwrap();
            assert_eq!((truth.defects, truth.mask), (part.defects, part.mask));
        }
        assert_eq!(truths.of(99), None);
    }

    #[test]
    fn a_line_that_cannot_be_rendered_is_refused() {
        let config = LineConfig {
            width: 0,
            ..config()
        };
        let error = LineSource::new(config, 0, None).unwrap_err();
        assert!(matches!(error, FrameError::Refused { .. }), "{error}");
    }
}
