//! `andon manual`: man pages and shell completions, from the same definitions as `--help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// Arguments of `andon manual`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  andon manual ~/.local/share

The package of a board has them already. Files: man/man1/*.1, bash-completion/completions/andon,
zsh/site-functions/_andon, fish/vendor_completions.d/andon.fish.")]
pub struct Args {
    /// Folder for shared files, such as ~/.local/share or /usr/local/share
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Where each shell looks for completions, under a folder for shared files.
const COMPLETIONS: [(Shell, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "andon"),
    (Shell::Zsh, "zsh/site-functions", "_andon"),
    (Shell::Fish, "fish/vendor_completions.d", "andon.fish"),
];

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let pages = args.folder.join("man/man1");
    make(&pages)?;
    clap_mangen::generate_to(Cli::command(), &pages)
        .with_context(|| format!("cannot write man pages into {}", pages.display()))?;
    for (shell, folder, name) in COMPLETIONS {
        let folder = args.folder.join(folder);
        make(&folder)?;
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "andon", &mut text);
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
