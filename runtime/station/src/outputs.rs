//! What the station shows and asks for. Outputs are the whole state, never an edge: a sink that
//! missed one is right again with the next.

use andon_link::{Buzzer, ErrorCode, Lamps, Outcome, RecipeIndex, TriggerId};
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::input::JobId;
use crate::record::PartRecord;

/// State of the station, in the words of OPC 40100-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not started yet, or stopped.
    Preoperational,
    /// Production is blocked until the operator has shown the challenge parts.
    Halted,
    /// The station cannot judge, whatever part comes.
    Error,
    /// Started; waits for the first frame, or learns what an empty place looks like.
    Initialized,
    /// Waits for a trigger.
    Ready,
    /// Judges a triggered part.
    SingleExecution,
    /// Sees parts by itself.
    ContinuousExecution,
}

/// Everything that the station shows at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outputs {
    /// State of the station.
    pub state: State,
    /// The stack light.
    pub lamps: Lamps,
    /// The buzzer.
    pub buzzer: Buzzer,
    /// Trigger Ready: the next trigger will be taken.
    pub ready: bool,
    /// Results Ready: `outcome` belongs to the last trigger that was taken.
    pub results_ready: bool,
    /// What the lines OK, NG and Error stand for. OK may be energised only for a verdict `Ok`.
    pub outcome: Outcome,
    /// Code of the oldest error that nobody has acknowledged; kept across later parts.
    pub error: Option<ErrorCode>,
    /// The newest trigger of the MCU that the station knows of, taken or refused.
    pub seen: Option<TriggerId>,
    /// The recipe that judges the part under way, or the next one.
    pub recipe: RecipeIndex,
}

/// What the station hands out; see [`crate::Station::poll_output`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
// One at a time, moved once; a box would cost more than it saves.
#[allow(clippy::large_enum_variant)]
pub enum Output {
    /// Judge a frame.
    Inspect(Inspect),
    /// The one result of one trigger.
    Result(PartRecord),
    /// The outputs changed; show all of this.
    Show(Outputs),
    /// Something for the record.
    Event(Event),
}

/// An order to judge one frame. It is answered by [`crate::Station::handle_inspection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inspect {
    /// The order's identity, given back with the answer.
    pub job: JobId,
    /// Sequence number of the frame to judge: the newest that was handed in.
    pub frame: u64,
    /// The recipe to judge it by.
    pub recipe: RecipeIndex,
}
