//! What a station can be set to, and what makes no sense.

use std::time::Duration;

use andon_link::RecipeIndex;
use serde::{Deserialize, Serialize};

use crate::measures::Bands;
use crate::presence::PresenceSettings;
use crate::tolerance::DriftSettings;

/// Settings of a station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The recipe to begin with.
    pub recipe: Recipe,
    /// How parts are announced.
    pub mode: Mode,
    /// From trigger to result. What the way to the outputs takes comes on top.
    pub deadline: Duration,
    /// How long after a missed deadline the inspector may still come back before it counts as
    /// stuck. Meanwhile no part is taken.
    pub inspector_patience: Duration,
    /// The longest time without a usable frame; `None` for a camera that sends frames only when
    /// it is triggered.
    pub frame_timeout: Option<Duration>,
    /// How long a result is shown.
    pub hold: Hold,
    /// Whether parts are taken while an error is not acknowledged.
    pub on_error: OnError,
    /// When bad parts become an alarm.
    pub alarm: Debounce,
    /// How often faults may come back.
    pub budget: Budget,
    /// When challenge parts are asked for.
    pub challenge: ChallengeSettings,
    /// How drift is watched.
    pub drift: DriftSettings,
    /// Whether the buzzer sounds until somebody acknowledges.
    pub buzzer: bool,
}

impl Settings {
    /// A triggered station: half a second to judge, 2 s for the inspector to come back, results
    /// held until the next trigger, an alarm at every bad part, no challenge, no buzzer.
    #[must_use]
    pub fn triggered(recipe: RecipeIndex) -> Self {
        Self {
            recipe: Recipe::new(recipe),
            mode: Mode::Triggered,
            deadline: Duration::from_millis(500),
            inspector_patience: Duration::from_secs(2),
            frame_timeout: None,
            hold: Hold::UntilTrigger,
            on_error: OnError::Continue,
            alarm: Debounce::Parts(1),
            budget: Budget::default(),
            challenge: ChallengeSettings::default(),
            drift: DriftSettings::default(),
            buzzer: false,
        }
    }

    /// A station that sees parts by itself, otherwise the same; a second without a usable frame is
    /// a fault.
    #[must_use]
    pub fn free_running(recipe: RecipeIndex, presence: PresenceSettings) -> Self {
        Self {
            mode: Mode::FreeRunning(presence),
            frame_timeout: Some(Duration::from_secs(1)),
            ..Self::triggered(recipe)
        }
    }

    /// Checks that the settings make sense together.
    ///
    /// # Errors
    /// [`SettingsError`] says which one does not.
    pub fn check(&self) -> Result<(), SettingsError> {
        let zero = |name, value: Duration| {
            if value.is_zero() {
                Err(SettingsError::Zero { name })
            } else {
                Ok(())
            }
        };
        zero("deadline", self.deadline)?;
        zero("inspector_patience", self.inspector_patience)?;
        if let Some(timeout) = self.frame_timeout {
            zero("frame_timeout", timeout)?;
        }
        if let Some(every) = self.challenge.every {
            zero("challenge.every", every)?;
        }
        zero("budget.within", self.budget.within)?;
        if let Debounce::Parts(0) = self.alarm {
            return Err(SettingsError::Zero { name: "alarm" });
        }
        if let Mode::FreeRunning(presence) = &self.mode {
            if self.frame_timeout.is_none() {
                return Err(SettingsError::BlindFreeRunning);
            }
            presence.check()?;
        }
        self.drift.check()
    }
}

/// Why settings make no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A time or count of zero.
    #[error("{name} is 0: give a value above 0")]
    Zero {
        /// Which one.
        name: &'static str,
    },
    /// A free-running station would not notice that its camera stopped.
    #[error("frame_timeout is missing: a station that runs free needs it, as it waits for frames")]
    BlindFreeRunning,
    /// Hysteresis the wrong way round, or not a number.
    #[error("presence thresholds on {on} and off {off}: on must be above off, and off above 0")]
    Thresholds {
        /// Upper threshold, mean grey levels.
        on: f32,
        /// Lower threshold, mean grey levels.
        off: f32,
    },
    /// A number outside its range.
    #[error("{name} is {value}: choose {low} to {high}")]
    OutOfRange {
        /// Which one.
        name: &'static str,
        /// What it is.
        value: f32,
        /// Least.
        low: f32,
        /// Greatest.
        high: f32,
    },
}

/// A recipe as far as the station knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Which one.
    pub index: RecipeIndex,
    /// What its good parts were like; what is missing is learned from the first good parts.
    #[serde(default)]
    pub bands: Bands,
}

impl Recipe {
    /// A recipe without bands.
    #[must_use]
    pub fn new(index: RecipeIndex) -> Self {
        Self {
            index,
            bands: Bands::default(),
        }
    }
}

/// How parts are announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By triggers from outside.
    Triggered,
    /// By the image itself; triggers from outside are taken as well.
    FreeRunning(PresenceSettings),
}

/// How long a result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Until the next trigger is taken.
    UntilTrigger,
    /// Until it is acknowledged; no trigger is taken before.
    UntilAck,
}

/// Whether parts are taken while an error is not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The part of the error is rejected, the next one is judged; the error code and the lamp stay.
    Continue,
    /// No part is taken until somebody acknowledges.
    Block,
}

/// When bad parts become an alarm: by parts or by seconds, never by frames, so that the delay does
/// not depend on the frame rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Debounce {
    /// After so many bad parts in a row.
    Parts(u32),
    /// When no good part has come for so long since the first bad one.
    For(Duration),
}

/// How often faults that stop judging may come and go before the station waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Recoveries that are taken back into production by themselves.
    pub recoveries: u32,
    /// Within this time.
    pub within: Duration,
}

impl Budget {
    /// Most recoveries that are kept in mind.
    pub const MAX_RECOVERIES: u32 = 1024;
}

impl Default for Budget {
    /// Five recoveries within ten minutes.
    fn default() -> Self {
        Self {
            recoveries: 5,
            within: Duration::from_secs(600),
        }
    }
}

/// When challenge parts are asked for. On demand they always can be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeSettings {
    /// When the station starts.
    pub at_start: bool,
    /// So long after the last challenge was passed.
    pub every: Option<Duration>,
    /// After each switch of the recipe.
    pub after_switch: bool,
}
