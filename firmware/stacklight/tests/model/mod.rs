//! The reference model: a list of all parts with all that was said about them, and rules that are
//! read off that list anew at each step. It has no belt, no fates and no timers of its own.

use andon_link::{
    Epoch, HostMessage, HostState, Lamps, Mode, Outcome, Outputs, Signal, TriggerId, Verdict,
};
use andon_stacklight::{FLASH_HALF_PERIOD_MS, Moment};

/// How the line is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configured {
    FreeRunning,
    NoRejector,
    ByTime {
        delay: u32,
        width: u32,
        spacing: u32,
    },
    ByEncoder {
        delay: u32,
        width: u32,
        spacing: u32,
    },
}

impl Configured {
    pub const DEFAULT: Self = Self::ByTime {
        delay: 200,
        width: 30,
        spacing: 40,
    };

    /// From the trigger to the start and to the end of the pulse.
    fn pulse(self) -> Option<(i64, i64)> {
        match self {
            Self::FreeRunning | Self::NoRejector => None,
            Self::ByTime { delay, width, .. } | Self::ByEncoder { delay, width, .. } => {
                Some((delay.into(), i64::from(delay) + i64::from(width)))
            }
        }
    }

    fn spacing(self) -> i64 {
        match self {
            Self::FreeRunning | Self::NoRejector => 0,
            Self::ByTime { spacing, .. } | Self::ByEncoder { spacing, .. } => spacing.into(),
        }
    }

    /// How far it is from `from` to `now`.
    fn distance(self, from: Moment, now: Moment) -> i64 {
        match self {
            Self::ByEncoder { .. } => i64::from(now.position) - i64::from(from.position),
            _ => now.at.as_ms() as i64 - from.at.as_ms() as i64,
        }
    }
}

/// A part, and all that was said about it.
#[derive(Debug)]
struct Part {
    number: u32,
    mark: Moment,
    /// Trigger Ready was due when it came.
    may_be_taken: bool,
    taken: bool,
    /// Good or not, in the order of arrival, up to the moment the part reached the rejector.
    said: Vec<bool>,
    reached: bool,
    /// It has passed the rejector, and all parts before it have; a belt that runs back a little
    /// does not bring it back.
    gone: bool,
}

impl Part {
    /// It was taken, an OK came in time, and nothing else ever did.
    fn is_good(&self) -> bool {
        self.taken && !self.said.is_empty() && self.said.iter().all(|good| *good)
    }
}

/// How often something was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub ok: usize,
    pub ready: usize,
    pub strikes: usize,
    pub passed: usize,
    pub too_late: usize,
    pub host_lost: usize,
}

impl Seen {
    pub fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.ready += other.ready;
        self.strikes += other.strikes;
        self.passed += other.passed;
        self.too_late += other.too_late;
        self.host_lost += other.host_lost;
    }
}

/// One life of the light between two resets, and what is left of the one before.
#[derive(Debug)]
pub struct Life {
    epoch: Epoch,
    configured: Option<(Configured, Moment)>,
    parts: Vec<Part>,
    triggers: u32,
    level: Option<bool>,
    /// The last state of the host, and when it came.
    state: Option<(HostState, Moment)>,
    /// The largest distance from the configuration so far: a belt that was once past stays past.
    trusted: bool,
    lit_at: Moment,
    seen: Seen,
}

