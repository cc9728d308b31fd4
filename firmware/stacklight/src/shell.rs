//! The loop around the logic, for any board: bytes from the port, levels from the pins, the
//! outputs back to the pins, frames back to the port, the watchdog last. It waits for nothing.

use andon_link::{Frame, HostMessage, Receiver, Transmitter};
use embedded_hal::digital::{InputPin, OutputPin};
use embedded_io::{Read, ReadReady, Write, WriteReady};

use crate::light::Light;
use crate::moment::{Instant, Moment};
use crate::watchdog::{Feeder, Stage, Watchdog};

/// Most bytes that one turn reads, so that noise cannot keep the loop from its pins.
const READ_PER_TURN: usize = 32;

/// The output pins, each high when its output is on. Boards erase the type of each pin, or wrap
/// one that is active low.
#[derive(Debug)]
pub struct OutputPins<P> {
    /// Red lamp.
    pub red: P,
    /// Amber lamp.
    pub amber: P,
    /// Green lamp.
    pub green: P,
    /// Blue lamp.
    pub blue: P,
    /// Buzzer.
    pub buzzer: P,
    /// Trigger Ready.
    pub ready: P,
    /// Results Ready.
    pub results_ready: P,
    /// OK.
    pub ok: P,
    /// NG.
    pub ng: P,
    /// Error.
    pub error: P,
    /// Rejector.
    pub reject: P,
}

impl<P: OutputPin> OutputPins<P> {
    /// Drives every pin, OK first when it falls and last when it rises: at no moment is OK on
    /// together with a line that contradicts it.
    fn drive(&mut self, outputs: &andon_link::Outputs) -> Result<(), P::Error> {
        if !outputs.ok {
            self.ok.set_low()?;
        }
        for (pin, on) in [
            (&mut self.ng, outputs.ng),
            (&mut self.error, outputs.error),
            (&mut self.reject, outputs.reject),
            (&mut self.ready, outputs.ready),
            (&mut self.red, outputs.red),
            (&mut self.amber, outputs.amber),
            (&mut self.green, outputs.green),
            (&mut self.blue, outputs.blue),
            (&mut self.buzzer, outputs.buzzer),
        ] {
            pin.set_state(on.into())?;
        }
        if outputs.ok {
            self.ok.set_high()?;
        }
        self.results_ready.set_state(outputs.results_ready.into())
    }
}

/// The input pins, each high when its input is on. Boards wrap one that is active low.
#[derive(Debug)]
pub struct InputPins<I> {
    /// Trigger input.
    pub trigger: I,
    /// Acknowledge button.
    pub button: I,
}

/// The belt's encoder.
pub trait Encoder {
    /// Ticks so far; wraps, and falls while the belt runs backwards.
    fn position(&mut self) -> i32;
}

/// A belt without encoder.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEncoder;

impl Encoder for NoEncoder {
    fn position(&mut self) -> i32 {
        0
    }
}

/// A light with its board: output pins `P`, input pins `I`, port `S`, encoder `E`, watchdog `W`,
/// and room for `N` parts.
#[derive(Debug)]
pub struct Shell<P, I, S, E, W, const N: usize> {
    light: Light<N>,
    outputs: OutputPins<P>,
    inputs: InputPins<I>,
    port: S,
    encoder: E,
    watchdog: W,
    receiver: Receiver<HostMessage>,
    transmitter: Transmitter,
    outgoing: Frame,
    sent: usize,
    feeder: Feeder,
}

impl<P, I, S, E, W, const N: usize> Shell<P, I, S, E, W, N>
where
    P: OutputPin,
    I: InputPin,
    S: Read + ReadReady + Write + WriteReady,
    E: Encoder,
    W: Watchdog,
{
    /// Puts a light onto its board.
    pub fn new(
        light: Light<N>,
        outputs: OutputPins<P>,
        inputs: InputPins<I>,
        port: S,
        encoder: E,
        watchdog: W,
    ) -> Self {
        Self {
            light,
            outputs,
            inputs,
            port,
            encoder,
            watchdog,
            receiver: Receiver::new(),
            transmitter: Transmitter::new(),
            outgoing: Frame::default(),
            sent: 0,
            feeder: Feeder::new(),
        }
    }

    /// One turn of the loop at time `at`. Never waits; to be called again at once, since pulses are
    /// as punctual as the turns are frequent.
    ///
    /// A pin or a port that fails is not reported: the stage then made no progress, the watchdog
    /// starves, and the reset leaves the light in its host-lost pattern.
    pub fn turn(&mut self, at: Instant) {
        let now = Moment {
            at,
            position: self.encoder.position(),
        };
        self.receive(now);
        if let (Ok(trigger), Ok(button)) =
            (self.inputs.trigger.is_high(), self.inputs.button.is_high())
        {
            self.light.handle_inputs(trigger, button, now);
            self.feeder.done(Stage::Logic);
        }
        if self.outputs.drive(&self.light.poll_outputs()).is_ok() {
            self.feeder.done(Stage::Drive);
        }
        self.send();
        if self.feeder.poll(at) {
            self.watchdog.feed();
        }
    }

    /// The light, to look at.
    pub const fn light(&self) -> &Light<N> {
        &self.light
    }

    fn receive(&mut self, now: Moment) {
        for _ in 0..READ_PER_TURN {
            match self.port.read_ready() {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    self.receiver.interrupt();
                    break;
                }
            }
            let mut byte = [0];
            match self.port.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => {
                    let [byte] = byte;
                    if let Some(frame) = self.receiver.push(byte) {
                        self.light.handle_frame(frame, now);
                    }
                }
                Err(_) => self.receiver.interrupt(),
            }
        }
        self.feeder.done(Stage::Receive);
    }

    fn send(&mut self) {
        loop {
            let rest = self
                .outgoing
                .as_bytes()
                .get(self.sent..)
                .unwrap_or_default();
            if rest.is_empty() {
                match self.light.poll_transmit(self.receiver.counters()) {
                    Some(message) => {
                        (_, self.outgoing) = self.transmitter.frame(&message);
                        self.sent = 0;
                        continue;
                    }
                    None => return self.feeder.done(Stage::Send),
                }
            }
            match self.port.write_ready() {
                Ok(true) => {}
                _ => return,
            }
            match self.port.write(rest) {
                Ok(0) | Err(_) => return,
                Ok(written) => {
                    self.sent = self.sent.saturating_add(written);
                    self.feeder.done(Stage::Send);
                }
            }
        }
    }
}
