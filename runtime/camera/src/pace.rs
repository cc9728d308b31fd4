//! The rate of a source that could give its next frame at any time.

use std::time::Duration;

use crate::clock;

/// Holds frames back until they are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    interval: Option<Duration>,
    due: Option<Duration>,
}

impl Pace {
    /// One frame each `interval`, the first at once; without an interval all of them at once.
    pub(crate) const fn new(interval: Option<Duration>) -> Self {
        Self {
            interval,
            due: None,
        }
    }

    /// Sleeps until the next frame is due, at most `timeout`; says whether it is due.
    pub(crate) fn wait(&mut self, timeout: Duration) -> bool {
        let Some(interval) = self.interval else {
            return true;
        };
        let now = clock::now();
        let due = *self.due.get_or_insert(now);
        let wait = due.saturating_sub(now);
        std::thread::sleep(wait.min(timeout));
        if wait > timeout {
            return false;
        }
        // A reader that is late by more than a frame does not get the missed ones in a burst.
        self.due = Some((due + interval).max(now));
        true
    }
}
