//! A station on a bench: times are milliseconds, everything that comes out is kept, and two rules
//! hold at every moment whatever a test does.

#![allow(dead_code, reason = "no test file uses all of it")]

use std::time::Duration;

use andon_link::{Epoch, Outcome, RecipeIndex, Signal, TriggerId, Verdict};
use andon_station::{
    Event, FrameHealth, FrameSeen, Inspect, InspectionDone, Judgement, Output, Outputs, PartRecord,
    Settings, Source, State, Station, Trigger,
};

pub const RECIPE: RecipeIndex = RecipeIndex(1);

pub fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

pub fn settings() -> Settings {
    Settings::triggered(RECIPE)
}

/// Part `number` as the MCU counts.
pub fn id(number: u32) -> TriggerId {
    TriggerId {
        epoch: Epoch(7),
        number,
    }
}

pub fn frame(sequence: u64, captured: u64) -> FrameSeen {
    FrameSeen {
        sequence,
        captured: ms(captured),
        health: FrameHealth::Sound,
        presence: None,
    }
}

pub fn judgement(good: bool) -> Judgement {
    Judgement {
        good,
        score: if good { 0.4 } else { 1.75 },
        regions: u32::from(!good),
        recipe: RECIPE,
        measures: None,
    }
}

pub struct Bench {
    pub station: Station,
    pub shown: Outputs,
    pub shows: usize,
    /// Of these, with OK energised.
    pub oks_shown: usize,
    pub orders: Vec<Inspect>,
    pub results: Vec<PartRecord>,
    pub events: Vec<Event>,
}

impl Bench {
    /// Not started.
    pub fn new(settings: Settings) -> Self {
        let station = Station::new(settings).expect("these settings make sense");
        let mut bench = Self {
            shown: station.outputs(),
            station,
            shows: 0,
            oks_shown: 0,
            orders: Vec::new(),
            results: Vec::new(),
            events: Vec::new(),
        };
        bench.drain();
        bench
    }

    /// Started at 0.
    pub fn started(settings: Settings) -> Self {
        let mut bench = Self::new(settings);
        bench.call(|station| station.handle_start(ms(0)));
        bench
    }

    pub fn call(&mut self, input: impl FnOnce(&mut Station)) {
        input(&mut self.station);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.station.poll_output() {
            match output {
                Output::Inspect(order) => self.orders.push(order),
                Output::Result(record) => self.results.push(record),
                Output::Event(event) => self.events.push(event),
                Output::Show(outputs) => {
                    check(&outputs);
                    self.shows += 1;
                    self.oks_shown += usize::from(is_ok(&outputs));
                    self.shown = outputs;
                }
            }
        }
        assert_eq!(self.shown, self.station.outputs(), "a change was not shown");
    }

    pub fn tick(&mut self, at: u64) {
        self.call(|station| station.handle_tick(ms(at)));
    }

    /// Ticks as the deadlines ask, up to `until`.
    pub fn run_until(&mut self, until: u64) {
        while let Some(at) = self.station.poll_deadline().filter(|&at| at <= ms(until)) {
            self.call(|station| station.handle_tick(at));
        }
        self.tick(until);
    }

    pub fn trigger(&mut self, at: u64) {
        self.call(|station| station.handle_trigger(ms(at), Trigger::new(Source::Input)));
    }

    pub fn numbered(&mut self, at: u64, number: u32) {
        self.call(|station| station.handle_trigger(ms(at), Trigger::numbered(id(number))));
    }

    pub fn frame(&mut self, at: u64, frame: FrameSeen) {
        self.call(|station| station.handle_frame(ms(at), frame));
    }

    /// Answers the newest order.
    pub fn answer(&mut self, at: u64, outcome: Result<Judgement, String>) {
        let order = *self.orders.last().expect("an order is out");
        let done = InspectionDone {
            job: order.job,
            frame: order.frame,
            outcome,
        };
        self.call(|station| station.handle_inspection(ms(at), done));
    }

    /// A whole part: trigger, frame 10 ms and answer 100 ms later. Frames are numbered by time.
    pub fn part(&mut self, at: u64, good: bool) {
        self.trigger(at);
        self.frame(at + 10, frame(at + 10, at + 10));
        let recipe = self.orders.last().expect("an order is out").recipe;
        let judgement = Judgement {
            recipe,
            ..judgement(good)
        };
        self.answer(at + 100, Ok(judgement));
    }

    pub fn ack(&mut self, at: u64) {
        self.call(|station| station.handle_ack(ms(at)));
    }

    pub fn last(&self) -> &PartRecord {
        self.results.last().expect("a part has its result")
    }

    pub fn lamps(&self) -> [Signal; 4] {
        let lamps = self.shown.lamps;
        [lamps.red(), lamps.amber(), lamps.green(), lamps.blue()]
    }
}

/// What holds for every set of outputs.
pub fn check(outputs: &Outputs) {
    let lamps = outputs.lamps;
    let lit = [lamps.red(), lamps.amber(), lamps.green(), lamps.blue()];
    assert!(lit.iter().any(|&lamp| lamp != Signal::Dark), "all dark");
    let working = matches!(
        outputs.state,
        State::Ready | State::SingleExecution | State::ContinuousExecution
    );
    assert!(
        lamps.green() == Signal::Dark || working,
        "green in {:?}",
        outputs.state
    );
    assert_ne!(lamps.green(), Signal::Flashing);
    if outputs.state == State::Error {
        assert_ne!(lamps.red(), Signal::Dark, "an error without red");
        assert!(!is_ok(outputs), "OK while nothing can be judged");
    }
    assert!(!(outputs.ready && outputs.state == State::Error));
}

pub fn is_ok(outputs: &Outputs) -> bool {
    match outputs.outcome {
        Outcome::Part(part) => part.verdict == Verdict::Ok,
        Outcome::Stream { verdict, .. } => verdict == Verdict::Ok,
        Outcome::Nothing | Outcome::Fault(_) => false,
    }
}
