//! What the tests share: the state of a station, and an MCU that runs the firmware's own logic.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::num::NonZeroU8;
use std::time::Duration;

use andon_alert::{LightSettings, Shown};
use andon_link::{
    Buzzer, Configuration, Edge, Epoch, ErrorCode, HostMessage, Label, Lamps, McuMessage, Outcome,
    PartResult, Receiver, RecipeIndex, ResetCause, Transmitter, TriggerId, TriggerInput,
    Triggering, Verdict,
};
use andon_stacklight::{Boot, Instant, Light, Moment};
use andon_station::{Outputs, State};

pub const ERROR: Verdict = Verdict::Error(ErrorCode(NonZeroU8::new(3).unwrap()));

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub const fn part(epoch: u16, number: u32) -> TriggerId {
    TriggerId {
        epoch: Epoch(epoch),
        number,
    }
}

pub const fn result(part: TriggerId, verdict: Verdict) -> PartResult {
    PartResult {
        part,
        verdict,
        recipe: RecipeIndex(0),
    }
}

/// A station that is ready, shows green, and has no result.
pub fn outputs() -> Outputs {
    Outputs {
        state: State::Ready,
        lamps: Lamps::GREEN,
        buzzer: Buzzer::Silent,
        ready: true,
        results_ready: false,
        outcome: Outcome::Nothing,
        error: None,
        seen: None,
        recipe: RecipeIndex(0),
    }
}

/// A station whose last part came to `verdict`.
pub fn judged(verdict: Verdict) -> Outputs {
    Outputs {
        results_ready: true,
        outcome: Outcome::Stream {
            verdict,
            recipe: RecipeIndex(0),
        },
        ..outputs()
    }
}

pub const fn fresh(outputs: &Outputs, now: Duration) -> Shown<'_> {
    Shown {
        outputs,
        now,
        progress_age: Duration::ZERO,
    }
}

pub fn settings() -> LightSettings {
    LightSettings::new(Configuration {
        triggering: Triggering::Input {
            input: TriggerInput {
                edge: Edge::Rising,
                debounce_ms: 0,
            },
            rejector: None,
        },
    })
}

/// An MCU: the firmware's logic between the two ends of its line.
pub struct Mcu {
    pub light: Light<6>,
    receiver: Receiver<HostMessage>,
    transmitter: Transmitter,
    /// Milliseconds since its reset.
    pub uptime: u64,
    pub trigger: bool,
    pub button: bool,
    /// Messages from the host, by kind of interest to the tests.
    pub states: u32,
    pub configurations: u32,
}

impl Mcu {
    pub fn new(epoch: u16, reset: ResetCause) -> Self {
        let boot = Boot {
            epoch: Epoch(epoch),
            reset,
            revision: Label::try_from("test").unwrap(),
            board: Label::default(),
        };
        Self {
            light: Light::new(boot, Moment::default()),
            receiver: Receiver::new(),
            transmitter: Transmitter::new(),
            uptime: 0,
            trigger: false,
            button: false,
            states: 0,
            configurations: 0,
        }
    }

    fn now(&self) -> Moment {
        Moment {
            at: Instant::from_ms(self.uptime),
            position: 0,
        }
    }

    pub fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(frame) = self.receiver.push(*byte) {
                match &frame {
                    Ok(received) if matches!(received.message, HostMessage::State(_)) => {
                        self.states += 1;
                    }
                    Ok(received) if matches!(received.message, HostMessage::Configure(_)) => {
                        self.configurations += 1;
                    }
                    _ => {}
                }
                self.light.handle_frame(frame, self.now());
            }
        }
    }

    /// Goes on to `uptime`; what it says, message by message.
    pub fn turn(&mut self, uptime: u64) -> Vec<(McuMessage, Vec<u8>)> {
        self.uptime = uptime;
        let now = self.now();
        self.light.handle_inputs(self.trigger, self.button, now);
        let mut said = Vec::new();
        while let Some(message) = self.light.poll_transmit(self.receiver.counters()) {
            let frame = self.transmitter.frame(&message).1;
            said.push((message, frame.as_bytes().to_vec()));
        }
        said
    }
}
