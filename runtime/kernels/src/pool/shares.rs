//! Who does which units: each thread a run of its own, and what others have left once that is done.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// The part of what is left that is taken at once: large pieces first, since a kernel is quicker on many rows, and single
/// units at the end, so that all threads finish together.
const PART: u32 = 2;

/// What is left of a run of units: the first in the upper half, the end in the lower. On cache lines of its own.
#[repr(align(128))]
struct Share(AtomicU64);

fn join(units: Range<u32>) -> u64 {
    u64::from(units.start) << 32 | u64::from(units.end)
}

fn split(word: u64) -> Range<u32> {
    (word >> 32) as u32..word as u32
}

/// One share for each thread.
pub(super) struct Shares(Box<[Share]>);

impl Shares {
    pub(super) fn new(threads: usize) -> Shares {
        Shares((0..threads).map(|_| Share(AtomicU64::new(0))).collect())
    }

    /// Deals the units `0..units`, at most 2^32 - 1 of them. Not while anyone claims; who opens the job publishes them.
    pub(super) fn deal(&self, units: usize) {
        let threads = self.0.len();
        let bound = |i: usize| (units as u64 * i as u64 / threads as u64) as u32;
        for (i, share) in self.0.iter().enumerate() {
            share
                .0
                .store(join(bound(i)..bound(i + 1)), Ordering::Relaxed);
        }
    }

    /// Some units that nobody else gets, of the own share as long as there are any; `None` when all are taken.
    pub(super) fn claim(&self, thread: usize) -> Option<Range<usize>> {
        let (before, from) = self.0.split_at(thread);
        let (own, others) = from.split_first()?;
        let front = |left: Range<u32>| {
            let count = left.len().div_ceil(PART as usize) as u32;
            (left.start..left.start + count, left.start + count..left.end)
        };
        let back = |left: Range<u32>| {
            let count = left.len().div_ceil(PART as usize) as u32;
            (left.end - count..left.end, left.start..left.end - count)
        };
        own.take(front).or_else(|| {
            let mut victims = others.iter().chain(before);
            victims.find_map(|share| share.take(back))
        })
    }
}

impl Share {
    /// Takes what `cut` says of what is left: (taken, left).
    fn take(&self, cut: impl Fn(Range<u32>) -> (Range<u32>, Range<u32>)) -> Option<Range<usize>> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let left = split(word);
            if left.is_empty() {
                return None;
            }
            let (taken, left) = cut(left);
            // Relaxed: entering and leaving the job orders the memory of the units.
            match self.0.compare_exchange_weak(
                word,
                join(left),
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(taken.start as usize..taken.end as usize),
                Err(found) => word = found,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_given_once_whoever_asks() {
        for (threads, units) in [(1, 1), (2, 43), (3, 2), (4, 100), (7, 5), (2, 0)] {
            let shares = Shares::new(threads);
            for round in 0..3 {
                shares.deal(units);
                let mut seen = vec![0; units];
                let mut turn = round;
                while let Some(units) = shares.claim(turn % threads) {
                    assert!(!units.is_empty());
                    units.for_each(|unit| seen[unit] += 1);
                    turn = turn * 5 + 1;
                }
                assert!(seen.iter().all(|count| *count == 1), "{threads} {units}");
                assert!((0..threads).all(|thread| shares.claim(thread).is_none()));
            }
        }
    }

    #[test]
    fn a_thread_begins_with_the_front_of_its_own_share() {
        let shares = Shares::new(2);
        shares.deal(40);
        assert_eq!(shares.claim(1), Some(20..30));
        assert_eq!(shares.claim(0), Some(0..10));
        assert_eq!(shares.claim(0), Some(10..15));
    }
}
