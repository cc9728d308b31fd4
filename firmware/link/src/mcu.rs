//! Messages from the MCU to the host. The status repeats every count, so that an event whose frame
//! was lost still shows; it says what the outputs do, not what they were asked to do.

use serde::{Deserialize, Serialize};

use crate::frame::{self, Message, Refusal};
use crate::ids::{Epoch, Label, Sequence, TriggerId};
use crate::receiver::LinkCounters;

/// Everything that an MCU can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
// A message lives for one encoding, one at a time; a box would need an allocator.
#[allow(clippy::large_enum_variant)]
pub enum McuMessage {
    /// The full state.
    Status(Status),
    /// A part came.
    Trigger(TriggerEdge),
    /// The button was pressed.
    Acknowledge(Acknowledge),
    /// What became of a result or a configuration.
    Reply(Reply),
    /// Who is there.
    Identity(Identity),
}

/// The full state of the MCU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Sequence number of the last good frame from the host; `None` before the first.
    pub echo: Option<Sequence>,
    /// Time since reset in milliseconds.
    pub uptime_ms: u64,
    /// What the light goes by.
    pub mode: Mode,
    /// The outputs as they are driven at this moment.
    pub outputs: Outputs,
    /// The inputs as they are read, after debouncing.
    pub inputs: Inputs,
    /// What the MCU itself found wrong.
    pub alarms: Alarms,
    /// Why the MCU started.
    pub reset: ResetCause,
    /// The life of the MCU since then.
    pub epoch: Epoch,
    /// The newest part; `None` before the first.
    pub last_trigger: Option<TriggerId>,
    /// Parts between trigger and rejector.
    pub pending: u8,
    /// Presses of the acknowledge button since reset; wraps.
    pub acknowledgements: u16,
    /// Position of the belt in encoder ticks; wraps. Zero where no encoder is wired.
    pub position: i32,
    /// How the line to the host does.
    pub link: LinkCounters,
    /// How the parts do.
    pub line: LineCounters,
}

/// What the light goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No state from the host is valid now.
    HostLost,
    /// No state is valid, and frames of another protocol version come in.
    VersionMismatch {
        /// The version that the host speaks.
        theirs: u8,
    },
    /// The host's state is valid, its configuration has not come since reset.
    Unconfigured,
    /// The host's state is valid and the light follows it.
    Running,
}

/// The outputs as they are driven: a flashing lamp is `false` while it is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct Outputs {
    /// Red lamp.
    pub red: bool,
    /// Amber lamp.
    pub amber: bool,
    /// Green lamp.
    pub green: bool,
    /// Blue lamp.
    pub blue: bool,
    /// Buzzer.
    pub buzzer: bool,
    /// Trigger Ready: the next trigger will be taken.
    pub ready: bool,
    /// Results Ready: the three lines below belong to the last trigger.
    pub results_ready: bool,
    /// The part is good.
    pub ok: bool,
    /// The part is rejected.
    pub ng: bool,
    /// The station could not judge.
    pub error: bool,
    /// The rejector strikes.
    pub reject: bool,
}

/// The inputs after debouncing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// Level of the trigger input.
    pub trigger: bool,
    /// The acknowledge button is pressed.
    pub button: bool,
}

/// What the MCU itself found wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)]
pub struct Alarms {
    /// The acknowledge button has been down for too long to be a finger.
    pub button_stuck: bool,
    /// A part came lately that was not taken, and is being rejected for it.
    pub trigger_untaken: bool,
    /// The MCU was restarted by its watchdog, by a fault of its own or by a dip of its supply;
    /// until acknowledged.
    pub unexpected_reset: bool,
    /// A part to be rejected went past the rejector unstruck, because the MCU looked too late;
    /// until acknowledged.
    pub reject_missed: bool,
}

