//! All outputs of a station behind one call: what could not be shown is said, and tried again.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use andon_alert::{
    Backoff, Bell, GpioError, GpioInputs, GpioLines, InputEvent, LedLamps, LightEvent, LightPort,
    PortHealth, ResultLine, Shown, Sink, TextPort, TextServer,
};
use andon_station::PartRecord;

use super::config::StationFile;

/// Where the kernel's LED class is.
pub const LEDS: &str = "/sys/class/leds";

/// Input edges that may wait.
const EDGES: usize = 64;

/// Everything that shows the station.
pub(super) struct AllOutputs {
    light: Option<LightPort>,
    leds: Option<Retried<LedLamps>>,
    gpio: Option<Retried<GpioLines>>,
    tcp: Option<TextServer>,
    text_port: Option<TextPort>,
    /// Held for its threads.
    _inputs: Option<GpioInputs>,
    edges: Option<Receiver<Result<InputEvent, GpioError>>>,
    station: String,
}

/// Something to open that may be missing for a while.
struct Retried<S> {
    open: Box<dyn Fn() -> Result<S, String>>,
    sink: Option<S>,
    backoff: Backoff,
    next: Duration,
    fault: Option<String>,
}

impl<S: Sink> Retried<S> {
    fn new(open: impl Fn() -> Result<S, String> + 'static) -> Self {
        Self {
            open: Box::new(open),
            sink: None,
            backoff: Backoff::new(Duration::from_millis(200), Duration::from_secs(5)),
            next: Duration::ZERO,
            fault: None,
        }
    }

    fn show(&mut self, shown: &Shown<'_>) {
        if self.sink.is_none() && shown.now >= self.next {
            match (self.open)() {
                Ok(sink) => self.sink = Some(sink),
                Err(reason) => self.failed(shown.now, reason),
            }
        }
        if let Some(sink) = &mut self.sink {
            match sink.show(shown) {
                Ok(()) => {
                    self.fault = None;
                    self.backoff.succeeded();
                }
                Err(error) => {
                    self.sink = None;
                    self.failed(shown.now, error.to_string());
                }
            }
        }
    }

    fn failed(&mut self, now: Duration, reason: String) {
        self.next = now + self.backoff.failed();
        self.fault = Some(reason);
    }
}

impl AllOutputs {
    /// Opens what the station file names. What is missing is tried again later; only ports that
    /// another program holds, or threads, are errors here. The bell is rung when inputs or the stack
    /// light have brought something.
    pub fn open(file: &StationFile, epoch: Instant, bell: &Bell) -> io::Result<Self> {
        let to = &file.outputs;
        let leds = to.leds.clone().map(|names| {
            Retried::new(move || LedLamps::open(Path::new(LEDS), &names).map_err(|e| e.to_string()))
        });
        let gpio = to.gpio.clone().map(|settings| {
            Retried::new(move || GpioLines::open(&settings).map_err(|e| e.to_string()))
        });
        let inputs = file.gpio_inputs();
        let (edges, held) = if inputs.is_empty() {
            (None, None)
        } else {
            let (give, take) = sync_channel(EDGES);
            let held = GpioInputs::open(&inputs, &give, bell).map_err(io::Error::other)?;
            (Some(take), Some(held))
        };
        Ok(Self {
            light: file
                .light()
                .map(|settings| LightPort::spawn(settings, epoch, bell.clone()))
                .transpose()?,
            leds,
            gpio,
            tcp: to.tcp.as_ref().map(TextServer::bind).transpose()?,
            text_port: to
                .text_port
                .clone()
                .map(|t| TextPort::spawn(t.port, t.baud))
                .transpose()?,
            _inputs: held,
            edges,
            station: file.name.clone(),
        })
    }

    /// Shows the whole state; what fails is kept for [`Self::faults`].
    pub fn show(&mut self, shown: &Shown<'_>) {
        if let Some(light) = &mut self.light {
            // Its health says why.
            let _ = light.show(shown);
        }
        if let Some(leds) = &mut self.leds {
            leds.show(shown);
        }
        if let Some(gpio) = &mut self.gpio {
            gpio.show(shown);
        }
    }

    /// Sends one result.
    pub fn result(&self, record: &PartRecord) {
        if let (Some(light), Some(result)) = (&self.light, record.for_link()) {
            light.result(result);
        }
        let line = ResultLine::of(&self.station, record);
        if let Some(tcp) = &self.tcp {
            tcp.send(&line);
        }
        if let Some(port) = &self.text_port {
            port.send(&line);
        }
    }

    /// What the stack light brought.
    pub fn light_events(&self) -> Vec<LightEvent> {
        self.light
            .as_ref()
            .map(|light| light.events().try_iter().collect())
            .unwrap_or_default()
    }

    /// What the GPIO inputs brought.
    pub fn edges(&self) -> Vec<Result<InputEvent, GpioError>> {
        self.edges
            .as_ref()
            .map(|edges| edges.try_iter().collect())
            .unwrap_or_default()
    }

    /// How the stack light and the way to it do; `None` without one.
    pub fn light(&self) -> Option<PortHealth> {
        self.light.as_ref().map(LightPort::health)
    }

    /// What other outputs could not show.
    pub fn faults(&self) -> Vec<String> {
        let sinks = [
            self.leds.as_ref().and_then(|s| s.fault.clone()),
            self.gpio.as_ref().and_then(|s| s.fault.clone()),
            self.text_port.as_ref().and_then(|s| s.health().fault),
        ];
        sinks.into_iter().flatten().collect()
    }

    /// Leaves "host lost" behind.
    pub fn leave(mut self) {
        let sinks = [
            self.light.as_mut().map(|s| s as &mut dyn Sink),
            self.leds
                .as_mut()
                .and_then(|s| s.sink.as_mut())
                .map(|s| s as &mut dyn Sink),
            self.gpio
                .as_mut()
                .and_then(|s| s.sink.as_mut())
                .map(|s| s as &mut dyn Sink),
        ];
        for sink in sinks.into_iter().flatten() {
            if let Err(error) = sink.leave() {
                eprintln!("warning: {error}");
            }
        }
    }
}
