//! Drift: light, sharpness, position and score of the parts against what good parts were like,
//! named before false rejects begin.
//!
//! Each quantity is smoothed over the parts (EWMA, Roberts, Technometrics 1, 1959) and compared
//! with its band. The limit follows from the chance of a false alarm and from what so few good parts
//! can tell, but is never less than a tolerance: a line on which nothing varies must not alarm at a
//! trifle, and the slow ups and downs of a lamp are not in the spread of a few parts in a row. One
//! wild part never alarms, as each deviation counts for [`CLAMP`] limits at most.
//!
//! Light, sharpness and position of bad parts count as well: a lamp that fails at once turns every
//! part bad, and then the reason is wanted most. Bands are learned from good parts only.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::event::Event;
use crate::measures::{Band, Bands, Learner, Measures, Quantity};
use crate::settings::SettingsError;

/// Most limits that one part's deviation counts for. With the default smoothing at least five parts
/// in a row are needed to leave the band.
pub const CLAMP: f64 = 2.5;

/// How drift is watched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftSettings {
    /// Good parts that a band is learned from where the recipe carries none.
    pub learn_parts: u32,
    /// Weight of the newest part in the smoothed value, above 0 up to 1.
    pub weight: f32,
    /// Chance that the smoothed value of a line that did not change lies outside its band at one
    /// moment, provided that parts vary independently. Moments about 2 / `weight` parts apart tell
    /// something new.
    pub false_alarm: f32,
    /// Share of the limit below which a quantity counts as back in its band.
    pub release: f32,
    /// Tolerance of lighting, natural logarithm of the grey level.
    pub lighting: f32,
    /// Tolerance of focus, natural logarithm.
    pub focus: f32,
    /// Tolerance of position, pixels of the frame.
    pub shift_px: f32,
    /// Tolerance of the score, in units of the recipe's limit.
    pub score: f32,
}

impl Default for DriftSettings {
    /// 30 parts, smoothed over about 20, one false alarm in 2000 moments (40 000 parts); 10 % of grey level, a quarter of
    /// the gradient energy, 4 px, 0.15 of the limit.
    fn default() -> Self {
        Self {
            learn_parts: 30,
            weight: 0.1,
            false_alarm: 0.0005,
            release: 0.7,
            lighting: 0.1,
            focus: 0.3,
            shift_px: 4.0,
            score: 0.15,
        }
    }
}

impl DriftSettings {
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let least = Band::LEAST_PARTS as f32;
        for (name, value, low, high) in [
            ("drift.learn_parts", self.learn_parts as f32, least, 1e6),
            ("drift.weight", self.weight, 0.001, 1.0),
            ("drift.false_alarm", self.false_alarm, 1e-9, 0.5),
            ("drift.release", self.release, 0.0, 1.0),
            ("drift.lighting", self.lighting, 0.001, 10.0),
            ("drift.focus", self.focus, 0.001, 10.0),
            ("drift.shift_px", self.shift_px, 0.001, 10_000.0),
            ("drift.score", self.score, 0.001, 1000.0),
        ] {
            // Written so that a value that is not a number is refused, too.
            if !(low..=high).contains(&value) {
                return Err(SettingsError::OutOfRange {
                    name,
                    value,
                    low,
                    high,
                });
            }
        }
        Ok(())
    }

    fn tolerance(&self, quantity: Quantity) -> f64 {
        f64::from(match quantity {
            Quantity::Lighting => self.lighting,
            Quantity::Focus => self.focus,
            Quantity::ShiftX | Quantity::ShiftY => self.shift_px,
            Quantity::Score => self.score,
        })
    }

    /// The smoothed value varies by `spread^2 w / (2 - w)`, the learned mean by `spread^2 / n`, and
    /// the spread itself is known from `n` parts only: their difference follows Student's t with
    /// `n - 1` degrees of freedom.
    fn limit(&self, quantity: Quantity, band: &Band) -> f64 {
        let weight = f64::from(self.weight);
        let parts = f64::from(band.parts);
        let deviation = band.spread * (weight / (2.0 - weight) + 1.0 / parts).sqrt();
        let chance = 1.0 - f64::from(self.false_alarm) / 2.0;
        let factor = StudentsT::new(0.0, 1.0, parts - 1.0)
            .map_or(f64::INFINITY, |student| student.inverse_cdf(chance));
        (factor * deviation).max(self.tolerance(quantity))
    }
}

/// How one quantity stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// Its band is being learned.
    Learning {
        /// Good parts so far.
        parts: u32,
        /// Good parts that are needed.
        of: u32,
    },
    /// It is watched.
    Watching {
        /// Smoothed deviation from the mean of good parts, in its own unit.
        deviation: f64,
        /// Where the band ends.
        limit: f64,
        /// It is outside.
        outside: bool,
    },
}

