//! `andon doctor`: what this computer has and lacks to be a station, and what to do about it.
//! It looks and changes nothing, except for one file that it makes and removes in the record's
//! folder.

mod boards;
mod devices;
mod machine;
mod storage;
mod threads;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::output::json_line;
use crate::line::StationFile;
use crate::vit::{Backbone, Model, TapRequest, Threads};

/// Arguments of `andon doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon doctor
  andon doctor --station press4.toml

With a station file, what the file names has to be there; without one, it only says what is there.
`andon check` looks into recipes. Exit status: 0 nothing fails, 1 something does.")]
pub struct Args {
    /// The station that is to run here
    #[arg(long, value_name = "FILE.toml")]
    station: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Level {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    subject: &'static str,
    found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            subject,
            found: found.into(),
            advice: None,
        }
    }

    fn warn(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            advice: Some(advice.into()),
            ..Self::ok(subject, found)
        }
    }

    fn fail(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            level: Level::Fail,
            ..Self::warn(subject, found, advice)
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut findings = Vec::new();
    let station = args.station.as_deref().and_then(|path| {
        let (finding, file) = match StationFile::read(path) {
            Ok(file) => (
                Finding::ok("station", format!("{:?}", file.name)),
                Some(file),
            ),
            Err(error) => {
                let advice = "correct the file; docs/line.md explains it";
                (Finding::fail("station", error.to_string(), advice), None)
            }
        };
        findings.push(finding);
        file
    });
    let station = station.as_ref();
    findings.extend(machine::look());
    findings.extend(boards::look(station));
    findings.push(model(station));
    findings.extend(devices::look(station));
    findings.extend(storage::look(station));
    for finding in &findings {
        if args.json {
            json_line(finding)?;
        } else {
            print(finding);
        }
    }
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(ExitCode::from(u8::from(failed)))
}

fn print(finding: &Finding) {
    let level = match finding.level {
        Level::Ok => "OK  ",
        Level::Warn => "WARN",
        Level::Fail => "FAIL",
    };
    println!("{level}  {:<9} {}", finding.subject, finding.found);
    if let Some(advice) = &finding.advice {
        println!("      {:<9} -> {advice}", "");
    }
}

/// The model that the station uses: its hash, and whether it runs on a small input.
fn model(station: Option<&StationFile>) -> Finding {
    let other = station.and_then(|file| file.judging.model.as_deref());
    let run = || -> Result<String> {
        let model = other.map_or_else(Model::embedded, Model::open)?;
        let manifest = model.manifest();
        let side = manifest.architecture.patch * 4;
        let request = TapRequest::tokens(1..=manifest.architecture.blocks);
        let backbone = Backbone::new(&model, (side, side), &request, &Threads::alone())?;
        backbone.run(&vec![0.0; 3 * side * side])?;
        Ok(format!("{}: sha256 is right, and it runs", manifest.name))
    };
    match run() {
        Ok(found) => Finding::ok("model", found),
        Err(error) => {
            let advice = "install the program, or the model's two files, again";
            Finding::fail("model", format!("{error:#}"), advice)
        }
    }
}
