//! What the light shows for what it knows: modes and alarms to lamps, verdicts to lines. Pure
//! reading; whatever is not certainly good is shown as not good.

use andon_link::{Alarms, Buzzer, Mode, Outcome, Outputs, PartResult, Signal, Verdict};

use crate::belt::Fate;
use crate::lamps::Pattern;
use crate::light::Light;
use crate::moment::Instant;

/// The four result lines: results ready, OK, NG, error.
#[derive(Clone, Copy, Default)]
struct Lines {
    results_ready: bool,
    ok: bool,
    ng: bool,
    error: bool,
}

impl Lines {
    const NOTHING: Self = Self {
        results_ready: false,
        ok: false,
        ng: false,
        error: false,
    };
    /// The station is not working: every error also raises NG.
    const FAULT: Self = Self {
        results_ready: false,
        ok: false,
        ng: true,
        error: true,
    };
    /// The newest part could not be judged.
    const UNJUDGED: Self = Self {
        results_ready: true,
        ok: false,
        ng: true,
        error: true,
    };
    const OK: Self = Self {
        results_ready: true,
        ok: true,
        ng: false,
        error: false,
    };
    const NG: Self = Self {
        results_ready: true,
        ok: false,
        ng: true,
        error: false,
    };

    const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::OK,
            Verdict::Ng => Self::NG,
            Verdict::Error(_) => Self::UNJUDGED,
        }
    }
}

impl<const N: usize> Light<N> {
    /// The outputs at the moment of the latest input.
    #[must_use]
    pub fn poll_outputs(&self) -> Outputs {
        let [red, amber, green, blue] = self.flasher.lit(self.now.at);
        let Lines {
            results_ready,
            ok,
            ng,
            error,
        } = self.lines();
        let buzzer = match self.host.map(|host| host.state.buzzer) {
            None | Some(Buzzer::Silent) => false,
            Some(Buzzer::Pulsed) => self.flasher.phase(self.now.at),
            Some(Buzzer::Continuous) => true,
        };
        Outputs {
            red,
            amber,
            green,
            blue,
            buzzer,
            ready: self.is_ready(),
            results_ready,
            ok,
            ng,
            error,
            reject: self.is_striking(),
        }
    }

    /// When the outputs or the messages to the host next change by time alone.
    #[must_use]
    pub fn poll_at(&self) -> Instant {
        let now = self.now.at;
        let belt = self
            .rejector()
            .and_then(|rejector| self.belt.poll_at(&rejector, now));
        let next = [
            Some(self.status_at),
            self.host.map(|host| host.until),
            self.foreign_until(),
            self.untaken_until(),
            self.stuck_at(),
            self.spaced_at(),
            self.trigger.poll_at(),
            self.button.poll_at(),
            belt,
        ];
        let flash = self.flasher.poll_at(now);
        if !self.events.is_empty() || self.status_at <= now {
            return now;
        }
        next.into_iter()
            .flatten()
            .filter(|at| *at > now)
            .fold(flash, Instant::min)
    }

    /// What the MCU itself found wrong.
    #[must_use]
    pub fn alarms(&self) -> Alarms {
        Alarms {
            button_stuck: self.is_stuck(),
            trigger_untaken: self.is_untaken_shown(),
            unexpected_reset: self.is_reset_unexpected(),
            reject_missed: self.is_missed(),
        }
    }

    /// What the lamps do.
    pub(crate) fn pattern(&self) -> Pattern {
        let mode = self.mode();
        let Some(host) = self.host else {
            return match mode {
                Mode::VersionMismatch { .. } => Pattern::VersionMismatch,
                _ => Pattern::HostLost,
            };
        };
        let alarms = self.alarms();
        let lamps = host.state.lamps;
        let over = |raised, signal| if raised { Signal::Flashing } else { signal };
        let attention = alarms.trigger_untaken || alarms.unexpected_reset;
        Pattern::Signals {
            red: over(alarms.reject_missed, lamps.red()),
            amber: over(attention || mode == Mode::Unconfigured, lamps.amber()),
            green: if alarms.reject_missed {
                Signal::Dark
            } else {
                lamps.green()
            },
            blue: over(alarms.button_stuck, lamps.blue()),
        }
    }

    fn is_ready(&self) -> bool {
        let room = self.rejector().is_none() || !self.belt.is_full();
        self.mode() == Mode::Running && room && self.is_spaced(self.now) && self.is_host_ready()
    }

    fn lines(&self) -> Lines {
        let Some(host) = self.host.filter(|_| self.mode() == Mode::Running) else {
            return Lines::FAULT;
        };
        if self.is_missed() {
            return Lines::FAULT;
        }
        match host.state.outcome {
            Outcome::Fault(_) => Lines::FAULT,
            Outcome::Stream { verdict, .. } if self.is_free_running() => Lines::of(verdict),
            Outcome::Part(result) if !self.is_free_running() => self.part_lines(Some(result)),
            Outcome::Nothing => self.part_lines(None),
            // A host that talks of parts where there are none, or the other way round, was
            // configured for another line.
            Outcome::Stream { .. } | Outcome::Part(_) => Lines::FAULT,
        }
    }

    /// The lines for the newest part, of which the host shows `result`.
    fn part_lines(&self, result: Option<PartResult>) -> Lines {
        let Some(newest) = self.newest else {
            return Lines::NOTHING;
        };
        let shown = result.filter(|result| result.part == self.id(newest.number));
        match (newest.fate, shown.map(|result| result.verdict)) {
            // It ended without a result of the host, and the host need not know yet.
            (Fate::Untaken | Fate::Missing, _) => Lines::UNJUDGED,
            (_, None) => Lines::NOTHING,
            (Fate::Good, Some(verdict)) => Lines::of(verdict),
            (_, Some(Verdict::Error(_))) => Lines::UNJUDGED,
            (_, Some(_)) => Lines::NG,
        }
    }
}
