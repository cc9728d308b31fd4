//! The state of the light and what its inputs do to it. What it shows is in `show`, what it tells
//! the host in `tell`; neither changes anything here but what was told.

use andon_link::{
    Acknowledge, Admission, Answer, Configuration, Edge, Epoch, HostMessage, HostState, Label,
    LineCounters, Mode, Outcome, Received, Refusal, Rejector, ResetCause, STATE_PERIOD_MS,
    Sequence, TriggerEdge, TriggerId, Triggering, Verdict,
};

use crate::belt::{Belt, Fate, record};
use crate::debounce::Debounced;
use crate::lamps::Flasher;
use crate::moment::{Instant, Moment};
use crate::tell::{Event, Events};
use crate::trace::{Trace, TraceEvent};

/// How long the acknowledge button must stay before a press or a release counts.
pub const BUTTON_DEBOUNCE_MS: u32 = 30;

/// How long the acknowledge button must be down to be called stuck.
pub const STUCK_MS: u32 = 10_000;

/// How long a trigger that was not taken is shown.
pub const UNTAKEN_SHOWN_MS: u32 = 2000;

/// How long a protocol version that is not ours is shown after its last frame.
pub const FOREIGN_SHOWN_MS: u32 = 1000;

/// How many events the trace keeps.
pub const TRACED: usize = 16;

/// What a board knows about itself when it starts.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Differs from the epoch of the life before.
    pub epoch: Epoch,
    /// Why this life began.
    pub reset: ResetCause,
    /// Which firmware this is.
    pub revision: Label,
    /// Which board it was built for.
    pub board: Label,
}

/// The newest part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    pub number: u32,
    pub fate: Fate,
}

/// A host's state, and until when it may be believed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh {
    pub state: HostState,
    pub until: Instant,
}

/// A stack light with room for `N` parts between trigger and rejector. See the crate's
/// documentation for the order of calls.
#[derive(Debug)]
pub struct Light<const N: usize> {
    pub(crate) boot: Boot,
    pub(crate) now: Moment,
    pub(crate) host: Option<Fresh>,
    /// The other version that was heard, and until when it is shown.
    foreign: Option<(u8, Instant)>,
    pub(crate) configuration: Option<Configuration>,
    pub(crate) trigger: Debounced,
    pub(crate) button: Debounced,
    down_since: Option<Instant>,
    pub(crate) belt: Belt<N>,
    /// Where parts can be told apart from: the newest trigger, or the latest configuration.
    last_mark: Moment,
    pub(crate) newest: Option<Newest>,
    untaken_at: Option<Instant>,
    unexpected_reset: bool,
    missed: bool,
    striking: bool,
    pub(crate) acknowledgements: u16,
    pub(crate) flasher: Flasher,
    pub(crate) events: Events,
    pub(crate) status_at: Instant,
    pub(crate) echo: Option<Sequence>,
    pub(crate) counters: LineCounters,
    trace: Trace<TRACED>,
    traced_mode: Mode,
}

impl<const N: usize> Light<N> {
    /// A light just after reset.
    #[must_use]
    pub fn new(boot: Boot, now: Moment) -> Self {
        // Nothing in the firmware restarts it by intent: a reset by software is a fault handler's.
        let unexpected = matches!(
            boot.reset,
            ResetCause::Watchdog | ResetCause::BrownOut | ResetCause::Software
        );
        let mut light = Self {
            boot,
            now,
            host: None,
            foreign: None,
            configuration: None,
            trigger: Debounced::new(0),
            button: Debounced::new(BUTTON_DEBOUNCE_MS),
            down_since: None,
            belt: Belt::new(),
            last_mark: now,
            newest: None,
            untaken_at: None,
            unexpected_reset: unexpected,
            missed: false,
            striking: false,
            acknowledgements: 0,
            flasher: Flasher::new(now.at),
            events: Events::new(),
            status_at: now.at.plus(STATE_PERIOD_MS),
            echo: None,
            counters: LineCounters::default(),
            trace: Trace::new(),
            traced_mode: Mode::HostLost,
        };
        light.tell(Event::Identity(None));
        light
    }

    /// Takes what the receiver made of the bytes between two delimiters.
    pub fn handle_frame(&mut self, frame: Result<Received<HostMessage>, Refusal>, now: Moment) {
        self.advance(now);
        match frame {
            Ok(Received { sequence, message }) => {
                self.echo = Some(sequence);
                self.handle_message(sequence, message);
            }
            Err(Refusal::Version { theirs }) => {
                self.foreign = Some((theirs, self.now.at.plus(FOREIGN_SHOWN_MS)));
            }
            // Noise; the receiver has counted it, and the host's state lapses if it goes on.
            Err(_) => {}
        }
        self.settle();
    }

