//! Counts of what the station did. They survive a restart when the caller stores them, and go back
//! to zero only by a named event.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::micros;

/// Counts of triggers and frames. Every trigger ends in exactly one of `ok`, `ng`, `errors`,
/// `skipped` and `challenges`; the part under way is in `triggers` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Triggers, taken or refused.
    pub triggers: u64,
    /// Good parts.
    pub ok: u64,
    /// Bad parts.
    pub ng: u64,
    /// Parts that were taken and could not be judged.
    pub errors: u64,
    /// Triggers that were refused.
    pub skipped: u64,
    /// Challenge parts, whatever they came to.
    pub challenges: u64,
    /// Triggers that came a second time and were passed over; not in `triggers`.
    pub repeated: u64,
    /// From trigger to result, over all parts that were taken.
    pub latency: Latency,
    /// Frames.
    pub frames: FrameCounters,
}

/// From trigger to result, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// Parts.
    pub parts: u64,
    /// Shortest.
    pub min_us: u64,
    /// Longest.
    pub max_us: u64,
    /// Sum, for the average.
    pub sum_us: u64,
}

/// Frames by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrameCounters {
    /// New and sound.
    pub fresh: u64,
    /// Of these, came while another was judged, and were let go.
    pub skipped: u64,
    /// Duplicated, out of order, or with a time that cannot be.
    pub stale: u64,
    /// New but damaged.
    pub damaged: u64,
}

impl Latency {
    pub(crate) fn add(&mut self, latency: Duration) {
        let us = micros::of(latency);
        self.min_us = if self.parts == 0 {
            us
        } else {
            self.min_us.min(us)
        };
        self.max_us = self.max_us.max(us);
        self.sum_us = self.sum_us.saturating_add(us);
        self.parts += 1;
    }

    /// Average; `None` before the first part.
    #[must_use]
    pub fn average(&self) -> Option<Duration> {
        self.sum_us
            .checked_div(self.parts)
            .map(Duration::from_micros)
    }
}

impl Counters {
    /// Triggers that have their result.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.ok + self.ng + self.errors + self.skipped + self.challenges
    }
}
