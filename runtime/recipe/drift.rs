//! What the pictures of good parts were like as pictures: light, sharpness, position. A station
//! compares its own with that from the first part on, also after a restart in the dark.
//!
//! Only pictures of one size can come from one camera, and only bands that are narrow enough to
//! find what they are for are kept: hand-held pictures have no position. What is missing a station
//! learns in place, from its first good parts.

use andon_station::{
    Band, Bands, DriftSettings, Grey, Measures, Meter, Quantity, Thumbnail, ThumbnailError,
};
use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, Ground};
use crate::image::{Roi, grey};

/// Layout of the section that this program writes; of another it reads nothing.
const VERSION: u32 = 1;

/// What drift is measured against.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftReference {
    /// Width and height of the pictures in pixels; those of another size cannot be compared.
    pub picture: [u32; 2],
    /// The region of interest of the first good part in grey, reduced.
    pub thumbnail: Thumbnail,
    /// Where good parts lie; what is missing could not be learned from these pictures.
    pub bands: Bands,
}

/// All of it but the thumbnail, as a recipe's header holds it.
#[derive(Serialize, Deserialize)]
struct Section {
    version: u32,
    picture: [u32; 2],
    /// Columns and rows of the thumbnail.
    thumbnail: [usize; 2],
    bands: Bands,
}

impl DriftReference {
    /// The bands that were learned, and what each finds, for people.
    pub fn summary(&self) -> String {
        let settings = DriftSettings::default();
        let words = |quantity| {
            let name = name(quantity);
            match self.bands.get(quantity) {
                Some(band) => format!("{name} ±{:.2}", settings.limit(quantity, &band)),
                None => format!("{name} in place"),
            }
        };
        Quantity::ALL.map(words).join(", ")
    }

    /// Quantities that a station has to learn in place.
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = Quantity::ALL
            .into_iter()
            .filter(|quantity| self.bands.get(*quantity).is_none());
        missing.map(name).collect()
    }

    pub(super) fn section(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(Section {
            version: VERSION,
            picture: self.picture,
            thumbnail: [self.thumbnail.columns(), self.thumbnail.rows()],
            bands: self.bands,
        })
    }

    /// From a header's section and the levels that belong to it; `None` for a layout of a later
    /// program, which says nothing that this one understands.
    pub(super) fn assemble(
        section: &serde_json::Value,
        levels: impl FnOnce() -> Result<Vec<f32>, String>,
    ) -> Result<Option<Self>, String> {
        if section["version"].as_u64() != Some(VERSION.into()) {
            return Ok(None);
        }
        let section = Section::deserialize(section).map_err(|e| format!("its drift: {e}"))?;
        let [columns, rows] = section.thumbnail;
        let thumbnail = Thumbnail::from_levels(columns, rows, levels()?)
            .map_err(|e: ThumbnailError| e.to_string())?;
        Ok(Some(Self {
            picture: section.picture,
            thumbnail,
            bands: section.bands,
        }))
    }
}

/// In one word, for lists.
const fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Lighting => "light",
        Quantity::Focus => "sharpness",
        Quantity::ShiftX => "position x",
        Quantity::ShiftY => "position y",
        Quantity::Score => "score",
    }
}

/// The largest limit with which a band still finds what it is for: 30 % of the light, a defocus of
/// 3 px and a shift of 10 px. The defocus lowers the measure by more than 0.73 on all rendered and
/// real parts of the station's drift tests.
const fn greatest_limit(quantity: Quantity) -> f64 {
    match quantity {
        Quantity::Lighting => 0.35,
        Quantity::Focus => 0.7,
        Quantity::ShiftX | Quantity::ShiftY => 10.0,
        Quantity::Score => 1.0,
    }
}

/// Learns a reference from the pictures of good parts, one at a time.
#[derive(Debug)]
pub(crate) struct DriftLearner {
    roi: Option<Roi>,
    /// Of the first part; `None` before it.
    first: Option<([u32; 2], Meter)>,
    measures: Vec<Measures>,
    /// A picture cannot be compared with the first one.
    differs: bool,
}

impl DriftLearner {
    pub(crate) fn new(roi: Option<Roi>) -> Self {
        Self {
            roi,
            first: None,
            measures: Vec::new(),
            differs: false,
        }
    }

    pub(crate) fn add(&mut self, picture: &RgbImage) {
        let size = [picture.width(), picture.height()];
        let grey = grey(picture, self.roi);
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let Ok(view) = Grey::new(&grey, width, height) else {
            self.differs = true;
            return;
        };
        let (of, meter) = self
            .first
            .get_or_insert_with(|| (size, Meter::new(Thumbnail::of(&view))));
        if *of == size {
            self.measures.push(meter.measure(&view));
        } else {
            self.differs = true;
        }
    }

