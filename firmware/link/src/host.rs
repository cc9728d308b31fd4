//! Messages from the host to the MCU. The state is always complete: nothing that the light shows
//! depends on an earlier frame, so a frame that is lost is healed by the next one.

use serde::{Deserialize, Serialize};

use crate::config::Configuration;
use crate::frame::{self, Message, Refusal};
use crate::ids::{ErrorCode, RecipeIndex, TriggerId};
use crate::lamps::{Buzzer, Lamps};

/// Everything that a host can say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostMessage {
    /// The full lamp and output state.
    State(HostState),
    /// The verdict on one part.
    Result(PartResult),
    /// How the trigger input and the rejector are set up.
    Configure(Configuration),
    /// Asks who is there; answered with an identity.
    Ping,
}

/// The full lamp and output state that the host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostState {
    /// What the lamps show.
    pub lamps: Lamps,
    /// What the buzzer does.
    pub buzzer: Buzzer,
    /// The host takes the next trigger.
    pub ready: bool,
    /// The last trigger that the host knew of when it said so. The MCU raises Trigger Ready only if
    /// no newer trigger has come since: a state that crossed a trigger on the line says nothing
    /// about readiness for the one after it.
    pub seen: Option<TriggerId>,
    /// What the OK, NG, Error and Results Ready lines stand for.
    pub outcome: Outcome,
    /// How long this state may be believed.
    pub valid_for: ValidFor,
}

/// What the result lines stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No result is shown: none yet, or acknowledged.
    Nothing,
    /// The result of one triggered part.
    Part(PartResult),
    /// The result of a station without trigger input, for what it sees now.
    Stream {
        /// What it came to.
        verdict: Verdict,
        /// Which recipe judged.
        recipe: RecipeIndex,
    },
    /// The station cannot judge at all, whatever part comes.
    Fault(ErrorCode),
}

/// The verdict on one triggered part. Sending it again changes nothing; once a part was rejected,
/// nothing makes it good again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartResult {
    /// Which part.
    pub part: TriggerId,
    /// What it came to.
    pub verdict: Verdict,
    /// Which recipe judged.
    pub recipe: RecipeIndex,
}

/// What judging a part came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The part is good.
    Ok,
    /// The part is rejected.
    Ng,
    /// The part could not be judged and is therefore rejected.
    Error(ErrorCode),
}

/// How long a state may be believed: 20 ms to 10 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct ValidFor(u16);

impl ValidFor {
    /// Shorter than this, a state could lapse while its frame is still on the line.
    pub const MIN_MS: u16 = 20;
    /// Longer than this, a dead host would go unnoticed.
    pub const MAX_MS: u16 = 10_000;
    /// Three periods: two frames in a row may be lost.
    pub const THREE_PERIODS: Self = Self(3 * crate::STATE_PERIOD_MS as u16);

    /// A validity of `ms` milliseconds; `None` outside of [`Self::MIN_MS`] to [`Self::MAX_MS`].
    #[must_use]
    pub const fn from_ms(ms: u16) -> Option<Self> {
        if ms >= Self::MIN_MS && ms <= Self::MAX_MS {
            Some(Self(ms))
        } else {
            None
        }
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for ValidFor {
    type Error = &'static str;

    fn try_from(ms: u16) -> Result<Self, &'static str> {
        Self::from_ms(ms).ok_or("a state is valid for 20 to 10000 ms: choose within")
    }
}

const STATE: u8 = 0x01;
const RESULT: u8 = 0x02;
const CONFIGURE: u8 = 0x03;
const PING: u8 = 0x04;

impl frame::Sealed for HostMessage {}

impl Message for HostMessage {
    fn kind(&self) -> u8 {
        match self {
            Self::State(_) => STATE,
            Self::Result(_) => RESULT,
            Self::Configure(_) => CONFIGURE,
            Self::Ping => PING,
        }
    }

    fn write_body(&self, body: &mut [u8]) -> Option<usize> {
        match self {
            Self::State(m) => frame::write(m, body),
            Self::Result(m) => frame::write(m, body),
            Self::Configure(m) => frame::write(m, body),
            Self::Ping => Some(0),
        }
    }

    fn read(kind: u8, body: &[u8]) -> Result<Self, Refusal> {
        match kind {
            STATE => frame::read(kind, body).map(Self::State),
            RESULT => frame::read(kind, body).map(Self::Result),
            CONFIGURE => frame::read(kind, body).map(Self::Configure),
            PING if body.is_empty() => Ok(Self::Ping),
            PING => Err(Refusal::Body { kind }),
            _ => Err(Refusal::Kind { kind }),
        }
    }
}
