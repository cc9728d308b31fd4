//! From an answer of the inspector, or the lack of one, to the one result of a part.

use andon_link::{RecipeIndex, Verdict};

use crate::cause::Cause;
use crate::event::Event;
use crate::input::{InspectionDone, Judgement};
use crate::outputs::Output;
use crate::part::{Part, Stage};
use crate::record::{AlarmState, ChallengeStep, PartRecord};
use crate::station::{Shown, Station};

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
    pub(crate) fn judge(&mut self, part: Part, frame: u64, done: InspectionDone) {
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
        // A switch may have come meanwhile: the new recipe's bands are not this part's.
        if part.challenge.is_none()
            && part.recipe == self.recipe.index
            && let Some(measures) = measures
        {
            for event in self.drift.handle_part(good, score, &measures) {
                self.event(event);
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

    pub(crate) fn skip(&mut self, part: &Part, cause: Cause) {
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
