//! Lines that the host drives.

use gpiocdev::Request;
use gpiocdev::line::Value;

use super::{GpioError, GpioSettings, Line, begin, refused};
use crate::levels::{OutputLine, changes, host_lost, levels};
use crate::sink::{Shown, Sink, SinkError};

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
            let mut builder = begin(line);
            builder.as_output(value(output.of(&start)));
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

const fn value(on: bool) -> Value {
    if on { Value::Active } else { Value::Inactive }
}
