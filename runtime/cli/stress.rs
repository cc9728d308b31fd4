//! `andon eval --stress`: the same images, altered, judged by the same recipe.

use std::path::Path;

use anyhow::{Context, Result};

use super::progress;
use crate::evaluate::Rate;
use crate::image;
use crate::pipeline::Pipeline;
use crate::stress::{Levels, StressFigures, Sweep};

/// Judges images (path, whether bad) under all stresses. Each is decoded once.
pub fn sweep(
    pipeline: &Pipeline,
    images: &[(&Path, bool)],
    levels: &[Levels],
) -> Result<Vec<StressFigures>> {
    let mut sweep = Sweep::new(levels);
    let stresses = sweep.stresses();
    let bar = progress::bar(images.len() * stresses.len(), "stress");
    for (path, bad) in images {
        let picture = image::read(path)?;
        let size = [picture.width(), picture.height()];
        for (case, stress) in stresses.iter().enumerate() {
            let judged = match stress {
                None => pipeline.inspect(&picture),
                Some(stress) => {
                    bar.set_message(stress.to_string());
                    let altered = stress
                        .apply(&picture)
                        .with_context(|| format!("cannot apply {stress} to {}", path.display()))?;
                    pipeline.inspect(&altered)
                }
            };
            if let Err(error) = &judged {
                bar.suspend(|| eprintln!("error: {}: {error:#}", path.display()));
            }
            let inspection = judged.as_ref().ok().map(|judged| &judged.inspection);
            sweep.add(case, *bad, size, inspection)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(sweep.figures())
}

/// Prints the table.
pub fn print(rows: &[StressFigures]) {
    println!();
    println!(
        "{:<12} {:<28} {:>6} {:>15} {:>15}",
        "stress", "level", "AUROC", "false rejects", "misses"
    );
    for row in rows {
        let (name, level) = row.words();
        let auroc = row.image_auroc.map_or("-".into(), |v| format!("{v:.3}"));
        println!(
            "{name:<12} {level:<28} {auroc:>6} {:>15} {:>15}{}",
            count(row.false_reject),
            count(row.miss),
            match row.errors {
                0 => String::new(),
                errors => format!("  {errors} not judged"),
            }
        );
    }
}

/// A count and its share.
fn count(rate: Rate) -> String {
    match rate.share() {
        Some(share) => format!("{}/{} {:>5.1} %", rate.count, rate.of, 100.0 * share),
        None => "-".into(),
    }
}
