//! The station itself: what it remembers, what it is told besides parts, and what it hands out.

use std::collections::VecDeque;
use std::time::Duration;

use andon_link::{Outcome, TriggerId, Verdict};

use crate::alarm::Alarm;
use crate::cause::Cause;
use crate::challenge::Challenge;
use crate::counters::Counters;
use crate::drift::DriftWatch;
use crate::event::Event;
use crate::fault::{Fault, FaultStatus, Faults};
use crate::frames::FrameGate;
use crate::input::JobId;
use crate::outputs::{Output, Outputs};
use crate::part::Part;
use crate::presence::{Place, Presence};
use crate::settings::{Hold, Mode, Recipe, Settings, SettingsError};

/// An inspection station without I/O. The crate's page says in which order to call what.
#[derive(Clone, Debug)]
pub struct Station {
    pub(crate) settings: Settings,
    /// The latest time that was heard of: time that goes back does not count.
    pub(crate) now: Duration,
    pub(crate) life: Life,
    pub(crate) part: Option<Part>,
    pub(crate) inspector: Option<Order>,
    pub(crate) gate: FrameGate,
    /// Number and time of the newest sound frame.
    pub(crate) newest: Option<(u64, Duration)>,
    /// When a usable frame is missed.
    pub(crate) frame_due: Option<Duration>,
    pub(crate) presence: Option<Presence>,
    pub(crate) faults: Faults,
    pub(crate) alarm: Alarm,
    pub(crate) challenge: Challenge,
    pub(crate) drift: DriftWatch,
    pub(crate) counters: Counters,
    pub(crate) recipe: Recipe,
    /// The result of the last part that was taken.
    pub(crate) last: Option<Shown>,
    /// The oldest error that nobody acknowledged.
    pub(crate) error: Option<Cause>,
    /// Parts were skipped since the last acknowledgement.
    pub(crate) skipped: bool,
    pub(crate) seen: Option<TriggerId>,
    pub(crate) triggers: u64,
    pub(crate) orders: u64,
    pub(crate) progress: u64,
    pub(crate) queue: VecDeque<Output>,
    shown: Option<Outputs>,
}

/// How far the station's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Preoperational,
    Running,
    /// No part is taken any more; the one under way is finished.
    Stopping,
    Stopped,
}

/// An order that the inspector has not answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) job: JobId,
    /// When the inspector counts as stuck.
    pub(crate) stuck_at: Duration,
}

/// A result as the outputs show it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub(crate) outcome: Outcome,
    pub(crate) verdict: Verdict,
    /// Still to be shown on the result lines.
    pub(crate) held: bool,
}

