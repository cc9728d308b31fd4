//! Part presence of a station that runs free: is a part entering, in place, leaving? One number a
//! frame decides, the change of the image against the empty place. Two thresholds keep noise from
//! making two parts of one; they are given, or learned from a time in which parts come and go.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::samples::Samples;
use crate::settings::SettingsError;

/// How parts are seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresenceSettings {
    /// What counts as a part.
    pub threshold: Threshold,
    /// How long the change must have stopped to rise before the part counts as in place. Zero
    /// takes the first frame that does not rise: right for parts that pass without a stop.
    pub settle: Duration,
    /// How long the place must look empty before the part counts as gone.
    pub gap: Duration,
}

/// What counts as a part, in mean grey levels of change against the empty place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// Known.
    Given {
        /// A part is there from here up.
        on: f32,
        /// The place is empty below this.
        off: f32,
    },
    /// Found by watching the line for this long; parts must come and go meanwhile.
    Learned {
        /// How long.
        during: Duration,
    },
}

impl PresenceSettings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        match self.threshold {
            // Written so that a value that is not a number is refused, too.
            Threshold::Given { on, off } if !(off > 0.0 && on > off && on.is_finite()) => {
                Err(SettingsError::Thresholds { on, off })
            }
            _ => Ok(()),
        }
    }
}

/// What happens at the place of inspection.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The thresholds are being learned; no part is taken.
    Learning,
    /// No part.
    Empty,
    /// A part moves in.
    Entering,
    /// A part is in place and was announced.
    InPlace,
    /// It looks empty, not yet for long enough.
    Leaving,
}

/// What a frame revealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sight {
    Nothing,
    /// The thresholds are known from now on.
    Learned {
        on: f32,
        off: f32,
    },
    /// A part is in place.
    Part,
    /// A part came and went before it was in place.
    Missed,
}

/// Rise of the change, as a fraction, below which a part counts as not moving in any more.
const STILL: f32 = 0.03;

#[derive(Clone, Debug)]
pub(crate) struct Presence {
    settings: PresenceSettings,
    thresholds: Option<(f32, f32)>,
    samples: Samples,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Empty,
    Entering { highest: f32, since: Duration },
    InPlace,
    Leaving { since: Duration },
}

