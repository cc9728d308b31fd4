//! How well maps find the defective pixels: pixel AUROC and AU-PRO, streamed image by image.
//!
//! PRO, the per-region overlap, is the mean over all defect regions of the share of their pixels
//! at or above a threshold; AU-PRO is its area over the false-positive rate of the defect-free
//! pixels up to [`PRO_LIMIT`], divided by that limit (Bergmann et al., "The MVTec Anomaly
//! Detection Dataset", IJCV 2021, section 5.2). Regions are 8-connected components of the mask. A
//! small defect weighs as much as a large one.
//!
//! Both figures need only three counts for each score value: defect-free pixels, defective pixels,
//! and the summed weight `1 / size` of the regions that the defective pixels belong to. So pixels
//! are counted into bins and forgotten. A bin holds the scores that agree in sign, exponent and
//! the upper 11 bits of the mantissa: scores in one bin differ by less than one part in 2048.
//! Pages of bins are made when first used, one for each power of two, so memory is about 48 KiB
//! for each octave that the scores span and at most 25 MB.
//!
//! Inside a bin the order of pixels is lost and the curve is drawn straight. A rising curve
//! between the corners of a rectangle leaves at most half of it on either side of the diagonal, so
//! the error of an area is at most half the sum of the rectangles. [`PixelMetrics::auroc_error`]
//! and [`PixelMetrics::pro_error`] give that bound for the pixels actually seen.

use image::{GrayImage, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

/// The false-positive rate up to which PRO is integrated.
pub const PRO_LIMIT: f64 = 0.3;

/// Mask values from here on are defect; masks stored as JPEG have soft edges.
pub(super) const MASK_WHITE: u8 = 128;

/// Mantissa bits of an `f32` that a bin ignores.
const DROPPED_BITS: u32 = 12;
const PAGE_BINS: usize = 1 << (23 - DROPPED_BITS);
/// One page for each sign and exponent of an `f32`.
const PAGES: usize = 1 << 9;

/// Why an image cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PixelError {
    /// The mask belongs to an image of another size.
    #[error(
        "the mask has {mask_width} x {mask_height} pixels, the map {map} scores: \
         give one score for each pixel of the mask"
    )]
    Size {
        /// Width of the mask in pixels.
        mask_width: u32,
        /// Height of the mask in pixels.
        mask_height: u32,
        /// Scores in the map.
        map: usize,
    },
    /// A score that has no place in an order.
    #[error("score {index} of the map is not a number: the image cannot be ranked")]
    NotANumber {
        /// Index into the map.
        index: usize,
    },
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    defect_free: u64,
    defective: u64,
    /// Sum of `1 / size of its region` over the defective pixels.
    region_weight: f64,
}

/// A point of the PRO curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProPoint {
    /// Share of the defect-free pixels that are flagged.
    pub false_positive_rate: f64,
    /// Mean share of a defect region that is flagged.
    pub overlap: f64,
}

/// Pixel figures over many images, in bounded memory; see the head of this file.
#[derive(Debug, Clone)]
pub struct PixelMetrics {
    pages: Vec<Option<Box<[Bin; PAGE_BINS]>>>,
    defect_free: u64,
    defective: u64,
    regions: u64,
}

