//! The protocol as the host speaks it, without a port and without a clock.
//!
//! Order of calls: [`LightSession::handle_bytes`] with what came in, [`LightSession::poll_event`]
//! until it gives nothing, [`LightSession::poll`] until it gives nothing and write each frame;
//! [`LightSession::poll_at`] tells when to poll again if nothing comes in before.

use std::collections::VecDeque;
use std::time::Duration;

use andon_link::{
    Acknowledge, Configuration, Frame, HostMessage, HostState, McuMessage, Mode, PartResult,
    Received, Receiver, Refusal, Reply, STATE_PERIOD_MS, Status, Transmitter, TriggerId,
};
use andon_station::Outputs;

use super::clock::McuClock;
use super::pending::{Pending, REPEAT};
use super::triggers::Triggers;
use super::words::{LightEvent, LightHealth, LightSettings};

const PERIOD: Duration = Duration::from_millis(STATE_PERIOD_MS as u64);

/// Least time between two states, so that a flapping output cannot fill the line: a state takes
/// about 4 ms of it.
const STATE_GAP: Duration = Duration::from_millis(10);

/// Silence after which the MCU counts as gone: ten of its periods.
const SILENCE: Duration = Duration::from_millis(10 * STATE_PERIOD_MS as u64);

/// Time between two questions who is there, until it is known.
const PING: Duration = Duration::from_millis(1000);

/// How long a result is repeated to an MCU that does not answer. Its belt has moved on by then.
const RESULT_LIFE: Duration = Duration::from_secs(10);

/// Most results that wait for their answers; the MCU can tell fewer parts apart.
const MOST_RESULTS: usize = 64;

/// Most events that wait to be taken.
const MOST_EVENTS: usize = 1024;

/// The host's end of the line.
#[derive(Debug)]
pub struct LightSession {
    settings: LightSettings,
    receiver: Receiver<McuMessage>,
    transmitter: Transmitter,
    events: VecDeque<LightEvent>,
    /// `None` once the MCU has taken it.
    configure: Option<Pending<Configuration>>,
    results: VecDeque<(Duration, Pending<PartResult>)>,
    ping: Option<Duration>,
    state: Option<HostState>,
    state_at: Option<Duration>,
    status: Option<Status>,
    heard_at: Option<Duration>,
    /// When the other version in the health was last heard.
    foreign_at: Duration,
    clock: McuClock,
    triggers: Triggers,
    /// The newest trigger from before this life of the MCU was first heard.
    before: Option<TriggerId>,
    acknowledgements: u16,
    health: LightHealth,
}

impl LightSession {
    /// A session that has heard nothing.
    #[must_use]
    pub fn new(settings: LightSettings) -> Self {
        Self {
            settings,
            receiver: Receiver::new(),
            transmitter: Transmitter::new(),
            events: VecDeque::new(),
            configure: Some(Pending::new(settings.configuration)),
            results: VecDeque::new(),
            ping: Some(Duration::ZERO),
            state: None,
            state_at: None,
            status: None,
            heard_at: None,
            foreign_at: Duration::ZERO,
            clock: McuClock::default(),
            triggers: Triggers::default(),
            before: None,
            acknowledgements: 0,
            health: LightHealth::default(),
        }
    }

