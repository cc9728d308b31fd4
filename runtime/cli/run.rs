//! `andon run`, `andon check` and `andon release`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::progress;
use crate::line::{self, Bench, Ended, LEDS, Line, StationFile, Stop, Tell};
use crate::vit::Threads;

/// Arguments of `andon run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  andon check --station press4.toml
  andon run --station press4.toml --watch

SIGTERM finishes the part under way, leaves the lamps in \"host lost\" and ends. SIGHUP reads the
station file again; if it is wrong, the station goes on with the old one. A folder of images ends
with its last image, unless it is endless.")]
pub struct RunArgs {
    /// The station file
    #[arg(long, value_name = "FILE.toml")]
    station: PathBuf,
    /// Show a live view instead of a line a part
    #[arg(long)]
    watch: bool,
    /// Print warnings only
    #[arg(long, conflicts_with = "watch")]
    quiet: bool,
}

/// Arguments of `andon check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  andon check --station press4.toml

Reads the station file, its recipes and the model, and replays every golden input, without touching
camera, outputs or record. Exit status: 0 usable, 2 not.")]
pub struct CheckArgs {
    /// The station file
    #[arg(long, value_name = "FILE.toml")]
    station: PathBuf,
}

/// Arguments of `andon release`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ExecStopPost=/usr/bin/andon release --station /etc/andon/station.toml

LEDs and lines of this computer keep what they showed last when the program is killed, green
included. The service in boards/ runs this after every end of the station. A station that runs is
left alone, and so is the stack light, which falls to \"host lost\" by itself.")]
pub struct ReleaseArgs {
    /// The station file
    #[arg(long, value_name = "FILE.toml")]
    station: PathBuf,
    /// Where the LED class is
    #[arg(long, value_name = "DIR", hide = true, default_value = LEDS)]
    leds: PathBuf,
}

/// Leaves "host lost" on the outputs of a station that has ended.
pub fn release(args: &ReleaseArgs) -> Result<ExitCode> {
    let file = StationFile::read(&args.station)?;
    line::release(&file.outputs, &args.leds)?;
    Ok(ExitCode::SUCCESS)
}

/// Checks a station file offline.
pub fn check(args: &CheckArgs) -> Result<ExitCode> {
    let file = StationFile::read(&args.station)?;
    let bench = load(&file)?;
    for name in bench.names() {
        println!("recipe {}  {}  {}", name.index, name.name, name.sha256);
    }
    println!(
        "{}: station {:?} can run",
        args.station.display(),
        file.name
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs a station.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let tell = match (args.watch, args.quiet) {
        (true, _) => Tell::View,
        (_, true) => Tell::Nothing,
        _ => Tell::Results,
    };
    let stop = Stop::default();
    for signal in [SIGTERM, SIGINT] {
        // A second signal ends at once: whoever sends it does not want to wait.
        flag::register_conditional_shutdown(signal, 2, stop.stop_flag())
            .and_then(|_| flag::register(signal, stop.stop_flag()))
            .context("cannot listen for signals")?;
    }
    let mut file = StationFile::read(&args.station)?;
    let mut bench = load(&file)?;
    let next = reread(args.station.clone(), stop.clone(), bench.threads().clone())?;
    loop {
        let line = Line::open(&file, bench, tell).context("the station cannot start")?;
        if line.run(&stop) != Ended::Reload {
            return Ok(ExitCode::SUCCESS);
        }
        (file, bench) = next
            .recv()
            .context("nobody reads the station file any more")?;
        eprintln!("the station file was read again");
    }
}

/// How often somebody may ask for the station file to be read again.
const LISTEN: Duration = Duration::from_millis(100);

/// Reads the station file and its recipes again whenever SIGHUP asks for it, beside the station that
/// runs, whose threads serve the next one, too. Only what can be used ends that run, and then waits
/// in the channel.
fn reread(
    path: PathBuf,
    stop: Stop,
    mut threads: Threads,
) -> Result<Receiver<(StationFile, Bench)>> {
    let asked = Arc::new(AtomicBool::new(false));
    flag::register(SIGHUP, Arc::clone(&asked)).context("cannot listen for signals")?;
    let (give, next) = channel();
    let mut read = move || -> Result<(StationFile, Bench)> {
        let file = StationFile::read(&path)?;
        let bench = Bench::load(&file, Some(&threads), |_| {})?;
        threads = bench.threads().clone();
        Ok((file, bench))
    };
    let work = move || {
        while !stop.stop_flag().load(Ordering::Relaxed) {
            thread::sleep(LISTEN);
            if !asked.swap(false, Ordering::Relaxed) {
                continue;
            }
            match read() {
                Ok(new) => {
                    if give.send(new).is_err() {
                        return;
                    }
                    stop.reload_flag().store(true, Ordering::Relaxed);
                }
                Err(error) => eprintln!("the station goes on as it was: {error:#}"),
            }
        }
    };
    thread::Builder::new()
        .name("reload".into())
        .spawn(work)
        .context("the system gives no thread")?;
    Ok(next)
}

fn load(file: &StationFile) -> Result<Bench> {
    let waiting = progress::spinner("load");
    let bench = Bench::load(file, None, |path| {
        waiting.set_message(path.display().to_string())
    });
    waiting.finish_and_clear();
    Ok(bench?)
}
