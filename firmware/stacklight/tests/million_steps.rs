//! Random lives of a light against a reference model that keeps the whole history and asks, at each
//! step, what may be shown. At least a million steps a run; a life that fails is shrunk to the
//! fewest steps that show the fault.
//!
//! What must hold: OK never without a fresh, valid OK for the very part; the rejector never strikes
//! where no bad part is, and never stays still where one is; the lamps are never dark for longer
//! than the dark half of a flash.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

mod bench;
mod model;

use core::cell::Cell;

use andon_link::{
    Admission, Configuration, HostMessage, LinkCounters, McuMessage, Outcome, Received, Refusal,
    ResetCause, Sequence, Status,
};
use andon_stacklight::{Light, Moment};
use model::{Configured, Life};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Lives, and steps of the longest; on average a life has half of that.
const LIVES: u32 = 800;
const LONGEST: usize = 3000;

/// One step of a life: something happens, or only time passes.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes, and the belt moves.
    Wait { ms: u8, ticks: i8 },
    /// Nothing arrives for so many tens of milliseconds: longer than any state is valid.
    Silence { tens: u8 },
    /// The trigger input changes.
    Trigger,
    /// The button changes.
    Button,
    /// A state of the host arrives. It speaks of a part so many before the newest.
    State {
        about: About,
        verdict: u8,
        ready: bool,
        caught_up: bool,
        lamps: u8,
        valid_for: u16,
    },
    /// A result arrives.
    Result { about: About, verdict: u8 },
    /// A state that calls the newest part good, as a host that is well would send.
    Good,
    /// A frame is lost or damaged on the way.
    Noise,
    /// A frame of another version arrives.
    Foreign,
    /// The host sets up the light.
    Configure(Configured),
    /// The supply dips.
    Reset,
}

/// Which part a frame is about.
#[derive(Clone, Copy, Debug)]
struct About {
    /// So many before the newest; one more than the newest is a part that never came.
    back: i8,
    /// A part of the life before the reset.
    old_life: bool,
}

fn about() -> impl Strategy<Value = About> {
    (
        prop_oneof![6 => Just(0i8), 3 => 1i8..4, 1 => -1i8..9],
        prop::bool::weighted(0.05),
    )
        .prop_map(|(back, old_life)| About { back, old_life })
}

fn configured() -> impl Strategy<Value = Configured> {
    prop_oneof![
        1 => Just(Configured::FreeRunning),
        1 => Just(Configured::NoRejector),
        4 => (20u32..400, 13u32..60, 0u32..40).prop_map(|(delay, width, more)| Configured::ByTime {
            delay,
            width,
            spacing: width + more
        }),
        4 => (20u32..400, 5u32..60, 0u32..40).prop_map(|(delay, width, more)| {
            Configured::ByEncoder { delay, width, spacing: width + more }
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let valid_for = prop_oneof![3 => Just(300u16), 1 => 20u16..=400];
    prop_oneof![
        // Less than the narrowest pulse, as a turn of the loop is.
        400 => (1u8..=12, -2i8..=4).prop_map(|(ms, ticks)| Step::Wait { ms, ticks }),
        2 => (1u8..100).prop_map(|tens| Step::Silence { tens }),
        100 => Just(Step::Trigger),
        10 => Just(Step::Button),
        60 => (about(), 0u8..4, any::<bool>(), prop::bool::weighted(0.9), 1u8..81, valid_for)
            .prop_map(|(about, verdict, ready, caught_up, lamps, valid_for)| Step::State {
                about, verdict, ready, caught_up, lamps, valid_for
            }),
        100 => (about(), 0u8..6).prop_map(|(about, verdict)| Step::Result { about, verdict }),
        100 => Just(Step::Good),
        30 => Just(Step::Noise),
        2 => Just(Step::Foreign),
        4 => configured().prop_map(Step::Configure),
        1 => Just(Step::Reset),
    ]
}

/// A light beside its model.
struct Pair {
    light: Light<{ bench::PLACES }>,
    life: Life,
    now: Moment,
    trigger: bool,
    button: bool,
    status: Option<Status>,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            light: Light::new(bench::boot(ResetCause::PowerOn), Moment::default()),
            life: Life::new(bench::EPOCH),
            now: Moment::default(),
            trigger: false,
            button: false,
            status: None,
        };
        pair.arrive(HostMessage::Configure(Configured::DEFAULT.configuration()));
        pair
    }

    fn arrive(&mut self, message: HostMessage) {
        self.life.host(&message, self.now);
        let sequence = Sequence(0);
        self.light
            .handle_frame(Ok(Received { sequence, message }), self.now);
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Wait { ms, ticks } => {
                self.now.at = self.now.at.plus(ms.into());
                self.now.position = self.now.position.wrapping_add(ticks.into());
            }
            Step::Silence { tens } => {
                for _ in 0..tens {
                    self.take(&Step::Wait { ms: 10, ticks: 0 });
                }
            }
            Step::Trigger => self.trigger = !self.trigger,
            Step::Button => self.button = !self.button,
            Step::State {
                about,
                verdict,
                ready,
                caught_up,
                lamps,
                valid_for,
            } => {
                let state = self
                    .life
                    .state(about, verdict, ready, caught_up, lamps, valid_for);
                self.arrive(HostMessage::State(state));
            }
            Step::Result { about, verdict } => {
                let result = self.life.result(about, verdict);
                self.arrive(HostMessage::Result(result));
            }
            Step::Good => {
                let about = About {
                    back: 0,
                    old_life: false,
                };
                let state = self.life.state(about, 0, true, true, 9, 300);
                self.arrive(HostMessage::State(state));
            }
            Step::Noise => self.light.handle_frame(Err(Refusal::Checksum), self.now),
            Step::Foreign => {
                let refusal = Refusal::Version { theirs: 9 };
                self.light.handle_frame(Err(refusal), self.now);
            }
            Step::Configure(configured) => {
                self.arrive(HostMessage::Configure(configured.configuration()));
            }
            Step::Reset => {
                let epoch = self.life.next_epoch();
                self.life.reset(epoch, self.now);
                let boot = andon_stacklight::Boot {
                    epoch,
                    ..bench::boot(ResetCause::BrownOut)
                };
                self.light = Light::new(boot, self.now);
                self.status = None;
            }
        }
        self.light
            .handle_inputs(self.trigger, self.button, self.now);
        self.life.inputs(self.trigger, self.now);
        while let Some(message) = self.light.poll_transmit(LinkCounters::default()) {
            match message {
                McuMessage::Trigger(edge) => {
                    let taken = edge.admission == Admission::Taken;
                    self.life.admitted(edge.part, taken);
                }
                McuMessage::Status(status) => self.status = Some(status),
                _ => {}
            }
        }
        self.life
            .check(&self.light.poll_outputs(), self.light.mode(), self.now);
    }
}

