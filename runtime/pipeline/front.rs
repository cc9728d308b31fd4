use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_kernels::Pool;
use image::{ImageBuffer, Rgb, RgbImage};

use crate::image::{ImageError, InputShape, Preparation, Tiles};
use crate::normal::{FeatureError, Features};
use crate::recipe::ViewSettings;
use crate::vit::{
    Backbone, Backbones, Grid, Model, ModelError, Mosaic, TapRequest, Taps, Threads, Tile,
};

/// Camera side of the pipeline: everything up to the features.
pub struct FrontEnd {
    preparation: Preparation,
    backbones: Backbones,
    /// Of a whole frame; where each picture has an input of its own shape, of a square one.
    mosaic: Mosaic,
    /// Name of the model, for errors.
    model: String,
    /// Side of a patch in pixels.
    patch: usize,
    blocks: Vec<usize>,
    keep_taps: bool,
    pool: Arc<Pool>,
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
        let tiles = match view.shape {
            InputShape::Common => view.tiles,
            InputShape::Own => Tiles::ONE,
        };
        let features = Features::request(blocks);
        let request = TapRequest::new(features.iter().chain(besides.iter()));
        let size = (view.input.width, view.input.height);
        // What cannot be served shall show now.
        let tile = Backbone::check(model, size, &request)?;
        let mosaic = mosaic(model, view, tile, tiles)?;
        let networks = 1 + mosaic.tiles().iter().filter(|t| t.kept.is_some()).count();
        let backbones = Backbones::new(model.clone(), request, threads.clone()).with_room(networks);
        if view.shape == InputShape::Common {
            // The first part shall not wait.
            for tile in mosaic.tiles() {
                backbones.of(size, tile.kept.as_ref())?;
            }
        }
        Ok(Self {
            preparation: preparation.with_tiles(tiles),
            backbones,
            mosaic,
            model: model.manifest().name.clone(),
            patch,
            blocks: blocks.to_vec(),
            keep_taps: besides.iter().next().is_some(),
            pool: Arc::clone(threads.pool()),
        })
    }

    /// The grid of patches, of all tiles together; where each picture has an input of its own shape,
    /// that of a square one.
    pub fn grid(&self) -> Grid {
        self.mosaic.grid()
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
        let tiles = self.preparation.tiles(&crop);
        let size = (
            crop.width() as usize / tiles.columns,
            crop.height() as usize / tiles.rows,
        );
        let part = self.part(tiles, size)?;
        let mosaic = part.as_ref().unwrap_or(&self.mosaic);
        let (mut prepare, mut backbone) = (start.elapsed(), Duration::ZERO);
        let mut run = |tile: &Tile| -> Result<Taps, ModelError> {
            let start = Instant::now();
            let tensor = match tiles.is_one() {
                true => self.preparation.normalise(&crop),
                false => self.preparation.normalise(&tiles.cut(&crop, tile.place)),
            };
            prepare += start.elapsed();
            let network = self.backbones.of(size, tile.kept.as_ref())?;
            let ready = Instant::now();
            let taps = network.run(&tensor)?;
            backbone += ready.elapsed();
            Ok(taps)
        };
        let mut fuse = Duration::ZERO;
        let taps = match mosaic.tiles() {
            [tile] if tiles.is_one() => Taps {
                kept: mosaic.kept().cloned(),
                ..run(tile)?
            },
            // One after the other, each on all threads: a batch is no faster at 448 px, and holds the
            // values of all of them at once (`docs/performance.md`).
            all => {
                let mut assembly = mosaic.assemble();
                for tile in all {
                    let taps = run(tile)?;
                    let ran = Instant::now();
                    assembly.put(tile, &taps);
                    fuse += ran.elapsed();
                }
                assembly.finish()
            }
        };
        let ran = Instant::now();
        let features = Features::from_taps(&taps, &self.blocks, &self.pool)?;
        Ok(Seen {
            crop,
            features,
            taps: self.keep_taps.then_some(taps),
            prepare,
            backbone,
            fuse: fuse + ran.elapsed(),
        })
    }

    /// The mosaic of these tiles if they are not those of a whole frame: a part of one, or an input
    /// of another shape.
    fn part(&self, tiles: Tiles, size: (usize, usize)) -> Result<Option<Mosaic>, ModelError> {
        let tile = Grid {
            rows: size.1 / self.patch,
            cols: size.0 / self.patch,
        };
        let part = Mosaic::new(tile, [tiles.columns, tiles.rows], None);
        match self.mosaic.kept() {
            _ if part.grid() == self.mosaic.grid() => Ok(None),
            Some(kept) => Err(ModelError::Kept {
                name: self.model.clone(),
                expected: part.grid(),
                found: kept.grid(),
            }),
            None => Ok(Some(part)),
        }
    }
}

/// How the patches of a frame lie whose tiles have a grid of `tile` each.
fn mosaic(
    model: &Model,
    view: &ViewSettings,
    tile: Grid,
    tiles: Tiles,
) -> Result<Mosaic, ModelError> {
    let manifest = model.manifest();
    tiles.check(view.input, manifest.architecture.patch)?;
    let mosaic = Mosaic::new(tile, [tiles.columns, tiles.rows], view.kept.clone());
    match &view.kept {
        Some(kept) if kept.grid() != mosaic.grid() => Err(ModelError::Kept {
            name: manifest.name.clone(),
            expected: mosaic.grid(),
            found: kept.grid(),
        }),
        _ => Ok(mosaic),
    }
}