impl Station {
    /// A station that has not been started.
    ///
    /// # Errors
    /// [`SettingsError`] when the settings make no sense.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Self::resume(settings, Counters::default())
    }

    /// The same, with the counters of an earlier run. A part that was under way when that run
    /// ended has no result and is taken out of the triggers: the MCU rejected it.
    ///
    /// # Errors
    /// [`SettingsError`] when the settings make no sense.
    pub fn resume(settings: Settings, mut counters: Counters) -> Result<Self, SettingsError> {
        settings.check()?;
        counters.triggers = counters.answered();
        let presence = match settings.mode {
            Mode::Triggered => None,
            Mode::FreeRunning(presence) => Some(Presence::new(presence)),
        };
        Ok(Self {
            now: Duration::ZERO,
            life: Life::Preoperational,
            part: None,
            inspector: None,
            gate: FrameGate::default(),
            newest: None,
            frame_due: None,
            presence,
            faults: Faults::new(settings.budget),
            alarm: Alarm::new(settings.alarm),
            challenge: Challenge::new(settings.challenge),
            drift: DriftWatch::new(settings.drift, &settings.recipe.bands),
            counters,
            recipe: settings.recipe.clone(),
            last: None,
            error: None,
            skipped: false,
            seen: None,
            triggers: 0,
            orders: 0,
            progress: 0,
            queue: VecDeque::new(),
            shown: None,
            settings,
        })
    }

    /// The recipe is verified, the camera open: production may begin.
    pub fn handle_start(&mut self, now: Duration) {
        self.advance(now);
        if self.life == Life::Preoperational || self.life == Life::Stopped {
            self.life = Life::Running;
            self.frame_due = self.next_frame_due();
            self.challenge.start(self.now);
            self.event(Event::Started);
            self.advance(now);
        }
    }

    /// Stop: no further part is taken, the one under way still gets its result.
    /// [`Event::Stopped`] tells when it has.
    pub fn handle_stop(&mut self, now: Duration) {
        self.advance(now);
        if self.life == Life::Running {
            self.life = Life::Stopping;
            self.settle();
        } else if self.life == Life::Preoperational {
            self.life = Life::Stopped;
            self.event(Event::Stopped);
        }
    }

    /// Something went wrong around the station. Saying it again changes nothing.
    pub fn handle_fault(&mut self, now: Duration, fault: Fault) {
        self.advance(now);
        self.raise(fault);
    }

    /// A fault is over. Saying it of one that was not there changes nothing.
    pub fn handle_recovery(&mut self, now: Duration, fault: Fault) {
        self.advance(now);
        self.recover(fault);
    }

    /// Somebody acknowledged: by button, or a machine that has read the result.
    pub fn handle_ack(&mut self, now: Duration) {
        self.advance(now);
        let mut any = self.alarm.acknowledge();
        any |= self.faults.acknowledge();
        any |= self.drift.acknowledge();
        any |= self.error.take().is_some();
        any |= std::mem::take(&mut self.skipped);
        if let Some(shown) = &mut self.last
            && self.settings.hold == Hold::UntilAck
        {
            any |= std::mem::take(&mut shown.held);
        }
        if any {
            self.event(Event::Acknowledged);
        }
        self.settle();
    }

    /// Ask for the challenge parts. Production stops as soon as the part under way is judged.
    pub fn handle_challenge(&mut self, now: Duration, by: &str) {
        self.advance(now);
        self.challenge.ask(by);
        self.settle();
    }

    /// From the next part on this recipe judges, which the caller has loaded and verified. A recipe
    /// that could not be loaded is [`Fault::RecipeRefused`] instead.
    pub fn handle_recipe_switch(&mut self, now: Duration, recipe: Recipe) {
        self.advance(now);
        let from = self.recipe.index;
        self.drift = DriftWatch::new(self.settings.drift, &recipe.bands);
        self.recipe = recipe;
        let to = self.recipe.index;
        self.event(Event::RecipeSwitched { from, to });
        self.challenge.switched();
        self.recover(Fault::RecipeRefused);
        self.settle();
    }

    /// Counters back to zero; the part under way stays counted as a trigger.
    pub fn handle_counters_reset(&mut self, now: Duration, by: &str) {
        self.advance(now);
        let fresh = Counters {
            triggers: self.part.is_some().into(),
            ..Counters::default()
        };
        let before = std::mem::replace(&mut self.counters, fresh);
        self.event(Event::CountersReset {
            by: by.to_owned(),
            before,
        });
    }

    /// Time passes. To be called at [`Self::poll_deadline`], and may be at any time.
    pub fn handle_tick(&mut self, now: Duration) {
        self.advance(now);
    }

    /// What to do next; to be asked after every call until there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.queue.pop_front() {
            return Some(output);
        }
        let outputs = self.outputs();
        if self.shown.as_ref() == Some(&outputs) {
            return None;
        }
        self.shown = Some(outputs.clone());
        Some(Output::Show(outputs))
    }

    /// When to call [`Self::handle_tick`] at the latest; `None` while nothing is waited for.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Duration> {
        let stuck_at = self
            .inspector
            .filter(|_| !self.faults.status(Fault::InspectorStuck).active)
            .map(|order| order.stuck_at);
        let running = self.life == Life::Running;
        [
            self.part.as_ref().map(|part| part.deadline),
            stuck_at,
            self.frame_due,
            self.alarm.due_at(),
            self.challenge.due_at().filter(|_| running),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Counts so far; to be stored, and given back to [`Self::resume`].
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How a fault stands, with its counts.
    #[must_use]
    pub const fn fault(&self, fault: Fault) -> FaultStatus {
        self.faults.status(fault)
    }

    /// How drift stands.
    #[must_use]
    pub const fn drift(&self) -> &DriftWatch {
        &self.drift
    }

    /// What happens at the place of inspection; `None` for a station that is triggered.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.presence.as_ref().map(Presence::place)
    }

    /// Grows whenever the station got somewhere: an answer of the inspector, a usable frame or a
    /// tick while no answer is overdue. A watchdog is fed when it grew, so a hanging inspector
    /// starves it however busy the rest is.
    #[must_use]
    pub const fn progress(&self) -> u64 {
        self.progress
    }
}
