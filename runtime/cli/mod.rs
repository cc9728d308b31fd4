//! The command line: words in, rooms called, words out. Machine-readable output goes to stdout,
//! everything else to stderr.

mod bench;
mod demo;
mod doctor;
mod eval;
mod explain;
mod files;
mod group;
mod inspect;
mod journal;
mod learn;
mod manual;
mod model;
mod output;
mod progress;
mod recipe;
mod run;
mod source;
mod status;
mod stress;
mod tiles;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Pulls the andon cord: learns a product from a handful of good parts, then says which parts are
/// not like them, and where.
#[derive(Debug, Parser)]
#[command(name = "andon", version = crate::VERSION, max_term_width = 100)]
#[command(after_help = "\
Start here:
  andon demo                                     learn, judge and report on a rendered line
  andon learn --good parts/good -o bracket.andon
  andon inspect -r bracket.andon parts/new --overlay out
  andon eval -r bracket.andon --good parts/good --bad parts/bad --report report.html
On the line:
  andon doctor                                   what works on this computer
  andon check --station press4.toml              everything that can be checked offline
  andon run --station press4.toml --watch        camera, lamps and record, until told to stop

Exit status of `inspect`: 0 all parts OK, 1 some NG, 2 any error.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Learn, judge and report on a rendered production line; needs no camera and no files
    Demo(demo::Args),
    /// Learn a product from images of good parts
    Learn(learn::Args),
    /// Judge images by a recipe
    Inspect(inspect::Args),
    /// Measure a recipe on parts that are known to be good and bad
    Eval(eval::Args),
    /// Show what lies beside what in single images, and where: eigenvectors and groups
    Explain(explain::Args),
    /// Time an inspection by stage, and a whole station from trigger to output, on this computer
    Bench(bench::Args),
    /// Give the same groups to the patches of many images, by what and by where
    Group(group::Args),
    /// Run a station: camera, recipes, lamps and record, until told to stop
    Run(run::RunArgs),
    /// Check a station file, its recipes and the model, offline
    Check(run::CheckArgs),
    /// Leave the lamps of a station that has ended in "host lost"; for the service manager
    Release(run::ReleaseArgs),
    /// Look into a recipe, or check that this machine judges as the one that learned it
    #[command(subcommand)]
    Recipe(recipe::Command),
    /// Look into the model, or verify its file
    #[command(subcommand)]
    Model(model::Command),
    /// Show what the running station does: state, lamps, counters, last part, drift, faults
    Status(status::StatusArgs),
    /// Give the running station an order
    Tell(status::TellArgs),
    /// Look into a station's record, verify it, or export it
    #[command(subcommand)]
    Journal(journal::Command),
    /// Look whether this computer can be a station, and what to do if not
    Doctor(doctor::Args),
    /// Write man pages and shell completions into a folder
    Manual(manual::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Learn(args) => learn::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Group(args) => group::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Check(args) => run::check(&args),
        Command::Release(args) => run::release(&args),
        Command::Recipe(command) => recipe::run(&command),
        Command::Model(command) => model::run(&command),
        Command::Status(args) => status::status(&args),
        Command::Tell(args) => status::tell(&args),
        Command::Journal(command) => journal::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Manual(args) => manual::run(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
