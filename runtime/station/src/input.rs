//! What comes in: triggers, frames and answers of the inspector. No pixels: a frame is a number, a
//! time and a health.

use std::time::Duration;

use andon_link::{Admission, RecipeIndex, TriggerEdge, TriggerId};
use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::measures::Measures;

/// Where a trigger came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The station saw the part in the image.
    Presence,
    /// An edge on an input line of the host.
    Input,
    /// A message from the MCU.
    Link,
    /// A command on the local socket.
    Command,
}

/// A part is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Where from.
    pub source: Source,
    /// The identity that the MCU gave the part, if it came from there.
    pub part: Option<TriggerId>,
    /// When the edge was, if it is known better than by the time of the call. Frames captured from
    /// here on show the part; the deadline counts from here. A time in the future counts as now.
    pub at: Option<Duration>,
    /// Why whoever announces the part did not take it, if so: it is recorded as skipped.
    pub refused: Option<Cause>,
}

impl Trigger {
    /// A trigger that happens now, without an identity.
    #[must_use]
    pub const fn new(source: Source) -> Self {
        Self {
            source,
            part: None,
            at: None,
            refused: None,
        }
    }

    /// A trigger that the MCU took and numbered.
    #[must_use]
    pub const fn numbered(part: TriggerId) -> Self {
        Self {
            source: Source::Link,
            part: Some(part),
            at: None,
            refused: None,
        }
    }

    /// A trigger as the MCU tells of it, taken or not.
    #[must_use]
    pub const fn from_edge(edge: &TriggerEdge) -> Self {
        let refused = match edge.admission {
            Admission::Taken => None,
            Admission::NotReady | Admission::HostLost => Some(Cause::NotReady),
            Admission::TooClose | Admission::TooMany => Some(Cause::TooClose),
        };
        Self {
            refused,
            ..Self::numbered(edge.part)
        }
    }
}

/// Whether a frame may be judged at all, as its source found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameHealth {
    /// Nothing wrong.
    #[default]
    Sound,
    /// Bytes are missing or cannot be decoded.
    Corrupt,
    /// Not the size that was agreed with the camera.
    WrongSize,
    /// No light at all.
    Black,
    /// White throughout.
    Overexposed,
}

/// A frame arrived. The caller keeps the newest one, as [`crate::Inspect`] may ask for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameSeen {
    /// The source's count of frames.
    pub sequence: u64,
    /// When it was exposed, on the clock of `now`.
    pub captured: Duration,
    /// Whether it may be judged.
    pub health: FrameHealth,
    /// Change of the image inside the region of interest against the empty place, in mean grey
    /// levels (see [`crate::ChangeMeter`]); only a station that runs free needs it.
    pub presence: Option<f32>,
}

/// Identity of an order to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JobId(pub u64);

/// The inspector is done with an order.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectionDone {
    /// Which order.
    pub job: JobId,
    /// The frame that was really judged.
    pub frame: u64,
    /// What it came to, or why it could not be judged.
    pub outcome: Result<Judgement, String>,
}

/// What the inspector found.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whether the part is good.
    pub good: bool,
    /// Score in units of the recipe's limit: above 1 is bad.
    pub score: f32,
    /// Flagged regions.
    pub regions: u32,
    /// The recipe that judged.
    pub recipe: RecipeIndex,
    /// What the frame was like, for [`crate::DriftWatch`]; `None` where it was not measured.
    pub measures: Option<Measures>,
}
