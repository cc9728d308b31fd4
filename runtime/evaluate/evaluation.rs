//! One evaluation: images go in one by one, figures come out.

use crate::inspect::{Inspection, Verdict};

use super::pixels::{PixelError, PixelMetrics};
use super::ranking::auroc;
use super::raster::rasterise;
use super::regions::{HitRule, RegionTally, RegionTruth};
use super::truth::GroundTruth;
use super::verdicts::Rate;

/// Why an image cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// The image has no score to rank.
    #[error("the score of the image is not a number")]
    Score,
    /// Its pixels cannot be counted.
    #[error(transparent)]
    Pixels(#[from] PixelError),
}

/// The figures of an evaluation. A figure without its ground truth is `None`.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Figures {
    /// Good images.
    pub good: usize,
    /// Bad images.
    pub bad: usize,
    /// Probability that a bad image scores higher than a good one.
    pub image_auroc: Option<f64>,
    /// The same by the layout; `None` also where the recipe has none.
    pub layout_auroc: Option<f64>,
    /// The same for pixels.
    pub pixel_auroc: Option<f64>,
    /// AU-PRO up to a false-positive rate of 0.3.
    pub pro: Option<f64>,
    /// Share of good images with the verdict NG.
    pub false_reject: Option<f64>,
    /// Share of bad images with the verdict OK.
    pub miss: Option<f64>,
    /// Share of true regions that a predicted region hits.
    pub region_recall: Option<f64>,
    /// Share of predicted regions that hit a true region, on images with ground truth.
    pub region_precision: Option<f64>,
    /// Harmonic mean of the two.
    pub region_f: Option<f64>,
    /// Predicted regions on an average good image.
    pub regions_per_good: Option<f64>,
}

/// What was found out about one image while it was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageOutcome {
    /// Hits on its true regions; `None` for good images and without ground truth.
    pub regions: Option<RegionTally>,
}

/// Collects what [`Figures`] need. Keeps one score for each image and bounded counts for pixels.
#[derive(Debug, Clone)]
pub struct Evaluation {
    rule: HitRule,
    good: Vec<f64>,
    bad: Vec<f64>,
    /// Layouts of the good images and of the bad ones, as far as they have one.
    layouts: [Vec<f64>; 2],
    false_rejects: usize,
    misses: usize,
    regions_on_good: usize,
    regions: RegionTally,
    pixels: Option<PixelMetrics>,
}

impl Evaluation {
    /// An evaluation of nothing yet. `rule` says when a region is found; `pixels` whether masks
    /// exist, without which counting the pixels of good images would be wasted.
    #[must_use]
    pub fn new(rule: HitRule, pixels: bool) -> Self {
        Self {
            rule,
            good: Vec::new(),
            bad: Vec::new(),
            layouts: Default::default(),
            false_rejects: 0,
            misses: 0,
            regions_on_good: 0,
            regions: RegionTally::default(),
            pixels: pixels.then(PixelMetrics::new),
        }
    }

    /// Adds a good image of `size` = `[width, height]` pixels.
    ///
    /// # Errors
    /// When its scores are not numbers; it is not counted then.
    pub fn add_good(
        &mut self,
        inspection: &Inspection,
        size: [u32; 2],
    ) -> Result<ImageOutcome, EvaluationError> {
        let score = score_of(inspection)?;
        if let Some(pixels) = &mut self.pixels {
            pixels.add(&rasterise(&inspection.map, size, size), None)?;
        }
        self.good.push(score);
        self.layouts[0].extend(inspection.layout.map(f64::from));
        self.false_rejects += usize::from(inspection.verdict == Verdict::Ng);
        self.regions_on_good += inspection.regions.len();
        Ok(ImageOutcome { regions: None })
    }

