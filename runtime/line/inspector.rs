//! The inspector's thread: an order and a frame go in, a judgement comes out. Recipes are loaded,
//! verified and proven by their golden inputs before the thread starts.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use andon_camera::health::{self, Expected};
use andon_camera::{Frame, PixelFormat, to_rgb};
use andon_journal::Sampling;
use andon_link::RecipeIndex;
use andon_station::{Bands, Inspect, InspectionDone, Judgement, Meter};
use image::{ImageFormat, RgbImage};
use serde::Serialize;

use super::config::StationFile;
use super::cut::Cut;
use super::shell::LineError;
use super::sight::{Beside, Sight};
use super::watch;
use crate::image::Roi;
use crate::inspect::{Inspection, Verdict};
use crate::pipeline::{Judged, Pipeline, PipelineError, ReplayError, StageTimes};
use crate::recipe::{Recipe, RecipeError};
use crate::vit::{Model, ModelError, Threads, ThreadsError};

/// A recipe by the names that people and machines use.
#[derive(Debug, Clone, Serialize)]
pub struct RecipeName {
    /// Its number on the outputs.
    pub index: u16,
    /// Name of the product.
    pub name: String,
    /// SHA-256 of the recipe.
    pub sha256: String,
    /// SHA-256 of the model that it was learned with.
    pub model: String,
}

/// Why a station's recipes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The threads.
    #[error("station file: threads and cores in [judging]: {0}")]
    Threads(#[from] ThreadsError),
    /// A recipe's file.
    #[error("recipe {}: {source}", path.display())]
    Recipe {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<RecipeError>,
    },
    /// A recipe and the model.
    #[error("recipe {}: {source}", path.display())]
    Pipeline {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<PipelineError>,
    },
    /// A recipe judges otherwise here than where it was learned.
    #[error("recipe {}: {source}", path.display())]
    Golden {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<ReplayError>,
    },
}

/// A recipe that is ready to judge.
struct Loaded {
    name: RecipeName,
    pipeline: Pipeline,
    roi: Option<Roi>,
    /// Measures light, focus and position: against what the recipe carries, else the first good
    /// part of the run.
    meter: Option<Arc<Meter>>,
    /// Bands of the recipe that hold for this camera.
    bands: Bands,
}

/// All recipes of a station, ready to judge.
pub struct Bench {
    threads: Threads,
    recipes: BTreeMap<u16, Loaded>,
}

impl Bench {
    /// Loads the model and all recipes of a station file, and replays every golden input.
    /// `running` are threads that this program has already: they are used again if the file asks
    /// for the same. `step` is called before each recipe with its file.
    ///
    /// # Errors
    /// [`BenchError`], naming the file.
    pub fn load(
        file: &StationFile,
        running: Option<&Threads>,
        mut step: impl FnMut(&Path),
    ) -> Result<Self, BenchError> {
        let model = match &file.judging.model {
            Some(path) => Model::open(path)?,
            None => Model::embedded()?,
        };
        let (count, cores) = (file.judging.threads, &file.judging.cores);
        let threads = match running.filter(|running| running.serve(count, cores)) {
            Some(running) => running.clone(),
            None => Threads::asked(count, cores)?,
        };
        let mut recipes = BTreeMap::new();
        for entry in &file.recipes {
            let path = entry.file.clone();
            step(&path);
            let recipe = Recipe::read(&path).map_err(|source| BenchError::Recipe {
                path: path.clone(),
                source: source.into(),
            })?;
            let pipeline = Pipeline::new(&model, &recipe, &threads).map_err(|source| {
                BenchError::Pipeline {
                    path: path.clone(),
                    source: source.into(),
                }
            })?;
            for (number, golden) in (1..).zip(&recipe.golden) {
                pipeline
                    .replay(golden, number)
                    .map_err(|source| BenchError::Golden {
                        path: path.clone(),
                        source: source.into(),
                    })?;
            }
            let drift = recipe
                .drift
                .filter(|drift| file.compares_with_recipe(drift.picture));
            let bands = drift.as_ref().map(|drift| drift.bands).unwrap_or_default();
            let loaded = Loaded {
                name: RecipeName {
                    index: entry.index,
                    name: recipe.origin.name.clone(),
                    sha256: recipe.id.clone(),
                    model: recipe.origin.model_sha256.clone(),
                },
                pipeline,
                roi: recipe.view.roi,
                meter: drift.map(|drift| Meter::new(drift.thumbnail).into()),
                bands,
            };
            recipes.insert(entry.index, loaded);
        }
        Ok(Self { threads, recipes })
    }