impl Life {
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            configured: None,
            parts: Vec::new(),
            triggers: 0,
            level: None,
            state: None,
            trusted: false,
            lit_at: Moment::default(),
            seen: Seen::default(),
        }
    }

    pub fn next_epoch(&self) -> Epoch {
        Epoch(self.epoch.0.wrapping_add(1))
    }

    pub fn reset(&mut self, epoch: Epoch, now: Moment) {
        *self = Self {
            lit_at: now,
            seen: self.seen,
            ..Self::new(epoch)
        };
    }

    pub fn seen(&self) -> Seen {
        self.seen
    }

    pub fn is_free_running(&self) -> bool {
        self.configured
            .is_some_and(|(c, _)| c == Configured::FreeRunning)
    }

    /// The newest part since the configuration.
    pub fn newest(&self) -> Option<TriggerId> {
        self.parts.last().map(|part| TriggerId {
            epoch: self.epoch,
            number: part.number,
        })
    }

    /// The part so many before the newest, or of the life before.
    pub fn part(&self, back: i32, old_life: bool) -> TriggerId {
        TriggerId {
            epoch: Epoch(self.epoch.0.wrapping_sub(u16::from(old_life))),
            number: self.triggers.wrapping_sub(back.cast_unsigned()),
        }
    }

    /// A message of the host arrives.
    pub fn host(&mut self, message: &HostMessage, now: Moment) {
        self.belt_moves(now);
        match message {
            HostMessage::State(state) => {
                self.state = Some((*state, now));
                if let Outcome::Part(result) = state.outcome {
                    self.say(result.part, result.verdict == Verdict::Ok);
                }
            }
            HostMessage::Result(result) => self.say(result.part, result.verdict == Verdict::Ok),
            HostMessage::Configure(configuration) => {
                let configured = read_back(configuration);
                if self.configured.is_none_or(|(c, _)| c != configured) {
                    self.configured = Some((configured, now));
                    self.parts.clear();
                    self.level = None;
                    self.trusted = false;
                }
            }
            HostMessage::Ping => {}
        }
    }

    fn say(&mut self, id: TriggerId, good: bool) {
        let has_rejector = self.configured.is_some_and(|(c, _)| c.pulse().is_some());
        let epoch = self.epoch;
        let newest = self.newest();
        let Some(part) = self
            .parts
            .iter_mut()
            .find(|part| id.epoch == epoch && part.number == id.number)
        else {
            return;
        };
        if part.reached {
            self.seen.too_late += 1;
        } else if has_rejector || Some(id) == newest {
            part.said.push(good);
        }
    }

    /// The trigger input is looked at. Debouncing is off, so every rising level is a part.
    pub fn inputs(&mut self, trigger: bool, now: Moment) {
        self.belt_moves(now);
        let Some((configured, _)) = self.configured else {
            return;
        };
        if configured == Configured::FreeRunning {
            return;
        }
        if self.level.replace(trigger) == Some(false) && trigger {
            self.triggers += 1;
            let may_be_taken = self.may_be_ready(now);
            self.parts.push(Part {
                may_be_taken,
                number: self.triggers,
                mark: now,
                taken: false,
                said: Vec::new(),
                reached: false,
                gone: false,
            });
        }
    }

    /// The light told whether it took the newest part. That is its own choice to make, save that it
    /// may take none for which Trigger Ready was not due.
    pub fn admitted(&mut self, id: TriggerId, taken: bool) {
        let part = self.parts.last_mut().expect("a part was triggered");
        assert_eq!(
            (part.number, self.epoch),
            (id.number, id.epoch),
            "another part was announced than came"
        );
        assert!(!taken || part.may_be_taken, "taken unready: {part:?}");
        part.taken = taken;
    }

    /// Notes which parts have reached the rejector; from then on nothing said counts.
    fn belt_moves(&mut self, now: Moment) {
        let Some((configured, since)) = self.configured else {
            return;
        };
        let Some((start, end)) = configured.pulse() else {
            return;
        };
        self.trusted |= configured.distance(since, now) >= end;
        let mut all_gone = self.trusted;
        for part in &mut self.parts {
            all_gone &= part.gone || configured.distance(part.mark, now) >= end;
            part.gone = all_gone;
            if !part.reached && configured.distance(part.mark, now) >= start {
                part.reached = true;
                self.seen.passed += usize::from(part.is_good());
            }
        }
    }

    fn fresh(&self, now: Moment) -> Option<&HostState> {
        self.state
            .as_ref()
            .filter(|(state, since)| now.at.since(since.at) < state.valid_for.as_ms().into())
            .map(|(state, _)| state)
    }

    /// Whether OK is due.
    fn ok(&self, now: Moment) -> bool {
        let Some(state) = self.fresh(now) else {
            return false;
        };
        match (state.outcome, self.parts.last()) {
            (Outcome::Stream { verdict, .. }, _) => {
                self.is_free_running() && verdict == Verdict::Ok
            }
            (Outcome::Part(result), Some(part)) => {
                result.verdict == Verdict::Ok
                    && Some(result.part) == self.newest()
                    && part.is_good()
            }
            _ => false,
        }
    }

    /// Whether some part or stretch that must be struck is at the rejector.
    fn strike(&self, now: Moment) -> bool {
        let Some((configured, _)) = self.configured else {
            return true;
        };
        let Some((start, end)) = configured.pulse() else {
            return false;
        };
        let at_rejector = |part: &&Part| {
            let distance = configured.distance(part.mark, now);
            part.reached && !part.gone && distance >= start && distance < end
        };
        !self.trusted
            || self
                .parts
                .iter()
                .filter(at_rejector)
                .any(|part| !part.is_good())
    }

    /// Whether the rejector stands between two parts in a row that were not taken: on a full belt such
    /// parts are struck as one stretch, and nothing else is between them.
    fn between_untaken(&self, now: Moment) -> bool {
        let Some((configured, _)) = self.configured else {
            return false;
        };
        let Some((start, end)) = configured.pulse() else {
            return false;
        };
        self.parts.windows(2).any(|pair| {
            let [a, b] = pair else { return false };
            !a.taken
                && !b.taken
                && configured.distance(a.mark, now) >= start
                && configured.distance(b.mark, now) < end
        })
    }

    /// Whether Trigger Ready may be on: a host that is there, ready, and has seen every part, and a
    /// part that came now would be far enough behind the one before.
    fn may_be_ready(&self, now: Moment) -> bool {
        let (Some(state), Some((configured, since))) = (self.fresh(now), self.configured) else {
            return false;
        };
        let before = self.parts.last().map_or(since, |part| part.mark);
        state.ready
            && (self.is_free_running() || state.seen == self.newest())
            && configured.distance(before, now) >= configured.spacing()
    }

    /// Compares what is shown with what may be shown.
    pub fn check(&mut self, shown: &Outputs, mode: Mode, now: Moment) {
        let running = self.fresh(now).is_some() && self.configured.is_some();
        assert_eq!(mode == Mode::Running, running, "mode {mode:?}");
        assert_eq!(shown.ok, running && self.ok(now), "OK: {self:?}");
        let strike = self.strike(now);
        assert!(
            shown.reject == strike || shown.reject && self.between_untaken(now),
            "reject is {}: {self:?}",
            shown.reject
        );

        assert!(!(shown.ok && (shown.ng || shown.error)), "OK with NG");
        assert!(shown.ng || !shown.error, "an error without NG");
        assert!(running || shown.ng && shown.error, "no host, yet no fault");
        assert!(!shown.ready || self.may_be_ready(now), "ready: {self:?}");

        // Without a host one lamp is lit at each moment, and with one its flashes begin lit.
        let lit = [shown.red, shown.amber, shown.green, shown.blue];
        let count = lit.iter().filter(|lamp| **lamp).count();
        if self.fresh(now).is_none() {
            assert!(count == 1 && !shown.green, "no host, and {lit:?}");
        }
        if count > 0 {
            self.lit_at = now;
        }
        let dark = now.at.since(self.lit_at.at);
        // Looked at every 12 ms at the least.
        assert!(
            dark <= u64::from(FLASH_HALF_PERIOD_MS) + 12,
            "all lamps dark for {dark} ms"
        );

        self.seen.ok += usize::from(shown.ok);
        self.seen.ready += usize::from(shown.ready);
        self.seen.strikes += usize::from(shown.reject && self.trusted);
        self.seen.host_lost += usize::from(mode == Mode::HostLost);
    }
}

