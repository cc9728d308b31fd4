//! A light on a bench: time, inputs and the host's frames are given, outputs and messages are read.
//! Time runs in steps of one millisecond, as on the boards.

#![allow(dead_code, reason = "each test binary uses its own part of the bench")]

use core::num::NonZeroU8;

use andon_link::{
    Alarms, Buzzer, Configuration, Edge, Epoch, ErrorCode, HostMessage, HostState, Label, Lamps,
    LinkCounters, McuMessage, Mode, Outcome, Outputs, PartResult, Received, RecipeIndex, Refusal,
    Rejector, ResetCause, Sequence, Status, TriggerId, TriggerInput, Triggering, Unit, ValidFor,
    Verdict,
};
use andon_stacklight::{Boot, Instant, Light, Moment};

/// Places on the belt of the light under test.
pub const PLACES: usize = 6;

pub const EPOCH: Epoch = Epoch(7);
pub const ERROR: Verdict = Verdict::Error(ErrorCode(NonZeroU8::MIN));

/// From trigger to rejector, width of the pulse, and least distance of parts.
pub const DELAY: u32 = 500;
pub const WIDTH: u32 = 40;
pub const SPACING: u32 = 100;

pub fn part(number: u32) -> TriggerId {
    TriggerId {
        epoch: EPOCH,
        number,
    }
}

pub fn result(number: u32, verdict: Verdict) -> PartResult {
    PartResult {
        part: part(number),
        verdict,
        recipe: RecipeIndex(0),
    }
}

/// A ready host that has seen `seen` parts and shows `outcome`.
pub fn state(seen: u32, outcome: Outcome) -> HostState {
    HostState {
        lamps: Lamps::GREEN,
        buzzer: Buzzer::Silent,
        ready: true,
        seen: (seen > 0).then(|| part(seen)),
        outcome,
        valid_for: ValidFor::THREE_PERIODS,
    }
}

pub fn boot(reset: ResetCause) -> Boot {
    Boot {
        epoch: EPOCH,
        reset,
        revision: Label::default(),
        board: Label::default(),
    }
}

pub fn with_rejector(unit: Unit) -> Configuration {
    let rejector = Rejector::new(unit, DELAY, WIDTH, SPACING).unwrap();
    with_trigger(Some(rejector))
}

pub fn with_trigger(rejector: Option<Rejector>) -> Configuration {
    Configuration {
        triggering: Triggering::Input {
            input: TriggerInput {
                edge: Edge::Rising,
                debounce_ms: 0,
            },
            rejector,
        },
    }
}

pub struct Bench {
    pub light: Light<PLACES>,
    pub messages: Vec<McuMessage>,
    /// What a host that is alive repeats each 100 ms.
    pub alive: Option<HostState>,
    pub trigger: bool,
    pub button: bool,
    now: Moment,
    sequence: u16,
}

impl Bench {
    /// A light just after a reset.
    pub fn new(reset: ResetCause) -> Self {
        Self {
            light: Light::new(boot(reset), Moment::default()),
            messages: Vec::new(),
            alive: None,
            trigger: false,
            button: false,
            now: Moment::default(),
            sequence: 0,
        }
    }

    /// A light that is configured, whose host is there and ready, and whose belt is trusted: 700 ms
    /// after its reset.
    pub fn running(configuration: Configuration) -> Self {
        let mut bench = Self::new(ResetCause::PowerOn);
        bench.alive = Some(state(0, Outcome::Nothing));
        bench.host(HostMessage::Configure(configuration));
        bench.until(600);
        bench.now.position = i32::try_from(DELAY + WIDTH).unwrap();
        bench.until(700);
        assert_eq!(bench.light.mode(), Mode::Running);
        assert!(bench.outputs().ready && !bench.outputs().reject);
        bench
    }

    pub fn now(&self) -> u64 {
        self.now.at.as_ms()
    }

    pub fn outputs(&self) -> Outputs {
        self.light.poll_outputs()
    }

    pub fn alarms(&self) -> Alarms {
        self.light.alarms()
    }

    /// A message of the host arrives now.
    pub fn host(&mut self, message: HostMessage) {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = Sequence(self.sequence);
        self.frame(Ok(Received { sequence, message }));
    }

    /// The host says something new now, and repeats it from now on.
    pub fn says(&mut self, state: HostState) {
        self.alive = Some(state);
        self.host(HostMessage::State(state));
    }

    /// The verdict on a part arrives now.
    pub fn judges(&mut self, number: u32, verdict: Verdict) {
        self.host(HostMessage::Result(result(number, verdict)));
    }

    /// Anything arrives now.
    pub fn frame(&mut self, frame: Result<Received<HostMessage>, Refusal>) {
        self.light.handle_frame(frame, self.now);
        self.listen();
    }

    /// The belt has moved.
    pub fn moves(&mut self, ticks: i32) {
        self.now.position = self.now.position.wrapping_add(ticks);
        self.look();
    }

    /// A part passes the trigger now, for 10 ms.
    pub fn part_comes(&mut self) {
        self.trigger = true;
        self.look();
        self.until(self.now() + 10);
        self.trigger = false;
        self.look();
    }

    /// The button is pressed for 50 ms.
    pub fn press(&mut self) {
        self.button = true;
        self.until(self.now() + 50);
        self.button = false;
        self.until(self.now() + 50);
    }

    /// Lets time run, and gives the outputs of each millisecond.
    pub fn until(&mut self, ms: u64) -> Vec<(u64, Outputs)> {
        assert!(ms >= self.now(), "a timeline runs forwards");
        (self.now()..ms)
            .map(|_| {
                self.now.at = self.now.at.plus(1);
                if let Some(state) = self.alive
                    && self.now().is_multiple_of(100)
                {
                    self.host(HostMessage::State(state));
                }
                self.look();
                (self.now(), self.outputs())
            })
            .collect()
    }

    /// Time stands still for the loop and then is `ms`: the loop was held up.
    pub fn jump(&mut self, ms: u64) {
        self.now.at = Instant::from_ms(ms);
        self.look();
    }

    /// The newest status that was sent.
    pub fn status(&self) -> Status {
        self.messages
            .iter()
            .rev()
            .find_map(|message| match message {
                McuMessage::Status(status) => Some(status.clone()),
                _ => None,
            })
            .unwrap()
    }

    fn look(&mut self) {
        self.light
            .handle_inputs(self.trigger, self.button, self.now);
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(message) = self.light.poll_transmit(LinkCounters::default()) {
            self.messages.push(message);
        }
    }
}

/// The stretches of time in which something was on: first and last millisecond of each.
pub fn stretches(seen: &[(u64, Outputs)], on: impl Fn(&Outputs) -> bool) -> Vec<(u64, u64)> {
    let mut found: Vec<(u64, u64)> = Vec::new();
    for (ms, _) in seen.iter().filter(|(_, outputs)| on(outputs)) {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == *ms => *last = *ms,
            _ => found.push((*ms, *ms)),
        }
    }
    found
}
