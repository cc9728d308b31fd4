//! Time and place as arguments: milliseconds since reset, and how far the belt has come. Nothing in
//! here asks a clock.

use andon_link::Unit;

/// Milliseconds since reset. 64 bits do not wrap within the life of the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// The instant `ms` milliseconds after reset.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since reset.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// `ms` milliseconds later.
    #[must_use]
    pub const fn plus(self, ms: u32) -> Self {
        Self(self.0.saturating_add(ms as u64))
    }

    /// Milliseconds since `earlier`, 0 if that is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// When and where: the time, and the belt's encoder count, which wraps and may run backwards. The
/// count stays 0 where no encoder is wired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Time since reset.
    pub at: Instant,
    /// Encoder ticks.
    pub position: i32,
}

impl Moment {
    /// How far it is from `from` to here; negative if the belt ran backwards.
    #[must_use]
    pub fn distance(self, from: Self, unit: Unit) -> i64 {
        match unit {
            // Within i64 for 292 million years.
            Unit::Milliseconds => self.at.since(from.at) as i64,
            Unit::EncoderTicks => self.position.wrapping_sub(from.position).into(),
        }
    }
}
