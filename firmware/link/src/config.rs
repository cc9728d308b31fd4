//! How a trigger input and a rejector are set up. A set-up whose reject pulse would reach into the
//! next part cannot be made; the MCU forgets its set-up at reset and rejects until it has one.

use serde::{Deserialize, Serialize};

/// The set-up of the MCU, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Where parts come from.
    pub triggering: Triggering,
}

/// Where parts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Triggering {
    /// The host sees parts by itself; the MCU only shows what it is told.
    FreeRunning,
    /// The MCU's trigger input announces each part.
    Input {
        /// The input.
        input: TriggerInput,
        /// The actuator that takes bad parts off the line, if there is one.
        rejector: Option<Rejector>,
    },
}

/// How the trigger input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerInput {
    /// Which edge means a part.
    pub edge: Edge,
    /// How long the level must stay before the edge counts, in milliseconds. The time stamp is
    /// that of the edge itself.
    pub debounce_ms: u8,
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Low to high.
    Rising,
    /// High to low.
    Falling,
}

/// What distances behind the trigger are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Time: right while the belt runs at constant speed.
    Milliseconds,
    /// Ticks of the belt's encoder: right at any speed and across stops.
    EncoderTicks,
}

/// Where the rejector stands behind the trigger, and how it strikes. All three distances are in
/// the same unit and counted from the trigger edge of the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRejector")]
pub struct Rejector {
    unit: Unit,
    delay: u32,
    width: u32,
    spacing: u32,
}

/// Why four values are no [`Rejector`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectorError {
    /// No time to judge.
    #[error("the delay is 0: give the distance from trigger to rejector")]
    NoDelay,
    /// A pulse of no width.
    #[error("the width is 0: give the length of the reject pulse")]
    NoWidth,
    /// The pulse of one part would still last when the next part is there.
    #[error("the pulse is wider than the spacing of parts: it would reject the next part as well")]
    WiderThanSpacing,
    /// Beyond what can be counted without ambiguity.
    #[error("delay plus width, or the spacing, is above 2^30: use a coarser encoder")]
    TooFar,
}

impl Rejector {
    /// Largest delay plus width, and largest spacing; keeps a wrapping 32-bit encoder count unambiguous.
    pub const MAX_REACH: u32 = 1 << 30;

    /// A rejector `delay` behind the trigger whose pulse is `width` long, on a line whose parts
    /// come at least `spacing` apart. Closer parts are rejected.
    ///
    /// # Errors
    /// [`RejectorError`] if a distance is zero, the pulse is wider than the spacing, or a distance
    /// is beyond [`Self::MAX_REACH`].
    pub fn new(unit: Unit, delay: u32, width: u32, spacing: u32) -> Result<Self, RejectorError> {
        if delay == 0 {
            Err(RejectorError::NoDelay)
        } else if width == 0 {
            Err(RejectorError::NoWidth)
        } else if width > spacing {
            Err(RejectorError::WiderThanSpacing)
        } else if delay.saturating_add(width).max(spacing) > Self::MAX_REACH {
            Err(RejectorError::TooFar)
        } else {
            Ok(Self {
                unit,
                delay,
                width,
                spacing,
            })
        }
    }

    /// What the distances are counted in.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// From the trigger to the start of the pulse.
    #[must_use]
    pub const fn delay(&self) -> u32 {
        self.delay
    }

    /// From the start of the pulse to its end.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Least distance between two parts.
    #[must_use]
    pub const fn spacing(&self) -> u32 {
        self.spacing
    }
}

#[derive(Deserialize)]
struct RawRejector {
    unit: Unit,
    delay: u32,
    width: u32,
    spacing: u32,
}

impl TryFrom<RawRejector> for Rejector {
    type Error = RejectorError;

    fn try_from(raw: RawRejector) -> Result<Self, RejectorError> {
        Self::new(raw.unit, raw.delay, raw.width, raw.spacing)
    }
}
