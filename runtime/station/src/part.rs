//! The part under way: how it is announced, taken or refused, and gets its frame.

use std::time::Duration;

use andon_link::{RecipeIndex, TriggerId};

use crate::cause::Cause;
use crate::event::Event;
use crate::fault::Fault;
use crate::frames::Age;
use crate::input::{FrameHealth, FrameSeen, InspectionDone, JobId, Source, Trigger};
use crate::outputs::{Inspect, Output};
use crate::presence::Sight;
use crate::record::ChallengeStep;
use crate::station::{Order, Shown, Station};

/// A part that was taken and has no result yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) number: u64,
    pub(crate) id: Option<TriggerId>,
    pub(crate) source: Source,
    pub(crate) at: Duration,
    pub(crate) deadline: Duration,
    pub(crate) recipe: RecipeIndex,
    pub(crate) challenge: Option<ChallengeStep>,
    pub(crate) stage: Stage,
}

/// What the part waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    /// A frame that was captured at or after its trigger; whether a damaged one came.
    Waiting { damaged: bool },
    /// The inspector.
    Judging { job: JobId, frame: u64 },
}

impl Station {
    /// A part is announced. It is taken if the station is ready. If not it is refused: recorded at
    /// once as an error and counted as skipped, because nobody will look at it, and a part that
    /// nobody looked at is rejected. One that the MCU announced before is passed over.
    pub fn handle_trigger(&mut self, now: Duration, trigger: Trigger) {
        self.advance(now);
        if let Some(id) = trigger.part {
            let missed = match self.seen {
                Some(seen) if seen.epoch == id.epoch => {
                    let ahead = id.number.wrapping_sub(seen.number);
                    if ahead == 0 || ahead > u32::MAX / 2 {
                        self.counters.repeated += 1;
                        return;
                    }
                    ahead - 1
                }
                _ => 0,
            };
            self.seen = Some(id);
            if missed > 0 {
                self.event(Event::TriggersMissed { count: missed });
            }
        }
        let refusal = trigger.refused.or_else(|| self.refusal());
        let part = self.announce(&trigger);
        match refusal {
            Some(cause) => self.skip(&part, cause),
            None => self.take(part),
        }
    }

    /// A frame arrived.
    pub fn handle_frame(&mut self, now: Duration, seen: FrameSeen) {
        self.advance(now);
        let FrameSeen {
            sequence,
            captured,
            health,
            presence,
        } = seen;
        if self.gate.admit(self.now, sequence, captured) == Age::Stale {
            self.counters.frames.stale += 1;
            return;
        }
        if health != FrameHealth::Sound {
            self.counters.frames.damaged += 1;
            if let Some(part) = &mut self.part
                && let Stage::Waiting { damaged } = &mut part.stage
                && captured >= part.at
            {
                *damaged = true;
            }
            return;
        }
        self.counters.frames.fresh += 1;
        self.newest = Some((sequence, captured));
        if !self.faults.status(Fault::CameraLost).active {
            self.frame_due = self.next_frame_due();
        }
        self.recover(Fault::CameraStalled);
        if self.inspector.is_some() {
            self.counters.frames.skipped += 1;
        }
        if let (Some(place), Some(change)) = (&mut self.presence, presence) {
            match place.see(captured, change) {
                Sight::Nothing => {}
                Sight::Learned { on, off } => self.event(Event::PresenceLearned { on, off }),
                Sight::Part => self.handle_trigger(
                    now,
                    Trigger {
                        at: Some(captured),
                        ..Trigger::new(Source::Presence)
                    },
                ),
                Sight::Missed => {
                    let part = self.announce(&Trigger::new(Source::Presence));
                    self.skip(&part, Cause::PartMissed);
                }
            }
        }
        self.order();
    }

    /// The inspector answers an order. An answer to any other than the one under way frees the
    /// inspector, and is not looked at otherwise.
    pub fn handle_inspection(&mut self, now: Duration, done: InspectionDone) {
        self.advance(now);
        if self.inspector.is_none_or(|order| order.job != done.job) {
            return;
        }
        self.inspector = None;
        self.progress += 1;
        self.recover(Fault::InspectorStuck);
        if let Some(part) = self.part
            && let Stage::Judging { job, frame } = part.stage
            && job == done.job
        {
            self.judge(part, frame, done);
        }
        self.settle();
    }

    fn announce(&mut self, trigger: &Trigger) -> Part {
        self.triggers += 1;
        self.counters.triggers += 1;
        let at = trigger.at.map_or(self.now, |at| at.min(self.now));
        Part {
            number: self.triggers,
            id: trigger.part,
            source: trigger.source,
            at,
            deadline: at.saturating_add(self.settings.deadline),
            recipe: self.recipe.index,
            challenge: self.challenge.run.as_ref().map(|run| run.step),
            stage: Stage::Waiting { damaged: false },
        }
    }

    fn take(&mut self, part: Part) {
        self.last = self.last.map(|shown| Shown {
            held: false,
            ..shown
        });
        self.part = Some(part);
        // It may have been under way for its whole time.
        if self.now >= part.deadline {
            self.fail(Cause::NoFrame, None);
        } else {
            self.order();
        }
    }

    /// Has the newest frame judged, if a part waits and the frame shows it.
    fn order(&mut self) {
        let Some(part) = &mut self.part else { return };
        let (Stage::Waiting { .. }, Some((frame, captured))) = (part.stage, self.newest) else {
            return;
        };
        if captured < part.at {
            return;
        }
        self.orders += 1;
        let job = JobId(self.orders);
        part.stage = Stage::Judging { job, frame };
        let (recipe, deadline) = (part.recipe, part.deadline);
        self.inspector = Some(Order {
            job,
            stuck_at: deadline.saturating_add(self.settings.inspector_patience),
        });
        self.queue
            .push_back(Output::Inspect(Inspect { job, frame, recipe }));
    }
}