    /// Takes bytes that came in `now`.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        for byte in bytes {
            match self.receiver.push(*byte) {
                Some(Ok(Received { message, .. })) => self.handle_message(message, now),
                Some(Err(Refusal::Version { theirs })) => {
                    self.foreign_at = now;
                    if self.health.foreign_version.replace(theirs) != Some(theirs) {
                        self.tell(LightEvent::VersionMismatch { theirs });
                    }
                }
                // Noise; the receiver has counted it.
                Some(Err(_)) | None => {}
            }
        }
    }

    /// The port is open, for the first time or again: whoever is there now may not be the one
    /// from before.
    pub fn handle_connected(&mut self) {
        self.receiver.interrupt();
        self.ping = Some(Duration::ZERO);
        self.state_at = None;
        self.clock.forget();
        if let Some(configure) = &mut self.configure {
            configure.renew();
        }
        for (_, result) in &mut self.results {
            result.renew();
        }
    }

    /// A part was judged. Sent at once and repeated until the MCU has answered.
    pub fn handle_result(&mut self, result: PartResult, now: Duration) {
        if self.results.len() == MOST_RESULTS
            && let Some((_, oldest)) = self.results.pop_front()
        {
            self.tell(LightEvent::Answered {
                part: oldest.message.part,
                answer: None,
            });
        }
        self.results.push_back((now, Pending::new(result)));
    }

    /// Time goes on: what ends by time alone ends. [`Self::poll`] does this as well; this is for the
    /// time without a port.
    pub fn handle_tick(&mut self, now: Duration) {
        self.lapse(now);
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<LightEvent> {
        self.events.pop_front()
    }

    /// The next frame to send `now`; `None` when there is nothing more to say. A state is only
    /// among them while `progress_age` is within the limit: after that the light decays by itself.
    pub fn poll(
        &mut self,
        now: Duration,
        outputs: &Outputs,
        progress_age: Duration,
    ) -> Option<Frame> {
        self.lapse(now);
        if let Some(configure) = self.configure.as_mut().filter(|c| c.is_due(now)) {
            let message = HostMessage::Configure(configure.message);
            let (sequence, frame) = self.transmitter.frame(&message);
            configure.sent(sequence, now);
            return Some(frame);
        }
        if let Some((_, result)) = self.results.iter_mut().find(|(_, r)| r.is_due(now)) {
            let message = HostMessage::Result(result.message);
            let (sequence, frame) = self.transmitter.frame(&message);
            result.sent(sequence, now);
            return Some(frame);
        }
        if progress_age <= self.settings.progress_limit {
            let state = self.host_state(outputs);
            let age = self.state_at.map(|at| now.saturating_sub(at));
            let wait = if self.state == Some(state) {
                PERIOD
            } else {
                STATE_GAP
            };
            if age.is_none_or(|age| age >= wait) {
                self.state = Some(state);
                self.state_at = Some(now);
                return Some(self.transmitter.frame(&HostMessage::State(state)).1);
            }
        }
        if self.ping.is_some_and(|at| now >= at) {
            self.ping = Some(now + PING);
            return Some(self.transmitter.frame(&HostMessage::Ping).1);
        }
        None
    }

    /// When to poll again at the latest.
    #[must_use]
    pub fn poll_at(&self, now: Duration) -> Duration {
        let configure = self.configure.as_ref().map(Pending::due);
        let result = self.results.iter().map(|(_, result)| result.due()).min();
        let state = self.state_at.map_or(now, |at| at + PERIOD);
        [configure, result, self.ping]
            .into_iter()
            .flatten()
            .fold(state, Duration::min)
            .max(now)
    }

    /// The latest status of the MCU; `None` before the first.
    #[must_use]
    pub const fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// How the light does.
    #[must_use]
    pub fn health(&self) -> LightHealth {
        LightHealth {
            is_configured: self.configure.is_none(),
            line: self.receiver.counters(),
            line_to_light: self
                .status
                .as_ref()
                .map_or_else(Default::default, |s| s.link),
            waiting: self.results.len(),
            ..self.health.clone()
        }
    }

    fn host_state(&self, outputs: &Outputs) -> HostState {
        HostState {
            lamps: outputs.lamps,
            buzzer: outputs.buzzer,
            ready: outputs.ready,
            seen: self.triggers.seen(outputs.seen, self.before),
            outcome: outputs.outcome,
            valid_for: self.settings.valid_for,
        }
    }

    fn handle_message(&mut self, message: McuMessage, now: Duration) {
        self.heard_at = Some(now);
        self.health.foreign_version = None;
        if !self.health.is_heard {
            self.health.is_heard = true;
            self.tell(LightEvent::Heard);
        }
        match message {
            McuMessage::Trigger(edge) => {
                if let Some(lost) = self.triggers.told(edge.part) {
                    self.lost(lost);
                    let at = self.clock.on_host(edge.at_ms, now);
                    self.tell(LightEvent::Trigger { edge, at });
                }
            }
            McuMessage::Acknowledge(Acknowledge { number, .. }) => self.acknowledge(number),
            McuMessage::Reply(reply) => self.handle_reply(reply),
            McuMessage::Identity(identity) => {
                // The one that an MCU sends after a reset answers no ping and is as good.
                self.ping = None;
                self.tell(LightEvent::Identified(identity));
            }
            McuMessage::Status(status) => self.handle_status(status, now),
        }
    }

    fn handle_status(&mut self, status: Status, now: Duration) {
        let epoch = status.epoch;
        let known = self.status.as_ref().map(|status| status.epoch);
        if known != Some(epoch) {
            self.begin(&status, known.is_some());
        }
        self.clock.sample(now, status.uptime_ms);
        let lost = self
            .triggers
            .status(epoch, status.last_trigger, known != Some(epoch));
        self.lost(lost);
        self.acknowledge(status.acknowledgements);
        if status.mode == Mode::Unconfigured && self.configure.is_none() {
            self.configure = Some(Pending::new(self.settings.configuration));
        }
        if self.health.alarms != status.alarms {
            self.health.alarms = status.alarms;
            self.tell(LightEvent::Alarms(status.alarms));
        }
        self.health.mode = Some(status.mode);
        self.status = Some(status);
    }

    /// A life of the MCU that was not heard before: it has forgotten all that was said.
    fn begin(&mut self, status: &Status, is_reset: bool) {
        let epoch = status.epoch;
        if is_reset {
            self.health.resets = self.health.resets.wrapping_add(1);
        }
        self.clock.forget();
        self.triggers.begin(epoch);
        // A trigger that was told in this life already is for the station to see.
        self.before = status.last_trigger.filter(|_| !self.triggers.has_any());
        // Presses from before anyone listened are nobody's; a new life counts from 0.
        self.acknowledgements = if is_reset { 0 } else { status.acknowledgements };
        // On first contact, an answer that came before this status came from this very life.
        if is_reset {
            self.configure = Some(Pending::new(self.settings.configuration));
        }
        let (kept, forgotten) = self
            .results
            .drain(..)
            .partition(|(_, result)| result.message.part.epoch == epoch);
        self.results = kept;
        let forgotten: VecDeque<(Duration, Pending<PartResult>)> = forgotten;
        self.tell(LightEvent::Began {
            epoch,
            reset: status.reset,
        });
        for (_, result) in forgotten {
            self.tell(LightEvent::Answered {
                part: result.message.part,
                answer: None,
            });
        }
    }

    fn lost(&mut self, triggers: Vec<TriggerId>) {
        for part in triggers {
            self.health.triggers_lost = self.health.triggers_lost.wrapping_add(1);
            self.tell(LightEvent::TriggerLost(part));
        }
    }

    fn handle_reply(&mut self, reply: Reply) {
        if let Some(configure) = &self.configure
            && configure.is_answered_by(reply.to)
        {
            self.configure = None;
            self.tell(LightEvent::Configured);
            return;
        }
        let answered = self
            .results
            .iter()
            .position(|(_, result)| result.is_answered_by(reply.to));
        if let Some((_, result)) = answered.and_then(|place| self.results.remove(place)) {
            self.tell(LightEvent::Answered {
                part: result.message.part,
                answer: Some(reply.answer),
            });
        }
    }

    /// The count of presses is now `number`; several that were missed are one.
    fn acknowledge(&mut self, number: u16) {
        let ahead = number.wrapping_sub(self.acknowledgements);
        if ahead != 0 && ahead <= u16::MAX / 2 {
            self.acknowledgements = number;
            self.tell(LightEvent::Acknowledge);
        }
    }

    /// What ends by time alone.
    fn lapse(&mut self, now: Duration) {
        if self.health.is_heard
            && self
                .heard_at
                .is_none_or(|at| now.saturating_sub(at) >= SILENCE)
        {
            self.health.is_heard = false;
            self.ping = Some(now);
            self.tell(LightEvent::Lost);
        }
        // A light of another version that has been unplugged is a silent light.
        if now.saturating_sub(self.foreign_at) >= SILENCE {
            self.health.foreign_version = None;
        }
        while let Some((since, _)) = self.results.front()
            && now.saturating_sub(*since) >= RESULT_LIFE
            && let Some((_, result)) = self.results.pop_front()
        {
            self.tell(LightEvent::Answered {
                part: result.message.part,
                answer: None,
            });
        }
    }

    fn tell(&mut self, event: LightEvent) {
        if self.events.len() == MOST_EVENTS {
            self.health.events_dropped = self.health.events_dropped.wrapping_add(1);
        } else {
            self.events.push_back(event);
        }
    }
}

const _: () = assert!(REPEAT.as_millis() < RESULT_LIFE.as_millis());
