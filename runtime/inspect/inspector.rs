use std::sync::Arc;

use andon_kernels::Pool;
use nalgebra::DVector;
use serde::{Deserialize, Serialize};

use super::map::{patches, refine};
use super::regions::{area_px, bounding_box, connected};
use super::statistic::{deciding, image_statistic, mean_of_largest};
use super::{BlockShare, Inspection, Pathway, Region, ScoreMap, Verdict};
use crate::image::Roi;
use crate::normal::{
    Composition, Displacement, Features, NormalError, NormalModel, NormalParts, PatchScores, Turned,
};

/// Where good ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Squared feature distance, averaged over the most deviating 0.5 % of the patches, at which an
    /// image is no longer good. Scores are reported in this unit.
    pub image: f32,
    /// The score that one in a thousand patches of left-out good parts exceeds, at most `image`:
    /// once an image has failed, regions reach down to it.
    pub patch: f32,
}

impl Limits {
    /// Refuses limits that make no sense.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if !(self.image.is_finite() && self.image > 0.0) {
            return Err(format!("its limit {} is not a positive number", self.image));
        }
        if !(self.patch > 0.0 && self.patch <= self.image) {
            return Err(format!(
                "its patch limit {} is not between 0 and the image's {}",
                self.patch, self.image
            ));
        }
        Ok(())
    }
}

/// A patch is odd wherever it lies if good parts show nothing, at any place, that is nearer to it
/// than this share of what they show here. Anything from 0.6 to 0.75 does as well
/// (`docs/what-and-where.md`).
const ODD_ANYWHERE: f32 = 2.0 / 3.0;

/// Judges images of one product.
#[derive(Debug, Clone)]
pub struct Inspector {
    normal: NormalModel,
    limits: Limits,
    turned: Option<Turned>,
    composition: Option<Composition>,
}

impl Inspector {
    /// Prepares a normal model and its limits.
    ///
    /// # Errors
    /// [`NormalError`] when the numbers do not fit together.
    pub fn new(normal: NormalParts, limits: Limits) -> Result<Self, NormalError> {
        Ok(Self {
            normal: NormalModel::new(normal)?,
            limits,
            turned: None,
            composition: None,
        })
    }

    /// Scores on these threads.
    #[must_use]
    pub fn with_pool(self, pool: Arc<Pool>) -> Self {
        Self {
            normal: self.normal.with_pool(pool),
            ..self
        }
    }

    /// Tells what is turned from what is wrong by these patches of turned good parts. They change
    /// shares and pathways of regions, never a score.
    #[must_use]
    pub fn with_turned(self, turned: Option<Turned>) -> Self {
        Self { turned, ..self }
    }

    /// Tells also how things lie all together. That changes neither verdict nor score: it finds
    /// little that the patches do not show, and a second limit would reject good parts of its own
    /// (`docs/what-and-where.md`).
    #[must_use]
    pub fn with_composition(self, composition: Option<Composition>) -> Self {
        Self {
            composition,
            ..self
        }
    }

    /// How far each patch is from what good parts show.
    ///
    /// # Errors
    /// [`NormalError`] when the features are of another width, of other patches, or of another grid
    /// where place counts.
    pub fn score(&self, features: &Features) -> Result<PatchScores, NormalError> {
        self.normal.score(features)
    }

    /// Verdict and regions. `area` is the rectangle of the picture that the features cover.
    pub fn judge(&self, features: &Features, scores: &PatchScores, area: Roi) -> Inspection {
        let scale = 1.0 / self.limits.image;
        let map = refine(
            &scores.score,
            features.grid,
            features.kept.as_ref(),
            scale,
            area,
        );
        let score = image_statistic(&scores.score) * scale;
        // Written so that a score that is not a number is NG.
        let verdict = if score < 1.0 {
            Verdict::Ok
        } else {
            Verdict::Ng
        };
        let mut regions = match verdict {
            Verdict::Ok => Vec::new(),
            Verdict::Ng => {
                let centres = self.normal.block_centres(features);
                connected(&map, self.limits.patch * scale)
                    .into_iter()
                    .map(|cells| self.region(&map, cells, features, &centres, scores))
                    .collect()
            }
        };
        regions.sort_by(|a: &Region, b: &Region| b.score.total_cmp(&a.score));
        Inspection {
            verdict,
            score,
            layout: self.composition.as_ref().and_then(|c| c.score(scores)),
            regions,
            map,
        }
    }

    fn region(
        &self,
        map: &ScoreMap,
        cells: Vec<u32>,
        features: &Features,
        centres: &[DVector<f32>],
        scores: &PatchScores,
    ) -> Region {
        let mut patches = patches(&cells, map);
        if let Some(kept) = &features.kept {
            patches = patches.into_iter().filter_map(|p| kept.number(p)).collect();
        }
        let raw: Vec<f32> = patches.iter().map(|&p| scores.score[p]).collect();
        let what = self.what_share(features, &patches);
        Region {
            bbox: bounding_box(map, &cells),
            area_px: area_px(map, cells.len()),
            score: mean_of_largest(raw, deciding(scores.score.len())) / self.limits.image,
            pathway: if what >= 0.5 {
                Pathway::What
            } else {
                Pathway::Where
            },
            what,
            where_: 1.0 - what,
            blocks: self.block_shares(features, centres, scores, &patches),
            cells,
        }
    }

    /// Share of the patches that would be odd wherever they lay. Where place does not count, that is
    /// all of them.
    ///
    /// Each patch has one vote, however odd it is. Sums of distances would follow the few oddest
    /// patches, and of a dent those are the ones that look most like an edge elsewhere.
    fn what_share(&self, features: &Features, patches: &[usize]) -> f32 {
        if self.normal.parts().gate.is_none() {
            return 1.0;
        }
        let turned = self.turned.as_ref();
        let found = self.normal.displacements(features, turned, patches);
        let odd_anywhere = |patch: &&Displacement| patch.anywhere >= ODD_ANYWHERE * patch.here;
        found.iter().filter(odd_anywhere).count() as f32 / found.len().max(1) as f32
    }

    /// Shares of the blocks over several patches, each patch weighted by its score.
    fn block_shares(
        &self,
        features: &Features,
        centres: &[DVector<f32>],
        scores: &PatchScores,
        patches: &[usize],
    ) -> Vec<BlockShare> {
        let blocks = &self.normal.parts().blocks;
        let mut sums = vec![0.0; blocks.len()];
        for &patch in patches {
            let shares = self.normal.block_shares(features, centres, scores, patch);
            for (sum, share) in sums.iter_mut().zip(shares) {
                *sum += share * scores.score[patch].max(f32::MIN_POSITIVE);
            }
        }
        let total: f32 = sums.iter().sum::<f32>().max(f32::MIN_POSITIVE);
        blocks
            .iter()
            .zip(sums)
            .map(|(&block, sum)| BlockShare {
                block,
                share: sum / total,
            })
            .collect()
    }
}
