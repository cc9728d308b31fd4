use std::time::Duration;

use image::RgbImage;

use super::front::{FrontEnd, FrontEndError};
use crate::image::{ImageError, InputShape};
use crate::inspect::Inspector;
use crate::normal::{Centre, Features, NormalError, NormalParts, Turned};
use crate::recipe::drift::DriftLearner;
use crate::recipe::tints::Tints;
use crate::recipe::{
    Golden, LearnError, LearnOptions, Learned, Learner, Origin, PartRecord, Place, Recipe,
    ViewSettings, views,
};
use crate::vit::{Kept, Model, ModelError, Threads};

/// Blocks whose tokens are fused unless others are asked for: earlier ones miss meaning, later ones
/// detail, and nothing behind the last of them is computed.
pub const BLOCKS: [usize; 4] = [5, 6, 7, 8];

/// Inputs kept while learning: as many as views may have to be made of.
const KEPT_INPUTS: usize = 3;

/// What one product is learned with.
#[derive(Debug, Clone)]
pub struct LearnSettings {
    /// Name of the product.
    pub name: String,
    /// How pictures become input.
    pub view: ViewSettings,
    /// Blocks whose tokens are fused, 1-based; [`BLOCKS`] are usual.
    pub blocks: Vec<usize>,
    /// How much is learned; place never counts where each picture has an input of its own shape.
    pub options: LearnOptions,
    /// When, RFC 3339.
    pub created: String,
}

/// Learning one product: pictures of good parts in, a recipe out. Calls, in order:
/// [`new`](Self::new); [`add`](Self::add) for each part; [`finish`](Self::finish).
pub struct Lesson {
    front: FrontEnd,
    learner: Learner,
    settings: LearnSettings,
    model: (String, String),
    records: Vec<PartRecord>,
    /// Inputs of the first parts: golden, and to make views of when there are few.
    first: Vec<RgbImage>,
    /// Features of the first part, whose score becomes golden.
    golden: Option<Features>,
    tints: Tints,
    drift: DriftLearner,
    /// Side of a patch in pixels.
    patch: u32,
    backbone: Duration,
}

