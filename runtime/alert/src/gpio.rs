//! Lines of a GPIO chip through the kernel's character device: outputs for lamps and a PLC, inputs
//! for a trigger sensor and an acknowledge button.
//!
//! Whether a line keeps its level after the program that held it has died is up to the chip's
//! driver. A line that a machine depends on belongs behind the MCU, or behind a relay that needs
//! a pulse, and OK must be wired so that "off" stops the part.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use andon_link::Edge;
use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, Value};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::levels::{OutputLine, changes, host_lost, levels};
use crate::sink::{Shown, Sink, SinkError};

const CONSUMER: &str = "andon";

/// Longest wait for an edge before the thread looks whether it is to stop.
const TURN: Duration = Duration::from_millis(100);

/// One line of a chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The chip, such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// Its number on the chip.
    pub line: u32,
    /// On is low.
    #[serde(default)]
    pub active_low: bool,
}

/// The lines that are wired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GpioSettings {
    /// What each output is wired to.
    pub outputs: std::collections::BTreeMap<OutputLine, Line>,
}

/// What an input means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A part came.
    Trigger,
    /// The button was pressed.
    Acknowledge,
}

/// An input line and what counts as an event on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLine {
    /// The line.
    pub at: Line,
    /// Which change counts, after `active_low` has been applied.
    pub edge: Edge,
    /// How long the level must stay before its change counts, in milliseconds.
    pub debounce_ms: u16,
}

/// An edge on an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputEvent {
    /// Which input.
    pub input: Input,
    /// How long ago the edge was when it was read, by the kernel's time stamp; debouncing is
    /// included.
    pub age: Duration,
}

/// Why a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GpioError {
    /// The line could not be had.
    #[error("{} line {line} for {what}: {source}: check chip and number with `gpioinfo`, that nothing else uses the line, and the right to open the chip", chip.display())]
    Request {
        /// What it was wanted for.
        what: String,
        /// The chip.
        chip: PathBuf,
        /// The line on it.
        line: u32,
        /// What the system says.
        source: gpiocdev::Error,
    },
    /// The line was had and failed.
    #[error("{} line {line} for {what}: {source}: is the chip still there?", chip.display())]
    Failed {
        /// What it is used for.
        what: String,
        /// The chip.
        chip: PathBuf,
        /// The line on it.
        line: u32,
        /// What the system says.
        source: gpiocdev::Error,
    },
    /// No thread for an input.
    #[error("no thread for a GPIO input: {0}")]
    Thread(#[from] io::Error),
}

/// Output lines of the host.
#[derive(Debug)]
pub struct GpioLines {
    lines: Vec<(OutputLine, Line, Request)>,
    /// What was last driven; `None` at first and after a failure, so that all is driven again.
    driven: Option<andon_link::Outputs>,
}

impl GpioLines {
    /// Takes the lines, all in "host lost" with OK off.
    ///
    /// # Errors
    /// [`GpioError::Request`] names the first line that could not be had.
    pub fn open(settings: &GpioSettings) -> Result<Self, GpioError> {
        let start = host_lost(true);
        let mut lines = Vec::new();
        for (output, line) in &settings.outputs {
            let mut builder = Request::builder();
            builder
                .on_chip(&line.chip)
                .with_consumer(CONSUMER)
                .with_line(line.line)
                .as_output(value(output.of(&start)));
            if line.active_low {
                builder.as_active_low();
            }
            let request = builder
                .request()
                .map_err(|source| refused(format!("{output:?}"), line, source))?;
            lines.push((*output, line.clone(), request));
        }
        Ok(Self {
            lines,
            driven: Some(start),
        })
    }

    fn drive(&mut self, to: andon_link::Outputs) -> Result<(), GpioError> {
        let order = match self.driven.take() {
            Some(from) => changes(&from, &to),
            None => OutputLine::ALL.map(|line| (line, line.of(&to))).to_vec(),
        };
        for (output, on) in order {
            for (_, line, request) in self.lines.iter().filter(|(is, ..)| *is == output) {
                request
                    .set_value(line.line, value(on))
                    .map_err(|source| GpioError::Failed {
                        what: format!("{output:?}"),
                        chip: line.chip.clone(),
                        line: line.line,
                        source,
                    })?;
            }
        }
        self.driven = Some(to);
        Ok(())
    }
}

impl Sink for GpioLines {
    fn show(&mut self, shown: &Shown<'_>) -> Result<(), SinkError> {
        Ok(self.drive(levels(shown))?)
    }

