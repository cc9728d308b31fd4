//! `andon journal export`: the record as a table for a spreadsheet.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use andon_journal::Record;
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use super::result::PartResult;
use super::{Folders, Wanted, status, times};
use crate::cli::words;

/// Arguments of `andon journal export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon journal export /var/lib/andon --csv -o shift.csv --from 2026-03-02 --to 2026-03-03
  andon journal export /var/lib/andon --csv --kind result > results.csv

One row a record, with the same columns whatever was recorded. Columns of results stay empty in rows
of events, which have their words in `event` and `details`. `worst_*` is the region with the highest
score, in pixels of the image. `sha256` is the record's own hash.

Exit status: 0, 1 when damaged lines are left out, 2 when it cannot be read or written.")]
pub struct Args {
    /// Folder of the station's record, or of the journal in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
    /// A table with a head line (this is the default)
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// The records themselves, one JSON object a line
    #[arg(long)]
    json: bool,
    /// Where to; stdout when missing
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// One row; the order is that of the columns.
#[derive(Debug, Default, Serialize)]
struct Row {
    record: u64,
    at: String,
    kind: String,
    part: Option<u64>,
    verdict: Option<&'static str>,
    score: Option<String>,
    limit: Option<String>,
    code: Option<u8>,
    reason: Option<String>,
    skipped: Option<bool>,
    challenge: Option<String>,
    recipe: Option<u16>,
    recipe_name: Option<String>,
    recipe_sha256: Option<String>,
    regions: Option<usize>,
    worst_x: Option<u32>,
    worst_y: Option<u32>,
    worst_width: Option<u32>,
    worst_height: Option<u32>,
    worst_score: Option<String>,
    worst_pathway: Option<String>,
    latency_ms: Option<String>,
    trigger: Option<String>,
    frame: Option<u64>,
    file: Option<String>,
    image: Option<String>,
    event: Option<String>,
    details: Option<String>,
    sha256: String,
}

impl Row {
    fn of(record: &Record) -> Self {
        let row = Self {
            record: record.number,
            at: times::print(record.at),
            kind: record.kind.clone(),
            sha256: record.sha256.to_string(),
            ..Self::default()
        };
        let data = &record.data;
        match record.kind.as_str() {
            "result" => match record.payload::<PartResult>() {
                Ok(result) => row.with_result(result),
                Err(_) => row.with_details(data, &[]),
            },
            "event" => Self {
                event: data.get("event").and_then(Value::as_str).map(words::spaced),
                ..row.with_details(data, &["event"])
            },
            _ => row.with_details(data, &[]),
        }
    }

    fn with_details(self, data: &Value, but: &[&str]) -> Self {
        Self {
            details: Some(words::fields(data, but)),
            ..self
        }
    }

    fn with_result(self, result: PartResult) -> Self {
        let digits = |value: f64| format!("{value:.3}");
        let worst = result
            .regions()
            .iter()
            .max_by(|a, b| a.score.total_cmp(&b.score));
        let bbox = worst.map(|region| region.bbox);
        let part = &result.part;
        let cause = part.cause.map(|cause| cause.to_string());
        Self {
            part: Some(part.number),
            verdict: Some(part.word()),
            score: result.score().map(digits),
            limit: result.limit().map(digits),
            code: part.code(),
            reason: part.reason.clone().or(cause),
            skipped: Some(part.skipped),
            challenge: part.challenge_words(),
            recipe: part.recipe,
            recipe_name: result.recipe.as_ref().map(|recipe| recipe.name.clone()),
            recipe_sha256: result.recipe.as_ref().map(|recipe| recipe.sha256.clone()),
            regions: Some(result.regions().len()),
            worst_x: bbox.map(|[x, ..]| x),
            worst_y: bbox.map(|[_, y, ..]| y),
            worst_width: bbox.map(|[.., width, _]| width),
            worst_height: bbox.map(|[.., height]| height),
            worst_score: worst.map(|region| digits(region.score)),
            worst_pathway: worst.map(|region| region.pathway.clone()),
            latency_ms: part.latency_ms().map(|ms| format!("{ms:.1}")),
            trigger: part.source.clone(),
            frame: part.frame,
            file: result.file.clone(),
            image: result.image.clone(),
            ..self
        }
    }
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let folders = Folders::of(&args.dir);
    // The journal is looked for first: a wrong folder must not leave an empty table behind.
    andon_journal::read(&folders.journal, args.wanted.filter())?;
    let damaged = match &args.output {
        Some(path) => {
            let context = || format!("cannot write {}", path.display());
            let file = File::create(path).with_context(context)?;
            write(args, &folders, BufWriter::new(file)).with_context(context)?
        }
        None => write(args, &folders, io::stdout().lock())?,
    };
    Ok(status(damaged))
}

fn write(args: &Args, folders: &Folders, mut to: impl Write) -> Result<u64> {
    let filter = args.wanted.filter();
    if args.json {
        let damaged = folders.each(filter, |record| {
            serde_json::to_writer(&mut to, &record)?;
            Ok(to.write_all(b"\n")?)
        })?;
        to.flush()?;
        return Ok(damaged);
    }
    let mut table = csv::Writer::from_writer(to);
    let mut rows = 0_u64;
    let damaged = folders.each(filter, |record| {
        rows += 1;
        Ok(table.serialize(Row::of(&record))?)
    })?;
    table.flush()?;
    eprintln!("{rows} records");
    Ok(damaged)
}
