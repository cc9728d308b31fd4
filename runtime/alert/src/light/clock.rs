//! The MCU's clock on the host's: when an edge was that the MCU stamped in its own time.

use std::collections::VecDeque;
use std::time::Duration;

/// Statuses that are looked at: one second of them. The longer, the more a slow MCU clock (1 % for
/// an RC oscillator) puts edges too early, which would let a frame pass that is older than its
/// trigger; one second is 10 ms, about what a status frame takes on the line.
const SAMPLES: usize = 10;

/// Differences between the two clocks, as seen with each status.
#[derive(Debug, Default)]
pub(crate) struct McuClock {
    /// Host minus MCU in milliseconds, each too large by what its status took on the way.
    offsets_ms: VecDeque<i128>,
}

impl McuClock {
    /// A status that says `uptime_ms` arrived `now`.
    pub fn sample(&mut self, now: Duration, uptime_ms: u64) {
        if self.offsets_ms.len() == SAMPLES {
            self.offsets_ms.pop_front();
        }
        let now_ms = i128::try_from(now.as_millis()).unwrap_or(i128::MAX);
        self.offsets_ms.push_back(now_ms - i128::from(uptime_ms));
    }

    /// The MCU began anew.
    pub fn forget(&mut self) {
        self.offsets_ms.clear();
    }

    /// When something happened at `at_ms` of the MCU, at the latest `now`; `None` before the first
    /// status.
    pub fn on_host(&self, at_ms: u64, now: Duration) -> Option<Duration> {
        // The status that took least time on the way is the nearest to the truth.
        let offset = self.offsets_ms.iter().min()?;
        let at_ms = u64::try_from(i128::from(at_ms) + offset).unwrap_or(0);
        Some(Duration::from_millis(at_ms).min(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statuses each 100 ms that take 8 to 30 ms on the way, from an MCU that was switched on 5 s
    /// before the host and whose clock goes `rate` as fast; where an edge at the end is put, minus
    /// where it was.
    fn error_ms(rate: f64) -> f64 {
        let mut clock = McuClock::default();
        let uptime = |host_ms: u64| ((host_ms as f64 + 5000.0) * rate) as u64;
        for status in 0..600_u64 {
            let sent = status * 100;
            let delay = 8 + status * 7 % 23;
            clock.sample(Duration::from_millis(sent + delay), uptime(sent));
        }
        let edge = 59_950;
        let told = Duration::from_millis(edge + 40);
        let at = clock.on_host(uptime(edge), told).unwrap();
        at.as_secs_f64() * 1000.0 - edge as f64
    }

    #[test]
    fn an_edge_is_put_no_later_than_the_quickest_status_takes() {
        let error = error_ms(1.0);
        assert!((7.0..=10.0).contains(&error), "{error} ms");
    }

    #[test]
    fn a_clock_that_is_a_hundredth_slow_or_fast_puts_an_edge_hardly_too_early() {
        for rate in [0.99, 1.01] {
            let error = error_ms(rate);
            assert!((-2.0..=30.0).contains(&error), "{error} ms at {rate}");
        }
    }

    #[test]
    fn an_edge_is_never_in_the_future_and_unknown_before_the_first_status() {
        let mut clock = McuClock::default();
        assert_eq!(clock.on_host(7, Duration::from_millis(9)), None);
        clock.sample(Duration::from_millis(100), 50);
        let now = Duration::from_millis(120);
        assert_eq!(clock.on_host(99, now), Some(now));
    }
}