    fn handle_message(&mut self, sequence: Sequence, message: HostMessage) {
        match message {
            HostMessage::State(state) => {
                let until = self.now.at.plus(state.valid_for.as_ms().into());
                self.host = Some(Fresh { state, until });
                self.foreign = None;
                self.status_at = self.now.at;
                if let Outcome::Part(result) = state.outcome {
                    // Repeated every period, so it would flood the trace; what it changes is traced.
                    self.record(result.part, result.verdict);
                }
            }
            HostMessage::Result(result) => {
                let answer = self.record(result.part, result.verdict);
                self.note(TraceEvent::Verdict {
                    number: result.part.number,
                    good: result.verdict == Verdict::Ok,
                    answer,
                });
                self.tell(Event::Reply(sequence, answer));
            }
            HostMessage::Configure(configuration) => {
                if self.configuration != Some(configuration) {
                    self.configure(configuration);
                    self.note(TraceEvent::Configured(sequence));
                }
                self.tell(Event::Reply(sequence, Answer::Taken));
            }
            HostMessage::Ping => self.tell(Event::Identity(Some(sequence))),
        }
    }

    /// Takes the levels of the trigger input and of the acknowledge button (`true` is pressed), and
    /// moves time on. To be called often: the rejector is as punctual as these calls.
    pub fn handle_inputs(&mut self, trigger: bool, pressed: bool, now: Moment) {
        self.advance(now);
        if let Some(change) = self.button.handle(pressed, self.now)
            && change.level
        {
            self.acknowledge(change.since.at);
        }
        self.down_since = match self.button.level() {
            Some(true) => self.down_since.or(Some(self.now.at)),
            _ => None,
        };
        if let Some(Triggering::Input { input, .. }) = self.triggering()
            && let Some(change) = self.trigger.handle(trigger, self.now)
            && change.level == (input.edge == Edge::Rising)
        {
            self.handle_trigger(change.since);
        }
        self.settle();
    }

    /// What happened last, for a debugger.
    #[must_use]
    pub const fn trace(&self) -> &Trace<TRACED> {
        &self.trace
    }

