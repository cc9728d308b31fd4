//! What commands write: lines of JSON on stdout, pages on disk.

use std::io::{self, Write};

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::image::InputShape;
use crate::recipe::Recipe;

/// Prints one object on a line of its own and flushes it, so that a reader behind a pipe sees each
/// part as soon as it is judged.
pub fn json_line(value: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(value).context("cannot write JSON")?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("cannot write to stdout")
}

/// Three digits behind the point: enough for every figure that is printed.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// A duration in milliseconds, two digits behind the point.
pub fn ms(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1e5).round() / 100.0
}

/// The most memory that the process has held so far, in MB; `None` where the system does not tell.
pub fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kilobytes / 100.0).round() / 10.0)
}

/// The time of day as pages and recipes carry it: RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Writes a page and says where it is.
pub fn write_page(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page)
        .with_context(|| format!("cannot write report {}", path.display()))?;
    eprintln!("report: {}", path.display());
    Ok(())
}

/// Names and hashes that say which recipe and model a report is about.
pub fn identity(recipe: &Recipe) -> Vec<(String, String)> {
    let origin = &recipe.origin;
    let blocks: Vec<String> = recipe
        .normal
        .blocks
        .iter()
        .map(ToString::to_string)
        .collect();
    let place = match recipe.normal.gate {
        Some(reach) => format!("counts, within {reach} patches"),
        None => "does not count".into(),
    };
    [
        ("product", origin.name.clone()),
        ("recipe", recipe.id.clone()),
        (
            "learned",
            format!("{} by andon {}", origin.created, origin.program),
        ),
        ("good parts", origin.parts.len().to_string()),
        (
            "model",
            format!("{} ({})", origin.model_name, origin.model_sha256),
        ),
        ("input", input(recipe)),
        ("blocks", blocks.join(", ")),
        ("place", place),
        ("limit", recipe.calibration.summary()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec()
}

/// The input of a recipe's network, for people.
pub fn input(recipe: &Recipe) -> String {
    let shape = match recipe.view.shape {
        InputShape::Common => "",
        InputShape::Own => ", or as much in the image's own shape",
    };
    let patches = match &recipe.view.kept {
        Some(kept) => format!("{kept}, the others are left out by a mask"),
        None => recipe.normal.grid.to_string(),
    };
    let tiles = match recipe.view.tiles {
        tiles if tiles.is_one() => String::new(),
        tiles => format!("{tiles} tiles of "),
    };
    format!("{tiles}{}, {patches}{shape}", recipe.view.input)
}