/// The configuration as the model sees it.
fn read_back(configuration: &andon_link::Configuration) -> Configured {
    use andon_link::{Triggering, Unit};
    match configuration.triggering {
        Triggering::FreeRunning => Configured::FreeRunning,
        Triggering::Input { rejector: None, .. } => Configured::NoRejector,
        Triggering::Input {
            rejector: Some(r), ..
        } => {
            let (delay, width, spacing) = (r.delay(), r.width(), r.spacing());
            match r.unit() {
                Unit::Milliseconds => Configured::ByTime {
                    delay,
                    width,
                    spacing,
                },
                Unit::EncoderTicks => Configured::ByEncoder {
                    delay,
                    width,
                    spacing,
                },
            }
        }
    }
}

/// Two in three verdicts are OK.
pub fn verdict(choice: u8) -> Verdict {
    match choice {
        1 => Verdict::Ng,
        2 => crate::bench::ERROR,
        _ => Verdict::Ok,
    }
}

/// One of the 80 sets of lamps that are not all dark.
pub fn lamps(choice: u8) -> Lamps {
    let signal = |third: u8| match choice / third % 3 {
        0 => Signal::Dark,
        1 => Signal::Steady,
        _ => Signal::Flashing,
    };
    Lamps::new(signal(1), signal(3), signal(9), signal(27)).unwrap()
}
