//! What the station shows, worked out anew from its state each time.

use andon_link::{Buzzer, Outcome, Verdict};

use crate::cause::Cause;
use crate::lamps::{Situation, lamps};
use crate::outputs::{Outputs, State};
use crate::presence::Place;
use crate::record::AlarmState;
use crate::settings::{Hold, Mode, OnError};
use crate::station::{Life, Station};

impl Station {
    /// State of the station.
    #[must_use]
    pub fn state(&self) -> State {
        let (running, busy) = (self.life == Life::Running, self.part.is_some());
        let judging = match self.settings.mode {
            Mode::FreeRunning(_) => State::ContinuousExecution,
            Mode::Triggered if busy => State::SingleExecution,
            Mode::Triggered => State::Ready,
        };
        if self.life == Life::Stopping {
            judging
        } else if !running {
            State::Preoperational
        } else if self.blocked().is_some() || self.waits_for_ack() {
            State::Error
        } else if self.is_starting() {
            State::Initialized
        } else if self.challenge.run.is_some() {
            State::Halted
        } else {
            judging
        }
    }

    /// Everything that the station shows now.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        let state = self.state();
        let held = self.last.filter(|shown| shown.held);
        let outcome = match (held, self.blocked()) {
            (Some(shown), _) => shown.outcome,
            (None, Some(_)) if self.life == Life::Stopping => Outcome::Nothing,
            (None, Some(cause)) => Outcome::Fault(cause.code()),
            (None, None) => Outcome::Nothing,
        };
        let situation = self.situation(state);
        Outputs {
            state,
            lamps: lamps(situation),
            buzzer: if self.settings.buzzer && situation.red_new {
                Buzzer::Pulsed
            } else {
                Buzzer::Silent
            },
            ready: self.refusal().is_none(),
            results_ready: held.is_some(),
            outcome,
            error: self.error.map(Cause::code),
            seen: self.seen,
            recipe: self
                .part
                .as_ref()
                .map_or(self.recipe.index, |part| part.recipe),
        }
    }

    /// Why a trigger would be refused now; `None` when it would be taken.
    pub(crate) fn refusal(&self) -> Option<Cause> {
        if let Some(cause) = self.blocked() {
            return Some(cause);
        }
        if self.part.is_some() || self.inspector.is_some() {
            return Some(Cause::Busy);
        }
        let held = self.last.is_some_and(|shown| shown.held);
        let waits = self.waits_for_ack() || (self.settings.hold == Hold::UntilAck && held);
        (waits || self.is_starting()).then_some(Cause::NotReady)
    }

    fn waits_for_ack(&self) -> bool {
        self.settings.on_error == OnError::Block && self.error.is_some()
    }

    /// No usable frame has come yet, or what an empty place looks like is not known yet.
    fn is_starting(&self) -> bool {
        (self.settings.frame_timeout.is_some() && self.newest.is_none())
            || self.place() == Some(Place::Learning)
    }

    fn situation(&self, state: State) -> Situation {
        let (degraded, degraded_new) = self.faults.degraded();
        let drift = self.drift.outside().next().is_some();
        let failed = self.challenge.run.as_ref().is_some_and(|run| run.failed);
        let red_new = self.alarm.state() == AlarmState::Raised || self.error.is_some() || failed;
        let last = self.last.map(|shown| shown.verdict);
        let held = self.last.is_some_and(|shown| shown.held);
        let operational = matches!(
            state,
            State::Ready | State::SingleExecution | State::ContinuousExecution
        );
        Situation {
            stopped: self.life == Life::Stopped,
            red_new,
            red_known: state == State::Error
                || self.alarm.state() == AlarmState::Acknowledged
                || matches!(last, Some(Verdict::Ng | Verdict::Error(_))),
            amber_new: degraded_new || self.drift.is_new() || self.skipped,
            amber_known: degraded
                || drift
                || matches!(state, State::Preoperational | State::Initialized),
            good: operational && last == Some(Verdict::Ok),
            call_new: red_new || state == State::Halted,
            call_known: state == State::Error || (held && self.settings.hold == Hold::UntilAck),
        }
    }
}
