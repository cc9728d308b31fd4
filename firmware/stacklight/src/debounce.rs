//! A level that counts only once it has stayed. The change is dated to its beginning, so debouncing
//! costs no accuracy; the first level ever seen is no change.

use crate::moment::{Instant, Moment};

/// A debounced input.
#[derive(Debug)]
pub(crate) struct Debounced {
    hold_ms: u32,
    stable: Option<bool>,
    candidate: Option<(bool, Moment)>,
}

/// A level that has stayed, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub level: bool,
    pub since: Moment,
}

impl Debounced {
    /// An input whose level must stay for `hold_ms`.
    pub const fn new(hold_ms: u32) -> Self {
        Self {
            hold_ms,
            stable: None,
            candidate: None,
        }
    }

    /// Takes the level as read; gives a change once it has stayed for long enough.
    pub fn handle(&mut self, level: bool, now: Moment) -> Option<Change> {
        if self.stable == Some(level) {
            self.candidate = None;
            return None;
        }
        let since = match self.candidate {
            Some((candidate, since)) if candidate == level => since,
            _ => {
                self.candidate = Some((level, now));
                now
            }
        };
        if now.at < since.at.plus(self.hold_ms) {
            return None;
        }
        self.candidate = None;
        self.stable.replace(level).map(|_| Change { level, since })
    }

    /// The level that counts; `None` until one has stayed.
    pub const fn level(&self) -> Option<bool> {
        self.stable
    }

    /// When the candidate will count, if the level stays.
    pub fn poll_at(&self) -> Option<Instant> {
        self.candidate.map(|(_, since)| since.at.plus(self.hold_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment {
            at: Instant::from_ms(ms),
            position: 0,
        }
    }

    #[test]
    fn a_bounce_is_no_change_and_a_change_is_dated_to_its_beginning() {
        let mut input = Debounced::new(5);
        assert_eq!(input.handle(false, at(0)), None);
        assert_eq!(
            input.handle(false, at(5)),
            None,
            "the first level is no change"
        );
        assert_eq!(input.level(), Some(false));
        assert_eq!(input.handle(true, at(10)), None);
        assert_eq!(input.handle(false, at(12)), None);
        assert_eq!(input.handle(true, at(13)), None);
        assert_eq!(input.poll_at(), Some(Instant::from_ms(18)));
        assert_eq!(input.handle(true, at(17)), None);
        let change = input.handle(true, at(18));
        assert_eq!(
            change,
            Some(Change {
                level: true,
                since: at(13)
            })
        );
        assert_eq!(input.poll_at(), None);
    }

    #[test]
    fn without_debouncing_every_change_counts_at_once() {
        let mut input = Debounced::new(0);
        assert_eq!(input.handle(true, at(0)), None);
        assert_eq!(
            input.handle(false, at(1)),
            Some(Change {
                level: false,
                since: at(1)
            })
        );
        assert_eq!(
            input.handle(true, at(1)),
            Some(Change {
                level: true,
                since: at(1)
            })
        );
    }
}