#[test]
fn in_a_million_random_steps_no_wrong_part_is_ok_or_struck_and_no_light_is_dark() {
    let taken = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: LIVES,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    // Of any length up to the longest, since only such a list can be shrunk by leaving steps out.
    let lives = prop::collection::vec(step(), 1..=LONGEST);
    let outcome = runner.run(&lives, |steps| {
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step);
        }
        taken.set(taken.get() + steps.len());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    println!("{} steps in {LIVES} lives", taken.get());
    assert!(taken.get() >= 1_000_000, "only {} steps", taken.get());
}

/// The random lives reach what they are meant to test: without this, a strategy that never shows an
/// OK would pass everything.
#[test]
fn the_random_lives_see_ok_strikes_and_passes() {
    let mut runner = TestRunner::deterministic();
    let lives = prop::collection::vec(step(), LONGEST);
    let mut seen = model::Seen::default();
    for _ in 0..20 {
        let steps = lives.new_tree(&mut runner).unwrap().current();
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step);
        }
        seen.add(pair.life.seen());
    }
    assert!(seen.ok > 500, "{seen:?}");
    assert!(seen.ready > 500, "{seen:?}");
    assert!(seen.strikes > 500, "{seen:?}");
    assert!(seen.passed > 50, "{seen:?}");
    assert!(seen.too_late > 20, "{seen:?}");
    assert!(seen.host_lost > 100, "{seen:?}");
    println!("{seen:?}");
}

impl Life {
    fn state(
        &self,
        about: About,
        verdict: u8,
        ready: bool,
        caught_up: bool,
        lamps: u8,
        valid_for: u16,
    ) -> andon_link::HostState {
        let outcome = match verdict {
            3 => Outcome::Nothing,
            _ if self.is_free_running() => Outcome::Stream {
                verdict: model::verdict(verdict),
                recipe: andon_link::RecipeIndex(0),
            },
            _ => Outcome::Part(self.result(about, verdict)),
        };
        let seen = self.newest().map(|newest| andon_link::TriggerId {
            number: newest.number.wrapping_sub(u32::from(!caught_up)),
            ..newest
        });
        andon_link::HostState {
            lamps: model::lamps(lamps),
            buzzer: andon_link::Buzzer::Silent,
            ready,
            seen,
            outcome,
            valid_for: andon_link::ValidFor::from_ms(valid_for).unwrap(),
        }
    }

    fn result(&self, about: About, verdict: u8) -> andon_link::PartResult {
        andon_link::PartResult {
            part: self.part(about.back.into(), about.old_life),
            verdict: model::verdict(verdict),
            recipe: andon_link::RecipeIndex(0),
        }
    }
}

impl Configured {
    fn configuration(self) -> Configuration {
        use andon_link::{Rejector, Triggering, Unit};
        let by = |unit, delay, width, spacing| {
            bench::with_trigger(Some(Rejector::new(unit, delay, width, spacing).unwrap()))
        };
        match self {
            Self::FreeRunning => Configuration {
                triggering: Triggering::FreeRunning,
            },
            Self::NoRejector => bench::with_trigger(None),
            Self::ByTime {
                delay,
                width,
                spacing,
            } => by(Unit::Milliseconds, delay, width, spacing),
            Self::ByEncoder {
                delay,
                width,
                spacing,
            } => by(Unit::EncoderTicks, delay, width, spacing),
        }
    }
}