/// Why a product could not be learned.
#[derive(Debug, thiserror::Error)]
pub enum LessonError {
    /// A picture gave no features.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The model cannot serve the view.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Learning failed.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The learned numbers do not fit together.
    #[error(transparent)]
    Normal(#[from] NormalError),
    /// A golden input could not be kept.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl Lesson {
    /// Prepares `model` for the pictures.
    ///
    /// # Errors
    /// [`LessonError`] when the model cannot serve the view.
    pub fn new(
        model: &Model,
        settings: LearnSettings,
        threads: &Threads,
    ) -> Result<Self, LessonError> {
        let view = &settings.view;
        let front = FrontEnd::new(model, view, &settings.blocks, threads)?;
        let manifest = model.manifest();
        let dim = manifest.architecture.dim;
        let mut options = settings.options;
        if settings.view.shape == InputShape::Own {
            // Where grids differ, a place on one is none on another.
            options.place = Place::DoesNot;
        }
        Ok(Self {
            learner: Learner::new(options, front.grid(), &settings.blocks, dim)?
                .with_kept(view.kept.clone()),
            front,
            model: (manifest.name.clone(), manifest.sha256.to_lowercase()),
            records: Vec::new(),
            first: Vec::new(),
            golden: None,
            tints: Tints::default(),
            drift: DriftLearner::new(view.roi),
            patch: manifest.architecture.patch as u32,
            backbone: Duration::ZERO,
            settings,
        })
    }

    /// Learns a good part.
    ///
    /// # Errors
    /// [`LessonError::FrontEnd`] when the picture cannot be used: the lesson goes on without it.
    /// [`LessonError::Learn`] when the disk refuses.
    pub fn add(&mut self, record: PartRecord, picture: &RgbImage) -> Result<(), LessonError> {
        let seen = self.front.see(picture)?;
        self.backbone += seen.backbone;
        self.learner.add(&seen.features)?;
        self.drift.add(picture);
        self.golden.get_or_insert(seen.features);
        let (kept, patch) = (self.settings.view.kept.as_ref(), self.patch);
        self.tints
            .add(&seen.crop, |x, y| is_looked_at(kept, patch, [x, y]));
        if self.first.len() < KEPT_INPUTS {
            self.first.push(seen.crop);
        }
        self.records.push(record);
        Ok(())
    }

    /// Parts so far.
    pub fn parts(&self) -> usize {
        self.records.len()
    }

    /// Time that the network took for the parts so far: what learning costs at least.
    pub fn backbone(&self) -> Duration {
        self.backbone
    }

    /// Makes the recipe; `step` is called with the number of steps done and to do. The recipe has
    /// no identity before it is written.
    ///
    /// # Errors
    /// [`LessonError::Learn`] when there was no part, or the disk refuses.
    pub fn finish(mut self, mut step: impl FnMut(usize, usize)) -> Result<Recipe, LessonError> {
        let first = self.first.first().cloned().ok_or(LearnError::NoParts)?;
        if self.learner.needs_views() {
            self.add_views(&mut step)?;
        }
        if self.settings.options.centre.is_none() && self.tints.wander() {
            self.learner.measure_from(Centre::Image);
        }
        let Learned {
            normal,
            limits,
            calibration,
            composition,
        } = self.learner.finish(step)?;
        let turned = turned(&self.front, &self.first, &normal)?;
        let inspector = Inspector::new(normal.clone(), limits)?;
        // A damaged input, so that a program that finds nothing wrong is found out. Where it does not
        // matter which patch lies where, a smaller one proves as much in a fraction of the time.
        let kept = self.settings.view.kept.as_ref();
        let tiles = self.settings.view.tiles;
        let whole = match (normal.gate, kept) {
            (None, None) if tiles.is_one() => views::half(&first, self.patch),
            // The middle tile: a part of a frame is whole tiles.
            (None, None) => tiles.cut(&first, [tiles.columns / 2, tiles.rows / 2]),
            _ => first.clone(),
        };
        let damaged = views::damaged(&whole, middle(&whole, kept, self.patch));
        let damaged = self.front.see_crop(damaged)?;
        let mut golden = Vec::new();
        if let Some(features) = &self.golden {
            golden.push(self::golden(&inspector, &first, features)?);
        }
        golden.push(self::golden(&inspector, &damaged.crop, &damaged.features)?);
        let (model_name, model_sha256) = self.model;
        Ok(Recipe {
            origin: Origin {
                name: self.settings.name,
                created: self.settings.created,
                program: crate::VERSION.into(),
                model_name,
                model_sha256,
                parts: self.records,
            },
            view: self.settings.view,
            normal,
            limits,
            drift: self.drift.finish(&calibration),
            calibration,
            turned,
            composition,
            golden,
            id: String::new(),
        })
    }
}

impl Lesson {
    /// Looks at altered views of the few parts there are.
    fn add_views(&mut self, step: &mut dyn FnMut(usize, usize)) -> Result<(), LessonError> {
        let half_patch = i64::from(self.patch) / 2;
        let to_learn = |crop: &RgbImage| views::to_learn(crop, half_patch);
        let to_learn: Vec<_> = self.first.iter().flat_map(to_learn).collect();
        let to_check: Vec<_> = self.first.iter().flat_map(views::to_check).collect();
        let count = to_learn.len() + to_check.len();
        let mut done = 0;
        let mut see = |view| {
            step(done, count);
            done += 1;
            Ok::<_, LessonError>(self.front.see_crop(view)?.features)
        };
        for view in to_learn {
            self.learner.add_view(&see(view)?)?;
        }
        for view in to_check {
            self.learner.add_check(&see(view)?)?;
        }
        Ok(())
    }
}

/// Whether a pixel of an input is of a patch, `patch` pixels long, that is looked at.
fn is_looked_at(kept: Option<&Kept>, patch: u32, [x, y]: [u32; 2]) -> bool {
    kept.is_none_or(|kept| {
        let (row, col) = ((y / patch) as usize, (x / patch) as usize);
        kept.number(row * kept.grid().cols + col).is_some()
    })
}

/// The middle of an input, in pixels; if some of its patches are left out, that of the patch nearest
/// to it which is looked at.
fn middle(crop: &RgbImage, kept: Option<&Kept>, patch: u32) -> [u32; 2] {
    let middle = [crop.width() / 2, crop.height() / 2];
    let Some(kept) = kept else {
        return middle;
    };
    let centres = kept.patches().iter().map(|place| {
        let (row, col) = (place / kept.grid().cols, place % kept.grid().cols);
        [col, row].map(|at| at as u32 * patch + patch / 2)
    });
    let distance = |at: &[u32; 2]| at[0].abs_diff(middle[0]) + at[1].abs_diff(middle[1]);
    centres.min_by_key(distance).unwrap_or(middle)
}

/// Parts of which turned views are looked at: four gain nothing over two.
const TURNED_PARTS: usize = 2;

/// Patches of turned parts, where place counts.
fn turned(
    front: &FrontEnd,
    inputs: &[RgbImage],
    normal: &NormalParts,
) -> Result<Option<Turned>, LessonError> {
    if normal.gate.is_none() {
        return Ok(None);
    }
    let views = inputs.iter().take(TURNED_PARTS).flat_map(views::turned);
    let see = |view| Ok(front.see_crop(view)?.features);
    let seen = views.map(see).collect::<Result<Vec<_>, LessonError>>()?;
    Ok(Some(Turned::choose(normal, &seen)))
}

/// An input and the score that it has.
fn golden(
    inspector: &Inspector,
    crop: &RgbImage,
    features: &Features,
) -> Result<Golden, LessonError> {
    let area = crate::image::Roi::whole(crop.width(), crop.height());
    let scores = inspector.score(features)?;
    let score = inspector.judge(features, &scores, area).score;
    Ok(Golden::new(crop, score)?)
}
