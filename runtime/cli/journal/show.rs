//! `andon journal show`: a line a record, or everything about one part.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use andon_journal::{Filter, Record};
use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::result::PartResult;
use super::{Folders, Wanted, status, times};
use crate::cli::words;

/// Arguments of `andon journal show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon journal show /var/lib/andon --last 20
  andon journal show /var/lib/andon --kind event --from 2026-03-02 --to 2026-03-03
  andon journal show /var/lib/andon --part 4711        why was part 4711 rejected?

A damaged line is named on stderr and passed over; `andon journal verify` tells more.
Exit status: 0, 1 when lines are damaged or the part is not there, 2 when it cannot be read.")]
pub struct Args {
    /// Folder of the station's record, or of the journal in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    last: Option<NonZeroUsize>,
    /// Everything about the part of this number, as the PLC and `andon status` say it
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["kind", "last"])]
    part: Option<u64>,
    /// Print the records themselves, one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let folders = Folders::of(&args.dir);
    let shown = match args.part {
        Some(number) => part(args, &folders, number),
        None => records(args, &folders),
    };
    match shown {
        // Whoever reads may have enough, as `head` does.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        shown => shown,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}

fn records(args: &Args, folders: &Folders) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut kept = VecDeque::new();
    let damaged = folders.each(args.wanted.filter(), |record| {
        let Some(most) = args.last else {
            return print(&mut out, &record, args.json);
        };
        if kept.len() == most.get() {
            kept.pop_front();
        }
        kept.push_back(record);
        Ok(())
    })?;
    for record in &kept {
        print(&mut out, record, args.json)?;
    }
    Ok(status(damaged))
}

fn print(out: &mut impl Write, record: &Record, json: bool) -> Result<()> {
    let line = if json {
        serde_json::to_string(record).context("cannot write JSON")?
    } else {
        line(record)
    };
    Ok(writeln!(out, "{line}")?)
}

/// One record on one line.
fn line(record: &Record) -> String {
    let head = format!("{:>7}  {}", record.number, times::print(record.at));
    let data = &record.data;
    match record.kind.as_str() {
        "result" => match record.payload::<PartResult>() {
            Ok(result) => format!("{head}  {}", result_line(&result)),
            Err(_) => format!("{head}  result  {}", words::fields(data, &[])),
        },
        "event" => {
            let name = data.get("event").and_then(Value::as_str).unwrap_or("event");
            let rest = words::fields(data, &["event"]);
            format!("{head}  {}  {rest}", words::spaced(name))
                .trim_end()
                .into()
        }
        "counters" => {
            let counters = data.get("counters").unwrap_or(data);
            format!("{head}  counters  {}", words::fields(counters, &[]))
        }
        kind => format!("{head}  {kind}  {}", words::fields(data, &[])),
    }
}

fn result_line(result: &PartResult) -> String {
    let part = &result.part;
    let mut line = format!("part {}  {}", part.number, part.word());
    let mut add = |text: String| {
        line.push_str("  ");
        line.push_str(&text);
    };
    if let Some(score) = result.score() {
        add(format!("score {score:.3}"));
    }
    match result.regions().len() {
        0 => {}
        1 => add("1 region".into()),
        many => add(format!("{many} regions")),
    }
    if let Some(code) = part.code() {
        add(format!("code {code}"));
    }
    if part.skipped {
        add("skipped".into());
    }
    if let Some(challenge) = part.challenge_words() {
        add(format!("challenge part, {challenge}"));
    }
    add(format!("recipe {}", result.recipe_words()));
    if let Some(file) = &result.file {
        add(file.clone());
    }
    line
}

/// Everything about one part. The count of parts begins again with each start.
fn part(args: &Args, folders: &Folders, number: u64) -> Result<ExitCode> {
    let filter = Filter {
        kinds: vec!["result".into()],
        ..args.wanted.filter()
    };
    let mut out = io::stdout().lock();
    let mut found = 0;
    let damaged = folders.each(filter, |record| {
        let same = record.data.pointer("/part/number").and_then(Value::as_u64);
        if same != Some(number) {
            return Ok(());
        }
        found += 1;
        if args.json {
            return print(&mut out, &record, true);
        }
        let Ok(result) = record.payload::<PartResult>() else {
            bail!(
                "record {} is no result that this version can read",
                record.number
            );
        };
        if found > 1 {
            writeln!(out)?;
        }
        Ok(write!(out, "{}", answer(&record, &result, folders))?)
    })?;
    if found == 0 {
        eprintln!(
            "no record of part {number} in {}",
            folders.journal.display()
        );
        return Ok(ExitCode::from(1));
    }
    Ok(status(damaged))
}

fn answer(record: &Record, result: &PartResult, folders: &Folders) -> String {
    let part = &result.part;
    let mut text = format!("part {}: {}\n", part.number, part.word());
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<10}{value}\n"));
    row("when", times::print(record.at));
    if let (Some(score), Some(limit)) = (result.score(), result.limit()) {
        row("score", format!("{score:.3}, the limit is {limit:.3}"));
    }
    if let Some(layout) = result.layout_beyond() {
        row("layout", format!("{layout:.3} of its limit"));
    }
    if let Some(code) = part.code() {
        let cause = part
            .cause
            .map_or(String::new(), |cause| format!(": {cause}"));
        row("error", format!("{code}{cause}"));
    }
    if let Some(reason) = &part.reason {
        row("reason", reason.clone());
    }
    if part.skipped {
        row(
            "skipped",
            "the trigger was refused, no frame was looked at".into(),
        );
    }
    if let Some(challenge) = part.challenge_words() {
        row("challenge", challenge);
    }
    for (n, region) in result.regions().iter().enumerate() {
        let name = if n == 0 { "regions" } else { "" };
        row(name, region.line());
    }
    match &result.recipe {
        Some(recipe) => {
            row("recipe", format!("{} {}", recipe.index, recipe.name));
            row("", format!("sha256 {}", recipe.sha256));
        }
        None => row("recipe", result.recipe_words()),
    }
    if let Some(frame) = part.frame {
        row("frame", frame.to_string());
    }
    if let Some(file) = &result.file {
        row("file", file.clone());
    }
    row("image", image(result, folders));
    if let Some(source) = &part.source {
        let numbered = part.part.as_ref().map_or(String::new(), |id| {
            format!(
                ", number {} of epoch {} at the stack light",
                id.number, id.epoch
            )
        });
        row("trigger", format!("{}{numbered}", words::spaced(source)));
    }
    if let Some(latency) = part.latency_ms() {
        row("latency", format!("{latency:.1} ms from trigger to result"));
    }
    row(
        "record",
        format!("{}, sha256 {}", record.number, record.sha256),
    );
    text
}

fn image(result: &PartResult, folders: &Folders) -> String {
    let Some(name) = &result.image else {
        return "none was kept".into();
    };
    let path = folders.images.join(name);
    if path.is_file() {
        path.display().to_string()
    } else {
        format!("{name} was kept and has made room for newer ones since")
    }
}
