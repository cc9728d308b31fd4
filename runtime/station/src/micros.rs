//! Durations in records are whole microseconds: exact, short, and a plain number for every reader.

use std::time::Duration;

use serde::Serializer;

pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(of(*duration))
}

/// Whole microseconds, saturating (584 000 years).
pub(crate) fn of(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
