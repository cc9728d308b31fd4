//! What reports are made of: images with what is true of them and what was said.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageError, RgbImage};

use crate::evaluate::{Rate, RegionTally};
use crate::inspect::Verdict;

/// Quality of the JPEG pictures in reports: outlines stay crisp at about 60 kB a picture.
const JPEG_QUALITY: u8 = 82;

/// A small JPEG that travels inside a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub(super) jpeg: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Picture {
    /// Reduces `image` until its longer side is at most `longest` pixels, and encodes it. Smaller
    /// images keep their size.
    ///
    /// # Errors
    /// When the image is empty or the encoder refuses it.
    pub fn thumbnail(image: &RgbImage, longest: u32) -> Result<Self, ImageError> {
        let longer = image.width().max(image.height());
        let zoom = f64::from(longest.max(1)) / f64::from(longer.max(1));
        let reduced;
        let image = if zoom < 1.0 {
            let side = |s: u32| ((f64::from(s) * zoom).round() as u32).max(1);
            let (width, height) = (side(image.width()), side(image.height()));
            reduced = resize(image, width, height, FilterType::Triangle);
            &reduced
        } else {
            image
        };
        let (width, height) = image.dimensions();
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode(
            image.as_raw(),
            width,
            height,
            ExtendedColorType::Rgb8,
        )?;
        Ok(Self {
            jpeg,
            width,
            height,
        })
    }
}

/// What came of one image.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was inspected.
    Judged {
        /// What was said.
        verdict: Verdict,
        /// Score in units of the limit.
        score: f32,
        /// Flagged regions.
        regions: usize,
        /// How they meet the true regions, where these are known.
        hits: Option<RegionTally>,
    },
    /// It could not be inspected; why.
    Failed(String),
}

/// One image of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedImage {
    /// File name, or number of the part.
    pub name: String,
    /// Whether the part is bad in truth.
    pub bad: bool,
    /// Kind of its defect, where known.
    pub kind: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Its overlay, for the images that [`Gallery::pick`] chose.
    pub picture: Option<Picture>,
}

/// Truth against verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Judgement {
    /// Bad, said to be good: the worst that can happen.
    Miss,
    /// Good, said to be bad.
    FalseReject,
    /// Bad, and rejected.
    Catch,
    /// Good, and passed.
    Pass,
}

impl Judgement {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::FalseReject => "false reject",
            Self::Catch => "catch",
            Self::Pass => "pass",
        }
    }

    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Miss => "\u{25b2}",
            Self::FalseReject => "\u{25a0}",
            Self::Catch => "\u{2715}",
            Self::Pass => "\u{2713}",
        }
    }

    /// Name of the style class.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::FalseReject => "reject",
            Self::Catch => "catch",
            Self::Pass => "pass",
        }
    }
}

impl JudgedImage {
    /// The score, unless the image failed.
    #[must_use]
    pub fn score(&self) -> Option<f32> {
        match self.outcome {
            Outcome::Judged { score, .. } => Some(score),
            Outcome::Failed(_) => None,
        }
    }

    pub(super) fn judgement(&self) -> Option<Judgement> {
        let Outcome::Judged { verdict, .. } = self.outcome else {
            return None;
        };
        Some(match (self.bad, verdict) {
            (true, Verdict::Ok) => Judgement::Miss,
            (true, Verdict::Ng) => Judgement::Catch,
            (false, Verdict::Ok) => Judgement::Pass,
            (false, Verdict::Ng) => Judgement::FalseReject,
        })
    }
}

/// Scores of the good and of the bad images that were inspected.
pub(super) fn scores(images: &[JudgedImage]) -> (Vec<f64>, Vec<f64>) {
    let of = |bad| {
        images
            .iter()
            .filter(|image| image.bad == bad)
            .filter_map(|image| image.score().map(f64::from))
            .collect()
    };
    (of(false), of(true))
}

/// How often `event` came of the good (or `bad`) images that were inspected.
pub(super) fn rate(images: &[JudgedImage], bad: bool, event: Judgement) -> Rate {
    let judged = || {
        images
            .iter()
            .filter(|image| image.bad == bad)
            .filter_map(JudgedImage::judgement)
    };
    Rate {
        count: judged().filter(|judgement| *judgement == event).count(),
        of: judged().count(),
    }
}

/// The images worth a look, as indices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gallery {
    /// Misses, the lowest score first.
    pub misses: Vec<usize>,
    /// False rejects, the highest score first.
    pub false_rejects: Vec<usize>,
    /// Catches, the highest score first.
    pub catches: Vec<usize>,
}

impl Gallery {
    /// Chooses up to `most` images for each group. Deterministic: equal scores keep their order.
    #[must_use]
    pub fn pick(images: &[JudgedImage], most: usize) -> Self {
        let group = |wanted: Judgement, highest_first: bool| {
            let mut picked: Vec<(f32, usize)> = images
                .iter()
                .enumerate()
                .filter(|(_, image)| image.judgement() == Some(wanted))
                .filter_map(|(index, image)| Some((image.score()?, index)))
                .collect();
            picked.sort_by(|a, b| {
                let order = a.0.total_cmp(&b.0);
                if highest_first {
                    order.reverse()
                } else {
                    order
                }
            });
            picked
                .into_iter()
                .take(most)
                .map(|(_, index)| index)
                .collect()
        };
        Self {
            misses: group(Judgement::Miss, false),
            false_rejects: group(Judgement::FalseReject, true),
            catches: group(Judgement::Catch, true),
        }
    }

    /// All chosen indices.
    pub fn indices(&self) -> impl Iterator<Item = usize> {
        [&self.misses, &self.false_rejects, &self.catches]
            .into_iter()
            .flatten()
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn judged(bad: bool, score: f32) -> JudgedImage {
        JudgedImage {
            name: format!("{score}"),
            bad,
            kind: None,
            outcome: Outcome::Judged {
                verdict: if score < 1.0 {
                    Verdict::Ok
                } else {
                    Verdict::Ng
                },
                score,
                regions: 0,
                hits: None,
            },
            picture: None,
        }
    }

    #[test]
    fn the_gallery_shows_the_worst_first() {
        let images = [
            judged(true, 0.9),
            judged(true, 0.3),
            judged(false, 1.1),
            judged(false, 2.0),
            judged(true, 1.5),
            judged(false, 0.2),
        ];
        let gallery = Gallery::pick(&images, 5);
        assert_eq!(gallery.misses, [1, 0]);
        assert_eq!(gallery.false_rejects, [3, 2]);
        assert_eq!(gallery.catches, [4]);
        assert_eq!(
            Gallery::pick(&images, 1).indices().collect::<Vec<_>>(),
            [1, 3, 4]
        );
    }

    #[test]
    fn an_image_that_failed_is_in_no_group() {
        let failed = JudgedImage {
            outcome: Outcome::Failed("truncated".into()),
            ..judged(true, 0.0)
        };
        assert_eq!(Gallery::pick(&[failed], 5), Gallery::default());
    }

    #[test]
    fn a_thumbnail_is_a_jpeg_of_the_asked_size() {
        let image = RgbImage::from_pixel(400, 100, Rgb([9, 99, 199]));
        let picture = Picture::thumbnail(&image, 200).unwrap();
        let decoded = image::load_from_memory(&picture.jpeg).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (200, 50));
        assert_eq!(Picture::thumbnail(&image, 999).unwrap().width, 400);
    }
}
