//! Arguments that several commands share: which model, which recipe, how many cores.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::progress;
use crate::pipeline::Pipeline;
use crate::recipe::Recipe;
use crate::vit::{Model, TapRequest, Threads};

/// The network and the cores that run it.
#[derive(Debug, Args)]
pub struct Engine {
    /// Manifest of another model (a .json file with its .onnx beside it) instead of the built-in
    /// one
    #[arg(long, value_name = "FILE.json")]
    pub model: Option<PathBuf>,
    /// Cores that the network may use [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Bind the network's threads to these cores, numbered from 0, one to each [default: unbound]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    pub cores: Vec<usize>,
}

impl Engine {
    /// Loads and verifies the model.
    pub fn load(&self) -> Result<Model> {
        Ok(match &self.model {
            Some(path) => Model::open(path)?,
            None => Model::embedded()?,
        })
    }

    /// Starts the threads of the command, once for all that it does, and binds the calling one to
    /// its core for good: it is the one that judges.
    pub fn threads(&self) -> Result<Threads> {
        let option = match self.cores[..] {
            [] => "--threads",
            _ => "--cores",
        };
        let threads = Threads::asked(self.threads, &self.cores).context(option)?;
        threads.bind_caller().context(option)?.keep();
        Ok(threads)
    }
}

/// Refuses a `--size` at which nothing can be seen.
pub fn check_size(side: usize, patch: usize) -> Result<()> {
    if side < patch {
        bail!("--size {side} is less than one patch of the model, {patch} px: 448 is usual");
    }
    Ok(())
}

/// The recipe to judge by.
#[derive(Debug, Args)]
pub struct RecipeFile {
    /// Recipe, as `andon learn` wrote it
    #[arg(short = 'r', long = "recipe", value_name = "FILE.andon")]
    path: PathBuf,
}

impl RecipeFile {
    /// Reads and verifies the recipe, loads its model, and checks with the recipe's first golden
    /// input that this machine judges as the one that learned it.
    pub fn open(&self, engine: &Engine) -> Result<(Recipe, Pipeline)> {
        self.open_with(engine, &TapRequest::new([]))
    }

    /// The same, and each judgement carries the taps `besides`.
    pub fn open_with(&self, engine: &Engine, besides: &TapRequest) -> Result<(Recipe, Pipeline)> {
        let recipe = Recipe::read(&self.path)?;
        let model = engine.load()?;
        let waiting = progress::spinner("load");
        waiting.set_message("model and recipe");
        let pipeline = Pipeline::with_taps(&model, &recipe, besides, &engine.threads()?)
            .with_context(|| format!("cannot use recipe {}", self.path.display()))?;
        if let Some(golden) = recipe.golden.first() {
            pipeline.replay(golden, 1)?;
        }
        waiting.finish_and_clear();
        Ok((recipe, pipeline))
    }
}
