use std::ops::Deref;
use std::time::{Duration, Instant};

use image::{ImageBuffer, Rgb, RgbImage};

use crate::image::{ImageError, InputShape, Preparation};
use crate::normal::{FeatureError, Features};
use crate::recipe::ViewSettings;
use crate::vit::{Backbone, Backbones, Grid, Model, ModelError, TapRequest, Taps, Threads};

/// Camera side of the pipeline: everything up to the features.
pub struct FrontEnd {
    preparation: Preparation,
    backbones: Backbones,
    grid: Grid,
    blocks: Vec<usize>,
    keep_taps: bool,
}

/// Why a picture gave no features.
#[derive(Debug, thiserror::Error)]
pub enum FrontEndError {
    /// The picture does not fit.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The network's output could not be used.
    #[error(transparent)]
    Feature(#[from] FeatureError),
}

/// What a picture gave, and how long it took.
pub struct Seen {
    /// The picture as the network saw it, 8 bits.
    pub crop: RgbImage,
    /// Its features.
    pub features: Features,
    /// The taps that were asked for besides, if any were.
    pub taps: Option<Taps>,
    /// Cutting out, stretching, normalising.
    pub prepare: Duration,
    /// The network. Preparing it, where an input of this size is new, is part of no stage.
    pub backbone: Duration,
    /// Fusing taps into features.
    pub fuse: Duration,
}

impl FrontEnd {
    /// Prepares `model` for pictures under these settings; `blocks` (1-based) are fused.
    ///
    /// # Errors
    /// [`ModelError`] when the model cannot serve them.
    pub fn new(
        model: &Model,
        view: &ViewSettings,
        blocks: &[usize],
        threads: &Threads,
    ) -> Result<Self, ModelError> {
        Self::with_taps(model, view, blocks, &TapRequest::new([]), threads)
    }

    /// The same, and each picture gives the taps `besides` as well.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_taps(
        model: &Model,
        view: &ViewSettings,
        blocks: &[usize],
        besides: &TapRequest,
        threads: &Threads,
    ) -> Result<Self, ModelError> {
        let normalisation = &model.manifest().input;
        let patch = model.manifest().architecture.patch;
        let mut preparation =
            Preparation::new(view.roi, view.input, normalisation.mean, normalisation.std);
        if view.shape == InputShape::Own {
            preparation = preparation.with_own_shape(patch);
        }
        let features = Features::request(blocks);
        let request = TapRequest::new(features.iter().chain(besides.iter()));
        let size = (view.input.width, view.input.height);
        // What cannot be served shall show now.
        let grid = Backbone::check(model, size, &request)?;
        let backbones =
            Backbones::new(model.clone(), request, threads.clone()).with_kept(view.kept.clone());
        if view.shape == InputShape::Common {
            // The first part shall not wait.
            backbones.of(size)?;
        }
        Ok(Self {
            preparation,
            backbones,
            grid,
            blocks: blocks.to_vec(),
            keep_taps: besides.iter().next().is_some(),
        })
    }

    /// The grid of patches; where each picture has an input of its own shape, that of a square one.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// How pictures become input.
    pub fn preparation(&self) -> &Preparation {
        &self.preparation
    }

    /// Looks at a picture.
    ///
    /// # Errors
    /// [`FrontEndError`] when the picture does not hold the region of interest or the network
    /// fails.
    pub fn see(&self, picture: &RgbImage) -> Result<Seen, FrontEndError> {
        let start = Instant::now();
        let crop = self.preparation.crop(picture)?;
        self.see_from(crop, start)
    }

    /// Looks at a region of interest that was cut out of its picture before.
    ///
    /// # Errors
    /// As for [`Self::see`].
    pub fn see_region<C>(&self, inside: &ImageBuffer<Rgb<u8>, C>) -> Result<Seen, FrontEndError>
    where
        C: Deref<Target = [u8]>,
    {
        let start = Instant::now();
        let crop = self.preparation.stretch(inside)?;
        self.see_from(crop, start)
    }

    /// Looks at a picture that is already as large as an input, or as a part of one: nothing is cut out or
    /// stretched.
    ///
    /// # Errors
    /// As for [`Self::see`].
    pub fn see_crop(&self, crop: RgbImage) -> Result<Seen, FrontEndError> {
        self.preparation.check(&crop)?;
        self.see_from(crop, Instant::now())
    }

    fn see_from(&self, crop: RgbImage, start: Instant) -> Result<Seen, FrontEndError> {
        let tensor = self.preparation.normalise(&crop);
        let prepare = start.elapsed();
        let size = (crop.width() as usize, crop.height() as usize);
        let backbone = self.backbones.of(size)?;
        let ready = Instant::now();
        let taps = backbone.run(&tensor)?;
        let ran = Instant::now();
        let features = Features::from_taps(&taps, &self.blocks)?;
        Ok(Seen {
            crop,
            features,
            taps: self.keep_taps.then_some(taps),
            prepare,
            backbone: ran - ready,
            fuse: ran.elapsed(),
        })
    }
}
