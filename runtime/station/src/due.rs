//! What falls due with time, and what faults do to the part under way.

use std::time::Duration;

use andon_link::Verdict;

use crate::cause::Cause;
use crate::event::Event;
use crate::fault::{Fault, Recovery, Severity};
use crate::outputs::Output;
use crate::part::Stage;
use crate::station::{Life, Station};

impl Station {
    pub(crate) fn event(&mut self, event: Event) {
        self.queue.push_back(Output::Event(event));
    }

    /// Why no part can be judged, if none can.
    pub(crate) fn blocked(&self) -> Option<Cause> {
        match self.life {
            Life::Preoperational => Some(Cause::NotReady),
            Life::Stopping | Life::Stopped => Some(Cause::Stopping),
            Life::Running => self.faults.blocking(),
        }
    }

    /// Moves time on: whatever is due by now happens, before anything new is looked at.
    pub(crate) fn advance(&mut self, now: Duration) {
        self.now = self.now.max(now);
        let now = self.now;
        if let Some(part) = &self.part
            && now >= part.deadline
        {
            let cause = match part.stage {
                Stage::Judging { .. } => Cause::Deadline,
                Stage::Waiting { damaged: true } => Cause::FrameDamaged,
                Stage::Waiting { damaged: false } => Cause::NoFrame,
            };
            self.fail(cause, None);
        }
        if self.inspector.is_some_and(|order| now >= order.stuck_at) {
            self.raise(Fault::InspectorStuck);
        }
        if self.frame_due.is_some_and(|due| now >= due) {
            self.frame_due = None;
            // It may count from anew by now, and would never be believed again.
            self.gate.restart();
            self.raise(Fault::CameraStalled);
        }
        self.alarm.pass(now);
        if self.life == Life::Running {
            self.challenge.pass(now);
        }
        if self.part.is_some() == self.inspector.is_some() {
            self.progress += 1;
        }
        self.settle();
    }

    /// What was waiting for the part under way.
    pub(crate) fn settle(&mut self) {
        if self.part.is_some() {
            return;
        }
        if self.life == Life::Stopping {
            if self.last.is_some_and(|shown| shown.held) {
                // The last result is shown before the outputs say that the station has stopped.
                self.queue.push_back(Output::Show(self.outputs()));
            }
            self.life = Life::Stopped;
            self.frame_due = None;
            self.last = None;
            self.event(Event::Stopped);
        }
        if self.life == Life::Running
            && let Some(by) = self.challenge.begin()
        {
            let recipe = self.recipe.index;
            self.event(Event::ChallengeBegun { by, recipe });
        }
    }

    pub(crate) fn next_frame_due(&self) -> Option<Duration> {
        self.settings
            .frame_timeout
            .filter(|_| self.life == Life::Running)
            .map(|timeout| self.now.saturating_add(timeout))
    }

    pub(crate) fn raise(&mut self, fault: Fault) {
        let Some(count) = self.faults.raise(fault) else {
            return;
        };
        self.event(Event::FaultRaised { fault, count });
        if fault == Fault::InspectorDied {
            // Its order died with it.
            self.inspector = None;
            self.recover(Fault::InspectorStuck);
        }
        if fault == Fault::CameraLost {
            // Another fault tells of the same silence.
            self.frame_due = None;
            self.newest = None;
        }
        if let Severity::CannotJudge(cause) = fault.severity() {
            self.fail(cause, None);
            self.error.get_or_insert(cause);
            // An error result stays shown; any other would claim what cannot be known now.
            self.last = self
                .last
                .filter(|shown| matches!(shown.verdict, Verdict::Error(_)));
        }
        self.settle();
    }

    pub(crate) fn recover(&mut self, fault: Fault) {
        let recovery = self.faults.recover(self.now, fault);
        let (Recovery::Recovered(count) | Recovery::BudgetSpent(count)) = recovery else {
            return;
        };
        match fault {
            Fault::CameraLost | Fault::CameraRetrying => {
                self.gate.restart();
                self.frame_due = self.next_frame_due();
            }
            Fault::InspectorStuck => self.inspector = None,
            _ => {}
        }
        self.event(Event::FaultRecovered { fault, count });
        if let Recovery::BudgetSpent(_) = recovery {
            self.error.get_or_insert(Cause::Flapping);
            self.event(Event::BudgetSpent {
                fault,
                recoveries: self.settings.budget.recoveries,
            });
        }
    }
}
