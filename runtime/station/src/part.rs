//! The part under way, from its trigger to its one result.

use std::time::Duration;

use andon_link::{RecipeIndex, TriggerId, Verdict};

use crate::cause::Cause;
use crate::event::Event;
use crate::fault::Fault;
use crate::frames::Age;
use crate::input::{FrameHealth, FrameSeen, InspectionDone, JobId, Judgement, Source, Trigger};
use crate::outputs::{Inspect, Output};
use crate::presence::Sight;
use crate::record::{AlarmState, ChallengeStep, PartRecord};
use crate::station::{Order, Shown, Station};

/// A part that was taken and has no result yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    number: u64,
    id: Option<TriggerId>,
    source: Source,
    at: Duration,
    pub(crate) deadline: Duration,
    recipe: RecipeIndex,
    challenge: Option<ChallengeStep>,
    pub(crate) stage: Stage,
}

impl Part {
    pub(crate) const fn recipe(&self) -> RecipeIndex {
        self.recipe
    }
}

/// What the part waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stage {
    /// A frame that was captured at or after its trigger; whether a damaged one came.
    Waiting { damaged: bool },
    /// The inspector.
    Judging { job: JobId, frame: u64 },
}

/// What a judged part showed.
struct Finding {
    verdict: Verdict,
    cause: Option<Cause>,
    reason: Option<String>,
    score: Option<f32>,
    regions: u32,
}

impl Finding {
    fn error(cause: Cause, reason: Option<String>) -> Self {
        Self {
            verdict: Verdict::Error(cause.code()),
            cause: Some(cause),
            reason,
            score: None,
            regions: 0,
        }
    }
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

    fn judge(&mut self, part: Part, frame: u64, done: InspectionDone) {
        let judgement = match done.outcome {
            Err(reason) => return self.fail(Cause::InspectionFailed, Some(reason)),
            Ok(_) if done.frame != frame => return self.fail(Cause::WrongFrame, None),
            Ok(judgement) => judgement,
        };
        if judgement.recipe != part.recipe {
            return self.fail(Cause::WrongRecipe, None);
        }
        if !judgement.score.is_finite() {
            return self.fail(Cause::BadScore, None);
        }
        let Judgement {
            good,
            score,
            regions,
            measures,
            ..
        } = judgement;
        let (verdict, cause) = match (part.challenge, good) {
            // A known-bad part must not leave the station as good.
            (Some(ChallengeStep::ShowBad), true) => (
                Verdict::Error(Cause::ChallengeMissed.code()),
                Some(Cause::ChallengeMissed),
            ),
            (_, true) => (Verdict::Ok, None),
            (_, false) => (Verdict::Ng, None),
        };
        if part.challenge.is_none()
            && let Some(measures) = measures
        {
            // A switch may have come meanwhile: the new recipe's bands are not this part's.
            if part.recipe == self.recipe.index {
                for event in self.drift.handle_part(good, score, &measures) {
                    self.event(event);
                }
            }
        }
        self.finish(Finding {
            verdict,
            cause,
            reason: None,
            score: Some(score),
            regions,
        });
    }

    /// Ends the part under way, if there is one, as an error.
    pub(crate) fn fail(&mut self, cause: Cause, reason: Option<String>) {
        self.finish(Finding::error(cause, reason));
    }

    fn finish(&mut self, finding: Finding) {
        let Some(part) = self.part.take() else { return };
        let latency = self.now.saturating_sub(part.at);
        self.counters.latency.add(latency);
        if part.challenge.is_some() {
            self.counters.challenges += 1;
        } else {
            *match finding.verdict {
                Verdict::Ok => &mut self.counters.ok,
                Verdict::Ng => &mut self.counters.ng,
                Verdict::Error(_) => &mut self.counters.errors,
            } += 1;
            match finding.verdict {
                Verdict::Ok => self.alarm.good(),
                Verdict::Ng | Verdict::Error(_) => self.alarm.bad(self.now),
            }
        }
        let record = self.record(&part, finding, false);
        let missed = record.cause == Some(Cause::ChallengeMissed);
        if let Some(cause) = record.cause.filter(|_| !missed) {
            self.error.get_or_insert(cause);
        }
        self.last = Some(Shown {
            outcome: record.outcome(),
            verdict: record.verdict,
            held: true,
        });
        let (verdict, score) = (record.verdict, record.score);
        self.queue.push_back(Output::Result(record));
        if let Some(step) = part.challenge {
            self.step(step, part.recipe, verdict, score, missed);
        }
    }

    fn step(
        &mut self,
        step: ChallengeStep,
        recipe: RecipeIndex,
        verdict: Verdict,
        score: Option<f32>,
        missed: bool,
    ) {
        // The recipe was switched while the part was judged: it challenged the one before.
        let Some(run) = self.challenge.run.as_mut().filter(|run| run.step == step) else {
            return;
        };
        let by = run.by.clone();
        match (step, verdict) {
            (ChallengeStep::ShowBad, Verdict::Ng) => {
                run.step = ChallengeStep::ShowGood;
                run.bad_score = score;
                run.failed = false;
            }
            (ChallengeStep::ShowGood, Verdict::Ok) => {
                let margin_bad = run.bad_score.unwrap_or(1.0) - 1.0;
                let margin_good = 1.0 - score.unwrap_or(1.0);
                self.challenge.passed(self.now);
                self.event(Event::ChallengePassed {
                    by,
                    recipe,
                    margin_bad,
                    margin_good,
                });
            }
            // It could not be judged, which says nothing about the recipe: show it once more.
            (_, Verdict::Error(_)) if !missed => {}
            _ => {
                run.fail();
                self.event(Event::ChallengeFailed {
                    by,
                    recipe,
                    step,
                    score,
                });
            }
        }
    }

    fn skip(&mut self, part: &Part, cause: Cause) {
        self.counters.skipped += 1;
        self.skipped = true;
        let record = self.record(part, Finding::error(cause, None), true);
        self.queue.push_back(Output::Result(record));
    }

    fn record(&self, part: &Part, finding: Finding, skipped: bool) -> PartRecord {
        PartRecord {
            number: part.number,
            part: part.id,
            source: part.source,
            triggered: part.at,
            latency: self.now.saturating_sub(part.at),
            verdict: finding.verdict,
            cause: finding.cause,
            reason: finding.reason,
            skipped,
            score: finding.score,
            regions: finding.regions,
            recipe: part.recipe,
            frame: match part.stage {
                Stage::Judging { frame, .. } => Some(frame),
                Stage::Waiting { .. } => None,
            },
            alarm: self.alarm.state(),
            challenge: part.challenge.filter(|_| !skipped),
        }
    }

    /// The alarm over bad parts.
    #[must_use]
    pub const fn alarm(&self) -> AlarmState {
        self.alarm.state()
    }

    /// Which challenge part is to be shown now, if any.
    #[must_use]
    pub fn challenge(&self) -> Option<ChallengeStep> {
        self.challenge.run.as_ref().map(|run| run.step)
    }
}
