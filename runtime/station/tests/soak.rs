//! 100 000 triggers and whatever can go wrong around them, at random from a seed: no trigger lost
//! or answered twice, none late, no OK from a frame that is old, damaged or from a faulty time,
//! never all dark, memory flat.

mod common;

use std::collections::HashMap;
use std::time::Duration;

use andon_link::{RecipeIndex, Verdict};
use andon_station::{
    Budget, Debounce, Event, Fault, FrameHealth, FrameSeen, Hold, Inspect, InspectionDone,
    Judgement, Measures, OnError, Output, PresenceSettings, Recipe, Settings, Severity, Source,
    State, Station, Threshold, Trigger,
};
use common::{check, id, is_ok, ms, settings};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Most outputs of one call: a few events, at most one order and a few results.
const MOST_OUTPUTS: usize = 12;

/// A station, and a witness that remembers what it was told.
struct World {
    dice: ChaCha8Rng,
    now: Duration,
    station: Station,
    deadline: Duration,
    sequence: u64,
    captured: Duration,
    /// Frames that were handed in fresh and sound, with the time they were captured.
    sound: HashMap<u64, Duration>,
    orders: Vec<Inspect>,
    /// Numbered triggers without a result.
    open: HashMap<u32, Duration>,
    next: u32,
    results: u64,
    faults: Vec<Fault>,
    raised: u64,
    recovered: u64,
    oks: u64,
    in_frame: u64,
}

