//! Which defects were found: predicted regions compared with the true ones.
//!
//! A *hit* is defined by a [`HitRule`] between one predicted and one true region, by nothing else:
//! neither the kind of the defect nor the score takes part. Recall is the share of true regions
//! with at least one hit, precision the share of predicted regions with at least one hit, both
//! over images whose ground truth is known and holds a defect. So one prediction may answer for
//! two defects that it joins, and two predictions for one defect that they split. (DeepPCB's own
//! protocol asks for one-to-one pairs of the same kind at an intersection over union of 0.33,
//! because its detectors are trained to name and frame; see Tang et al., "Online PCB Defect
//! Detector On A New PCB Defect Dataset", 2019.)

use image::GrayImage;

use super::pixels::label_regions;
use super::truth::{GroundTruth, TruthBox};
use crate::inspect::{Region, ScoreMap};

/// When a predicted region counts as having found a true one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum HitRule {
    /// The centre of one box lies inside the other: kind to boxes that are larger or smaller than
    /// the truth, strict about the place.
    ///
    /// A prediction that frames the whole image would hit everything, so the smaller box must also
    /// cover at least a hundredth of the larger.
    #[default]
    Centre,
    /// Intersection over union of the two boxes is at least this, 0..=1. DeepPCB uses 0.33.
    Iou(f32),
    /// The cells of the predicted region cover at least this share of the true region's own pixels
    /// (of its box, where only boxes are known), 0..=1, and at least one pixel. Kind to predictions
    /// that are far too large.
    Cover(f32),
}

/// The true regions of one image.
#[derive(Debug, Clone)]
pub struct RegionTruth {
    boxes: Vec<[u32; 4]>,
    /// Pixels of each region.
    sizes: Vec<u64>,
    /// For each pixel the 1-based number of its region, and the width of the image.
    labels: Option<(Vec<u32>, u32)>,
}

impl RegionTruth {
    /// Boxes where they are known, otherwise the 8-connected components of the mask; `None` when
    /// neither is.
    #[must_use]
    pub fn new(truth: &GroundTruth) -> Option<Self> {
        match (&truth.boxes, &truth.mask) {
            (Some(boxes), _) => Some(Self::from_boxes(boxes)),
            (None, Some(mask)) => Some(Self::from_mask(mask)),
            (None, None) => None,
        }
    }

    /// One region for each box.
    #[must_use]
    pub fn from_boxes(boxes: &[TruthBox]) -> Self {
        let boxes: Vec<[u32; 4]> = boxes.iter().map(|b| b.bbox).collect();
        Self {
            sizes: boxes
                .iter()
                .map(|b| u64::from(b[2]) * u64::from(b[3]))
                .collect(),
            boxes,
            labels: None,
        }
    }

    /// One region for each 8-connected component of pixels at 128 or above.
    #[must_use]
    pub fn from_mask(mask: &GrayImage) -> Self {
        let (labels, sizes) = label_regions(mask);
        let width = mask.width();
        // Corners [left, top, right, bottom], the last two exclusive.
        let mut corners = vec![[u32::MAX, u32::MAX, 0, 0]; sizes.len()];
        for ((x, y, _), &label) in mask.enumerate_pixels().zip(&labels) {
            let c = &mut corners[label as usize];
            *c = [c[0].min(x), c[1].min(y), c[2].max(x + 1), c[3].max(y + 1)];
        }
        Self {
            boxes: corners[1..]
                .iter()
                .map(|c| [c[0], c[1], c[2] - c[0], c[3] - c[1]])
                .collect(),
            sizes: sizes[1..].to_vec(),
            labels: Some((labels, width)),
        }
    }

    /// How many true regions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.boxes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// `[x, y, width, height]` of each true region in pixels of the original image.
    #[must_use]
    pub fn boxes(&self) -> &[[u32; 4]] {
        &self.boxes
    }

    /// For each true region, whether `region` hits it. `map` is the map that the cells of the
    /// region index.
    #[must_use]
    pub fn hits(&self, region: &Region, map: &ScoreMap, rule: HitRule) -> Vec<bool> {
        match rule {
            HitRule::Centre => self
                .boxes
                .iter()
                .map(|b| centred(*b, region.bbox))
                .collect(),
            HitRule::Iou(least) => {
                let least = f64::from(least);
                self.boxes
                    .iter()
                    .map(|b| intersection(*b, region.bbox) > 0 && iou(*b, region.bbox) >= least)
                    .collect()
            }
            HitRule::Cover(least) => self
                .covered(region, map)
                .iter()
                .zip(&self.sizes)
                .map(|(&n, &size)| n > 0 && n as f64 >= f64::from(least) * size as f64)
                .collect(),
        }
    }

