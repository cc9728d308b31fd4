//! `andon model`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::source::Engine;
use crate::vit::{Backbone, Kernels, TapKind, TapRequest, Threads};

/// Subcommands of `andon model`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the model is, where it comes from, and under which licences
    #[command(after_help = "Examples:\n  andon model info\n  andon model info --graph")]
    Info {
        #[command(flatten)]
        engine: Engine,
        /// Show as well which parts of the network run on fused operators, and which as they are,
        /// and the kernels that this processor gets
        #[arg(long)]
        graph: bool,
    },
    /// Check the model's hash, load it, and run it once
    #[command(after_help = "Example:\n  andon model verify")]
    Verify(Engine),
}

/// Runs the command.
pub fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Info { engine, graph } => info(engine, *graph),
        Command::Verify(engine) => verify(engine),
    }
}

fn info(engine: &Engine, graph: bool) -> Result<ExitCode> {
    let model = engine.load()?;
    let manifest = model.manifest();
    let sizes = manifest.architecture;
    println!("model       {}", manifest.name);
    println!(
        "file        {} ({:.1} MB)",
        manifest.file,
        manifest.bytes as f64 / 1e6
    );
    println!("sha256      {}", manifest.sha256);
    println!(
        "layout      {} blocks, {} wide, {} heads, patches of {} px",
        sizes.blocks, sizes.dim, sizes.heads, sizes.patch
    );
    println!("taps        {}", manifest.taps.name(1, TapKind::Tokens));
    for source in &manifest.sources {
        println!("source      {} ({})", source.name, source.licence);
    }
    if graph {
        let side = sizes.patch;
        let request = TapRequest::tokens(1..=sizes.blocks);
        let backbone = Backbone::new(&model, (side, side), &request, &Threads::alone())?;
        println!("\n{}", backbone.fuse_report());
        print_kernels(&backbone);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_kernels(backbone: &Backbone) {
    let kernels = Kernels::detect();
    println!("kernels on this processor ({})", kernels.processor);
    println!("  fused operators       {:?}", kernels.fused);
    for (sum, name) in &kernels.products {
        println!("  products in {sum}       {name}");
    }
    let used = backbone.engine_kernels();
    if used.is_empty() {
        println!("  used here             none of these: every product is fused");
    }
    for (name, count) in used {
        println!("  used here         {count:3} x {name}");
    }
}

fn verify(engine: &Engine) -> Result<ExitCode> {
    let model = engine.load()?;
    let manifest = model.manifest();
    let sizes = manifest.architecture;
    let side = sizes.patch * 4;
    let request = TapRequest::tokens(1..=sizes.blocks);
    let backbone = Backbone::new(&model, (side, side), &request, &engine.threads()?)?;
    let taps = backbone.run(&vec![0.0; 3 * side * side])?;
    println!(
        "{}: sha256 is right; {} blocks ran on {}",
        manifest.name,
        taps.blocks.len(),
        taps.grid
    );
    Ok(ExitCode::SUCCESS)
}