impl Default for PixelMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl PixelMetrics {
    /// No pixels yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pages: vec![None; PAGES],
            defect_free: 0,
            defective: 0,
            regions: 0,
        }
    }

    /// Counts one image: `map_pixels` holds its scores row by row, `mask` is white where the defect
    /// is. Without a mask all pixels are defect-free: add bad images only with theirs.
    ///
    /// # Errors
    /// When the mask has another number of pixels or a score is NaN; nothing is counted then.
    pub fn add(&mut self, map_pixels: &[f32], mask: Option<&GrayImage>) -> Result<(), PixelError> {
        if let Some(index) = map_pixels.iter().position(|score| score.is_nan()) {
            return Err(PixelError::NotANumber { index });
        }
        let Some(mask) = mask else {
            for &score in map_pixels {
                self.bin(score).defect_free += 1;
            }
            self.defect_free += map_pixels.len() as u64;
            return Ok(());
        };
        if mask.as_raw().len() != map_pixels.len() {
            return Err(PixelError::Size {
                mask_width: mask.width(),
                mask_height: mask.height(),
                map: map_pixels.len(),
            });
        }
        let (labels, sizes) = label_regions(mask);
        for (&score, &label) in map_pixels.iter().zip(&labels) {
            let bin = self.bin(score);
            match sizes.get(label as usize) {
                Some(&size) if label > 0 => {
                    bin.defective += 1;
                    bin.region_weight += 1.0 / size as f64;
                    self.defective += 1;
                }
                _ => {
                    bin.defect_free += 1;
                    self.defect_free += 1;
                }
            }
        }
        self.regions += sizes.len() as u64 - 1;
        Ok(())
    }

    /// Defect regions seen so far.
    #[must_use]
    pub fn regions(&self) -> u64 {
        self.regions
    }

    /// Area under the ROC curve of the pixels; `None` without defective or defect-free pixels.
    #[must_use]
    pub fn auroc(&self) -> Option<f64> {
        self.has_both().then(|| {
            let curve = self.curve(|bin| bin.defective as f64 / self.defective as f64);
            area(&curve, 1.0)
        })
    }

    /// Upper bound of the error that binning makes in [`Self::auroc`].
    #[must_use]
    pub fn auroc_error(&self) -> Option<f64> {
        self.has_both().then(|| {
            let curve = self.curve(|bin| bin.defective as f64 / self.defective as f64);
            half_rectangles(&curve, 1.0)
        })
    }

    /// AU-PRO up to [`PRO_LIMIT`], 0..=1; `None` without defective or defect-free pixels.
    #[must_use]
    pub fn pro(&self) -> Option<f64> {
        self.has_both()
            .then(|| area(&self.pro_points(), PRO_LIMIT) / PRO_LIMIT)
    }

    /// Upper bound of the error that binning makes in [`Self::pro`].
    #[must_use]
    pub fn pro_error(&self) -> Option<f64> {
        self.has_both()
            .then(|| half_rectangles(&self.pro_points(), PRO_LIMIT) / PRO_LIMIT)
    }

    /// The PRO curve from (0, 0) to (1, 1), thinned to at most `points` points for drawing (but
    /// never fewer than 2); empty without defective or defect-free pixels.
    #[must_use]
    pub fn pro_curve(&self, points: usize) -> Vec<ProPoint> {
        if !self.has_both() {
            return Vec::new();
        }
        thin(&self.pro_points(), points.max(2))
    }

    fn has_both(&self) -> bool {
        self.defect_free > 0 && self.defective > 0
    }

    fn pro_points(&self) -> Vec<ProPoint> {
        self.curve(|bin| bin.region_weight / self.regions as f64)
    }

    /// The curve of a share of the defective pixels over the false-positive rate, one point after
    /// each bin that is in use, from the highest scores down.
    fn curve(&self, share: impl Fn(&Bin) -> f64) -> Vec<ProPoint> {
        let mut at = ProPoint {
            false_positive_rate: 0.0,
            overlap: 0.0,
        };
        let mut false_positives = 0_u64;
        let mut curve = vec![at];
        for bin in self
            .pages
            .iter()
            .rev()
            .flatten()
            .flat_map(|p| p.iter().rev())
        {
            if bin.defect_free + bin.defective == 0 {
                continue;
            }
            false_positives += bin.defect_free;
            at.false_positive_rate = false_positives as f64 / self.defect_free as f64;
            at.overlap = (at.overlap + share(bin)).min(1.0);
            curve.push(at);
        }
        curve
    }

    fn bin(&mut self, score: f32) -> &mut Bin {
        // The integer order of these keys is the order of the numbers. Adding 0.0 turns -0.0 into
        // 0.0, which must be the same bin.
        let bits = (score + 0.0).to_bits();
        let key = if bits >> 31 == 0 {
            bits | 1 << 31
        } else {
            !bits
        };
        let page = self.pages[(key >> 23) as usize]
            .get_or_insert_with(|| Box::new([Bin::default(); PAGE_BINS]));
        &mut page[(key >> DROPPED_BITS) as usize % PAGE_BINS]
    }
}