impl World {
    fn new(seed: u64, settings: Settings) -> Self {
        Self {
            dice: ChaCha8Rng::seed_from_u64(seed),
            now: Duration::ZERO,
            deadline: settings.deadline,
            station: Station::new(settings).expect("the settings make sense"),
            sequence: 0,
            captured: Duration::ZERO,
            sound: HashMap::new(),
            orders: Vec::new(),
            open: HashMap::new(),
            next: 1,
            results: 0,
            faults: Vec::new(),
            raised: 0,
            recovered: 0,
            oks: 0,
            in_frame: 0,
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.dice.random_range(0.0..1.0) < share
    }

    fn call(&mut self, input: impl FnOnce(&mut Station, Duration)) {
        input(&mut self.station, self.now);
        let mut count = 0;
        while let Some(output) = self.station.poll_output() {
            count += 1;
            match output {
                Output::Inspect(order) => self.orders.push(order),
                Output::Show(outputs) => {
                    check(&outputs);
                    let blocked = self
                        .faults
                        .iter()
                        .any(|f| f.severity() != Severity::Degraded);
                    assert!(!(blocked && (outputs.ready || is_ok(&outputs))));
                }
                Output::Event(Event::FaultRaised { .. }) => self.raised += 1,
                Output::Event(Event::FaultRecovered { .. }) => self.recovered += 1,
                Output::Event(_) => {}
                Output::Result(record) => {
                    self.results += 1;
                    assert_eq!(
                        record.part.is_some(),
                        record.source == Source::Link,
                        "a result for a part of another source"
                    );
                    if let Some(part) = record.part {
                        let at = self.open.remove(&part.number);
                        let at = at.expect("an answer to an open trigger, once");
                        assert_eq!(at, record.triggered);
                    }
                    assert!(
                        record.latency <= self.deadline,
                        "late: {record:?} at {:?}",
                        self.now
                    );
                    if record.verdict == Verdict::Ok {
                        self.oks += 1;
                        let frame = record.frame.expect("OK of a frame");
                        let captured = self.sound.get(&frame);
                        let captured = captured.expect("OK of a frame that was fresh and sound");
                        assert!(*captured >= record.triggered, "OK of an old frame");
                        assert!(
                            self.faults
                                .iter()
                                .all(|f| f.severity() == Severity::Degraded),
                            "OK while {:?}",
                            self.faults
                        );
                    }
                }
            }
        }
        assert!(count <= MOST_OUTPUTS, "{count} outputs of one call");
    }

    /// Time passes, and the shell keeps the deadlines.
    fn pass(&mut self, time: Duration) {
        let then = self.now + time;
        while let Some(due) = self.station.poll_deadline().filter(|&due| due <= then) {
            self.now = due.max(self.now);
            self.call(|station, now| station.handle_tick(now));
        }
        self.now = then;
    }

    fn step(&mut self) {
        let step = self.dice.random_range(0..60);
        self.pass(ms(step));
        match self.dice.random_range(0..1000) {
            0..300 => self.trigger(),
            300..640 => self.frame(),
            640..900 => self.answer(),
            900..908 => self.fault(),
            908..950 => self.recovery(),
            950..980 => self.call(|station, now| station.handle_ack(now)),
            980..985 => {
                let recipe = Recipe::new(RecipeIndex(self.dice.random_range(1..4)));
                self.faults.retain(|&fault| fault != Fault::RecipeRefused);
                self.call(|station, now| station.handle_recipe_switch(now, recipe));
            }
            _ => {
                let odd = self.dice.random_range(0..40);
                self.call(|station, now| match odd {
                    0 => station.handle_challenge(now, "soak"),
                    _ => station.handle_tick(now.saturating_sub(ms(odd))),
                });
            }
        }
    }

    fn trigger(&mut self) {
        if self.chance(0.05) && self.next > 1 {
            // The MCU repeats itself.
            let again = Trigger::numbered(id(self.next - 1));
            return self.call(|station, now| station.handle_trigger(now, again));
        }
        let number = self.next;
        self.next += 1;
        // The edge may have been a little earlier than the word of it.
        let back = self.dice.random_range(0..40);
        let at = self.now.saturating_sub(ms(back));
        self.open.insert(number, at);
        let trigger = Trigger {
            at: Some(at),
            ..Trigger::numbered(id(number))
        };
        self.call(|station, now| station.handle_trigger(now, trigger));
    }

    fn frame(&mut self) {
        let kind = self.dice.random_range(0..20);
        let delay = self.dice.random_range(0..30);
        let mut seen = FrameSeen {
            sequence: self.sequence + 1,
            captured: self.now.saturating_sub(ms(delay)),
            health: FrameHealth::Sound,
            presence: Some(self.dice.random_range(0.0..30.0)),
        };
        match kind {
            0 => seen.sequence = self.sequence,
            1 => seen.sequence = self.sequence.saturating_sub(3),
            2 => seen.captured = self.captured,
            3 => seen.captured = self.captured.saturating_sub(ms(20)),
            4 => seen.captured = self.now + ms(500),
            5 => seen.health = FrameHealth::Corrupt,
            6 => seen.health = FrameHealth::Black,
            7 => seen.sequence = 0,
            _ => {}
        }
        let before = self.station.counters().frames;
        // A frame is judged during the call, so it must be known before.
        let known = self.sound.insert(seen.sequence, seen.captured);
        self.call(|station, now| station.handle_frame(now, seen));
        let after = self.station.counters().frames;
        if after.fresh > before.fresh {
            assert_eq!(seen.health, FrameHealth::Sound);
            assert!(seen.captured > self.captured && seen.captured <= self.now);
        } else {
            match known {
                Some(captured) => self.sound.insert(seen.sequence, captured),
                None => self.sound.remove(&seen.sequence),
            };
        }
        if after.stale == before.stale {
            self.sequence = seen.sequence;
            self.captured = seen.captured;
        }
        if self.sound.len() > 4096 {
            let old = self.now.saturating_sub(ms(10_000));
            self.sound.retain(|_, captured| *captured >= old);
        }
        self.in_frame += 1;
    }

    fn answer(&mut self) {
        let Some(&order) = self.orders.last() else {
            return;
        };
        // The newest order most of the time, else an old one, again.
        let pick = if self.chance(0.9) {
            order
        } else {
            self.orders[self.dice.random_range(0..self.orders.len())]
        };
        if self.orders.len() > 16 {
            self.orders.drain(..8);
        }
        let score = self.dice.random_range(0.0..1.5);
        let judgement = Judgement {
            good: score <= 1.0,
            score,
            regions: 0,
            recipe: pick.recipe,
            measures: Some(Measures {
                lighting: self.dice.random_range(3.0..3.2),
                focus: self.dice.random_range(-2.0..-1.8),
                shift_x_px: Some(self.dice.random_range(-1.0..1.0)),
                shift_y_px: None,
            }),
        };
        let (frame, outcome) = match self.dice.random_range(0..20) {
            0 => (pick.frame, Err("the network gave no numbers".to_owned())),
            1 => (pick.frame.wrapping_sub(1), Ok(judgement)),
            2 => (
                pick.frame,
                Ok(Judgement {
                    score: f32::NAN,
                    ..judgement
                }),
            ),
            3 => (
                pick.frame,
                Ok(Judgement {
                    recipe: RecipeIndex(77),
                    ..judgement
                }),
            ),
            _ => (pick.frame, Ok(judgement)),
        };
        let done = InspectionDone {
            job: pick.job,
            frame,
            outcome,
        };
        self.call(|station, now| station.handle_inspection(now, done));
    }

    fn fault(&mut self) {
        // Faults that the station finds by itself are left to it.
        let fault = loop {
            let fault = Fault::ALL[self.dice.random_range(0..Fault::ALL.len())];
            if !matches!(fault, Fault::CameraStalled | Fault::InspectorStuck) {
                break fault;
            }
        };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
        self.call(|station, now| station.handle_fault(now, fault));
    }

    fn recovery(&mut self) {
        if self.faults.is_empty() {
            return;
        }
        let fault = self
            .faults
            .swap_remove(self.dice.random_range(0..self.faults.len()));
        self.call(|station, now| station.handle_recovery(now, fault));
    }

    /// Everything that the station keeps, as text: its length follows its memory.
    fn footprint(&self) -> usize {
        format!("{:?}", self.station).len()
    }
}

fn soak(seed: u64, settings: Settings, triggers: u64) {
    let mut world = World::new(seed, settings);
    world.call(Station::handle_start);
    let mut early = 0;
    while world.station.counters().triggers < triggers {
        world.step();
        if early == 0 && world.station.counters().triggers > triggers / 50 {
            early = world.footprint();
        }
    }
    let late = world.footprint();
    assert!(late < early + early / 2 + 2000, "from {early} to {late}");
    world.call(Station::handle_stop);
    world.pass(ms(10_000));
    assert!(
        world.open.is_empty(),
        "{} triggers without a result",
        world.open.len()
    );
    assert_eq!(world.station.state(), State::Preoperational);
    let counters = world.station.counters();
    assert_eq!(counters.answered(), counters.triggers);
    assert_eq!(world.results, counters.triggers);
    // The soak reached what it is for.
    assert!(counters.ok > triggers / 100 && counters.ok <= world.oks);
    for count in [
        counters.ng,
        counters.errors,
        counters.skipped,
        counters.challenges,
    ] {
        assert!(count > 0, "{counters:?}");
    }
    let frames = counters.frames;
    assert!(frames.stale > 0 && frames.damaged > 0 && frames.skipped > 0);
    assert_eq!(frames.fresh + frames.stale + frames.damaged, world.in_frame);
    let sum = |of: fn(andon_station::FaultStatus) -> u64| -> u64 {
        Fault::ALL.iter().map(|&f| of(world.station.fault(f))).sum()
    };
    assert_eq!(
        (sum(|f| f.raised), sum(|f| f.recovered)),
        (world.raised, world.recovered)
    );
    println!("seed {seed}: {counters:?}, recoveries {}", world.recovered);
}

#[test]
fn a_triggered_station_survives_100_000_triggers_on_bad_days() {
    let settings = Settings {
        budget: Budget {
            recoveries: 20,
            within: ms(60_000),
        },
        alarm: Debounce::For(ms(3000)),
        ..settings()
    };
    soak(1, settings, 100_000);
}

#[test]
fn a_station_that_waits_to_be_read_survives_too() {
    let settings = Settings {
        hold: Hold::UntilAck,
        on_error: OnError::Block,
        frame_timeout: Some(ms(1000)),
        ..settings()
    };
    soak(2, settings, 30_000);
}

#[test]
fn a_free_running_station_survives_too() {
    let presence = PresenceSettings {
        threshold: Threshold::Given { on: 10.0, off: 5.0 },
        settle: ms(0),
        gap: ms(0),
    };
    let settings = Settings {
        budget: Budget {
            recoveries: 20,
            within: ms(60_000),
        },
        ..Settings::free_running(RecipeIndex(1), presence)
    };
    soak(3, settings, 30_000);
}
