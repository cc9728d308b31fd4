//! What happened last, as numbers for a debugger: a ring that costs a few stores an event and is
//! read from memory when the MCU is halted. It never prints and never waits.

use andon_link::{Admission, Answer, Mode, Sequence};
use heapless::Deque;

use crate::belt::Fate;
use crate::moment::Instant;

/// Something worth remembering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// The light goes by something else now.
    Mode(Mode),
    /// A trigger came.
    Trigger {
        /// Which part.
        number: u32,
        /// Whether it was taken.
        admission: Admission,
    },
    /// A verdict came.
    Verdict {
        /// Which part.
        number: u32,
        /// OK.
        good: bool,
        /// What became of it.
        answer: Answer,
    },
    /// The rejector switched on or off.
    Strike(bool),
    /// A part that should have been struck was not.
    Missed,
    /// The configuration changed, by this frame.
    Configured(Sequence),
    /// The button was pressed, this many times now.
    Acknowledged(u16),
    /// The fate of the newest part changed.
    Fate(Fate),
}

/// The newest `N` events, each with its time.
#[derive(Debug, Default)]
pub struct Trace<const N: usize> {
    // Not a `HistoryBuf`, whose bounds check would be the one panic in the firmware.
    ring: Deque<(Instant, TraceEvent), N>,
}

impl<const N: usize> Trace<N> {
    /// A trace of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { ring: Deque::new() }
    }

    /// Remembers an event, at the cost of the oldest one.
    pub fn push(&mut self, at: Instant, event: TraceEvent) {
        if self.ring.is_full() {
            self.ring.pop_front();
        }
        // There is room now.
        let _ = self.ring.push_back((at, event));
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &(Instant, TraceEvent)> {
        self.ring.iter()
    }
}