    /// What the light goes by.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match (self.host, self.configuration, self.foreign) {
            (Some(_), Some(_), _) => Mode::Running,
            (Some(_), None, _) => Mode::Unconfigured,
            (None, _, Some((theirs, _))) => Mode::VersionMismatch { theirs },
            (None, _, None) => Mode::HostLost,
        }
    }

    pub(crate) const fn triggering(&self) -> Option<Triggering> {
        match self.configuration {
            Some(configuration) => Some(configuration.triggering),
            None => None,
        }
    }

    pub(crate) const fn rejector(&self) -> Option<Rejector> {
        match self.triggering() {
            Some(Triggering::Input { rejector, .. }) => rejector,
            _ => None,
        }
    }

    pub(crate) fn id(&self, number: u32) -> TriggerId {
        TriggerId {
            epoch: self.boot.epoch,
            number,
        }
    }

    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck_at().is_some_and(|at| self.now.at >= at)
    }

    pub(crate) fn stuck_at(&self) -> Option<Instant> {
        self.down_since.map(|since| since.plus(STUCK_MS))
    }

    pub(crate) fn is_untaken_shown(&self) -> bool {
        self.untaken_until()
            .is_some_and(|until| self.now.at < until)
    }

    pub(crate) fn untaken_until(&self) -> Option<Instant> {
        self.untaken_at.map(|at| at.plus(UNTAKEN_SHOWN_MS))
    }

    pub(crate) fn foreign_until(&self) -> Option<Instant> {
        self.foreign.map(|(_, until)| until)
    }

    pub(crate) const fn is_reset_unexpected(&self) -> bool {
        self.unexpected_reset
    }

    pub(crate) const fn is_missed(&self) -> bool {
        self.missed
    }

    /// The rejector strikes now. Without a configuration it strikes all the time: nobody knows
    /// what is on the belt.
    pub(crate) const fn is_striking(&self) -> bool {
        self.striking || self.configuration.is_none()
    }

    /// When parts are next far enough apart for Trigger Ready; `None` if only the encoder tells.
    pub(crate) fn spaced_at(&self) -> Option<Instant> {
        self.rejector()
            .filter(|r| r.unit() == andon_link::Unit::Milliseconds)
            .map(|r| self.last_mark.at.plus(r.spacing()))
    }

    /// A part triggered at `mark` would be far enough from the one before.
    pub(crate) fn is_spaced(&self, mark: Moment) -> bool {
        self.rejector().is_none_or(|rejector| {
            mark.distance(self.last_mark, rejector.unit()) >= rejector.spacing().into()
        })
    }

    fn configure(&mut self, configuration: Configuration) {
        self.configuration = Some(configuration);
        self.last_mark = self.now;
        self.newest = None;
        self.striking = false;
        let debounce_ms = match configuration.triggering {
            Triggering::Input { input, .. } => input.debounce_ms.into(),
            Triggering::FreeRunning => 0,
        };
        self.trigger = Debounced::new(debounce_ms);
        if self.rejector().is_some() {
            self.belt.distrust(self.now);
        } else {
            self.belt.clear();
        }
        self.move_belt();
    }

    fn acknowledge(&mut self, at: Instant) {
        self.acknowledgements = self.acknowledgements.wrapping_add(1);
        self.unexpected_reset = false;
        self.missed = false;
        let number = self.acknowledgements;
        self.note(TraceEvent::Acknowledged(number));
        self.tell(Event::Acknowledge(Acknowledge {
            number,
            at_ms: at.as_ms(),
        }));
    }

    fn handle_trigger(&mut self, mark: Moment) {
        let admission = self.admission(mark);
        self.counters.triggers = self.counters.triggers.wrapping_add(1);
        let number = self.counters.triggers;
        let fate = if admission == Admission::Taken {
            Fate::Waiting
        } else {
            Fate::Untaken
        };
        if fate == Fate::Untaken {
            self.counters.untaken = self.counters.untaken.wrapping_add(1);
            self.untaken_at = Some(self.now.at);
        }
        self.newest = Some(Newest { number, fate });
        self.last_mark = mark;
        if let Some(rejector) = self.rejector() {
            self.belt.admit(number, mark, rejector.unit(), fate);
            self.move_belt();
        }
        self.note(TraceEvent::Trigger { number, admission });
        let part = self.id(number);
        self.tell(Event::Trigger(TriggerEdge {
            part,
            at_ms: mark.at.as_ms(),
            admission,
        }));
    }

    fn admission(&self, mark: Moment) -> Admission {
        if self.mode() != Mode::Running {
            Admission::HostLost
        } else if !self.is_spaced(mark) {
            Admission::TooClose
        } else if self.rejector().is_some() && self.belt.is_full() {
            Admission::TooMany
        } else if !self.is_host_ready() {
            Admission::NotReady
        } else {
            Admission::Taken
        }
    }

    /// The host takes the next trigger, and has seen every one so far.
    pub(crate) fn is_host_ready(&self) -> bool {
        let newest = self.newest.map(|newest| self.id(newest.number));
        !self.missed
            && self.host.is_some_and(|host| {
                host.state.ready && (host.state.seen == newest || self.is_free_running())
            })
    }

    pub(crate) fn is_free_running(&self) -> bool {
        self.triggering() == Some(Triggering::FreeRunning)
    }

    fn record(&mut self, part: TriggerId, verdict: Verdict) -> Answer {
        let good = verdict == Verdict::Ok;
        if part.epoch == self.boot.epoch {
            self.record_number(part.number, good)
        } else {
            Answer::UnknownPart
        }
    }

    fn record_number(&mut self, number: u32, good: bool) -> Answer {
        let has_rejector = self.rejector().is_some();
        if let Some(answer) = self.belt.record(number, good) {
            return answer;
        }
        let Some(newest) = &mut self.newest else {
            return Answer::UnknownPart;
        };
        match newest.number.wrapping_sub(number) {
            0 if !has_rejector => record(&mut newest.fate, false, good),
            age if age <= u32::MAX / 2 && number != 0 => Answer::TooLate,
            _ => Answer::UnknownPart,
        }
    }

    /// Moves time on, and with it all that depends on nothing else.
    fn advance(&mut self, now: Moment) {
        // A clock that ran backwards is held, so that nothing is ever dated before its cause.
        self.now = Moment {
            at: now.at.max(self.now.at),
            position: now.position,
        };
        if self.host.is_some_and(|host| self.now.at >= host.until) {
            self.host = None;
        }
        if self.foreign.is_some_and(|(_, until)| self.now.at >= until) {
            self.foreign = None;
        }
        self.move_belt();
    }

    fn move_belt(&mut self) {
        let Some(rejector) = self.rejector() else {
            self.striking = false;
            return;
        };
        let advance = self.belt.advance(&rejector, self.now, &mut self.counters);
        if advance.strike != self.striking {
            self.striking = advance.strike;
            self.note(TraceEvent::Strike(advance.strike));
        }
        if advance.missed {
            self.missed = true;
            self.note(TraceEvent::Missed);
        }
    }

    /// Brings what is shown in line with what is known.
    fn settle(&mut self) {
        if let Some(newest) = &mut self.newest
            && let Some(fate) = self.belt.fate(newest.number)
            && fate != newest.fate
        {
            newest.fate = fate;
            self.note(TraceEvent::Fate(fate));
        }
        let mode = self.mode();
        if mode != self.traced_mode {
            self.traced_mode = mode;
            self.note(TraceEvent::Mode(mode));
        }
        self.flasher.show(self.pattern(), self.now.at);
    }

    fn note(&mut self, event: TraceEvent) {
        self.trace.push(self.now.at, event);
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.push_back(event).is_err() {
            self.counters.events_lost = self.counters.events_lost.wrapping_add(1);
        }
    }
}
