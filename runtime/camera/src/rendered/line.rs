//! A line that can be asked for any of its parts, in any order.

use image::{GrayImage, RgbImage};

use super::config::LineConfig;
use super::damage::inflict;
use super::defect::{Defect, DefectKind};
use super::dice::{Dice, Purpose};
use super::error::LineConfigError;
use super::lamp::Illumination;
use super::lens::{Blur, Sensor};
use super::maths::mix;
use super::picture::expose;
use super::place::Place;
use super::print::Prints;
use super::scene::Scene;
use super::truth;
use super::view::{Rect, View};

/// One part as the camera sees it, with its ground truth.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedPart {
    /// Number of the part on its line.
    pub index: u64,
    /// The frame.
    pub image: RgbImage,
    /// 255 where the part is defective, 0 elsewhere; as large as the frame. The module says which
    /// pixels count.
    pub mask: GrayImage,
    /// What is wrong, one entry for each place: empty for a good part, and for a defect that lies
    /// outside the frame or is too small for its pixels.
    pub defects: Vec<Defect>,
}

impl RenderedPart {
    /// Whether nothing is wrong with the part that could be seen.
    pub fn is_good(&self) -> bool {
        self.defects.is_empty()
    }
}

/// A line of rendered parts. Every part is a function of the configuration (with its seed), the
/// part's number and the kind of its defect; nothing is remembered from part to part.
#[derive(Debug, Clone)]
pub struct RenderedLine {
    config: LineConfig,
    blur: Blur,
    /// Prints of all parts, when they are not numbered.
    prints: Option<Prints>,
}

impl RenderedLine {
    /// A line with these settings.
    ///
    /// # Errors
    /// When a setting is outside its range, when a side of the frame is 0 or over
    /// [`LineConfig::MAX_SIDE_PX`], or when defects are wanted but of no kind.
    pub fn new(config: LineConfig) -> Result<Self, LineConfigError> {
        config.check()?;
        let view = View::new(Rect::frame(config.width, config.height), [0.0; 2], 0.0);
        let prints = (!config.serial_numbers)
            .then(|| Prints::new(config.finish, Scene::good(&config, 0).serial));
        Ok(Self {
            blur: Blur::new(config.blur_px * view.scale),
            prints,
            config,
        })
    }

    /// The settings of the line.
    pub fn config(&self) -> &LineConfig {
        &self.config
    }

    /// What is wrong with part `index` when the line runs by itself: decided by
    /// [`LineConfig::defect_rate`] and [`LineConfig::defects`].
    pub fn defect_at(&self, index: u64) -> Option<DefectKind> {
        let mut dice = Dice::new(self.config.seed, index, Purpose::Verdict, 0);
        if dice.chance(self.config.defect_rate) {
            dice.pick(&self.config.defects)
        } else {
            None
        }
    }

    /// State of the lamp when part `index` passes.
    pub fn illumination(&self, index: u64) -> Illumination {
        Illumination::at(&self.config, index)
    }

    /// Part `index`, good or with a defect of this kind. The defective part is otherwise the same
    /// as the good one: same pose, light, textures and sensor noise.
    pub fn part(&self, index: u64, defect: Option<DefectKind>) -> RenderedPart {
        let good = Scene::good(&self.config, index);
        let mut scene = good.clone();
        let mut harm: Option<(DefectKind, Vec<Vec<Place>>)> = None;
        if let Some(kind) = defect {
            let mut dice = Dice::new(self.config.seed, index, Purpose::Damage, kind as u64);
            let [least, greatest] = self.config.severity;
            let severity = mix(least, greatest, dice.unit());
            harm = Some((kind, inflict(&mut scene, kind, severity, &mut dice)));
        }
        let numbered;
        let prints = match &self.prints {
            Some(prints) => prints,
            None => {
                numbered = Prints::new(self.config.finish, scene.serial);
                &numbered
            }
        };
        let light = self.illumination(index);
        let frame = Rect::frame(self.config.width, self.config.height);
        let render = |scene: &Scene, region: Rect| {
            expose(&self.config, &self.blur, scene, prints, light, region)
        };

        let levels = render(&scene, frame);
        let mut mask = GrayImage::new(frame.x1, frame.y1);
        let defects = harm.map_or_else(Vec::new, |(kind, places)| {
            let view = View::new(frame, scene.shift, scene.degrees);
            let region = truth::reach(&view, &places, self.blur.reach());
            if region.is_empty() {
                return Vec::new();
            }
            let twin = render(&good, region);
            let changed = super::lens::crop(&levels, &frame, &region);
            truth::mark(&mut mask, kind, &view, &places, region, [&changed, &twin])
        });
        RenderedPart {
            index,
            image: self.read(index, &levels),
            mask,
            defects,
        }
    }

    /// Parts 0, 1, 2 and so on, good or defective as [`Self::defect_at`] says. It does not end.
    pub fn parts(&self) -> Parts<'_> {
        self.parts_from(0)
    }

    /// The same, beginning with part `first`.
    pub fn parts_from(&self, first: u64) -> Parts<'_> {
        Parts {
            line: self,
            next: first,
        }
    }

    /// The frame that the sensor makes of these grey levels.
    fn read(&self, index: u64, levels: &[f32]) -> RgbImage {
        let sensor = Sensor {
            key: Dice::new(self.config.seed, index, Purpose::Sensor, 0).wide_bits(),
            levels: self.config.noise_levels,
        };
        let mut image = RgbImage::new(self.config.width, self.config.height);
        let width = self.config.width as usize * 3;
        let rows = levels
            .chunks_exact(width)
            .zip(image.chunks_exact_mut(width));
        for (y, (levels, bytes)) in (0..).zip(rows) {
            sensor.read(levels, 0, y, bytes);
        }
        image
    }
}

/// The parts of a line, one after the other; see [`RenderedLine::parts`].
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    line: &'a RenderedLine,
    next: u64,
}

impl Iterator for Parts<'_> {
    type Item = RenderedPart;

    fn next(&mut self) -> Option<RenderedPart> {
        let index = self.next;
        self.next = index.wrapping_add(1);
        Some(self.line.part(index, self.line.defect_at(index)))
    }
}
