//! `andon group name`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use crate::group::Grouping;
use crate::inspect::Pathway;

/// What can be done with groups that were made.
#[derive(Debug, clap::Subcommand)]
pub enum NameCommand {
    /// Name a group, so that `andon inspect --groups` can say on what a region lies
    #[command(after_help = "\
Examples:
  andon group name out/groups.safetensors 3 \"screw head\"
  andon group name out/groups.safetensors 2 \"upper left\" --where")]
    Name(NameArgs),
}

/// Arguments of `andon group name`.
#[derive(Debug, clap::Args)]
pub struct NameArgs {
    /// groups.safetensors, as `andon group` wrote it
    file: PathBuf,
    /// Number of the group by what, or its id
    group: String,
    /// What to call it; empty to take the name away
    name: String,
    /// The number is that of a group by where
    #[arg(long = "where")]
    where_: bool,
}

/// Runs the command.
pub fn run(command: &NameCommand) -> Result<ExitCode> {
    let NameCommand::Name(args) = command;
    let mut grouping = Grouping::read(&args.file)?;
    let pathway = if args.where_ {
        Pathway::Where
    } else {
        Pathway::What
    };
    let id = grouping.name(pathway, &args.group, &args.name)?;
    grouping.write(&args.file)?;
    eprintln!("{id} is called {:?}", args.name.trim());
    Ok(ExitCode::SUCCESS)
}
