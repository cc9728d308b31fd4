//! From the state of the station to the level of each lamp and line, for outputs that the host
//! drives itself. The same rules as those of the MCU: OK is on only for a fresh verdict OK, every
//! error raises NG as well, and nothing is ever all dark.

use std::time::Duration;

use andon_link::{Buzzer, Outcome, Outputs as Levels, Signal, Verdict};

use crate::sink::Shown;

/// Time that a flashing lamp is on, and then off: 2 Hz, as on the MCU, in the middle of the 1.4 Hz
/// to 2.8 Hz that IEC 60073 gives for normal flashing.
pub const FLASH_HALF_PERIOD: Duration = Duration::from_millis(250);

/// What each lamp and line is driven to. `reject` stays off: striking at the right moment is for
/// the MCU.
#[must_use]
pub fn levels(shown: &Shown<'_>) -> Levels {
    let phase = phase(shown.now);
    if !shown.is_fresh() {
        return host_lost(phase);
    }
    let outputs = shown.outputs;
    let lit = |signal| match signal {
        Signal::Dark => false,
        Signal::Steady => true,
        Signal::Flashing => phase,
    };
    let (ok, ng, error) = match outputs.outcome {
        Outcome::Nothing => (false, false, false),
        Outcome::Fault(_) => (false, true, true),
        Outcome::Part(result) => lines(result.verdict),
        Outcome::Stream { verdict, .. } => lines(verdict),
    };
    Levels {
        red: lit(outputs.lamps.red()),
        amber: lit(outputs.lamps.amber()),
        green: lit(outputs.lamps.green()),
        blue: lit(outputs.lamps.blue()),
        buzzer: match outputs.buzzer {
            Buzzer::Silent => false,
            Buzzer::Pulsed => phase,
            Buzzer::Continuous => true,
        },
        ready: outputs.ready,
        results_ready: outputs.results_ready,
        ok,
        ng,
        error,
        reject: false,
    }
}

const fn lines(verdict: Verdict) -> (bool, bool, bool) {
    match verdict {
        Verdict::Ok => (true, false, false),
        Verdict::Ng => (false, true, false),
        Verdict::Error(_) => (false, true, true),
    }
}

/// Red and amber in turn, NG and Error on.
pub(crate) fn host_lost(phase: bool) -> Levels {
    Levels {
        red: phase,
        amber: !phase,
        ng: true,
        error: true,
        ..Levels::default()
    }
}

/// First (`true`) or second half of a flash.
pub(crate) const fn phase(now: Duration) -> bool {
    (now.as_millis() / FLASH_HALF_PERIOD.as_millis()).is_multiple_of(2)
}

/// One output of the host.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum OutputLine {
    /// The part is good; energised only while a fresh verdict says so.
    Ok,
    /// The part is rejected.
    Ng,
    /// The station could not judge.
    Error,
    /// Trigger Ready.
    Ready,
    /// Results Ready.
    ResultsReady,
    /// Red lamp.
    Red,
    /// Amber lamp.
    Amber,
    /// Green lamp.
    Green,
    /// Blue lamp.
    Blue,
    /// Buzzer.
    Buzzer,
}

impl OutputLine {
    /// Every output, in the order in which they are driven: a line that a PLC latches on comes
    /// before Results Ready, which tells it to look.
    pub const ALL: [Self; 10] = [
        Self::Ng,
        Self::Error,
        Self::Ready,
        Self::Red,
        Self::Amber,
        Self::Green,
        Self::Blue,
        Self::Buzzer,
        Self::Ok,
        Self::ResultsReady,
    ];

    /// Its level among `levels`.
    #[must_use]
    pub const fn of(self, levels: &Levels) -> bool {
        match self {
            Self::Ok => levels.ok,
            Self::Ng => levels.ng,
            Self::Error => levels.error,
            Self::Ready => levels.ready,
            Self::ResultsReady => levels.results_ready,
            Self::Red => levels.red,
            Self::Amber => levels.amber,
            Self::Green => levels.green,
            Self::Blue => levels.blue,
            Self::Buzzer => levels.buzzer,
        }
    }
}

/// The order in which lines change: what falls of OK and Results Ready first, what rises of them
/// last. At no moment is OK on together with a line that contradicts it, nor Results Ready on over
/// lines that are half changed.
pub fn changes(from: &Levels, to: &Levels) -> Vec<(OutputLine, bool)> {
    let held = Levels {
        ok: from.ok && to.ok,
        results_ready: from.results_ready && to.results_ready && same_result(from, to),
        ..*from
    };
    let falls = [OutputLine::ResultsReady, OutputLine::Ok]
        .into_iter()
        .filter(|line| line.of(from) && !line.of(&held))
        .map(|line| (line, false));
    let rest = OutputLine::ALL
        .into_iter()
        .filter(|line| line.of(&held) != line.of(to))
        .map(|line| (line, line.of(to)));
    falls.chain(rest).collect()
}

const fn same_result(from: &Levels, to: &Levels) -> bool {
    from.ok == to.ok && from.ng == to.ng && from.error == to.error
}
