//! The alarm over bad parts, debounced in parts or seconds.

use std::time::Duration;

use crate::record::AlarmState;
use crate::settings::Debounce;

#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    debounce: Debounce,
    /// Bad parts in a row, and when the first of them was found.
    run: u32,
    since: Option<Duration>,
    state: AlarmState,
}

impl Alarm {
    pub(crate) const fn new(debounce: Debounce) -> Self {
        Self {
            debounce,
            run: 0,
            since: None,
            state: AlarmState::Clear,
        }
    }

    pub(crate) const fn state(&self) -> AlarmState {
        self.state
    }

    /// A good part ends the run; an alarm that nobody acknowledged stays.
    pub(crate) fn good(&mut self) {
        self.run = 0;
        self.since = None;
        if self.state != AlarmState::Raised {
            self.state = AlarmState::Clear;
        }
    }

    /// A bad part, found at `now`. After an acknowledgement the next bad part alarms again.
    pub(crate) fn bad(&mut self, now: Duration) {
        self.run = self.run.saturating_add(1);
        let since = *self.since.get_or_insert(now);
        let due = match self.debounce {
            Debounce::Parts(parts) => self.run >= parts,
            Debounce::For(time) => now.saturating_sub(since) >= time,
        };
        if due {
            self.state = AlarmState::Raised;
        } else if self.state == AlarmState::Clear {
            self.state = AlarmState::Pending;
        }
    }

    /// Time passes: an alarm that counts seconds needs no further part.
    pub(crate) fn pass(&mut self, now: Duration) {
        if self.due_at().is_some_and(|due| now >= due) {
            self.state = AlarmState::Raised;
        }
    }

    pub(crate) fn due_at(&self) -> Option<Duration> {
        match (self.debounce, self.since, self.state) {
            (Debounce::For(time), Some(since), AlarmState::Pending) => {
                Some(since.saturating_add(time))
            }
            _ => None,
        }
    }

    pub(crate) fn acknowledge(&mut self) -> bool {
        let raised = self.state == AlarmState::Raised;
        if raised {
            self.state = if self.run == 0 {
                AlarmState::Clear
            } else {
                AlarmState::Acknowledged
            };
        }
        raised
    }
}
