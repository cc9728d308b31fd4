use std::collections::BTreeMap;
use std::sync::Arc;

use andon_kernels::keep_memory_between_runs;
use prost::Message;
use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use super::fuse::{self, FuseReport};
use super::graph::Cut;
use super::guard::Guarded;
use super::kernels;
use super::strip::strip;
use super::{
    BlockTaps, Grid, Kept, Model, ModelError, TapKind, TapMatrix, TapRequest, Taps, Threads,
};

/// Longest accepted side of the input, in pixels: past it one attention matrix alone would need
/// gigabytes, and the way to see more is tiles.
const MAX_SIDE: usize = 2044;

/// What runs the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// `tract` with the fused operators of this program: integers where the file has integers.
    #[default]
    Fused,
    /// `tract` alone, in float: slower, and the reference that the other is measured against.
    Plain,
}

/// A model prepared for one input size and one set of taps.
pub struct Backbone {
    plan: Arc<TypedRunnableModel>,
    report: FuseReport,
    threads: Threads,
    /// Threads for what of the graph is left to the engine.
    engine: Executor,
    name: String,
    class_tokens: usize,
    patch: usize,
    dim: usize,
    grid: Grid,
    kept: Option<Kept>,
    size: (usize, usize),
    request: Vec<(usize, TapKind)>,
}

impl Backbone {
    /// Prepares `model` for input of `width` x `height` pixels. Blocks behind the last one in
    /// `request` are dropped. Runs on [`Engine::Fused`] and on these threads.
    ///
    /// # Errors
    /// [`ModelError`] when the size does not fit, a block does not exist, or the graph is not in
    /// the layout that its manifest promises.
    pub fn new(
        model: &Model,
        size: (usize, usize),
        request: &TapRequest,
        threads: &Threads,
    ) -> Result<Self, ModelError> {
        Self::with_engine(model, size, request, threads, Engine::default())
    }

