//! What a lamp or the buzzer is asked to show. A set of lamps with every lamp dark cannot be made:
//! a dark light must always mean that something is broken, never that all is well.

use serde::{Deserialize, Serialize};

/// How one lamp is lit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Off.
    #[default]
    Dark,
    /// On without change: acknowledged, or normal.
    Steady,
    /// On and off in equal parts: not yet acknowledged.
    Flashing,
}

/// The four lamps, at least one of them lit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawLamps")]
pub struct Lamps {
    red: Signal,
    amber: Signal,
    green: Signal,
    blue: Signal,
}

/// Why four signals are no [`Lamps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every lamp is dark: light at least one, a dark stack must always mean a fault")]
pub struct LampsError;

impl Lamps {
    /// Only green, steady: normal.
    pub const GREEN: Self = Self::alone(Signal::Dark, Signal::Dark, Signal::Steady, Signal::Dark);

    /// Only red, flashing: NG or fault, not acknowledged.
    pub const RED_FLASHING: Self =
        Self::alone(Signal::Flashing, Signal::Dark, Signal::Dark, Signal::Dark);

    const fn alone(red: Signal, amber: Signal, green: Signal, blue: Signal) -> Self {
        Self {
            red,
            amber,
            green,
            blue,
        }
    }

    /// Puts four signals together.
    ///
    /// # Errors
    /// [`LampsError`] if all four are dark.
    pub fn new(
        red: Signal,
        amber: Signal,
        green: Signal,
        blue: Signal,
    ) -> Result<Self, LampsError> {
        RawLamps {
            red,
            amber,
            green,
            blue,
        }
        .try_into()
    }

    /// Fault, or a part that is NG.
    #[must_use]
    pub const fn red(self) -> Signal {
        self.red
    }

    /// Attention: degraded, but judging.
    #[must_use]
    pub const fn amber(self) -> Signal {
        self.amber
    }

    /// Normal.
    #[must_use]
    pub const fn green(self) -> Signal {
        self.green
    }

    /// The operator must act.
    #[must_use]
    pub const fn blue(self) -> Signal {
        self.blue
    }
}

#[derive(Deserialize)]
struct RawLamps {
    red: Signal,
    amber: Signal,
    green: Signal,
    blue: Signal,
}

impl TryFrom<RawLamps> for Lamps {
    type Error = LampsError;

    fn try_from(raw: RawLamps) -> Result<Self, LampsError> {
        let RawLamps {
            red,
            amber,
            green,
            blue,
        } = raw;
        if [red, amber, green, blue].iter().all(|s| *s == Signal::Dark) {
            return Err(LampsError);
        }
        Ok(Self {
            red,
            amber,
            green,
            blue,
        })
    }
}

/// What the buzzer is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buzzer {
    /// Off.
    #[default]
    Silent,
    /// On and off with the flashing lamps.
    Pulsed,
    /// On.
    Continuous,
}
