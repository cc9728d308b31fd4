//! Lines that the host listens to, each with a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use andon_link::Edge;
use gpiocdev::Request;
use gpiocdev::line::EdgeDetection;
use rustix::time::{ClockId, clock_gettime};

use super::{GpioError, Input, InputEvent, InputLine, Line, begin, refused};
use crate::bell::Bell;

/// Longest wait for an edge before the thread looks whether it is to stop.
const TURN: Duration = Duration::from_millis(100);

/// Input lines of the host, each with a thread that ends when this is dropped.
#[derive(Debug)]
pub struct GpioInputs {
    stop: Arc<AtomicBool>,
    dropped: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl GpioInputs {
    /// Takes the lines and sends their edges to `events`, and rings the bell after each. An edge that
    /// finds no room there is counted, see [`Self::dropped`]; a line that fails is told once, and then
    /// no more.
    ///
    /// # Errors
    /// [`GpioError`] names the first line that could not be had.
    pub fn open(
        inputs: &[(Input, InputLine)],
        events: &SyncSender<Result<InputEvent, GpioError>>,
        bell: &Bell,
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
                bell: bell.clone(),
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
    bell: Bell,
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
                Ok(()) => {
                    self.bell.ring();
                    return true;
                }
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
    let mut builder = begin(&line.at);
    builder.as_input().with_edge_detection(match line.edge {
        Edge::Rising => EdgeDetection::RisingEdge,
        Edge::Falling => EdgeDetection::FallingEdge,
    });
    if line.debounce_ms > 0 {
        builder.with_debounce_period(Duration::from_millis(line.debounce_ms.into()));
    }
    builder
        .request()
        .map_err(|source| refused(format!("{input:?}"), &line.at, source))
}
