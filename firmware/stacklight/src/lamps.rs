//! Patterns of the four lamps and how they blink. No pattern leaves every lamp dark, and no dark
//! half of a flash is longer than [`FLASH_HALF_PERIOD_MS`].

use andon_link::Signal;

use crate::moment::Instant;

/// Time that a flashing lamp is on, and then off: 2 Hz, in the middle of the 1.4 Hz to 2.8 Hz that
/// IEC 60073 gives for normal flashing.
pub const FLASH_HALF_PERIOD_MS: u32 = 250;

/// What the lamps do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Red and amber in turn.
    HostLost,
    /// Red and blue in turn.
    VersionMismatch,
    /// Each lamp by its own signal.
    Signals {
        /// Red lamp.
        red: Signal,
        /// Amber lamp.
        amber: Signal,
        /// Green lamp.
        green: Signal,
        /// Blue lamp.
        blue: Signal,
    },
}

/// Which lamps are lit: red, amber, green, blue.
pub type Lit = [bool; 4];

impl Pattern {
    /// The lamps that are lit in the first (`true`) or second half of a flash.
    pub fn lit(self, phase: bool) -> Lit {
        match self {
            Self::HostLost => [phase, !phase, false, false],
            Self::VersionMismatch => [phase, false, false, !phase],
            Self::Signals {
                red,
                amber,
                green,
                blue,
            } => [red, amber, green, blue].map(|signal| match signal {
                Signal::Dark => false,
                Signal::Steady => true,
                Signal::Flashing => phase,
            }),
        }
    }
}

/// The flash clock. It starts anew with each new pattern, so that a new pattern is seen at once.
#[derive(Debug)]
pub struct Flasher {
    pattern: Pattern,
    since: Instant,
}

impl Flasher {
    /// A flasher that shows the pattern after reset.
    pub const fn new(now: Instant) -> Self {
        Self {
            pattern: Pattern::HostLost,
            since: now,
        }
    }

    /// Shows a pattern.
    pub fn show(&mut self, pattern: Pattern, now: Instant) {
        if self.pattern != pattern {
            *self = Self {
                pattern,
                since: now,
            };
        }
    }

    /// Which half of a flash it is; `true` is the lit one.
    pub fn phase(&self, now: Instant) -> bool {
        (now.since(self.since) / u64::from(FLASH_HALF_PERIOD_MS)).is_multiple_of(2)
    }

    /// The lamps that are lit.
    pub fn lit(&self, now: Instant) -> Lit {
        self.pattern.lit(self.phase(now))
    }

    /// When the phase changes next.
    pub fn poll_at(&self, now: Instant) -> Instant {
        let half = u64::from(FLASH_HALF_PERIOD_MS);
        Instant::from_ms(
            self.since
                .as_ms()
                .saturating_add((now.since(self.since) / half + 1) * half),
        )
    }
}
