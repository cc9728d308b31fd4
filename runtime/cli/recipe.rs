//! `andon recipe`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::source::{Engine, RecipeFile};
use crate::recipe::Recipe;

/// Subcommands of `andon recipe`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what a recipe was learned from and what it promises
    #[command(after_help = "Example:\n  andon recipe show bracket.andon")]
    Show {
        /// The recipe
        file: PathBuf,
    },
    /// Check a recipe's bytes and its golden inputs on this machine
    #[command(after_help = "Example:\n  andon recipe verify -r bracket.andon")]
    Verify {
        #[command(flatten)]
        recipe: RecipeFile,
        #[command(flatten)]
        engine: Engine,
    },
}

/// Runs the command.
pub fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Show { file } => show(&Recipe::read(file)?),
        Command::Verify { recipe, engine } => verify(recipe, engine)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(recipe: &Recipe) {
    let Recipe {
        origin,
        view,
        normal,
        calibration,
        ..
    } = recipe;
    let blocks: Vec<String> = normal.blocks.iter().map(ToString::to_string).collect();
    println!("product     {}", origin.name);
    println!("recipe      {}", recipe.id);
    println!("learned     {} by andon {}", origin.created, origin.program);
    println!(
        "model       {} ({})",
        origin.model_name, origin.model_sha256
    );
    match view.roi {
        Some(roi) => println!("inspects    {roi} (x, y, width, height in pixels)"),
        None => println!("inspects    the whole image"),
    }
    println!("input       {}", super::output::input(recipe));
    println!("blocks      {}", blocks.join(", "));
    println!(
        "memory      {} patches in {} dimensions",
        normal.memory.ncols(),
        normal.memory.nrows()
    );
    match normal.gate {
        Some(reach) => println!("place       counts: a patch may lie {reach} patches off"),
        None => println!("place       does not count: parts lie anywhere"),
    }
    if recipe.composition.is_some() {
        println!("layout      reported beside the score, decides nothing");
    }
    println!("limit       {}", calibration.summary());
    match &recipe.drift {
        Some(drift) => println!("drift       {}", drift.summary()),
        None => println!("drift       a station learns in place what its pictures are like"),
    }
    println!("parts       {}", origin.parts.len());
    for part in &origin.parts {
        println!("            {} {}", part.sha256, part.file);
    }
}

fn verify(file: &RecipeFile, engine: &Engine) -> Result<()> {
    let (recipe, pipeline) = file.open(engine)?;
    println!("{}: checksum is right ({})", recipe.origin.name, recipe.id);
    for (number, golden) in (1..).zip(&recipe.golden) {
        let found = pipeline.replay(golden, number)?;
        println!(
            "golden {number}: scored {:.4}, scores {found:.4} here",
            golden.score
        );
    }
    Ok(())
}