    /// Adds a bad image of `size` = `[width, height]` pixels with what is known about it. Its
    /// pixels count only with a mask, its regions only with boxes or a mask.
    ///
    /// # Errors
    /// When its scores are not numbers or its mask has another size; it is not counted then.
    pub fn add_bad(
        &mut self,
        inspection: &Inspection,
        size: [u32; 2],
        truth: &GroundTruth,
    ) -> Result<ImageOutcome, EvaluationError> {
        let score = score_of(inspection)?;
        if let (Some(pixels), Some(mask)) = (&mut self.pixels, &truth.mask) {
            pixels.add(&rasterise(&inspection.map, size, size), Some(mask))?;
        }
        self.bad.push(score);
        self.layouts[1].extend(inspection.layout.map(f64::from));
        self.misses += usize::from(inspection.verdict == Verdict::Ok);
        let regions = RegionTruth::new(truth)
            .map(|truth| RegionTally::of(&inspection.regions, &inspection.map, &truth, self.rule));
        if let Some(regions) = &regions {
            self.regions.add(regions);
        }
        Ok(ImageOutcome { regions })
    }

    /// All figures so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let pixels = self.pixels.as_ref();
        Figures {
            good: self.good.len(),
            bad: self.bad.len(),
            image_auroc: auroc(&self.good, &self.bad),
            layout_auroc: auroc(&self.layouts[0], &self.layouts[1]),
            pixel_auroc: pixels.and_then(PixelMetrics::auroc),
            pro: pixels.and_then(PixelMetrics::pro),
            false_reject: self.false_reject().share(),
            miss: self.miss().share(),
            region_recall: self.regions.recall(),
            region_precision: self.regions.precision(),
            region_f: self.regions.f_score(),
            regions_per_good: (!self.good.is_empty())
                .then(|| self.regions_on_good as f64 / self.good.len() as f64),
        }
    }

    /// Good images with the verdict NG.
    #[must_use]
    pub fn false_reject(&self) -> Rate {
        Rate {
            count: self.false_rejects,
            of: self.good.len(),
        }
    }

    /// Bad images with the verdict OK.
    #[must_use]
    pub fn miss(&self) -> Rate {
        Rate {
            count: self.misses,
            of: self.bad.len(),
        }
    }

    /// Scores of the good images in the order they were added.
    #[must_use]
    pub fn good_scores(&self) -> &[f64] {
        &self.good
    }

    /// Scores of the bad images in the order they were added.
    #[must_use]
    pub fn bad_scores(&self) -> &[f64] {
        &self.bad
    }

    /// Hits over all images with known regions.
    #[must_use]
    pub fn regions(&self) -> RegionTally {
        self.regions
    }

    /// The pixel figures with their curve and error bounds, when masks exist.
    #[must_use]
    pub fn pixels(&self) -> Option<&PixelMetrics> {
        self.pixels.as_ref()
    }
}

