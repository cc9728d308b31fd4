use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::{ImageBuffer, Rgb, RgbImage};

use super::front::{FrontEnd, FrontEndError, Seen};
use crate::image::{ImageError, Roi, decode};
use crate::inspect::{Inspection, Inspector};
use crate::normal::NormalError;
use crate::recipe::{Golden, GoldenMismatch, Recipe, RecipeError};
use crate::vit::{Model, ModelError, TapRequest, Taps, Threads};

/// The whole pipeline: a picture in, an inspection out.
pub struct Pipeline {
    front: FrontEnd,
    inspector: Inspector,
}

/// Why a pipeline could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The recipe does not fit the model.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The model cannot serve the recipe's view.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The recipe's numbers do not fit together.
    #[error(transparent)]
    Normal(#[from] NormalError),
}

/// Why a picture could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It gave no features.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// Its features do not fit the recipe.
    #[error(transparent)]
    Normal(#[from] NormalError),
}

/// Why a golden input did not prove a station right.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Another score came out.
    #[error(transparent)]
    Mismatch(#[from] GoldenMismatch),
    /// The picture in the recipe cannot be decoded.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The picture cannot be judged.
    #[error(transparent)]
    Inspect(#[from] InspectError),
}

/// An inspection and how long each stage took.
pub struct Judged {
    /// The answer.
    pub inspection: Inspection,
    /// What it cost.
    pub times: StageTimes,
    /// The taps that were asked for besides, if any were.
    pub taps: Option<Taps>,
}

/// Time by stage; decoding the file comes before and is not part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct StageTimes {
    /// Cutting out, stretching, normalising.
    pub prepare: Duration,
    /// The network.
    pub backbone: Duration,
    /// Features and distances.
    pub spectral: Duration,
    /// Map, regions, shares.
    pub regions: Duration,
}

impl StageTimes {
    /// All stages.
    pub fn total(&self) -> Duration {
        self.prepare + self.backbone + self.spectral + self.regions
    }
}

impl Pipeline {
    /// Puts a recipe and its model together; network and distances share the threads.
    ///
    /// # Errors
    /// [`PipelineError`] when the recipe was made with another model or does not fit it.
    pub fn new(model: &Model, recipe: &Recipe, threads: &Threads) -> Result<Self, PipelineError> {
        Self::with_taps(model, recipe, &TapRequest::new([]), threads)
    }

    /// The same, and each judgement carries the taps `besides`.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_taps(
        model: &Model,
        recipe: &Recipe,
        besides: &TapRequest,
        threads: &Threads,
    ) -> Result<Self, PipelineError> {
        recipe.check_model(model.manifest())?;
        let blocks = &recipe.normal.blocks;
        Ok(Self {
            front: FrontEnd::with_taps(model, &recipe.view, blocks, besides, threads)?,
            inspector: Inspector::new(recipe.normal.clone(), recipe.limits)?
                .with_pool(Arc::clone(threads.pool()))
                .with_turned(recipe.turned.clone())
                .with_composition(recipe.composition.clone()),
        })
    }

    /// Looks at a picture and judges it.
    ///
    /// # Errors
    /// [`InspectError`] when the picture cannot be judged: never taken for OK.
    pub fn inspect(&self, picture: &RgbImage) -> Result<Judged, InspectError> {
        let area = self.area(picture.width(), picture.height())?;
        self.judge(self.front.see(picture)?, area)
    }

    /// The rectangle that is looked at of a picture of this size.
    ///
    /// # Errors
    /// [`InspectError`] when the picture does not hold the region of interest.
    pub fn area(&self, width: u32, height: u32) -> Result<Roi, InspectError> {
        let area = self.front.preparation().area(width, height);
        Ok(area.map_err(FrontEndError::from)?)
    }

    /// Judges the pixels `inside` the `area` of a picture, which [`Self::area`] gave; the same as
    /// [`Self::inspect`] on the whole of it.
    ///
    /// # Errors
    /// As for [`Self::inspect`].
    pub fn inspect_region<C>(
        &self,
        inside: &ImageBuffer<Rgb<u8>, C>,
        area: Roi,
    ) -> Result<Judged, InspectError>
    where
        C: Deref<Target = [u8]>,
    {
        self.judge(self.front.see_region(inside)?, area)
    }

    /// Judges a picture that is already as large as the input, such as a golden one.
    ///
    /// # Errors
    /// As for [`Self::inspect`].
    pub fn inspect_crop(&self, crop: RgbImage) -> Result<Judged, InspectError> {
        let area = Roi::whole(crop.width(), crop.height());
        self.judge(self.front.see_crop(crop)?, area)
    }

    /// Judges a recipe's golden input again and gives its score; `number`, from 1, names it in
    /// errors.
    ///
    /// # Errors
    /// [`ReplayError`] when the score is not the one in the recipe, or there is none.
    pub fn replay(&self, golden: &Golden, number: usize) -> Result<f32, ReplayError> {
        let crop = decode(&golden.png, "golden input")?;
        let score = self.inspect_crop(crop)?.inspection.score;
        golden.check(number, score)?;
        Ok(score)
    }

    fn judge(&self, seen: Seen, area: Roi) -> Result<Judged, InspectError> {
        let start = Instant::now();
        let scores = self.inspector.score(&seen.features)?;
        let scored = Instant::now();
        let inspection = self.inspector.judge(&seen.features, &scores, area);
        Ok(Judged {
            inspection,
            taps: seen.taps,
            times: StageTimes {
                prepare: seen.prepare,
                backbone: seen.backbone,
                spectral: seen.fuse + (scored - start),
                regions: scored.elapsed(),
            },
        })
    }
}