    /// The threads that judge.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// The recipes, by index.
    pub fn names(&self) -> impl Iterator<Item = &RecipeName> {
        self.recipes.values().map(|s| &s.name)
    }

    /// What the station has to know of each recipe, by index.
    pub(super) fn recipes(&self) -> BTreeMap<u16, andon_station::Recipe> {
        let recipe = |(&index, loaded): (&u16, &Loaded)| {
            let recipe = andon_station::Recipe {
                index: RecipeIndex(index),
                bands: loaded.bands,
            };
            (index, recipe)
        };
        self.recipes.iter().map(recipe).collect()
    }

    /// The region of interest of a recipe.
    pub fn roi(&self, index: RecipeIndex) -> Option<Roi> {
        self.recipes.get(&index.0).and_then(|s| s.roi)
    }
}

/// An order and its frame.
pub(super) struct Order {
    pub inspect: Inspect,
    pub frame: Arc<Frame>,
    /// What is looked at of it, if somebody needed its pixels before.
    pub cut: Option<Arc<Cut>>,
}

/// What came of an order.
pub(super) struct Answer {
    pub done: InspectionDone,
    /// The judgement in full, if there is one.
    pub inspection: Option<Inspection>,
    /// What it cost.
    pub times: StageTimes,
    /// An image that shall be kept: name and bytes come later, as [`Picture`].
    pub image: Option<String>,
}

/// An image to be kept.
pub(super) struct Picture {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What is wanted besides judgements.
pub(super) struct Wanted {
    /// Begins the names of images that are kept.
    pub prefix: String,
    /// One good part in so many is kept as an image.
    pub keep_every_nth_ok: Option<NonZeroU32>,
    /// A small picture of each part.
    pub sketches: bool,
}

/// What the thread sends.
pub(super) enum FromInspector {
    Answer(Box<Answer>),
    Picture(Picture),
    /// A small picture of the last part, for the view.
    Sketch(RgbImage),
    /// The inspector panicked at an order; it goes on with the next.
    Panicked,
}

/// The thread.
pub(super) struct Inspector {
    orders: Option<Sender<Order>>,
    answers: Receiver<FromInspector>,
    thread: Option<JoinHandle<()>>,
}

impl Inspector {
    /// Starts the thread, on its core if the station file names one.
    ///
    /// # Errors
    /// [`LineError::Thread`], [`LineError::Cores`].
    pub fn start(bench: Bench, wanted: Wanted, expected: Expected) -> Result<Self, LineError> {
        let (orders, taken) = channel::<Order>();
        let (give, answers) = channel();
        let threads = bench.threads.clone();
        let (tell, bound) = channel();
        let mut work = Work {
            bench,
            prefix: wanted.prefix,
            sampling: Sampling {
                every_nth_ok: wanted.keep_every_nth_ok,
            },
            good: 0,
            expected,
            // Before the inspector is bound: what it starts would be bound with it.
            beside: Beside::start().map_err(LineError::Thread)?,
        };
        let thread = thread::Builder::new()
            .name("inspector".into())
            .spawn(move || {
                let _bound = match threads.bind_caller() {
                    Ok(bound) => bound,
                    Err(refused) => {
                        // The other end waits for it.
                        let _ = tell.send(refused);
                        return;
                    }
                };
                drop(tell);
                for order in taken {
                    let turn = catch_unwind(AssertUnwindSafe(|| work.judge(&order)));
                    let Ok(answer) = turn else {
                        let done = InspectionDone {
                            job: order.inspect.job,
                            frame: order.frame.sequence(),
                            outcome: Err("the inspector failed at this image: report it".into()),
                        };
                        let answer = Answer {
                            done,
                            inspection: None,
                            times: StageTimes::default(),
                            image: None,
                        };
                        if give.send(FromInspector::Panicked).is_err()
                            || give.send(FromInspector::Answer(Box::new(answer))).is_err()
                        {
                            return;
                        }
                        continue;
                    };
                    let name = answer.image.clone();
                    let shown = wanted.sketches.then(|| answer.inspection.clone());
                    if give.send(FromInspector::Answer(Box::new(answer))).is_err() {
                        return;
                    }
                    // After the answer, so that no part waits for whole pictures.
                    if let Some(inspection) = shown
                        && let Ok(picture) = to_rgb(&order.frame, None)
                    {
                        let sketch = watch::sketch(&picture, inspection.as_ref());
                        if give.send(FromInspector::Sketch(sketch)).is_err() {
                            return;
                        }
                    }
                    if let Some(name) = name
                        && let Some(bytes) = encoded(&order.frame)
                        && give
                            .send(FromInspector::Picture(Picture { name, bytes }))
                            .is_err()
                    {
                        return;
                    }
                }
            })
            .map_err(LineError::Thread)?;
        // No word means that it works.
        if let Ok(refused) = bound.recv() {
            return Err(LineError::Cores(refused));
        }
        Ok(Self {
            orders: Some(orders),
            answers,
            thread: Some(thread),
        })
    }

