//! The challenge: a known-bad and a known-good part, in this order, must be found as such before
//! production goes on.

use std::time::Duration;

use crate::record::ChallengeStep;
use crate::settings::ChallengeSettings;

#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    settings: ChallengeSettings,
    /// Asked for, not begun: a part is still under way, or the station is not running.
    pub(crate) asked: Option<String>,
    pub(crate) run: Option<Run>,
    /// When the next one falls due.
    due: Option<Duration>,
}

/// A challenge under way.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) by: String,
    pub(crate) step: ChallengeStep,
    /// Score of the bad part, once it was found bad.
    pub(crate) bad_score: Option<f32>,
    /// The last part was not judged as it should.
    pub(crate) failed: bool,
}

impl Challenge {
    pub(crate) const fn new(settings: ChallengeSettings) -> Self {
        Self {
            settings,
            asked: None,
            run: None,
            due: None,
        }
    }

    pub(crate) fn start(&mut self, now: Duration) {
        if self.settings.at_start {
            self.ask("start of the station");
        }
        self.passed(now);
    }

    pub(crate) fn switched(&mut self) {
        // What was shown so far was shown to the recipe before.
        if let Some(run) = self.run.take() {
            self.asked = Some(run.by);
        }
        if self.settings.after_switch {
            self.ask("recipe switch");
        }
    }

    pub(crate) fn ask(&mut self, by: &str) {
        if self.asked.is_none() {
            self.asked = Some(by.to_owned());
        }
    }

    pub(crate) fn pass(&mut self, now: Duration) {
        if self.due.is_some_and(|due| now >= due) {
            self.due = None;
            self.ask("schedule");
        }
    }

    pub(crate) const fn due_at(&self) -> Option<Duration> {
        self.due
    }

    /// Begins what was asked for; gives who asked.
    pub(crate) fn begin(&mut self) -> Option<String> {
        if self.run.is_some() {
            // One is under way: asking again changes nothing.
            self.asked = None;
            return None;
        }
        let by = self.asked.take()?;
        self.run = Some(Run::new(by.clone()));
        Some(by)
    }

    pub(crate) fn passed(&mut self, now: Duration) {
        self.run = None;
        self.due = self.settings.every.map(|every| now.saturating_add(every));
    }
}

impl Run {
    const fn new(by: String) -> Self {
        Self {
            by,
            step: ChallengeStep::ShowBad,
            bad_score: None,
            failed: false,
        }
    }

    /// Back to the beginning.
    pub(crate) fn fail(&mut self) {
        self.step = ChallengeStep::ShowBad;
        self.bad_score = None;
        self.failed = true;
    }
}