    /// For each true region, how many of its pixels lie under cells of `region`.
    fn covered(&self, region: &Region, map: &ScoreMap) -> Vec<u64> {
        let mut covered = vec![0; self.boxes.len()];
        for &cell in &region.cells {
            let cell = cell_box(map, cell as usize);
            match &self.labels {
                None => {
                    for (n, truth) in covered.iter_mut().zip(&self.boxes) {
                        *n += intersection(*truth, cell);
                    }
                }
                Some((labels, width)) => {
                    let width = *width as usize;
                    for y in cell[1]..cell[1] + cell[3] {
                        let start = y as usize * width + cell[0] as usize;
                        let end =
                            start + (cell[2] as usize).min(width.saturating_sub(cell[0] as usize));
                        for &label in labels.get(start..end).unwrap_or_default() {
                            if label > 0 {
                                covered[label as usize - 1] += 1;
                            }
                        }
                    }
                }
            }
        }
        covered
    }
}

/// The pixels of a cell. Neighbouring cells share no pixel and leave none out.
fn cell_box(map: &ScoreMap, cell: usize) -> [u32; 4] {
    let [x, y, width, height] = map.area;
    let edge = |index: usize, cells: usize, length: u32| {
        (index as u64 * u64::from(length) / cells.max(1) as u64) as u32
    };
    let (column, row) = (cell % map.cols.max(1), cell / map.cols.max(1));
    let (left, right) = (
        edge(column, map.cols, width),
        edge(column + 1, map.cols, width),
    );
    let (top, bottom) = (edge(row, map.rows, height), edge(row + 1, map.rows, height));
    [x + left, y + top, right - left, bottom - top]
}

fn centred(a: [u32; 4], b: [u32; 4]) -> bool {
    let area = |r: [u32; 4]| u64::from(r[2]) * u64::from(r[3]);
    // In half pixels, so that centres are whole numbers.
    let inside = |inner: [u32; 4], outer: [u32; 4]| {
        (0..2).all(|axis| {
            let centre = 2 * u64::from(inner[axis]) + u64::from(inner[axis + 2]);
            let start = 2 * u64::from(outer[axis]);
            centre >= start && centre <= start + 2 * u64::from(outer[axis + 2])
        })
    };
    let (small, large) = (area(a).min(area(b)), area(a).max(area(b)));
    (inside(a, b) || inside(b, a)) && small * 100 >= large
}

/// Pixels that two boxes share.
fn intersection(a: [u32; 4], b: [u32; 4]) -> u64 {
    let shared = |axis: usize| {
        let end = |r: [u32; 4]| u64::from(r[axis]) + u64::from(r[axis + 2]);
        end(a)
            .min(end(b))
            .saturating_sub(u64::from(a[axis].max(b[axis])))
    };
    shared(0) * shared(1)
}

fn iou(a: [u32; 4], b: [u32; 4]) -> f64 {
    let area = |r: [u32; 4]| u64::from(r[2]) * u64::from(r[3]);
    let both = intersection(a, b);
    let union = area(a) + area(b) - both;
    if union == 0 {
        0.0
    } else {
        both as f64 / union as f64
    }
}

/// Hits summed over images; see the head of this file for the rule of counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RegionTally {
    /// True regions.
    pub truths: usize,
    /// True regions that at least one predicted region hits.
    pub found: usize,
    /// Predicted regions on images with ground truth.
    pub predicted: usize,
    /// Predicted regions that hit at least one true region.
    pub right: usize,
}

impl RegionTally {
    /// Compares the regions predicted for one image with its truth.
    #[must_use]
    pub fn of(regions: &[Region], map: &ScoreMap, truth: &RegionTruth, rule: HitRule) -> Self {
        let mut found = vec![false; truth.len()];
        let mut right = 0;
        for region in regions {
            let hits = truth.hits(region, map, rule);
            right += usize::from(hits.contains(&true));
            for (found, hit) in found.iter_mut().zip(hits) {
                *found |= hit;
            }
        }
        Self {
            truths: truth.len(),
            found: found.iter().filter(|f| **f).count(),
            predicted: regions.len(),
            right,
        }
    }

    /// Adds the counts of another tally.
    pub fn add(&mut self, other: &Self) {
        self.truths += other.truths;
        self.found += other.found;
        self.predicted += other.predicted;
        self.right += other.right;
    }

