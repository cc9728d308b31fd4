//! Lines of JSON on stdout.

use std::io::{self, Write};

use anyhow::{Context, Result};
use serde::Serialize;

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