    /// Hands an order over; `false` when the thread has ended.
    pub fn order(&self, order: Order) -> bool {
        self.orders
            .as_ref()
            .is_some_and(|orders| orders.send(order).is_ok())
    }

    /// What the thread has to say.
    pub fn answers(&self) -> &Receiver<FromInspector> {
        &self.answers
    }

    /// Lets the thread finish its work and end; gives what it still said.
    pub fn finish(mut self) -> Vec<FromInspector> {
        self.orders = None;
        let rest = self.answers.iter().collect();
        if let Some(thread) = self.thread.take() {
            // A panic was told as an answer before.
            let _ = thread.join();
        }
        rest
    }
}

struct Work {
    bench: Bench,
    prefix: String,
    sampling: Sampling,
    good: u64,
    expected: Expected,
    beside: Beside,
}

impl Work {
    fn judge(&mut self, order: &Order) -> Answer {
        let (outcome, judged) = match self.inspect(order) {
            Ok((judgement, judged)) => (Ok(judgement), Some(judged)),
            Err(reason) => (Err(reason), None),
        };
        let times = judged.as_ref().map(|j| j.times).unwrap_or_default();
        let inspection = judged.map(|j| j.inspection);
        // What could not be judged is kept like a bad part: somebody will want to see it.
        let good = inspection
            .as_ref()
            .is_some_and(|i| i.verdict == Verdict::Ok);
        let keep = self.sampling.keeps(good, self.good);
        self.good += u64::from(good);
        let image = keep.then(|| {
            let end = extension(&order.frame);
            format!("{}-{:08}.{end}", self.prefix, order.inspect.job.0)
        });
        let done = InspectionDone {
            job: order.inspect.job,
            frame: order.frame.sequence(),
            outcome,
        };
        Answer {
            done,
            inspection,
            times,
            image,
        }
    }

    fn inspect(&mut self, order: &Order) -> Result<(Judgement, Judged), String> {
        let index = order.inspect.recipe;
        let loaded = self
            .bench
            .recipes
            .get_mut(&index.0)
            .ok_or_else(|| format!("no recipe has the index {}", index.0))?;
        let Loaded {
            pipeline, meter, ..
        } = loaded;
        let (width, height) = (order.frame.width(), order.frame.height());
        let area = pipeline.area(width, height).map_err(|e| e.to_string())?;
        let cut = match &order.cut {
            Some(cut) if cut.area == area => Arc::clone(cut),
            _ => Arc::new(Cut::of(&order.frame, Some(area)).map_err(|e| e.to_string())?),
        };
        health::check_light(&cut.pixels(), &self.expected).map_err(|e| e.to_string())?;
        // What the frame is like is measured beside the network, so that no result waits for it.
        let (judged, sight) = self.beside.measure(&cut, meter.as_ref(), || {
            pipeline.inspect_region(&cut.pixels(), cut.area)
        });
        let judged = judged.map_err(|e| e.to_string())?;
        let inspection = &judged.inspection;
        let good = inspection.verdict == Verdict::Ok;
        let measures = match sight {
            Some(Sight::Compared(measures)) => Some(measures),
            Some(Sight::First(first, measures)) if good => {
                *meter = Some(Arc::from(first));
                Some(measures)
            }
            _ => None,
        };
        let judgement = Judgement {
            good,
            score: inspection.score,
            regions: inspection.regions.len() as u32,
            recipe: index,
            measures,
        };
        Ok((judgement, judged))
    }
}

fn extension(frame: &Frame) -> String {
    let file = frame.file().and_then(Path::extension);
    match (file, frame.layout().format) {
        (Some(end), _) => end.to_string_lossy().to_lowercase(),
        (None, PixelFormat::Mjpg) => "jpg".into(),
        (None, _) => "png".into(),
    }
}

/// The whole image as it came where that is a file already, else without loss.
fn encoded(frame: &Frame) -> Option<Vec<u8>> {
    if let Some(file) = frame.file() {
        return std::fs::read(file).ok();
    }
    if frame.layout().format == PixelFormat::Mjpg {
        return Some(frame.data().to_vec());
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = to_rgb(frame, None).ok()?;
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}
