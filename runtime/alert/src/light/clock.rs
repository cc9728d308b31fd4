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
