//! Which frames are new. Numbers and times must both go up; a frame that repeats either is not
//! judged as new, whatever it shows.

use std::time::Duration;

/// What is believed about a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Fresh,
    /// Duplicated, out of order, as old as an earlier one, or from the future.
    Stale,
}

/// Remembers the newest frame that was believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameGate {
    sequence: Option<u64>,
    captured: Option<Duration>,
}

impl FrameGate {
    pub(crate) fn admit(&mut self, now: Duration, sequence: u64, captured: Duration) -> Age {
        let new = self.sequence.is_none_or(|last| sequence > last)
            && self.captured.is_none_or(|last| captured > last)
            && captured <= now;
        if !new {
            return Age::Stale;
        }
        self.sequence = Some(sequence);
        self.captured = Some(captured);
        Age::Fresh
    }

    /// A camera that was opened again counts from anew. Its time does not: that stays.
    pub(crate) fn restart(&mut self) {
        self.sequence = None;
    }
}
