//! Lines of a GPIO chip through the kernel's character device: outputs for lamps and a PLC, inputs
//! for a trigger sensor and an acknowledge button.
//!
//! Whether a line keeps its level after the program that held it has died is up to the chip's
//! driver. A line that a machine depends on belongs behind the MCU, or behind a relay that needs
//! a pulse, and OK must be wired so that "off" stops the part.

mod inputs;
mod outputs;

pub use inputs::GpioInputs;
pub use outputs::GpioLines;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use andon_link::Edge;
use gpiocdev::Request;
use gpiocdev::request::Builder;
use serde::{Deserialize, Serialize};

use crate::levels::OutputLine;

const CONSUMER: &str = "andon";

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
    pub outputs: BTreeMap<OutputLine, Line>,
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

/// A request for one line, with its polarity.
fn begin(line: &Line) -> Builder {
    let mut builder = Request::builder();
    builder
        .on_chip(&line.chip)
        .with_consumer(CONSUMER)
        .with_line(line.line);
    if line.active_low {
        builder.as_active_low();
    }
    builder
}

fn refused(what: String, line: &Line, source: gpiocdev::Error) -> GpioError {
    GpioError::Request {
        what,
        chip: line.chip.clone(),
        line: line.line,
        source,
    }
}
