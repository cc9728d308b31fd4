//! What a frame of a part was like, as four numbers and the score, and the band in which the
//! numbers of good parts lie.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the frame of one part was like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Natural logarithm of the mean grey level.
    pub lighting: f32,
    /// Natural logarithm of gradient energy over variance.
    pub focus: f32,
    /// Shift to the right against the reference in pixels of the frame; `None` where the two have
    /// too little in common.
    pub shift_x_px: Option<f32>,
    /// Shift downwards, likewise.
    pub shift_y_px: Option<f32>,
}

/// Something that drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Level of the light.
    Lighting,
    /// Sharpness.
    Focus,
    /// Position to the right.
    ShiftX,
    /// Position downwards.
    ShiftY,
    /// Score of good parts.
    Score,
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 5] = [
        Self::Lighting,
        Self::Focus,
        Self::ShiftX,
        Self::ShiftY,
        Self::Score,
    ];

    /// Its value; `None` where it is missing or no number.
    pub(crate) fn of(self, measures: &Measures, score: f32) -> Option<f64> {
        let value = match self {
            Self::Lighting => Some(measures.lighting),
            Self::Focus => Some(measures.focus),
            Self::ShiftX => measures.shift_x_px,
            Self::ShiftY => measures.shift_y_px,
            Self::Score => Some(score),
        };
        value.filter(|v| v.is_finite()).map(f64::from)
    }
}

impl fmt::Display for Quantity {
    /// What to look at, for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lighting => "lighting changed: check lamp, exposure and stray light",
            Self::Focus => "sharpness changed: check focus, lens and working distance",
            Self::ShiftX | Self::ShiftY => "position changed: check camera mount and fixture",
            Self::Score => "good parts score higher than they did: check material, or learn again",
        })
    }
}

/// Where a quantity lies on good parts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Mean.
    pub mean: f64,
    /// Standard deviation from part to part, of a sample.
    pub spread: f64,
    /// Good parts that it was learned from.
    pub parts: u32,
}

impl Band {
    /// Fewest parts that a band is believed from: the spread of fewer says next to nothing.
    pub const LEAST_PARTS: u32 = 4;

    /// Whether drift can be judged against it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.parts >= Self::LEAST_PARTS
            && self.mean.is_finite()
            && self.spread.is_finite()
            && self.spread >= 0.0
    }
}

/// The bands of one recipe; what is missing is learned on the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bands {
    /// Of [`Measures::lighting`].
    pub lighting: Option<Band>,
    /// Of [`Measures::focus`].
    pub focus: Option<Band>,
    /// Of [`Measures::shift_x_px`].
    pub shift_x_px: Option<Band>,
    /// Of [`Measures::shift_y_px`].
    pub shift_y_px: Option<Band>,
    /// Of the score, in units of the limit.
    pub score: Option<Band>,
}

impl Bands {
    /// The band of a quantity.
    #[must_use]
    pub const fn get(&self, quantity: Quantity) -> Option<Band> {
        match quantity {
            Quantity::Lighting => self.lighting,
            Quantity::Focus => self.focus,
            Quantity::ShiftX => self.shift_x_px,
            Quantity::ShiftY => self.shift_y_px,
            Quantity::Score => self.score,
        }
    }

    /// Sets the band of a quantity.
    pub const fn set(&mut self, quantity: Quantity, band: Option<Band>) {
        *match quantity {
            Quantity::Lighting => &mut self.lighting,
            Quantity::Focus => &mut self.focus,
            Quantity::ShiftX => &mut self.shift_x_px,
            Quantity::ShiftY => &mut self.shift_y_px,
            Quantity::Score => &mut self.score,
        } = band;
    }

    /// Bands of measured good parts, for a recipe. The score is left out: what good parts score is
    /// known only once others than the learned ones are judged.
    #[must_use]
    pub fn of_parts(parts: &[Measures]) -> Self {
        let mut bands = Self::default();
        for quantity in Quantity::ALL {
            if quantity == Quantity::Score {
                continue;
            }
            let mut learner = Learner::default();
            for value in parts.iter().filter_map(|part| quantity.of(part, 0.0)) {
                learner.add(value);
            }
            bands.set(quantity, learner.band().filter(Band::is_usable));
        }
        bands
    }
}

/// Mean and spread of a stream of values (Welford, Technometrics 4, 1962).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Learner {
    parts: u32,
    mean: f64,
    squares: f64,
}

impl Learner {
    pub(crate) fn add(&mut self, value: f64) {
        self.parts = self.parts.saturating_add(1);
        let delta = value - self.mean;
        self.mean += delta / f64::from(self.parts);
        self.squares += delta * (value - self.mean);
    }

    pub(crate) const fn parts(&self) -> u32 {
        self.parts
    }

    /// `None` below two values.
    pub(crate) fn band(&self) -> Option<Band> {
        let freedom = self.parts.checked_sub(1).filter(|&n| n > 0)?;
        Some(Band {
            mean: self.mean,
            spread: (self.squares / f64::from(freedom)).max(0.0).sqrt(),
            parts: self.parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_mean_and_sample_deviation() {
        let mut learner = Learner::default();
        assert_eq!(learner.band(), None);
        for value in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            learner.add(value);
        }
        let band = learner.band().expect("eight values");
        assert!((band.mean - 5.0).abs() < 1e-12);
        assert!((band.spread - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn bands_of_a_recipe_leave_out_what_was_not_measured() {
        let part = |k: u8| Measures {
            lighting: f32::from(k),
            focus: f32::NAN,
            shift_x_px: Some(0.5),
            shift_y_px: None,
        };
        let bands = Bands::of_parts(&(0..8).map(part).collect::<Vec<_>>());
        assert_eq!(bands.lighting.map(|band| band.mean), Some(3.5));
        assert_eq!(bands.shift_x_px.map(|band| band.spread), Some(0.0));
        assert_eq!(
            (bands.focus, bands.shift_y_px, bands.score),
            (None, None, None)
        );
    }
}