    /// Share of true regions found; `None` without true regions.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        (self.truths > 0).then(|| self.found as f64 / self.truths as f64)
    }

    /// Share of predicted regions that are right; `None` without predictions or true regions.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        (self.truths > 0 && self.predicted > 0).then(|| self.right as f64 / self.predicted as f64)
    }

    /// Harmonic mean of precision and recall; 0 when nothing was predicted, `None` without true
    /// regions.
    #[must_use]
    pub fn f_score(&self) -> Option<f64> {
        let recall = self.recall()?;
        let precision = self.precision().unwrap_or(0.0);
        let sum = precision + recall;
        Some(if sum > 0.0 {
            2.0 * precision * recall / sum
        } else {
            0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Pathway;
    use image::Luma;

    fn region(bbox: [u32; 4], cells: &[u32]) -> Region {
        Region {
            bbox,
            area_px: u64::from(bbox[2]) * u64::from(bbox[3]),
            score: 1.5,
            pathway: Pathway::What,
            what: 1.0,
            where_: 0.0,
            blocks: Vec::new(),
            cells: cells.to_vec(),
        }
    }

    /// 10 x 10 cells of 10 x 10 pixels.
    fn map() -> ScoreMap {
        ScoreMap {
            cols: 10,
            rows: 10,
            values: vec![0.0; 100],
            area: [0, 0, 100, 100],
            kept: None,
        }
    }

    fn boxes(boxes: &[[u32; 4]]) -> RegionTruth {
        let boxes: Vec<_> = boxes
            .iter()
            .map(|&bbox| TruthBox { bbox, kind: 1 })
            .collect();
        RegionTruth::from_boxes(&boxes)
    }

    #[test]
    fn a_centre_inside_is_a_hit_whichever_box_is_larger() {
        let truth = boxes(&[[40, 40, 20, 20], [80, 0, 4, 4]]);
        let hit = |bbox| truth.hits(&region(bbox, &[]), &map(), HitRule::Centre);
        assert_eq!(hit([45, 45, 4, 4]), [true, false]);
        assert_eq!(hit([20, 20, 60, 60]), [true, false]);
        assert_eq!(hit([55, 55, 30, 30]), [false, false]);
        assert_eq!(hit([70, 0, 20, 20]), [false, true]);
    }

    #[test]
    fn framing_the_whole_image_hits_nothing_small() {
        let truth = boxes(&[[50, 50, 5, 5]]);
        let all = region([0, 0, 100, 100], &[]);
        assert_eq!(truth.hits(&all, &map(), HitRule::Centre), [false]);
        assert_eq!(truth.hits(&all, &map(), HitRule::Iou(0.33)), [false]);
    }

    #[test]
    fn intersection_over_union_is_compared_with_the_limit() {
        let truth = boxes(&[[0, 0, 10, 10]]);
        // Half of each box is shared: 50 / 150.
        let shifted = region([5, 0, 10, 10], &[]);
        assert_eq!(truth.hits(&shifted, &map(), HitRule::Iou(0.33)), [true]);
        assert_eq!(truth.hits(&shifted, &map(), HitRule::Iou(0.34)), [false]);
        assert_eq!(
            truth.hits(&region([50, 50, 1, 1], &[]), &map(), HitRule::Iou(0.0)),
            [false]
        );
    }

    #[test]
    fn cover_counts_the_pixels_of_the_component_not_of_its_box() {
        // A diagonal: its box covers four cells, its pixels lie in two of them.
        let mask = GrayImage::from_fn(100, 100, |x, y| {
            Luma([if x == y && x < 20 { 255 } else { 0 }])
        });
        let truth = RegionTruth::from_mask(&mask);
        assert_eq!(truth.boxes(), [[0, 0, 20, 20]]);
        let hit = |cells: &[u32], least| {
            truth.hits(&region([0, 0, 1, 1], cells), &map(), HitRule::Cover(least))
        };
        assert_eq!(hit(&[1, 10], 0.0), [false]);
        assert_eq!(hit(&[0], 0.5), [true]);
        assert_eq!(hit(&[0], 0.51), [false]);
        assert_eq!(hit(&[0, 11], 1.0), [true]);
    }

    #[test]
    fn cells_of_an_uneven_grid_cover_every_pixel_once() {
        let map = ScoreMap {
            cols: 3,
            rows: 2,
            values: vec![0.0; 6],
            area: [5, 7, 10, 5],
            kept: None,
        };
        let pixels: u64 = (0..6)
            .map(|c| cell_box(&map, c))
            .map(|b| u64::from(b[2] * b[3]))
            .sum();
        assert_eq!(pixels, 50);
        assert_eq!(cell_box(&map, 5), [11, 9, 4, 3]);
    }

    #[test]
    fn recall_precision_and_f_follow_the_counts() {
        let truth = boxes(&[[0, 0, 10, 10], [50, 50, 10, 10]]);
        let predicted = [
            region([1, 1, 8, 8], &[]),
            region([2, 2, 8, 8], &[]),
            region([80, 80, 5, 5], &[]),
        ];
        let tally = RegionTally::of(&predicted, &map(), &truth, HitRule::Centre);
        assert_eq!(
            tally,
            RegionTally {
                truths: 2,
                found: 1,
                predicted: 3,
                right: 2
            }
        );
        assert_eq!(tally.recall(), Some(0.5));
        assert!((tally.f_score().unwrap() - 4.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn no_prediction_is_no_recall_and_no_truth_is_no_figure() {
        let none = RegionTally::of(&[], &map(), &boxes(&[[0, 0, 5, 5]]), HitRule::Centre);
        assert_eq!(
            (none.recall(), none.precision(), none.f_score()),
            (Some(0.0), None, Some(0.0))
        );
        let empty = RegionTally::default();
        assert_eq!((empty.recall(), empty.f_score()), (None, None));
    }
}
