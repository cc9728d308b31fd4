//! How far a quantity may drift: the settings, and the limit that follows from them.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::measures::{Band, Quantity};
use crate::settings::SettingsError;

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

    /// Where a band ends, as a deviation from its mean. The smoothed value varies by
    /// `spread^2 w / (2 - w)`, the learned mean by `spread^2 / n`, and the spread itself is known from
    /// `n` parts only: their difference follows Student's t with `n - 1` degrees of freedom.
    #[must_use]
    pub fn limit(&self, quantity: Quantity, band: &Band) -> f64 {
        let weight = f64::from(self.weight);
        let parts = f64::from(band.parts);
        let deviation = band.spread * (weight / (2.0 - weight) + 1.0 / parts).sqrt();
        let chance = 1.0 - f64::from(self.false_alarm) / 2.0;
        let factor = StudentsT::new(0.0, 1.0, parts - 1.0)
            .map_or(f64::INFINITY, |student| student.inverse_cdf(chance));
        (factor * deviation).max(self.tolerance(quantity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_parts_give_a_wide_band_and_no_spread_the_tolerance() {
        let settings = DriftSettings::default();
        let limit = |parts, spread| {
            settings.limit(
                Quantity::ShiftX,
                &Band {
                    mean: 0.0,
                    spread,
                    parts,
                },
            )
        };
        // t(0.99975) is 6.082 for 7 and 3.943 for 29 degrees of freedom.
        assert!((limit(8, 10.0) - 6.082 * 10.0 * (0.1_f64 / 1.9 + 0.125).sqrt()).abs() < 0.1);
        assert!((limit(30, 10.0) - 3.943 * 10.0 * (0.1_f64 / 1.9 + 1.0 / 30.0).sqrt()).abs() < 0.1);
        assert!((limit(30, 0.0) - 4.0).abs() < 1e-9);
    }
}
