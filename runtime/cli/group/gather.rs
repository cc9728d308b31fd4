//! From images to shards of features.

use std::path::{Path, PathBuf};

use andon_shards::{Schema, ShardsWriter, Tap};
use anyhow::{Result, bail};

use super::Plan;
use crate::cli::explain::Names;
use crate::cli::progress;
use crate::group::tap_kind;
use crate::image::{Preparation, read};
use crate::vit::{Backbone, Model, TapMatrix, TapRequest, Taps, Threads};

/// Patches in one shard: 150 MB with four blocks.
const ROWS_A_SHARD: usize = 8192;

const TAPS: [Tap; 3] = [Tap::Query, Tap::Key, Tap::Value];

/// Features on disk, and where they come from.
pub struct Gathered {
    /// Files of features, in order.
    pub shards: Vec<PathBuf>,
    /// Images by the name that they have in the shards, in order.
    pub images: Vec<(String, PathBuf)>,
    /// Images that could not be looked at, and why.
    pub failed: Vec<(String, String)>,
}

impl Gathered {
    /// Runs the network over all images, one at a time.
    pub fn gather(
        plan: &Plan,
        model: &Model,
        images: &[PathBuf],
        folder: &Path,
        threads: &Threads,
    ) -> Result<Self> {
        let manifest = model.manifest();
        let schema = Schema {
            model: manifest.sha256.clone(),
            blocks: plan.blocks.clone(),
            taps: TAPS.into(),
            grid: [plan.grid.rows, plan.grid.cols],
            dim: manifest.architecture.dim,
        };
        let taps = schema.columns().map(|c| (c.block, tap_kind(c.tap)));
        let request = TapRequest::new(taps);
        let size = (plan.input.width, plan.input.height);
        let backbone = Backbone::new(model, size, &request, threads)?;
        let levels = &manifest.input;
        let preparation = Preparation::new(None, plan.input, levels.mean, levels.std);
        let look = |path: &Path| -> Result<Taps> {
            let crop = preparation.crop(&read(path)?)?;
            Ok(backbone.run(&preparation.normalise(&crop))?)
        };
        let mut writer = ShardsWriter::new(folder, schema, ROWS_A_SHARD)?;
        let mut gathered = Self {
            shards: Vec::new(),
            images: Vec::new(),
            failed: Vec::new(),
        };
        let mut names = Names::default();
        let bar = progress::bar(images.len(), "network");
        for path in images {
            let name = names.name(path);
            bar.set_message(name.clone());
            match look(path) {
                Ok(taps) => {
                    writer.write(&name, |column| {
                        let tap = taps.get(column.block, tap_kind(column.tap));
                        tap.map_or(&[], TapMatrix::rows)
                    })?;
                    gathered.images.push((name, path.clone()));
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    bar.suspend(|| eprintln!("{}: {error}", path.display()));
                    gathered.failed.push((path.display().to_string(), error));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        gathered.shards = writer.finish()?;
        if gathered.images.is_empty() {
            bail!("none of the {} images could be looked at", images.len());
        }
        Ok(gathered)
    }
}