/// For each pixel the number of its 8-connected region (0: defect-free), and for each number how
/// many pixels carry it.
pub(super) fn label_regions(mask: &GrayImage) -> (Vec<u32>, Vec<u64>) {
    let mut binary = mask.clone();
    for pixel in binary.pixels_mut() {
        pixel.0[0] = if pixel.0[0] >= MASK_WHITE { 255 } else { 0 };
    }
    let labels = connected_components(&binary, Connectivity::Eight, Luma([0])).into_raw();
    let mut sizes = vec![0];
    for &label in &labels {
        let label = label as usize;
        if sizes.len() <= label {
            sizes.resize(label + 1, 0);
        }
        sizes[label] += 1;
    }
    (labels, sizes)
}

/// Area under the curve up to `limit` on the false-positive axis, by trapezoids; the one that
/// crosses the limit is cut there.
fn area(curve: &[ProPoint], limit: f64) -> f64 {
    let mut area = 0.0;
    for pair in curve.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let width = to.false_positive_rate - from.false_positive_rate;
        let end = to.false_positive_rate.min(limit);
        if width <= 0.0 || end <= from.false_positive_rate {
            continue;
        }
        let used = end - from.false_positive_rate;
        let overlap_at_end = from.overlap + (to.overlap - from.overlap) * used / width;
        area += used * (from.overlap + overlap_at_end) / 2.0;
    }
    area
}

/// Half of the rectangles between neighbouring points of the curve that begin below `limit`.
fn half_rectangles(curve: &[ProPoint], limit: f64) -> f64 {
    curve
        .windows(2)
        .filter(|pair| pair[0].false_positive_rate < limit)
        .map(|pair| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * (pair[1].overlap - pair[0].overlap) / 2.0
        })
        .sum()
}

