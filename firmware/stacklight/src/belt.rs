//! The parts between trigger and rejector. Each is struck unless an OK came for it in time; parts
//! that are too many to keep apart are struck as one stretch, so memory is fixed and no part is
//! ever forgotten.

use andon_link::{Answer, LineCounters, Rejector, Unit};
use heapless::Deque;

use crate::moment::{Instant, Moment};

/// What will happen, or has happened, to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// No result yet.
    Waiting,
    /// It may pass.
    Good,
    /// It is struck, because the host said NG or error.
    Ng,
    /// It is struck, because no result came in time.
    Missing,
    /// It is struck, because its trigger was not taken.
    Untaken,
}

impl Fate {
    const fn is_struck(self) -> bool {
        matches!(self, Self::Ng | Self::Missing | Self::Untaken)
    }
}

/// One part, or several in a row that share their fate.
#[derive(Debug)]
struct Stretch {
    /// Trigger of the first part.
    first: Moment,
    /// Trigger of the last part.
    last: Moment,
    number: u32,
    parts: u32,
    fate: Fate,
    /// It has reached the rejector: its fate stands.
    reached: bool,
    /// How many of its parts are counted as struck; grows while a stretch grows under the pulse.
    struck: u32,
}

impl Stretch {
    /// How far its beginning is behind the trigger. What was on the belt before this memory began
    /// is of no known part, and reaches up to the rejector.
    fn head(&self, now: Moment, rejector: &Rejector) -> i64 {
        if self.parts == 0 {
            i64::MAX
        } else {
            now.distance(self.first, rejector.unit())
        }
    }

    /// How far its end is behind the trigger.
    fn tail(&self, now: Moment, rejector: &Rejector) -> i64 {
        now.distance(self.last, rejector.unit())
    }

    fn holds(&self, number: u32) -> bool {
        number.wrapping_sub(self.number) < self.parts
    }
}

/// What the belt did since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// The rejector strikes now.
    pub strike: bool,
    /// A part to be struck got past without.
    pub missed: bool,
}

/// At most `N` stretches of parts, oldest first.
#[derive(Debug)]
pub struct Belt<const N: usize> {
    stretches: Deque<Stretch, N>,
}

impl<const N: usize> Belt<N> {
    /// An empty belt.
    pub const fn new() -> Self {
        const {
            assert!(
                N >= 2,
                "one place for a part, one for the stretch of too many"
            )
        };
        Self {
            stretches: Deque::new(),
        }
    }

    /// Forgets all parts and takes everything before `now` for bad instead.
    pub fn distrust(&mut self, now: Moment) {
        self.stretches.clear();
        // There is room: the belt is empty.
        let _ = self.stretches.push_back(Stretch {
            first: now,
            last: now,
            number: 0,
            parts: 0,
            fate: Fate::Untaken,
            reached: true,
            struck: 0,
        });
    }

    /// Forgets all parts: there is no rejector.
    pub fn clear(&mut self) {
        self.stretches.clear();
    }

    /// No part can be kept apart from the next one any more.
    pub fn is_full(&self) -> bool {
        self.stretches.len() + 1 >= N
    }

    /// Stretches under way.
    pub fn len(&self) -> usize {
        self.stretches.len()
    }

    /// A part was triggered; `unit` is the rejector's. On a full belt it is to be struck, whatever
    /// `fate` says.
    pub fn admit(&mut self, number: u32, mark: Moment, unit: Unit, fate: Fate) {
        let full = self.is_full();
        let stretch = Stretch {
            first: mark,
            last: mark,
            number,
            parts: 1,
            fate: if full { Fate::Untaken } else { fate },
            reached: false,
            struck: 0,
        };
        if self.stretches.push_back(stretch).is_err()
            && let Some(tail) = self.stretches.back_mut()
        {
            // The last place is only ever taken on a full belt, so this stretch is to be struck.
            // A belt that ran backwards has triggered this part at the other end of the stretch.
            if mark.distance(tail.first, unit) < 0 {
                tail.first = mark;
            }
            if mark.distance(tail.last, unit) > 0 {
                tail.last = mark;
            }
            tail.parts = tail.parts.saturating_add(1);
        }
    }

    /// A verdict came. `None` if the part is not on the belt.
    pub fn record(&mut self, number: u32, good: bool) -> Option<Answer> {
        let stretch = self.stretches.iter_mut().find(|s| s.holds(number))?;
        Some(record(&mut stretch.fate, stretch.reached, good))
    }

    /// What will happen, or has happened, to a part; `None` if it is not on the belt.
    pub fn fate(&self, number: u32) -> Option<Fate> {
        self.stretches
            .iter()
            .find(|s| s.holds(number))
            .map(|s| s.fate)
    }

    /// Moves the parts on.
    pub fn advance(
        &mut self,
        rejector: &Rejector,
        now: Moment,
        counters: &mut LineCounters,
    ) -> Advance {
        let delay = i64::from(rejector.delay());
        let end = delay + i64::from(rejector.width());
        let mut advance = Advance::default();
        for stretch in &mut self.stretches {
            let reached = stretch.head(now, rejector) >= delay;
            if reached && !stretch.reached {
                stretch.reached = true;
                if stretch.fate == Fate::Waiting {
                    stretch.fate = Fate::Missing;
                    counters.missing = counters.missing.wrapping_add(stretch.parts);
                }
                if stretch.fate == Fate::Good {
                    counters.passed = counters.passed.wrapping_add(stretch.parts);
                }
            }
            if reached && stretch.fate.is_struck() && stretch.tail(now, rejector) < end {
                advance.strike = true;
                let fresh = stretch.parts.saturating_sub(stretch.struck);
                counters.rejected = counters.rejected.wrapping_add(fresh);
                stretch.struck = stretch.parts;
            }
        }
        while let Some(front) = self.stretches.front()
            && front.reached
            && front.tail(now, rejector) >= end
        {
            let unstruck = front.parts.saturating_sub(front.struck);
            if front.fate.is_struck() && unstruck > 0 {
                counters.missed = counters.missed.wrapping_add(unstruck);
                advance.missed = true;
            }
            self.stretches.pop_front();
        }
        advance
    }

    /// When time alone next changes something on the belt; `None` if only the encoder can.
    pub fn poll_at(&self, rejector: &Rejector, now: Instant) -> Option<Instant> {
        if rejector.unit() != Unit::Milliseconds {
            return None;
        }
        let starts = self
            .stretches
            .iter()
            .filter(|s| s.parts > 0)
            .map(|s| s.first.at.plus(rejector.delay()));
        let reach = rejector.delay().saturating_add(rejector.width());
        let ends = self.stretches.iter().map(|s| s.last.at.plus(reach));
        starts.chain(ends).filter(|at| *at > now).min()
    }
}

/// What a verdict makes of a part's fate: NG stands, and nothing counts once the part has reached
/// the rejector.
pub fn record(fate: &mut Fate, reached: bool, good: bool) -> Answer {
    match (*fate, good) {
        _ if reached => Answer::TooLate,
        (Fate::Waiting | Fate::Good, true) => {
            *fate = Fate::Good;
            Answer::Taken
        }
        (Fate::Waiting | Fate::Good, false) => {
            *fate = Fate::Ng;
            Answer::Taken
        }
        (Fate::Ng, false) => Answer::Taken,
        (Fate::Ng | Fate::Missing | Fate::Untaken, _) => Answer::AlreadyRejected,
    }
}
