//! Messages that are repeated until the MCU has answered them, under whatever number the answer
//! names.

use std::collections::VecDeque;
use std::time::Duration;

use andon_link::Sequence;

/// Time between two tries. An answer takes at most a turn of the MCU's loop and two frames.
pub(crate) const REPEAT: Duration = Duration::from_millis(100);

/// Numbers of past tries that an answer may still name.
const TRIES: usize = 8;

/// One message that waits for its answer.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    pub message: T,
    tried: VecDeque<Sequence>,
    due: Duration,
}

impl<T> Pending<T> {
    /// Due at once.
    pub const fn new(message: T) -> Self {
        Self {
            message,
            tried: VecDeque::new(),
            due: Duration::ZERO,
        }
    }

    pub fn is_due(&self, now: Duration) -> bool {
        now >= self.due
    }

    pub const fn due(&self) -> Duration {
        self.due
    }

    pub fn sent(&mut self, sequence: Sequence, now: Duration) {
        if self.tried.len() == TRIES {
            self.tried.pop_front();
        }
        self.tried.push_back(sequence);
        self.due = now + REPEAT;
    }

    /// Whether an answer to `sequence` is one to this.
    pub fn is_answered_by(&self, sequence: Sequence) -> bool {
        self.tried.contains(&sequence)
    }

    /// Asks again at once, since the other side has forgotten.
    pub fn renew(&mut self) {
        self.tried.clear();
        self.due = Duration::ZERO;
    }
}