/// Keeps the ends and points that are about equally far apart along the curve.
fn thin(curve: &[ProPoint], points: usize) -> Vec<ProPoint> {
    // Both coordinates rise from 0 to 1, so their sum is a length along the curve, 0..=2.
    let along = |p: &ProPoint| p.false_positive_rate + p.overlap;
    let step = 2.0 / (points - 1) as f64;
    let mut thinned: Vec<ProPoint> = Vec::with_capacity(points);
    let mut next = 0.0;
    for point in curve {
        if along(point) >= next && thinned.len() + 1 < points {
            thinned.push(*point);
            next = along(point) + step;
        }
    }
    if let Some(last) = curve.last()
        && thinned.last() != Some(last)
    {
        thinned.push(*last);
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Image {
        width: u32,
        map: Vec<f32>,
        mask: Option<String>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        images: Vec<Image>,
        pixel_auroc: f64,
        pro: f64,
        regions: u64,
    }

    #[derive(serde::Deserialize)]
    struct Reference {
        pixels: Vec<Case>,
    }

    fn mask_of(text: &str, width: u32) -> GrayImage {
        let bytes: Vec<u8> = text
            .bytes()
            .map(|c| if c == b'#' { 255 } else { 0 })
            .collect();
        GrayImage::from_raw(width, bytes.len() as u32 / width, bytes).unwrap()
    }

    fn count(case: &Case) -> PixelMetrics {
        let mut metrics = PixelMetrics::new();
        for image in &case.images {
            let mask = image.mask.as_ref().map(|m| mask_of(m, image.width));
            metrics.add(&image.map, mask.as_ref()).unwrap();
        }
        metrics
    }

    #[test]
    fn figures_agree_with_scikit_learn_and_a_plain_pro_within_the_stated_bound() {
        let reference: Reference =
            serde_json::from_str(include_str!("../../tests/reference/metrics.json")).unwrap();
        assert!(reference.pixels.len() >= 4);
        for case in &reference.pixels {
            let ours = count(case);
            assert_eq!(ours.regions(), case.regions, "{}", case.name);
            let (auroc, auroc_error) = (ours.auroc().unwrap(), ours.auroc_error().unwrap());
            let (pro, pro_error) = (ours.pro().unwrap(), ours.pro_error().unwrap());
            assert!(
                (auroc - case.pixel_auroc).abs() <= auroc_error + 1e-9,
                "{}: pixel AUROC {auroc} +- {auroc_error}, reference {}",
                case.name,
                case.pixel_auroc
            );
            assert!(
                (pro - case.pro).abs() <= pro_error + 1e-9,
                "{}: AU-PRO {pro} +- {pro_error}, reference {}",
                case.name,
                case.pro
            );
            if case.name == "scores in steps" {
                // Equal scores are truly tied, so the counts are exact and the bound is not needed.
                assert!((auroc - case.pixel_auroc).abs() < 1e-9 && (pro - case.pro).abs() < 1e-9);
            } else {
                assert!(
                    auroc_error < 2e-3 && pro_error < 5e-3,
                    "{auroc_error} {pro_error}"
                );
            }
        }
    }

    #[test]
    fn scores_that_differ_by_a_thousandth_are_told_apart() {
        let mut metrics = PixelMetrics::new();
        metrics
            .add(&[1.000, 1.002], Some(&mask_of(".#", 2)))
            .unwrap();
        assert_eq!(metrics.auroc(), Some(1.0));
        assert_eq!(metrics.auroc_error(), Some(0.0));
    }

    #[test]
    fn scores_in_one_bin_count_as_tied_and_the_bound_says_so() {
        let mut metrics = PixelMetrics::new();
        metrics
            .add(&[1.0, 1.0001], Some(&mask_of(".#", 2)))
            .unwrap();
        assert_eq!(metrics.auroc(), Some(0.5));
        assert_eq!(metrics.auroc_error(), Some(0.5));
    }

    #[test]
    fn a_small_region_weighs_as_much_as_a_large_one() {
        // The single pixel is found, the row of four is not.
        let mask = mask_of("#......####", 11);
        let map = [9.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0];
        let mut metrics = PixelMetrics::new();
        metrics.add(&map, Some(&mask)).unwrap();
        assert!((metrics.pro().unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn pixels_that_touch_at_a_corner_are_one_region() {
        let mut metrics = PixelMetrics::new();
        metrics.add(&[0.0; 4], Some(&mask_of("#..#", 2))).unwrap();
        assert_eq!(metrics.regions(), 1);
    }

    #[test]
    fn zero_and_minus_zero_are_the_same_score_and_infinity_is_the_highest() {
        let mut metrics = PixelMetrics::new();
        let mask = mask_of(".#.#", 4);
        metrics
            .add(&[0.0, -0.0, -1.0, f32::INFINITY], Some(&mask))
            .unwrap();
        // Pairs (defective over defect-free): -0 ties 0, -0 > -1, inf > 0, inf > -1.
        assert_eq!(metrics.auroc(), Some(3.5 / 4.0));
    }

    #[test]
    fn no_defect_gives_no_figure() {
        let mut metrics = PixelMetrics::new();
        metrics.add(&[0.1, 0.2], None).unwrap();
        assert_eq!((metrics.auroc(), metrics.pro()), (None, None));
        assert!(metrics.pro_curve(100).is_empty());
    }

    #[test]
    fn a_mask_of_another_size_or_a_nan_is_refused_and_nothing_counted() {
        let mut metrics = PixelMetrics::new();
        let mask = mask_of("##", 2);
        assert!(matches!(
            metrics.add(&[0.0; 3], Some(&mask)),
            Err(PixelError::Size { map: 3, .. })
        ));
        assert_eq!(
            metrics.add(&[0.0, f32::NAN], Some(&mask)),
            Err(PixelError::NotANumber { index: 1 })
        );
        assert_eq!(
            (metrics.defect_free, metrics.defective, metrics.regions),
            (0, 0, 0)
        );
    }

    #[test]
    fn the_drawn_curve_keeps_its_ends_and_never_falls() {
        let map: Vec<f32> = (0..10_000)
            .map(|i| (i as f32 * 0.7).sin() + i as f32 * 1e-4)
            .collect();
        let mask = GrayImage::from_fn(100, 100, |x, y| {
            Luma([if x > 60 && y > 60 { 255 } else { 0 }])
        });
        let mut metrics = PixelMetrics::new();
        metrics.add(&map, Some(&mask)).unwrap();
        let curve = metrics.pro_curve(50);
        assert!(curve.len() <= 50 && curve.len() > 20, "{}", curve.len());
        assert_eq!(
            curve[0],
            ProPoint {
                false_positive_rate: 0.0,
                overlap: 0.0
            }
        );
        assert!((curve.last().unwrap().overlap - 1.0).abs() < 1e-9);
        assert!(curve.windows(2).all(|p| p[0].overlap <= p[1].overlap
            && p[0].false_positive_rate <= p[1].false_positive_rate));
    }
}