    /// The same on an engine of choice.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn with_engine(
        model: &Model,
        size: (usize, usize),
        request: &TapRequest,
        threads: &Threads,
        engine: Engine,
    ) -> Result<Self, ModelError> {
        Self::with_kept(model, size, None, request, threads, engine)
    }

    /// The same, and only the patches that are `kept` are computed, as if the others were not there;
    /// `None` keeps all. A run still takes the whole picture; taps hold the rows of kept patches only.
    ///
    /// # Errors
    /// As for [`Self::new`], and [`ModelError::Kept`] when they are patches of another grid than
    /// inputs of this size have.
    pub fn with_kept(
        model: &Model,
        (width, height): (usize, usize),
        kept: Option<&Kept>,
        request: &TapRequest,
        threads: &Threads,
        engine: Engine,
    ) -> Result<Self, ModelError> {
        let grid = Self::check(model, (width, height), request)?;
        let manifest = model.manifest();
        if let Some(of) = kept.map(Kept::grid).filter(|of| *of != grid) {
            return Err(ModelError::Kept {
                name: manifest.name.clone(),
                expected: grid,
                found: of,
            });
        }
        let sizes = manifest.architecture;
        let request: Vec<_> = request.iter().collect();
        let outputs: Vec<_> = request
            .iter()
            .map(|(block, kind)| manifest.taps.name(*block, *kind))
            .collect();
        let guarded = Guarded {
            name: &manifest.name,
        };
        let cut = Cut {
            manifest,
            grid,
            kept,
            outputs: &outputs,
        };
        keep_memory_between_runs();
        let read = || {
            let proto = guarded.guard("reading the ONNX file", || {
                Ok(ModelProto::decode(model.graph())?)
            })?;
            cut.apply(proto).map_err(|reason| ModelError::Layout {
                name: manifest.name.clone(),
                reason,
            })
        };
        // Each copy of the weights is 25 MB, so none is kept longer than the next step needs it.
        let prepare = |proto: ModelProto| {
            guarded.guard("optimising the graph", || {
                let mut onnx = tract_onnx::onnx();
                fuse::register(&mut onnx);
                let parsed = onnx.parse(&proto, None)?.model;
                drop(proto);
                parsed.into_optimized()?.into_runnable()
            })
        };
        let proto = read()?;
        let (plan, report) = match engine {
            Engine::Plain => (prepare(proto)?, FuseReport::default()),
            Engine::Fused => {
                let (fused, report) = fuse::fuse(proto, &outputs);
                match prepare(fused) {
                    Ok(plan) => (plan, report),
                    // A graph of a kind that no pattern foresaw still runs as it is.
                    Err(refused) => {
                        let proto = read()?;
                        let report = FuseReport::refused(&proto, &refused);
                        (prepare(proto)?, report)
                    }
                }
            }
        };
        // Elementwise operators that are left alone are not worth threads of the engine's own.
        let engine = match kernels::used(plan.model()).is_empty() {
            true => Executor::SingleThread,
            false => guarded.guard("starting threads", || Ok(threads.engine()?))?,
        };
        let backbone = Self {
            plan,
            report,
            threads: threads.clone(),
            engine,
            name: manifest.name.clone(),
            class_tokens: sizes.class_tokens,
            patch: sizes.patch,
            dim: sizes.dim,
            grid,
            kept: kept.cloned(),
            size: (width, height),
            request,
        };
        backbone.check_outputs()?;
        Ok(backbone)
    }

    /// What [`Self::new`] refuses at a glance, without preparing anything; gives the grid of patches
    /// that runs on input of this size would give.
    ///
    /// # Errors
    /// [`ModelError::InputSize`], [`ModelError::Block`].
    pub fn check(
        model: &Model,
        (width, height): (usize, usize),
        request: &TapRequest,
    ) -> Result<Grid, ModelError> {
        let manifest = model.manifest();
        let sizes = manifest.architecture;
        let patch = sizes.patch;
        let fits = |side: usize| side >= patch && side.is_multiple_of(patch) && side <= MAX_SIDE;
        if !fits(width) || !fits(height) {
            return Err(ModelError::InputSize {
                name: manifest.name.clone(),
                width,
                height,
                patch,
                limit: MAX_SIDE - MAX_SIDE % patch,
            });
        }
        let known = 1..=sizes.blocks;
        if let Some((asked, _)) = request.iter().find(|(block, _)| !known.contains(block)) {
            return Err(ModelError::Block {
                name: manifest.name.clone(),
                blocks: sizes.blocks,
                asked,
            });
        }
        Ok(Grid {
            rows: height / patch,
            cols: width / patch,
        })
    }

    /// The grid of patches that every run is of.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Input size in pixels, `(width, height)`.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Which patches are computed; `None`: all of them.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// What of the graph runs on fused operators; empty for [`Engine::Plain`].
    pub fn fuse_report(&self) -> &FuseReport {
        &self.report
    }

    /// The engine's kernels for what is left of matrix products in its own hands, and for how many
    /// products each.
    pub fn engine_kernels(&self) -> BTreeMap<String, usize> {
        kernels::used(self.plan.model())
    }

    /// Runs one image: `input` is the normalised tensor `[3, height, width]`, plane by plane.
    ///
    /// # Errors
    /// [`ModelError::InputLength`] when `input` has another length, [`ModelError::Engine`] when
    /// the engine fails.
    pub fn run(&self, input: &[f32]) -> Result<Taps, ModelError> {
        let (width, height) = self.size;
        if input.len() != 3 * width * height {
            return Err(ModelError::InputLength {
                name: self.name.clone(),
                width,
                height,
                expected: 3 * width * height,
                found: input.len(),
            });
        }
        let guarded = Guarded { name: &self.name };
        let outputs = guarded.guard("running", || {
            let tensor = match &self.kept {
                Some(kept) => {
                    let shape = [1, 3, self.patch, kept.patches().len() * self.patch];
                    Tensor::from_shape(&shape, &strip(input, self.patch, kept))?
                }
                None => Tensor::from_shape(&[1, 3, height, width], input)?,
            };
            fuse::on_pool(self.threads.pool(), || {
                multithread_tract_scope(self.engine.clone(), || {
                    self.plan.run(tvec!(tensor.into_tvalue()))
                })
            })
        })?;
        let mut blocks: Vec<BlockTaps> = Vec::new();
        for ((block, kind), tensor) in self.request.iter().zip(outputs) {
            let tap = TapMatrix::new(tensor, self.class_tokens, self.dim);
            match blocks.last_mut().filter(|last| last.block == *block) {
                Some(last) => last.taps.push((*kind, tap)),
                None => blocks.push(BlockTaps {
                    block: *block,
                    taps: vec![(*kind, tap)],
                }),
            }
        }
        Ok(Taps {
            grid: self.grid,
            kept: self.kept.clone(),
            blocks,
        })
    }

    /// A graph may parse and still not be what the manifest says; find out before the first part.
    fn check_outputs(&self) -> Result<(), ModelError> {
        let wrong = |reason: String| ModelError::Layout {
            name: self.name.clone(),
            reason,
        };
        let patches = Kept::count(self.kept.as_ref(), self.grid);
        let expected = [1, self.class_tokens + patches, self.dim];
        for (index, (block, kind)) in self.request.iter().enumerate() {
            let fact = self
                .plan
                .model()
                .output_fact(index)
                .map_err(|e| wrong(e.to_string()))?;
            let shape = fact.shape.as_concrete();
            if fact.datum_type != f32::datum_type() || shape != Some(&expected[..]) {
                return Err(wrong(format!(
                    "{kind:?} of block {block} is {fact:?}, expected float {expected:?}"
                )));
            }
        }
        Ok(())
    }
}
