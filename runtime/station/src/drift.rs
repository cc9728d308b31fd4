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

use serde::Serialize;

use crate::event::Event;
use crate::measures::{Band, Bands, Learner, Measures, Quantity};
use crate::tolerance::DriftSettings;

/// Most limits that one part's deviation counts for. With the default smoothing at least five parts
/// in a row are needed to leave the band.
pub const CLAMP: f64 = 2.5;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn part(lighting: f32) -> Measures {
        Measures {
            lighting,
            focus: -2.0,
            shift_x_px: None,
            shift_y_px: None,
        }
    }

    /// Learned from 30 parts that vary a little.
    fn watch() -> DriftWatch {
        let parts: Vec<_> = (0..30).map(|k| part(4.0 + 0.01 * (k % 3) as f32)).collect();
        let mut bands = Bands::of_parts(&parts);
        bands.score = Some(Band {
            mean: 0.5,
            spread: 0.02,
            parts: 30,
        });
        DriftWatch::new(DriftSettings::default(), &bands)
    }

    fn outside(watch: &DriftWatch) -> Vec<Quantity> {
        watch.outside().collect()
    }

    #[test]
    fn one_wild_part_is_no_drift_and_five_in_a_row_are() {
        let mut watch = watch();
        for wild in 1..=5 {
            watch.handle_part(true, 0.5, &part(-7.0));
            let named: &[_] = if wild < 5 { &[] } else { &[Quantity::Lighting] };
            assert_eq!(outside(&watch), named, "after {wild}");
        }
    }

    #[test]
    fn a_value_at_the_limit_does_not_make_the_lamp_flicker() {
        let mut watch = watch();
        let mut changes = 0;
        for k in 0..2000 {
            // Up and down around a tenth, which is the limit.
            let wave = 0.1 + 0.02 * (k as f32 / 30.0).sin();
            changes += watch.handle_part(true, 0.5, &part(4.01 + wave)).len();
        }
        assert_eq!(changes, 1);
    }

    #[test]
    fn drift_that_goes_is_told_and_counts_as_new_when_it_comes_again() {
        let mut watch = watch();
        let run = |watch: &mut DriftWatch, level: f32| {
            (0..60)
                .flat_map(|_| watch.handle_part(true, 0.5, &part(level)))
                .collect::<Vec<_>>()
        };
        assert!(matches!(
            run(&mut watch, 3.7)[..],
            [Event::DriftEntered { .. }]
        ));
        assert!(watch.acknowledge() && !watch.is_new());
        assert!(matches!(
            run(&mut watch, 4.0)[..],
            [Event::DriftLeft { .. }]
        ));
        assert!(matches!(
            run(&mut watch, 4.3)[..],
            [Event::DriftEntered { .. }]
        ));
        assert!(watch.is_new());
    }

    #[test]
    fn scores_drift_upwards_only_and_only_those_of_good_parts() {
        for (good, score, named) in [
            (true, 0.85, &[Quantity::Score][..]),
            (true, 0.1, &[]),
            (false, 3.0, &[]),
        ] {
            let mut watch = watch();
            for _ in 0..100 {
                watch.handle_part(good, score, &part(4.01));
            }
            assert_eq!(outside(&watch), named, "{score}");
        }
    }

    #[test]
    fn a_lamp_that_fails_is_named_although_every_part_is_bad_then() {
        let mut watch = watch();
        for _ in 0..20 {
            watch.handle_part(false, 3.0, &part(3.0));
        }
        assert_eq!(outside(&watch), [Quantity::Lighting]);
    }

    #[test]
    fn bands_that_a_recipe_does_not_carry_are_learned_from_good_parts_only() {
        let mut watch = DriftWatch::new(DriftSettings::default(), &Bands::default());
        for k in 0..40 {
            watch.handle_part(k % 2 == 0, 0.5, &part(if k % 2 == 0 { 4.0 } else { 1.0 }));
        }
        let learning = DriftStatus::Learning { parts: 20, of: 30 };
        assert_eq!(watch.status(Quantity::Lighting), learning);
        let events: Vec<_> = (0..10)
            .flat_map(|_| watch.handle_part(true, 0.5, &part(4.0)))
            .collect();
        // Light, sharpness and score; there is no position.
        assert_eq!(events.len(), 3);
        assert_eq!(watch.bands().lighting.map(|band| band.mean), Some(4.0));
        assert_eq!(watch.bands().shift_x_px, None);
    }

    #[test]
    fn values_that_are_no_numbers_do_no_harm() {
        let mut watch = watch();
        for _ in 0..50 {
            watch.handle_part(true, f32::NAN, &part(f32::INFINITY));
        }
        assert_eq!(outside(&watch), []);
    }
}
