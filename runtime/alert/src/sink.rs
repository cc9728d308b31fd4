//! The one trait behind which everything stands that shows lamps and lines.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use andon_station::Outputs;

/// How old the latest progress of inspection may be before nothing is shown as good any more.
pub const PROGRESS_LIMIT: Duration = Duration::from_millis(1000);

/// What is to be shown at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The whole state of the station.
    pub outputs: &'a Outputs,
    /// Now, on the clock of the station.
    pub now: Duration,
    /// Time since the inspection loop last got somewhere.
    pub progress_age: Duration,
}

impl Shown<'_> {
    /// Whether the state may still be believed.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.progress_age <= PROGRESS_LIMIT
    }
}

/// Something that shows the state of the station.
pub trait Sink {
    /// Shows the whole state. To be called on each change, and at least every
    /// [`andon_link::STATE_PERIOD_MS`], so that flashing goes on and stale progress is noticed.
    ///
    /// # Errors
    /// What could not be shown; the next call tries all of it again.
    fn show(&mut self, shown: &Shown<'_>) -> Result<(), SinkError>;

    /// Leaves "host lost" behind, because the station stops. Never all dark.
    ///
    /// # Errors
    /// What could not be shown.
    fn leave(&mut self) -> Result<(), SinkError>;
}

/// Why something is not shown.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file of the kernel's LED class.
    #[error("LED {name}: {}: {source}: check the name under /sys/class/leds and the right to write it", path.display())]
    Led {
        /// Name of the LED.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A GPIO line.
    #[error(transparent)]
    Gpio(#[from] crate::gpio::GpioError),
    /// The thread behind the sink has ended.
    #[error("{what}: its thread has ended: restart the station")]
    Ended {
        /// Which sink.
        what: &'static str,
    },
}
