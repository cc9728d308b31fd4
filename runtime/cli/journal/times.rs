//! Times as people type them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time with a zone, or a date or date and time without one, which is taken as UTC.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    text.parse::<DateTime>()
        .and_then(|time| TimeZone::UTC.to_timestamp(time))
        .map_err(|_| "no time: write 2026-03-02, 2026-03-02T06:00 or 2026-03-02T06:00:00Z".into())
}

/// UTC, whole seconds.
pub(super) fn print(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight_and_a_zone_is_kept() {
        let printed = |text| parse(text).map(print);
        assert_eq!(printed("2026-03-02"), Ok("2026-03-02T00:00:00Z".into()));
        assert_eq!(
            printed("2026-03-02T06:00"),
            Ok("2026-03-02T06:00:00Z".into())
        );
        let zone = printed("2026-03-02T06:00:00+01:00");
        assert_eq!(zone, Ok("2026-03-02T05:00:00Z".into()));
        assert!(parse("yesterday").is_err());
    }
}
