//! What goes between a session and the station: how the light is used, what it brought, how it does.

use std::time::Duration;

use andon_link::{
    Alarms, Answer, Configuration, Epoch, Identity, LinkCounters, Mode, ResetCause, TriggerEdge,
    TriggerId, VERSION, ValidFor,
};
use andon_station::{Cause, Trigger};

use crate::sink::PROGRESS_LIMIT;

/// How the light is used.
#[derive(Clone, Copy, Debug)]
pub struct LightSettings {
    /// How its trigger input and its rejector are set up.
    pub configuration: Configuration,
    /// How long it may believe a state.
    pub valid_for: ValidFor,
    /// How old progress may be before no state is sent any more.
    pub progress_limit: Duration,
}

impl LightSettings {
    /// States valid for three periods, no state without progress for [`PROGRESS_LIMIT`].
    #[must_use]
    pub const fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            valid_for: ValidFor::THREE_PERIODS,
            progress_limit: PROGRESS_LIMIT,
        }
    }
}

/// Something that the MCU brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LightEvent {
    /// A part came. `at` is the edge on the host's clock, `None` before the first status.
    Trigger {
        /// What the MCU says.
        edge: TriggerEdge,
        /// When the edge was, never later than now.
        at: Option<Duration>,
    },
    /// A part came and its message was lost: nobody knows when it came or whether it was taken.
    TriggerLost(TriggerId),
    /// The button was pressed.
    Acknowledge,
    /// What became of a result.
    Answered {
        /// Which part.
        part: TriggerId,
        /// What became of it; `None` if the MCU did not say in time, or forgot by a reset.
        answer: Option<Answer>,
    },
    /// The MCU has the configuration.
    Configured,
    /// The MCU is another, or began anew.
    Began {
        /// Its life.
        epoch: Epoch,
        /// Why it began.
        reset: ResetCause,
    },
    /// Who is there.
    Identified(Identity),
    /// The MCU speaks another version of the protocol.
    VersionMismatch {
        /// The version that the MCU speaks.
        theirs: u8,
    },
    /// What the MCU found wrong has changed.
    Alarms(Alarms),
    /// Nothing was heard for a second.
    Lost,
    /// The MCU is heard.
    Heard,
}

impl LightEvent {
    /// The trigger for the station, if it is one. A lost one is refused, so that the part gets a
    /// result and a frame that shows another part is never judged for it.
    #[must_use]
    pub fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::Trigger { edge, at } => Some(Trigger {
                at: *at,
                ..Trigger::from_edge(edge)
            }),
            Self::TriggerLost(part) => Some(Trigger {
                refused: Some(Cause::NoFrame),
                ..Trigger::numbered(*part)
            }),
            _ => None,
        }
    }
}

/// How the light does.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct LightHealth {
    /// The MCU was heard within the last second.
    pub is_heard: bool,
    /// What the light goes by; `None` before the first status.
    pub mode: Option<Mode>,
    /// What the MCU found wrong.
    pub alarms: Alarms,
    /// The MCU has the configuration.
    pub is_configured: bool,
    /// The version that the MCU speaks, if it is another.
    pub foreign_version: Option<u8>,
    /// How the line from the MCU does.
    pub line: LinkCounters,
    /// How the line to the MCU does, as the MCU said in its last status.
    pub line_to_light: LinkCounters,
    /// Starts of the MCU that were noticed, the first one not counted.
    pub resets: u32,
    /// Results that wait for their answers.
    pub waiting: usize,
    /// Triggers whose messages were lost.
    pub triggers_lost: u32,
    /// Events that were dropped because nobody took them.
    pub events_dropped: u32,
}

/// How port and light do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct PortHealth {
    /// Why the port is not open; `None` while it is.
    pub fault: Option<String>,
    /// Times that the port was opened again after it was lost.
    pub reconnects: u32,
    /// Events that were dropped because the station did not take them.
    pub dropped: u32,
    /// How the light does.
    pub light: LightHealth,
}

impl PortHealth {
    /// Why the station and its light do not understand each other, and what to do; `None` while
    /// they do.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let silent = || {
            let unheard = !self.light.is_heard;
            unheard.then(|| "the stack light is not heard: check its cable".into())
        };
        let foreign = || self.light.foreign_version.map(version_mismatch);
        self.fault.clone().or_else(foreign).or_else(silent)
    }
}

/// Both versions of the protocol by name, and which side is to be updated.
#[must_use]
pub fn version_mismatch(theirs: u8) -> String {
    let ours = VERSION;
    let todo = if theirs < ours {
        "flash the firmware of the stack light that came with this program"
    } else {
        "update this program, or flash the firmware that came with it"
    };
    format!(
        "the stack light speaks version {theirs} of the protocol and this program version {ours}: \
         {todo}"
    )
}
