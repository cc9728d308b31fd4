//! When a failed source is opened again, and when no more. Pure: time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

/// How a source is recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverySettings {
    /// Pause before the first attempt to open the source again.
    pub first_pause: Duration,
    /// Each further attempt waits twice as long as the last, up to this. It bounds how long a
    /// device that was plugged in again stays unused.
    pub longest_pause: Duration,
    /// Restarts allowed within [`Self::budget_window`].
    pub restarts: u32,
    /// Window in which restarts are counted.
    pub budget_window: Duration,
    /// Damaged frames in a row after which the source is opened again.
    pub corrupt_in_row: u32,
}

impl Default for RecoverySettings {
    /// 0.2 s, doubled up to 2 s; ten restarts in ten minutes; 30 damaged frames in a row.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(2),
            restarts: 10,
            budget_window: Duration::from_secs(600),
            corrupt_in_row: 30,
        }
    }
}

/// The budget of restarts that was spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) restarts: u32,
    pub(crate) within: Duration,
}

/// Pauses and budget of one source.
#[derive(Debug)]
pub(crate) struct Schedule {
    settings: RecoverySettings,
    /// Failures since the last frame.
    attempts: u32,
    /// When the source may be opened.
    due: Duration,
    /// Whether a source was opened before, so that the next opening is a restart.
    began: bool,
    /// Times of the restarts within the window.
    restarts: VecDeque<Duration>,
    spent: bool,
    corrupt: u32,
}

impl Schedule {
    pub(crate) const fn new(settings: RecoverySettings) -> Self {
        Self {
            settings,
            attempts: 0,
            due: Duration::ZERO,
            began: false,
            restarts: VecDeque::new(),
            spent: false,
            corrupt: 0,
        }
    }

    /// How long to wait before the source may be opened.
    pub(crate) const fn wait(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }

    /// A source was opened; says whether that was a restart.
    pub(crate) fn opened(&mut self, now: Duration) -> bool {
        self.corrupt = 0;
        if !self.began {
            self.began = true;
            return false;
        }
        self.restarts.push_back(now);
        true
    }

    /// Opening failed: the next attempt waits longer.
    pub(crate) fn opening_failed(&mut self, now: Duration) {
        let doublings = self.attempts.min(16);
        self.attempts = self.attempts.saturating_add(1);
        let pause = self.settings.first_pause.saturating_mul(1 << doublings);
        self.due = now + pause.min(self.settings.longest_pause);
    }

    /// The source in use failed. Spends the budget when it was restarted too often.
    pub(crate) fn failed(&mut self, now: Duration) {
        while self
            .restarts
            .front()
            .is_some_and(|then| now.saturating_sub(*then) > self.settings.budget_window)
        {
            self.restarts.pop_front();
        }
        self.spent |= self.restarts.len() as u64 >= u64::from(self.settings.restarts);
        self.opening_failed(now);
    }

    /// A sound frame came.
    pub(crate) const fn frame(&mut self) {
        self.attempts = 0;
        self.corrupt = 0;
    }

    /// A damaged frame came; says whether the source is to be given up.
    pub(crate) const fn corrupt(&mut self) -> bool {
        self.corrupt = self.corrupt.saturating_add(1);
        self.corrupt >= self.settings.corrupt_in_row
    }

    /// What was spent, when the source may not be opened again.
    pub(crate) fn spent(&self) -> Option<Spent> {
        self.spent.then_some(Spent {
            restarts: self.settings.restarts,
            within: self.settings.budget_window,
        })
    }

    /// Gives the whole budget again.
    pub(crate) fn rearm(&mut self) {
        self.spent = false;
        self.restarts.clear();
        self.attempts = 0;
        self.due = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_a_frame_makes_them_short_again() {
        let mut schedule = Schedule::new(RecoverySettings::default());
        schedule.opened(ms(0));
        let pauses: Vec<_> = (0..6)
            .map(|_| {
                schedule.opening_failed(ms(1000));
                schedule.wait(ms(1000)).as_millis()
            })
            .collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(schedule.wait(ms(2500)), ms(500));
        schedule.frame();
        schedule.failed(ms(9000));
        assert_eq!(schedule.wait(ms(9000)), ms(200));
    }

    #[test]
    fn a_device_that_stays_away_for_a_week_spends_no_budget() {
        let mut schedule = Schedule::new(RecoverySettings::default());
        schedule.opened(ms(0));
        schedule.failed(ms(10));
        for second in 0..7 * 86_400_u64 {
            schedule.opening_failed(ms(second * 1000));
        }
        assert_eq!(schedule.spent(), None);
        assert!(schedule.opened(ms(700_000_000)));
    }

    #[test]
    fn a_device_that_flaps_spends_its_budget_and_one_that_fails_daily_does_not() {
        let settings = RecoverySettings {
            restarts: 3,
            ..RecoverySettings::default()
        };
        let run = |gap: Duration| {
            let mut schedule = Schedule::new(settings);
            (0..50_u32).position(|n| {
                schedule.opened(gap * n);
                schedule.frame();
                schedule.failed(gap * n + ms(5));
                schedule.spent().is_some()
            })
        };
        assert_eq!(run(Duration::from_secs(60)), Some(3));
        assert_eq!(run(Duration::from_secs(86_400)), None);
    }

    #[test]
    fn rearming_gives_the_whole_budget_again() {
        let settings = RecoverySettings {
            restarts: 1,
            ..RecoverySettings::default()
        };
        let mut schedule = Schedule::new(settings);
        for n in 0..2 {
            schedule.opened(ms(n));
            schedule.failed(ms(n));
        }
        assert!(schedule.spent().is_some());
        schedule.rearm();
        assert_eq!((schedule.spent(), schedule.wait(ms(2))), (None, ms(0)));
    }

    #[test]
    fn damaged_frames_count_only_in_a_row() {
        let mut schedule = Schedule::new(RecoverySettings::default());
        for _ in 0..29 {
            assert!(!schedule.corrupt());
        }
        schedule.frame();
        assert!((0..29).all(|_| !schedule.corrupt()));
        assert!(schedule.corrupt());
    }
}