impl Presence {
    pub(crate) fn new(settings: PresenceSettings) -> Self {
        let thresholds = match settings.threshold {
            Threshold::Given { on, off } => Some((on, off)),
            Threshold::Learned { .. } => None,
        };
        Self {
            settings,
            thresholds,
            samples: Samples::default(),
            step: Step::Empty,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self.step {
            _ if self.thresholds.is_none() => Place::Learning,
            Step::Empty => Place::Empty,
            Step::Entering { .. } => Place::Entering,
            Step::InPlace => Place::InPlace,
            Step::Leaving { .. } => Place::Leaving,
        }
    }

    /// The change of a frame that was captured at `captured`.
    pub(crate) fn see(&mut self, captured: Duration, change: f32) -> Sight {
        if !change.is_finite() {
            return Sight::Nothing;
        }
        let Some((on, off)) = self.thresholds else {
            return self.learn(captured, change);
        };
        match self.step {
            Step::Empty if change >= on => {
                self.step = Step::Entering {
                    highest: change,
                    since: captured,
                };
                Sight::Nothing
            }
            Step::Entering { .. } if change < off => {
                self.step = Step::Empty;
                Sight::Missed
            }
            Step::Entering { highest, since } => {
                if change > highest * (1.0 + STILL) {
                    self.step = Step::Entering {
                        highest: change,
                        since: captured,
                    };
                } else if captured.saturating_sub(since) >= self.settings.settle {
                    self.step = Step::InPlace;
                    return Sight::Part;
                }
                Sight::Nothing
            }
            Step::InPlace if change < off => {
                self.step = Step::Leaving { since: captured };
                self.leave(captured)
            }
            Step::Leaving { .. } if change >= on => {
                self.step = Step::InPlace;
                Sight::Nothing
            }
            Step::Leaving { .. } => self.leave(captured),
            Step::Empty | Step::InPlace => Sight::Nothing,
        }
    }

    fn leave(&mut self, captured: Duration) -> Sight {
        if let Step::Leaving { since } = self.step
            && captured.saturating_sub(since) >= self.settings.gap
        {
            self.step = Step::Empty;
        }
        Sight::Nothing
    }

    fn learn(&mut self, captured: Duration, change: f32) -> Sight {
        let Threshold::Learned { during } = self.settings.threshold else {
            return Sight::Nothing;
        };
        let since = self.samples.add(captured, change);
        if captured.saturating_sub(since) >= during
            && let Some((on, off)) = self.samples.thresholds()
        {
            self.thresholds = Some((on, off));
            self.samples = Samples::default();
            return Sight::Learned { on, off };
        }
        Sight::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn given(settle: u64, gap: u64) -> Presence {
        Presence::new(PresenceSettings {
            threshold: Threshold::Given { on: 10.0, off: 5.0 },
            settle: Duration::from_millis(settle),
            gap: Duration::from_millis(gap),
        })
    }

    /// Feeds one value each 10 ms and counts parts and missed parts.
    fn parts(presence: &mut Presence, changes: &[f32]) -> (usize, usize) {
        let mut count = (0, 0);
        for (at, &change) in (0..).zip(changes) {
            match presence.see(at * 10 * MS, change) {
                Sight::Part => count.0 += 1,
                Sight::Missed => count.1 += 1,
                Sight::Nothing | Sight::Learned { .. } => {}
            }
        }
        count
    }

    #[test]
    fn a_part_that_enters_stays_and_leaves_is_one_part() {
        let pass = [0.0, 8.0, 15.0, 25.0, 30.0, 30.1, 30.0, 22.0, 12.0, 4.0, 0.0];
        assert_eq!(parts(&mut given(0, 0), &pass), (1, 0));
    }

    #[test]
    fn noise_between_the_thresholds_neither_ends_nor_begins_a_part() {
        let noisy = [
            0.0, 7.0, 4.0, 9.0, 12.0, 12.0, 6.0, 11.0, 7.0, 12.0, 6.0, 0.0, 9.0,
        ];
        assert_eq!(parts(&mut given(0, 0), &noisy), (1, 0));
    }

    #[test]
    fn a_flash_of_emptiness_shorter_than_the_gap_does_not_make_a_second_part() {
        let blink = [
            0.0, 20.0, 20.0, 20.0, 1.0, 20.0, 20.0, 0.0, 0.0, 0.0, 0.0, 20.0, 20.0,
        ];
        assert_eq!(parts(&mut given(0, 30), &blink), (2, 0));
    }

    #[test]
    fn a_part_is_in_place_only_once_it_has_been_still_for_the_settling_time() {
        let mut presence = given(30, 0);
        let rising = [0.0, 12.0, 20.0, 30.0, 30.0, 30.0];
        assert_eq!(parts(&mut presence, &rising), (0, 0));
        assert_eq!(presence.place(), Place::Entering);
        assert_eq!(presence.see(60 * MS, 30.0), Sight::Part);
    }

    #[test]
    fn a_part_that_rushes_through_is_not_lost_silently() {
        assert_eq!(parts(&mut given(50, 0), &[0.0, 20.0, 25.0, 0.0]), (0, 1));
    }

    fn learned(values: impl Iterator<Item = f32>) -> Option<(f32, f32)> {
        let mut presence = Presence::new(PresenceSettings {
            threshold: Threshold::Learned { during: 1000 * MS },
            settle: Duration::ZERO,
            gap: Duration::ZERO,
        });
        let mut found = None;
        for (at, value) in (0..).zip(values) {
            if let Sight::Learned { on, off } = presence.see(at * 10 * MS, value) {
                found = Some((on, off));
            }
        }
        found
    }

    #[test]
    fn thresholds_are_learned_between_an_empty_and_a_full_place() {
        let cycle = |k: u32| if k % 20 < 12 { 2.0 } else { 32.0 };
        let (on, off) = learned((0..150).map(cycle)).expect("two clear groups");
        assert!((on - 22.0).abs() < 1e-3 && (off - 12.0).abs() < 1e-3);
    }

    #[test]
    fn nothing_is_learned_from_a_place_that_stays_as_it_is() {
        let noise = |k: u32| 3.0 + (k * 37 % 101) as f32 / 20.0;
        assert_eq!(learned((0..10_000).map(noise)), None);
    }
}