    /// What was learned; `None` when the pictures cannot come from one camera, or are too few.
    pub(crate) fn finish(self, calibration: &Calibration) -> Option<DriftReference> {
        let (picture, meter) = self.first.filter(|_| !self.differs)?;
        let mut bands = Bands::of_parts(&self.measures);
        if calibration.ground != Ground::Views {
            bands.score = band(&calibration.left_out_scores);
        }
        let settings = DriftSettings::default();
        for quantity in Quantity::ALL {
            let usable = bands.get(quantity).filter(|band| {
                band.parts as usize == self.measures.len()
                    && settings.limit(quantity, band) <= greatest_limit(quantity)
            });
            // Six digits behind the point: the text in a recipe's header keeps those exactly.
            let digits = |value: f64| (value * 1e6).round() / 1e6;
            let usable = usable.map(|band| Band {
                mean: digits(band.mean),
                spread: digits(band.spread),
                ..band
            });
            bands.set(quantity, usable);
        }
        // Where a part lies in one direction is not believed when it lies anywhere in the other.
        if bands.shift_x_px.is_none() || bands.shift_y_px.is_none() {
            (bands.shift_x_px, bands.shift_y_px) = (None, None);
        }
        let any = Quantity::ALL.into_iter().any(|q| bands.get(q).is_some());
        any.then(|| DriftReference {
            picture,
            thumbnail: meter.reference().clone(),
            bands,
        })
    }
}

/// Mean and spread of scores, if there are enough.
fn band(scores: &[f32]) -> Option<Band> {
    let n = scores.len() as f64;
    let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / n;
    let squares: f64 = scores.iter().map(|&s| (f64::from(s) - mean).powi(2)).sum();
    let band = Band {
        mean,
        spread: (squares / (n - 1.0)).sqrt(),
        parts: u32::try_from(scores.len()).ok()?,
    };
    band.is_usable().then_some(band)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(ground: Ground) -> Calibration {
        Calibration {
            false_reject: 0.01,
            false_reject_bound: 0.3,
            parts_needed: 299,
            left_out_scores: vec![0.5, 0.52, 0.48, 0.5, 0.51, 0.49, 0.5, 0.5],
            ground,
        }
    }

    /// Blocks of several sizes, moved to the right by `dx` and lit by `gain`.
    fn picture(dx: u32, gain: f32) -> RgbImage {
        RgbImage::from_fn(160, 120, |x, y| {
            let x = x + 40 - dx;
            let block = (x / 9 * 7 + y / 11 * 5 + (x / 31) * (y / 23)) % 13;
            image::Rgb([((40 + 12 * block) as f32 * gain) as u8; 3])
        })
    }

    fn learned(pictures: &[RgbImage], ground: Ground) -> Option<DriftReference> {
        let mut learner = DriftLearner::new(None);
        pictures.iter().for_each(|picture| learner.add(picture));
        learner.finish(&calibration(ground))
    }

    #[test]
    fn pictures_of_a_fixed_camera_give_every_band() {
        let pictures: Vec<_> = (0..8).map(|k| picture(k % 2, 1.0)).collect();
        let found = learned(&pictures, Ground::Tail).expect("a reference");
        assert_eq!(found.missing(), [""; 0]);
        assert_eq!(found.picture, [160, 120]);
        assert!((found.bands.score.expect("scores").mean - 0.5).abs() < 1e-6);
        let few = learned(&pictures, Ground::Views).expect("a reference");
        assert_eq!(few.missing(), ["score"]);
    }

    #[test]
    fn parts_that_lie_anywhere_have_no_position_and_all_sorts_of_light_no_light() {
        let anywhere: Vec<_> = (0..8).map(|k| picture(k * 5, 1.0)).collect();
        let found = learned(&anywhere, Ground::Tail).expect("a reference");
        assert_eq!(found.missing(), ["position x", "position y"]);
        let lit: Vec<_> = (1..9).map(|k| picture(0, 0.12 * k as f32)).collect();
        let found = learned(&lit, Ground::Tail).expect("a reference");
        assert_eq!(found.missing(), ["light"]);
    }

    #[test]
    fn pictures_of_several_sizes_and_too_few_give_no_reference() {
        let mut sizes: Vec<_> = (0..8).map(|_| picture(0, 1.0)).collect();
        sizes.push(RgbImage::new(80, 60));
        assert_eq!(learned(&sizes, Ground::Tail), None);
        assert_eq!(learned(&sizes[..3], Ground::Views), None);
    }

    #[test]
    fn a_section_of_a_later_program_says_nothing_and_a_damaged_one_is_refused() {
        let found = learned(&vec![picture(0, 1.0); 8], Ground::Tail).expect("a reference");
        let levels = || Ok(found.thumbnail.levels().to_vec());
        let mut section = found.section().expect("JSON");
        let again = DriftReference::assemble(&section, levels).expect("sound");
        assert_eq!(again.as_ref(), Some(&found));
        assert!(DriftReference::assemble(&section, || Ok(vec![1.0])).is_err());
        section["version"] = 2.into();
        assert_eq!(DriftReference::assemble(&section, levels), Ok(None));
    }
}
