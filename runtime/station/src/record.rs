//! The record of one trigger: what became of the part, and how.

use std::time::Duration;

use andon_link::{Outcome, PartResult, RecipeIndex, TriggerId, Verdict};
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::input::Source;
use crate::micros;

/// The one result of one trigger.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartRecord {
    /// Count of triggers since the station started, from 1.
    pub number: u64,
    /// The identity that the MCU gave the part.
    pub part: Option<TriggerId>,
    /// Where the trigger came from.
    pub source: Source,
    /// When the trigger was, in microseconds since start.
    #[serde(rename = "triggered_us", serialize_with = "micros::serialize")]
    pub triggered: Duration,
    /// From the trigger to this result, in microseconds.
    #[serde(rename = "latency_us", serialize_with = "micros::serialize")]
    pub latency: Duration,
    /// What it came to. An error is a reject.
    pub verdict: Verdict,
    /// Why there is an error.
    pub cause: Option<Cause>,
    /// What the inspector said about it.
    pub reason: Option<String>,
    /// The trigger was refused: no frame was looked at.
    pub skipped: bool,
    /// Score in units of the recipe's limit.
    pub score: Option<f32>,
    /// Flagged regions.
    pub regions: u32,
    /// Which recipe judged, or would have.
    pub recipe: RecipeIndex,
    /// Sequence number of the frame that was judged.
    pub frame: Option<u64>,
    /// The alarm after this part.
    pub alarm: AlarmState,
    /// What the part was shown for, if it was a challenge part.
    pub challenge: Option<ChallengeStep>,
}

impl PartRecord {
    /// The result for the MCU; `None` for a part that it did not number.
    #[must_use]
    pub fn for_link(&self) -> Option<PartResult> {
        self.part.map(|part| PartResult {
            part,
            verdict: self.verdict,
            recipe: self.recipe,
        })
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.for_link().map_or(
            Outcome::Stream {
                verdict: self.verdict,
                recipe: self.recipe,
            },
            Outcome::Part,
        )
    }
}

/// The debounced alarm over bad parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmState {
    /// No alarm.
    #[default]
    Clear,
    /// Bad parts came, too few or for too short a time for an alarm.
    Pending,
    /// Raised, not acknowledged.
    Raised,
    /// Acknowledged; no good part has come since.
    Acknowledged,
}

/// Which part the operator is asked to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeStep {
    /// The known-bad part, to be found NG.
    ShowBad,
    /// The known-good part, to be found OK.
    ShowGood,
}