/// Why the MCU started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetCause {
    /// Supply switched on; boards that cannot tell report a dip this way as well.
    PowerOn,
    /// Reset pin or debugger.
    Pin,
    /// The firmware asked for it, which only its fault handlers do.
    Software,
    /// The watchdog was not fed.
    Watchdog,
    /// The supply dipped.
    BrownOut,
    /// The board cannot tell.
    Unknown,
}

/// Counts of parts since reset; all wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineCounters {
    /// Triggers seen.
    pub triggers: u32,
    /// Triggers of these that were not taken.
    pub untaken: u32,
    /// Parts let past the rejector.
    pub passed: u32,
    /// Parts struck by the rejector.
    pub rejected: u32,
    /// Parts of these that had no result when they reached it.
    pub missing: u32,
    /// Parts that should have been struck and were not.
    pub missed: u32,
    /// Events that could not be told because the queue to the host was full.
    pub events_lost: u32,
}

/// A part came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerEdge {
    /// The part's identity, to be used in its result.
    pub part: TriggerId,
    /// Time of the edge since reset, in milliseconds.
    pub at_ms: u64,
    /// Whether it was taken.
    pub admission: Admission,
}

/// Whether a trigger was taken. A part that was not taken is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// A result is awaited.
    Taken,
    /// Trigger Ready was off because the host was busy or had not caught up.
    NotReady,
    /// No host was there.
    HostLost,
    /// It came within the least spacing of the part before.
    TooClose,
    /// More parts are between trigger and rejector than the MCU can keep apart.
    TooMany,
}

/// The button was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledge {
    /// Count of presses since reset; wraps.
    pub number: u16,
    /// Time of the press since reset, in milliseconds.
    pub at_ms: u64,
}

/// What became of a result or a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Sequence number of the frame that is answered.
    pub to: Sequence,
    /// What became of it.
    pub answer: Answer,
}

/// What became of a result or a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is in force.
    Taken,
    /// No such part is in flight: another epoch, never triggered, or long gone.
    UnknownPart,
    /// The part had reached the rejector; what happened to it stands.
    TooLate,
    /// The part is rejected already, and stays so.
    AlreadyRejected,
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Sequence number of the ping that is answered; `None` for the one sent after reset.
    pub answers: Option<Sequence>,
    /// Which firmware this is.
    pub revision: Label,
    /// Which board it was built for.
    pub board: Label,
    /// Why the MCU started.
    pub reset: ResetCause,
    /// The life of the MCU since then.
    pub epoch: Epoch,
}

const STATUS: u8 = 0x81;
const TRIGGER: u8 = 0x82;
const ACKNOWLEDGE: u8 = 0x83;
const REPLY: u8 = 0x84;
const IDENTITY: u8 = 0x85;

impl frame::Sealed for McuMessage {}

impl Message for McuMessage {
    fn kind(&self) -> u8 {
        match self {
            Self::Status(_) => STATUS,
            Self::Trigger(_) => TRIGGER,
            Self::Acknowledge(_) => ACKNOWLEDGE,
            Self::Reply(_) => REPLY,
            Self::Identity(_) => IDENTITY,
        }
    }

    fn write_body(&self, body: &mut [u8]) -> Option<usize> {
        match self {
            Self::Status(m) => frame::write(m, body),
            Self::Trigger(m) => frame::write(m, body),
            Self::Acknowledge(m) => frame::write(m, body),
            Self::Reply(m) => frame::write(m, body),
            Self::Identity(m) => frame::write(m, body),
        }
    }

    fn read(kind: u8, body: &[u8]) -> Result<Self, Refusal> {
        match kind {
            STATUS => frame::read(kind, body).map(Self::Status),
            TRIGGER => frame::read(kind, body).map(Self::Trigger),
            ACKNOWLEDGE => frame::read(kind, body).map(Self::Acknowledge),
            REPLY => frame::read(kind, body).map(Self::Reply),
            IDENTITY => frame::read(kind, body).map(Self::Identity),
            _ => Err(Refusal::Kind { kind }),
        }
    }
}