    /// Red and amber both on, since nobody is there to alternate them; NG and Error on.
    fn leave(&mut self) -> Result<(), SinkError> {
        let lost = andon_link::Outputs {
            red: true,
            amber: true,
            ..host_lost(true)
        };
        Ok(self.drive(lost)?)
    }
}

impl Drop for GpioLines {
    fn drop(&mut self) {
        let _ = self.leave();
    }
}

/// Input lines of the host, each with a thread that ends when this is dropped.
#[derive(Debug)]
pub struct GpioInputs {
    stop: Arc<AtomicBool>,
    dropped: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl GpioInputs {
    /// Takes the lines and sends their edges to `events`. An edge that finds no room there is
    /// counted, see [`Self::dropped`]; a line that fails is told once, and then no more.
    ///
    /// # Errors
    /// [`GpioError`] names the first line that could not be had.
    pub fn open(
        inputs: &[(Input, InputLine)],
        events: &SyncSender<Result<InputEvent, GpioError>>,
    ) -> Result<Self, GpioError> {
        let stop = Arc::new(AtomicBool::new(false));
        let dropped = Arc::new(AtomicU64::new(0));
        // Whatever fails on the way, the threads that run already are ended by the drop.
        let mut all = Self {
            stop: Arc::clone(&stop),
            dropped: Arc::clone(&dropped),
            threads: Vec::new(),
        };
        for (input, line) in inputs {
            let watch = Watch {
                input: *input,
                line: line.at.clone(),
                request: request_input(*input, line)?,
                events: events.clone(),
                stop: Arc::clone(&stop),
                dropped: Arc::clone(&dropped),
            };
            let thread = thread::Builder::new().name(format!("gpio {input:?}"));
            all.threads.push(thread.spawn(move || watch.run())?);
        }
        Ok(all)
    }

    /// Edges that the station did not take in time.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for GpioInputs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Watch {
    input: Input,
    line: Line,
    request: Request,
    events: SyncSender<Result<InputEvent, GpioError>>,
    stop: Arc<AtomicBool>,
    dropped: Arc<AtomicU64>,
}

impl Watch {
    fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            let edge = match self.request.wait_edge_event(TURN) {
                Ok(false) => continue,
                Ok(true) => self.request.read_edge_event(),
                Err(error) => Err(error),
            };
            let event = match edge {
                Ok(edge) => Ok(InputEvent {
                    input: self.input,
                    age: age(edge.timestamp_ns),
                }),
                Err(source) => Err(GpioError::Failed {
                    what: format!("{:?}", self.input),
                    chip: self.line.chip.clone(),
                    line: self.line.line,
                    source,
                }),
            };
            let is_over = event.is_err();
            if !self.tell(event) || is_over {
                return;
            }
        }
    }

    /// Hands an edge over or counts it as dropped; a failure is kept until it is taken, since
    /// nothing comes after it. `false` if nobody listens any more.
    fn tell(&self, mut event: Result<InputEvent, GpioError>) -> bool {
        while !self.stop.load(Ordering::Relaxed) {
            match self.events.try_send(event) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(Ok(_))) => {
                    self.dropped.fetch_add(1, Ordering::Relaxed);
                    return true;
                }
                Err(TrySendError::Full(failure)) => event = failure,
            }
            thread::sleep(TURN);
        }
        false
    }
}

/// How long ago a time stamp of the kernel's monotonic clock was.
fn age(timestamp_ns: u64) -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds).saturating_sub(Duration::from_nanos(timestamp_ns))
}

fn request_input(input: Input, line: &InputLine) -> Result<Request, GpioError> {
    let mut builder = Request::builder();
    builder
        .on_chip(&line.at.chip)
        .with_consumer(CONSUMER)
        .with_line(line.at.line)
        .as_input()
        .with_edge_detection(match line.edge {
            Edge::Rising => EdgeDetection::RisingEdge,
            Edge::Falling => EdgeDetection::FallingEdge,
        });
    if line.debounce_ms > 0 {
        builder.with_debounce_period(Duration::from_millis(line.debounce_ms.into()));
    }
    if line.at.active_low {
        builder.as_active_low();
    }
    builder
        .request()
        .map_err(|source| refused(format!("{input:?}"), &line.at, source))
}

fn refused(what: String, line: &Line, source: gpiocdev::Error) -> GpioError {
    GpioError::Request {
        what,
        chip: line.chip.clone(),
        line: line.line,
        source,
    }
}

const fn value(on: bool) -> Value {
    if on { Value::Active } else { Value::Inactive }
}
