//! Named events: what happened to the station, for the record. Each says with which numbers.

use andon_link::RecipeIndex;
use serde::Serialize;

use crate::counters::Counters;
use crate::fault::Fault;
use crate::measures::{Band, Quantity};
use crate::record::ChallengeStep;

/// Something happened that is no result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The station was started.
    Started,
    /// The station has stopped; no part is under way.
    Stopped,
    /// Somebody acknowledged.
    Acknowledged,
    /// The counters were set to zero.
    CountersReset {
        /// Who did it.
        by: String,
        /// What they had been.
        before: Counters,
    },
    /// From the next part on another recipe judges.
    RecipeSwitched {
        /// The one before.
        from: RecipeIndex,
        /// The new one.
        to: RecipeIndex,
    },
    /// A fault came.
    FaultRaised {
        /// Which.
        fault: Fault,
        /// How often it came since start, this time included.
        count: u64,
    },
    /// A fault went.
    FaultRecovered {
        /// Which.
        fault: Fault,
        /// How often it went since start, this time included.
        count: u64,
    },
    /// Faults came back more often than the restart budget allows: the station stays in the state
    /// Error until somebody acknowledges.
    BudgetSpent {
        /// The fault that spent the last of it.
        fault: Fault,
        /// Recoveries that the budget allows.
        recoveries: u32,
    },
    /// Triggers of the MCU never arrived: their numbers are missing. The MCU rejects those parts.
    TriggersMissed {
        /// How many.
        count: u32,
    },
    /// The threshold for parts in the image was learned.
    PresenceLearned {
        /// A part is there above this, in mean grey levels.
        on: f32,
        /// No part is there below this.
        off: f32,
    },
    /// The station asks for challenge parts and blocks production.
    ChallengeBegun {
        /// Who asked for it.
        by: String,
        /// The recipe that is challenged.
        recipe: RecipeIndex,
    },
    /// Bad was found bad and good was found good; production goes on.
    ChallengePassed {
        /// Who asked for it.
        by: String,
        /// The recipe that was challenged.
        recipe: RecipeIndex,
        /// Score of the bad part above the limit, in units of the limit.
        margin_bad: f32,
        /// Score of the good part below the limit, in units of the limit.
        margin_good: f32,
    },
    /// A challenge part was not judged as it should; the challenge begins again.
    ChallengeFailed {
        /// Who asked for it.
        by: String,
        /// The recipe that was challenged.
        recipe: RecipeIndex,
        /// The part that was shown.
        step: ChallengeStep,
        /// Its score, if it was judged.
        score: Option<f32>,
    },
    /// The band of a quantity was learned from this run, as the recipe carries none.
    BandLearned {
        /// Which.
        quantity: Quantity,
        /// Its band.
        band: Band,
    },
    /// A quantity left its band.
    DriftEntered {
        /// Which.
        quantity: Quantity,
        /// Its smoothed deviation from what was learned, in its own unit.
        deviation: f32,
        /// The limit that it passed.
        limit: f32,
    },
    /// A quantity came back.
    DriftLeft {
        /// Which.
        quantity: Quantity,
        /// Its smoothed deviation.
        deviation: f32,
        /// The limit.
        limit: f32,
    },
}