/// Watches all quantities.
#[derive(Clone, Debug)]
pub struct DriftWatch {
    settings: DriftSettings,
    tracks: [Track; Quantity::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
enum Track {
    Learning(Learner),
    Watching {
        band: Band,
        limit: f64,
        deviation: f64,
        outside: bool,
        acknowledged: bool,
    },
}

impl DriftWatch {
    /// A watch over these bands; unusable ones are learned instead.
    #[must_use]
    pub fn new(settings: DriftSettings, bands: &Bands) -> Self {
        Self {
            settings,
            tracks: Quantity::ALL.map(|quantity| {
                bands
                    .get(quantity)
                    .filter(Band::is_usable)
                    .map_or(Track::Learning(Learner::default()), |band| {
                        Track::watching(&settings, quantity, band)
                    })
            }),
        }
    }

    /// Takes the measures of one judged part; tells what changed.
    pub fn handle_part(&mut self, good: bool, score: f32, measures: &Measures) -> Vec<Event> {
        let mut events = Vec::new();
        for (track, quantity) in self.tracks.iter_mut().zip(Quantity::ALL) {
            if let Some(value) = quantity.of(measures, score)
                && (good || quantity != Quantity::Score)
            {
                events.extend(track.take(&self.settings, quantity, good, value));
            }
        }
        events
    }

    /// How a quantity stands.
    #[must_use]
    pub const fn status(&self, quantity: Quantity) -> DriftStatus {
        match &self.tracks[quantity as usize] {
            Track::Learning(learner) => DriftStatus::Learning {
                parts: learner.parts(),
                of: self.settings.learn_parts,
            },
            Track::Watching {
                limit,
                deviation,
                outside,
                ..
            } => DriftStatus::Watching {
                deviation: *deviation,
                limit: *limit,
                outside: *outside,
            },
        }
    }

    /// What is outside its band.
    pub fn outside(&self) -> impl Iterator<Item = Quantity> {
        Quantity::ALL.into_iter().filter(|&quantity| {
            matches!(
                self.status(quantity),
                DriftStatus::Watching { outside: true, .. }
            )
        })
    }

    /// Whether anything is outside that nobody acknowledged.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.tracks.iter().any(Track::is_new)
    }

    /// Somebody saw it. Gives whether there was anything new.
    pub fn acknowledge(&mut self) -> bool {
        let any = self.is_new();
        for track in &mut self.tracks {
            if let Track::Watching { acknowledged, .. } = track {
                *acknowledged = true;
            }
        }
        any
    }

    /// The bands in use, learned ones included: to be kept with the recipe.
    #[must_use]
    pub fn bands(&self) -> Bands {
        let mut bands = Bands::default();
        for (track, quantity) in self.tracks.iter().zip(Quantity::ALL) {
            if let Track::Watching { band, .. } = track {
                bands.set(quantity, Some(*band));
            }
        }
        bands
    }
}

impl Track {
    fn watching(settings: &DriftSettings, quantity: Quantity, band: Band) -> Self {
        Self::Watching {
            band,
            limit: settings.limit(quantity, &band),
            deviation: 0.0,
            outside: false,
            acknowledged: false,
        }
    }

    const fn is_new(&self) -> bool {
        matches!(
            self,
            Self::Watching {
                outside: true,
                acknowledged: false,
                ..
            }
        )
    }

    fn take(
        &mut self,
        settings: &DriftSettings,
        quantity: Quantity,
        good: bool,
        value: f64,
    ) -> Option<Event> {
        match self {
            Self::Learning(learner) => {
                if good {
                    learner.add(value);
                }
                if learner.parts() < settings.learn_parts {
                    return None;
                }
                let band = learner.band()?;
                *self = Self::watching(settings, quantity, band);
                Some(Event::BandLearned { quantity, band })
            }
            Self::Watching {
                band,
                limit,
                deviation,
                outside,
                acknowledged,
            } => {
                let reach = CLAMP * *limit;
                let step = (value - band.mean).clamp(-reach, reach);
                *deviation += f64::from(settings.weight) * (step - *deviation);
                // Better scores than learned are no reason to look up.
                let distance = if quantity == Quantity::Score {
                    *deviation
                } else {
                    deviation.abs()
                };
                let (is, limit) = (*deviation as f32, *limit as f32);
                if !*outside && distance > f64::from(limit) {
                    *outside = true;
                    *acknowledged = false;
                    Some(Event::DriftEntered {
                        quantity,
                        deviation: is,
                        limit,
                    })
                } else if *outside && distance < f64::from(settings.release * limit) {
                    *outside = false;
                    Some(Event::DriftLeft {
                        quantity,
                        deviation: is,
                        limit,
                    })
                } else {
                    None
                }
            }
        }
    }
}
