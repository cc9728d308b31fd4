//! Why a part could not be judged: the station's list behind the error codes on the wire. Codes
//! stay as they are for ever, PLC programs depend on them.

use std::fmt;
use std::num::NonZeroU8;

use andon_link::ErrorCode;
use serde::{Deserialize, Serialize};

macro_rules! causes {
    ($($code:literal $name:ident $text:literal,)*) => {
        /// Why a part could not be judged, or no part can be.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Cause {
            $(#[doc = concat!("Code ", $code, ": ", $text, ".")] $name,)*
        }

        impl Cause {
            /// Every cause, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn number(self) -> NonZeroU8 {
                match self {
                    $(Self::$name => const { NonZeroU8::new($code).expect("codes are not zero") },)*
                }
            }
        }

        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text,)* })
            }
        }
    };
}

causes! {
    1 Deadline "the inspector did not finish before the deadline: allow more time, or judge smaller images",
    2 NoFrame "no frame was captured between the trigger and its deadline: check camera rate and trigger wiring",
    3 FrameDamaged "only damaged, black or overexposed frames came before the deadline: check cable, exposure and lamp",
    4 Busy "the trigger came while another part was judged: leave more distance between parts",
    5 NotReady "the trigger came while the station was not ready: wait for Trigger Ready",
    6 InspectionFailed "the inspector reported an error: see the reason in the record",
    7 WrongFrame "the inspector judged another frame than the one it was given: report this as a fault of the program",
    8 WrongRecipe "the inspector judged by another recipe than the one in force: report this as a fault of the program",
    9 BadScore "the inspector gave no usable score: learn the recipe again",
    10 ChallengeMissed "the known-bad part was not recognised as bad: show it again, or learn again",
    11 Stopping "the station is stopping: start it again",
    12 TooClose "the part came too close behind the one before: leave more distance between parts",
    13 PartMissed "the part came and went before it was in place: shorten the settling time, or slow the line down",
    20 CameraLost "the camera is gone: check its cable and supply",
    21 CameraStalled "no usable frame came for too long: check cable, exposure and lamp",
    22 RecipeRefused "the recipe cannot be used: switch to another one, or learn again",
    23 InspectorDied "the inspector ended unexpectedly: it is being restarted",
    24 InspectorStuck "the inspector does not come back from a part: the watchdog will restart the station",
    25 Flapping "faults came back too often: find the reason, then acknowledge",
}

impl Cause {
    /// The code that goes over the wire.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        ErrorCode(self.number())
    }

    /// The cause behind a code; `None` for a code that no station sends.
    #[must_use]
    pub fn from_code(code: ErrorCode) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_code_of_its_own() {
        for &cause in Cause::ALL {
            assert_eq!(Cause::from_code(cause.code()), Some(cause));
        }
    }
}
