//! A product to measure with where there is none: good parts of the rendered line.

use image::RgbImage;

use crate::camera::rendered::{LineConfig, LineConfigError, RenderedLine};
use crate::hash::sha256;
use crate::image::{InputShape, InputSize, Roi, Tiles};
use crate::pipeline::{BLOCKS, LearnSettings, Lesson, LessonError};
use crate::recipe::{LearnOptions, PartRecord, Recipe, ViewSettings};
use crate::vit::{Model, Threads};

/// Parts to learn: as many as a user may begin with. What a part costs does not depend on it.
const PARTS: usize = 8;

/// Size of the rendered pictures when nothing else is asked for, `[width, height]` in pixels.
pub const PICTURE: [u32; 2] = [640, 480];

/// `count` good parts of the rendered line, `size` pixels (width, height), or larger if a region of
/// interest needs it.
///
/// # Errors
/// [`LineConfigError`] when that is beyond what can be rendered.
pub fn pictures(
    count: usize,
    size: [u32; 2],
    roi: Option<Roi>,
) -> Result<Vec<RgbImage>, LineConfigError> {
    let [width, height] = roi.map_or([0; 2], |roi| {
        [
            roi.x.saturating_add(roi.width),
            roi.y.saturating_add(roi.height),
        ]
    });
    let line = RenderedLine::new(LineConfig {
        width: size[0].max(width),
        height: size[1].max(height),
        ..LineConfig::default()
    })?;
    let part = |index| line.part(index, None).image;
    Ok((0..count as u64).map(part).collect())
}

/// Learns a recipe from `pictures`, the first eight of them, at an input of `side` pixels (of a
/// square of the same area). `step` is called before each part.
///
/// # Errors
/// [`LessonError`] when the model cannot serve the size, or the disk refuses.
pub fn rehearsal(
    model: &Model,
    pictures: &[RgbImage],
    side: usize,
    threads: &Threads,
    mut step: impl FnMut(),
) -> Result<Recipe, LessonError> {
    let content = pictures.first().map_or((1, 1), RgbImage::dimensions);
    let patch = model.manifest().architecture.patch;
    let settings = LearnSettings {
        name: "rendered line".into(),
        view: ViewSettings {
            roi: None,
            input: InputSize::for_content(side, patch, content),
            shape: InputShape::Common,
            tiles: Tiles::ONE,
            kept: None,
        },
        blocks: BLOCKS.into(),
        options: LearnOptions::default(),
        created: jiff::Timestamp::now().to_string(),
    };
    let mut lesson = Lesson::new(model, settings, threads)?;
    for (index, picture) in pictures.iter().take(PARTS).enumerate() {
        step();
        let record = PartRecord {
            file: format!("part {index}"),
            sha256: sha256(picture.as_raw()),
        };
        lesson.add(record, picture)?;
    }
    lesson.finish(|_, _| step())
}
