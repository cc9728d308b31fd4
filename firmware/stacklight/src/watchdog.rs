//! When the watchdog may be fed: only after the loop has received, judged, driven the pins and
//! sent, and only if time itself has moved. A loop that spins without doing its work, or whose
//! clock stands, is reset.

use crate::moment::Instant;

/// A hardware watchdog.
pub trait Watchdog {
    /// Restarts its count.
    fn feed(&mut self);
}

/// One step of the loop that must make progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The port was read until it was empty, or as much as one turn reads.
    Receive,
    /// The logic has seen the inputs.
    Logic,
    /// Every pin took its level.
    Drive,
    /// Nothing waits to be sent, or at least one byte of it went out.
    Send,
}

/// Decides when to feed.
#[derive(Debug, Default)]
pub struct Feeder {
    done: [bool; 4],
    fed_at: Option<Instant>,
}

impl Feeder {
    /// A feeder that has seen nothing done.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            done: [false; 4],
            fed_at: None,
        }
    }

    /// A stage made progress.
    pub fn done(&mut self, stage: Stage) {
        let [receive, logic, drive, send] = &mut self.done;
        *match stage {
            Stage::Receive => receive,
            Stage::Logic => logic,
            Stage::Drive => drive,
            Stage::Send => send,
        } = true;
    }

    /// Whether to feed now: every stage made progress since the last time, and time moved.
    pub fn poll(&mut self, now: Instant) -> bool {
        let moved = self.fed_at.is_none_or(|fed| now > fed);
        let feed = moved && self.done == [true; 4];
        if feed {
            self.fed_at = Some(now);
            self.done = [false; 4];
        }
        feed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Stage; 4] = [Stage::Receive, Stage::Logic, Stage::Drive, Stage::Send];

    #[test]
    fn a_loop_that_leaves_out_any_stage_is_never_fed() {
        for left_out in ALL {
            let mut feeder = Feeder::new();
            for ms in 0..1000 {
                ALL.into_iter()
                    .filter(|s| *s != left_out)
                    .for_each(|s| feeder.done(s));
                assert!(
                    !feeder.poll(Instant::from_ms(ms)),
                    "fed without {left_out:?}"
                );
            }
        }
    }

    #[test]
    fn a_loop_whose_clock_stands_is_fed_once_and_not_again() {
        let mut feeder = Feeder::new();
        let fed = (0..1000).filter(|_| {
            ALL.into_iter().for_each(|s| feeder.done(s));
            feeder.poll(Instant::from_ms(7))
        });
        assert_eq!(fed.count(), 1);
    }

    #[test]
    fn a_loop_that_does_its_work_is_fed_each_millisecond() {
        let mut feeder = Feeder::new();
        let fed = (0..1000).filter(|ms| {
            ALL.into_iter().for_each(|s| feeder.done(s));
            feeder.poll(Instant::from_ms(*ms))
        });
        assert_eq!(fed.count(), 1000);
    }
}
