//! `andon journal`: the record of a station, for whoever asks a year later.

mod result;
mod show;
mod table;
mod times;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use andon_journal::{Filter, JournalError, Record};
use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;

/// Subcommands of `andon journal`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show records, or all that is known of one part
    Show(show::Args),
    /// Check that no record was edited, moved or removed
    Verify(verify::Args),
    /// Write records as a table for a spreadsheet, or as lines of JSON
    Export(table::Args),
}

/// Runs the command.
pub fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Show(args) => show::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Export(args) => table::run(args),
    }
}

/// Which records.
#[derive(Debug, clap::Args)]
struct Wanted {
    /// From this time on: 2026-03-02, 2026-03-02T06:00 or with a zone, UTC if none is given
    #[arg(long, value_name = "TIME", value_parser = times::parse)]
    from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = times::parse)]
    to: Option<Timestamp>,
    /// Only this kind: result, event, counters, ... May be given several times
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        Filter {
            from: self.from,
            to: self.to,
            kinds: self.kind.clone(),
        }
    }
}

/// The folders of a station's record.
struct Folders {
    /// Where the journal's files are.
    journal: PathBuf,
    /// Where the images are.
    images: PathBuf,
}

impl Folders {
    /// `dir` is the folder that the station file names, or the journal inside it.
    fn of(dir: &Path) -> Self {
        let inside = dir.join("journal");
        if inside.is_dir() {
            return Self {
                journal: inside,
                images: dir.join("images"),
            };
        }
        Self {
            journal: dir.into(),
            images: dir.join("..").join("images"),
        }
    }

    /// Reads the wanted records in order. Says on stderr which lines are no sound records and goes
    /// on behind them; gives how many they were.
    fn each(&self, filter: Filter, mut take: impl FnMut(Record) -> Result<()>) -> Result<u64> {
        let mut damaged = 0;
        for record in andon_journal::read(&self.journal, filter)? {
            match record {
                Ok(record) => take(record)?,
                Err(error @ JournalError::Damaged { .. }) => {
                    eprintln!("warning: {error}");
                    damaged += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(damaged)
    }
}

/// 1 if there were damaged lines.
fn status(damaged: u64) -> ExitCode {
    ExitCode::from(u8::from(damaged > 0))
}
