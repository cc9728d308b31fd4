//! A light on a line of any bytes, with any inputs at any times: nothing panics, and what is shown
//! never contradicts itself. Each step takes four bytes: time, belt and inputs, what arrives, and
//! one to fill in.

#![no_main]

use core::num::NonZeroU8;

use andon_link::{
    Buzzer, Configuration, Edge, Epoch, ErrorCode, HostMessage, HostState, Label, Lamps,
    LinkCounters, Mode, Outcome, PartResult, Received, RecipeIndex, Refusal, Rejector, ResetCause,
    Sequence, Signal, TriggerId, TriggerInput, Triggering, Unit, ValidFor, Verdict,
};
use andon_stacklight::{Boot, Light, Moment};
use libfuzzer_sys::fuzz_target;

fn signal(bits: u8) -> Signal {
    match bits & 3 {
        0 => Signal::Dark,
        1 => Signal::Steady,
        _ => Signal::Flashing,
    }
}

fn verdict(bits: u8) -> Verdict {
    match bits & 3 {
        0 => Verdict::Ng,
        1 => Verdict::Error(ErrorCode(NonZeroU8::MIN)),
        _ => Verdict::Ok,
    }
}

fn part(number: u8) -> TriggerId {
    TriggerId {
        epoch: Epoch(u16::from(number == u8::MAX)),
        number: number.into(),
    }
}

fn message(what: u8, fill: u8) -> HostMessage {
    let result = PartResult {
        part: part(fill),
        verdict: verdict(what >> 4),
        recipe: RecipeIndex(0),
    };
    match what & 3 {
        0 => HostMessage::Result(result),
        1 | 2 => HostMessage::State(HostState {
            lamps: Lamps::new(
                signal(fill),
                signal(fill >> 2),
                signal(fill >> 4),
                signal(fill >> 6),
            )
            .unwrap_or(Lamps::GREEN),
            buzzer: Buzzer::Pulsed,
            ready: what & 4 != 0,
            seen: (what & 8 != 0).then(|| part(fill)),
            outcome: match what >> 6 {
                0 => Outcome::Nothing,
                1 => Outcome::Fault(ErrorCode(NonZeroU8::MIN)),
                2 => Outcome::Stream {
                    verdict: verdict(what >> 4),
                    recipe: RecipeIndex(0),
                },
                _ => Outcome::Part(result),
            },
            valid_for: ValidFor::THREE_PERIODS,
        }),
        _ => HostMessage::Configure(Configuration {
            triggering: if what & 4 == 0 {
                Triggering::FreeRunning
            } else {
                let unit = if what & 8 == 0 {
                    Unit::Milliseconds
                } else {
                    Unit::EncoderTicks
                };
                let distance = u32::from(fill) + 1;
                Triggering::Input {
                    input: TriggerInput {
                        edge: Edge::Rising,
                        debounce_ms: what >> 6,
                    },
                    rejector: Rejector::new(unit, distance * 4, distance, distance + 3).ok(),
                }
            },
        }),
    }
}

fuzz_target!(|steps: &[u8]| {
    let boot = Boot {
        epoch: Epoch(0),
        reset: ResetCause::Watchdog,
        revision: Label::default(),
        board: Label::default(),
    };
    let mut now = Moment::default();
    let mut light = Light::<4>::new(boot, now);
    for step in steps.chunks_exact(4) {
        let &[time, belt, what, fill] = step else {
            return;
        };
        now.at = now.at.plus((time >> 1).into());
        now.position = now
            .position
            .wrapping_add(i32::from(belt.cast_signed()) >> 2);
        match what {
            0..32 => {}
            32 => light.handle_frame(Err(Refusal::Checksum), now),
            33 => light.handle_frame(Err(Refusal::Version { theirs: 9 }), now),
            _ => {
                let received = Received {
                    sequence: Sequence(0),
                    message: message(what, fill),
                };
                light.handle_frame(Ok(received), now);
            }
        }
        light.handle_inputs(belt & 1 != 0, belt & 2 != 0, now);
        while light.poll_transmit(LinkCounters::default()).is_some() {}

        let shown = light.poll_outputs();
        let running = light.mode() == Mode::Running;
        assert!(!(shown.ok && (shown.ng || shown.error)));
        assert!(shown.ng || !shown.error);
        assert!(running || shown.ng && shown.error && !shown.ok && !shown.ready);
        assert!(light.poll_at() >= now.at);
    }
});
