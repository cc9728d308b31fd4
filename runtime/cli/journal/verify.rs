//! `andon journal verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use andon_journal::{Digest, Report, Seal};
use anyhow::{Context, Result};
use serde::Serialize;

use super::Folders;
use crate::cli::output::json_line;

/// Arguments of `andon journal verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon journal verify /var/lib/andon
  andon journal verify /var/lib/andon --seal 4711:3f5a...

The last line of a good answer is a seal: the number and hash of the last record. Keep it somewhere
else, in a log book or a mail. Given back later with --seal it also proves that nothing was cut off
the end or written anew since.

Exit status: 0 the record is whole, 1 it is not, 2 it cannot be read.")]
pub struct Args {
    /// Folder of the station's record, or of the journal in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Number and hash of a record, as noted before
    #[arg(long, value_name = "NUMBER:HASH", value_parser = seal)]
    seal: Option<Seal>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn seal(text: &str) -> Result<Seal, String> {
    let read = || {
        let (number, hash) = text.split_once(':')?;
        Some(Seal {
            number: number.trim().parse().ok()?,
            sha256: Digest::from_hex(&hash.trim().to_ascii_lowercase())?,
        })
    };
    read().ok_or_else(|| "no seal: write the number, a colon, and the 64 digits of the hash".into())
}

#[derive(Serialize)]
struct Answer<'a> {
    whole: bool,
    station: Option<&'a str>,
    records: u64,
    removed: Option<Seal>,
    last: Option<Seal>,
    fault: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let folder = Folders::of(&args.dir).journal;
    let report = match &args.seal {
        Some(known) => andon_journal::verify_against(&folder, known),
        None => andon_journal::verify(&folder),
    }
    .with_context(|| format!("cannot read the journal in {}", folder.display()))?;
    if args.json {
        json_line(&Answer {
            whole: report.fault.is_none(),
            station: report.station.as_deref(),
            records: report.records,
            removed: report.removed,
            last: report.last,
            fault: report.fault.as_ref().map(ToString::to_string),
        })?;
    } else {
        print(&report, args.seal.as_ref());
    }
    Ok(ExitCode::from(u8::from(report.fault.is_some())))
}

fn print(report: &Report, known: Option<&Seal>) {
    let station = report.station.as_deref().unwrap_or("unknown");
    if let Some(removed) = report.removed {
        println!(
            "records up to {} were removed to make room; the journal says so itself",
            removed.number
        );
    }
    if let Some(fault) = &report.fault {
        println!("NOT WHOLE: {fault}");
        match report.last {
            Some(last) => println!("records up to {} are as they were written", last.number),
            None => println!("no record before it can be relied on"),
        }
        return;
    }
    println!(
        "station {station:?}: {} records, none edited, moved or missing",
        report.records
    );
    if let Some(known) = known {
        println!("record {} is the one that was noted", known.number);
    }
    if let Some(last) = report.last {
        println!("seal {}:{}", last.number, last.sha256);
    }
}