fn score_of(inspection: &Inspection) -> Result<f64, EvaluationError> {
    if inspection.score.is_nan() {
        return Err(EvaluationError::Score);
    }
    Ok(f64::from(inspection.score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Pathway, Region, ScoreMap};
    use image::{GrayImage, Luma};

    /// Four cells over 4 x 4 pixels.
    fn inspection(score: f32, values: [f32; 4], hot: &[u32]) -> Inspection {
        let regions = hot
            .iter()
            .map(|&cell| Region {
                bbox: [cell % 2 * 2, cell / 2 * 2, 2, 2],
                area_px: 4,
                score,
                pathway: Pathway::What,
                what: 1.0,
                where_: 0.0,
                blocks: Vec::new(),
                cells: vec![cell],
            })
            .collect();
        Inspection {
            verdict: if score < 1.0 {
                Verdict::Ok
            } else {
                Verdict::Ng
            },
            score,
            layout: None,
            regions,
            map: ScoreMap {
                cols: 2,
                rows: 2,
                values: values.to_vec(),
                area: [0, 0, 4, 4],
                kept: None,
            },
        }
    }

    fn mask() -> GroundTruth {
        GroundTruth {
            mask: Some(GrayImage::from_fn(4, 4, |x, y| {
                Luma([if x < 2 && y < 2 { 255 } else { 0 }])
            })),
            boxes: None,
        }
    }

    #[test]
    fn a_perfect_inspection_gets_perfect_figures() {
        let mut all = Evaluation::new(HitRule::Centre, true);
        all.add_good(&inspection(0.2, [0.1; 4], &[]), [4, 4])
            .unwrap();
        let bad = inspection(2.0, [2.0, 0.1, 0.1, 0.1], &[0]);
        let outcome = all.add_bad(&bad, [4, 4], &mask()).unwrap();
        assert_eq!(outcome.regions.unwrap().found, 1);
        let figures = all.figures();
        assert_eq!(figures.image_auroc, Some(1.0));
        assert_eq!(figures.pixel_auroc, Some(1.0));
        assert_eq!(figures.pro, Some(1.0));
        assert_eq!((figures.false_reject, figures.miss), (Some(0.0), Some(0.0)));
        assert_eq!(
            (figures.region_recall, figures.region_f),
            (Some(1.0), Some(1.0))
        );
        assert_eq!(figures.regions_per_good, Some(0.0));
    }

    #[test]
    fn false_rejects_misses_and_false_regions_are_counted() {
        let mut all = Evaluation::new(HitRule::Centre, false);
        all.add_good(&inspection(1.5, [1.5, 0.0, 0.0, 1.5], &[0, 3]), [4, 4])
            .unwrap();
        all.add_good(&inspection(0.5, [0.0; 4], &[]), [4, 4])
            .unwrap();
        all.add_bad(&inspection(0.7, [0.0; 4], &[]), [4, 4], &mask())
            .unwrap();
        let figures = all.figures();
        assert_eq!((figures.false_reject, figures.miss), (Some(0.5), Some(1.0)));
        assert_eq!(figures.regions_per_good, Some(1.0));
        assert_eq!(figures.region_recall, Some(0.0));
    }

    #[test]
    fn the_layout_is_ranked_beside_the_score_and_changes_no_other_figure() {
        let figures = |layouts: [Option<f32>; 2]| {
            let mut all = Evaluation::new(HitRule::Centre, false);
            let [good, bad] = [0.5, 0.4].map(|score| inspection(score, [0.0; 4], &[]));
            let [of_good, of_bad] = layouts;
            let good = Inspection {
                layout: of_good,
                ..good
            };
            let bad = Inspection {
                layout: of_bad,
                ..bad
            };
            all.add_good(&good, [4, 4]).unwrap();
            all.add_bad(&bad, [4, 4], &GroundTruth::default()).unwrap();
            all.figures()
        };
        let with = figures([Some(0.7), Some(3.0)]);
        assert_eq!(
            (with.image_auroc, with.layout_auroc),
            (Some(0.0), Some(1.0))
        );
        assert_eq!((with.false_reject, with.miss), (Some(0.0), Some(1.0)));
        let without = figures([None, None]);
        assert_eq!(without.layout_auroc, None);
        assert_eq!(
            Figures {
                layout_auroc: None,
                ..with
            },
            without
        );
    }

    #[test]
    fn figures_without_their_ground_truth_are_none() {
        let mut all = Evaluation::new(HitRule::Centre, false);
        all.add_bad(
            &inspection(2.0, [2.0; 4], &[0]),
            [4, 4],
            &GroundTruth::default(),
        )
        .unwrap();
        let figures = all.figures();
        assert_eq!((figures.image_auroc, figures.false_reject), (None, None));
        assert_eq!(
            (figures.pixel_auroc, figures.pro, figures.region_recall),
            (None, None, None)
        );
        assert_eq!(figures.miss, Some(0.0));
        let json = serde_json::to_string(&figures).unwrap();
        assert!(json.contains("\"pixel_auroc\":null"), "{json}");
    }

    #[test]
    fn an_image_without_a_number_is_refused_and_not_counted() {
        let mut all = Evaluation::new(HitRule::Centre, true);
        let nan = inspection(f32::NAN, [0.0; 4], &[]);
        assert_eq!(all.add_good(&nan, [4, 4]), Err(EvaluationError::Score));
        let nan = inspection(1.0, [f32::NAN; 4], &[]);
        assert!(all.add_good(&nan, [4, 4]).is_err());
        assert_eq!(all.figures().good, 0);
    }
}
