//! Which faults come when, and which came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fault::Fault;

/// How many faults are remembered by the number of their frame.
const REMEMBERED: usize = 1024;

/// The faults of a source: at random from a seed, or from a list. Clones share one state, so a
/// source that is built again goes on in the plan and does not begin anew.
#[derive(Debug, Clone)]
pub struct FaultPlan(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    choice: Choice,
    waits: bool,
    /// Frames asked for so far.
    asked: u64,
    counts: [u64; Fault::ALL.len()],
    /// Frames that were given with a fault, latest last.
    given: VecDeque<(u64, Fault)>,
}

#[derive(Debug)]
enum Choice {
    Random {
        dice: Box<ChaCha8Rng>,
        rate: f64,
        kinds: Vec<Fault>,
    },
    Script(Vec<(u64, Fault)>),
}

impl FaultPlan {
    /// A fault of one of `kinds`, each as likely as any, in this share of the frames
    /// (`0.0..=1.0`). The same seed gives the same faults on every platform.
    pub fn random(seed: u64, rate: f64, kinds: &[Fault]) -> Self {
        Self::new(Choice::Random {
            dice: Box::new(ChaCha8Rng::seed_from_u64(seed)),
            rate: rate.clamp(0.0, 1.0),
            kinds: kinds.to_vec(),
        })
    }

    /// These faults and no others: `(n, fault)` befalls the frame that is asked for after `n`
    /// others.
    pub fn script(faults: &[(u64, Fault)]) -> Self {
        Self::new(Choice::Script(faults.to_vec()))
    }

    fn new(choice: Choice) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            choice,
            waits: true,
            asked: 0,
            counts: [0; Fault::ALL.len()],
            given: VecDeque::new(),
        })))
    }

    /// The same plan, in which a stall returns at once instead of after the time-out: for tests
    /// that run faster than time.
    pub fn without_waiting(self) -> Self {
        self.with(|plan| plan.waits = false);
        self
    }

    /// How often this fault came so far.
    pub fn count(&self, fault: Fault) -> u64 {
        self.with(|plan| plan.counts[fault as usize])
    }

    /// The fault of the frame with this number, among the latest 1024 that were given with one.
    /// A duplicate has none of its own: it is the frame before once more.
    pub fn fault_of(&self, sequence: u64) -> Option<Fault> {
        self.with(|plan| {
            let given = plan.given.iter().rev();
            given.clone().find(|(n, _)| *n == sequence).map(|(_, f)| *f)
        })
    }

    pub(crate) fn waits(&self) -> bool {
        self.with(|plan| plan.waits)
    }

    /// The fault of the next frame.
    pub(crate) fn next(&self) -> Option<Fault> {
        self.with(|plan| {
            let now = plan.asked;
            plan.asked += 1;
            match &mut plan.choice {
                Choice::Random { dice, rate, kinds } => {
                    if kinds.is_empty() || !dice.random_bool(*rate) {
                        return None;
                    }
                    Some(kinds[dice.random_range(0..kinds.len())])
                }
                Choice::Script(faults) => faults.iter().find(|(n, _)| *n == now).map(|(_, f)| *f),
            }
        })
    }

    /// A fault has come, with a frame or without.
    pub(crate) fn record(&self, fault: Fault, sequence: Option<u64>) {
        self.with(|plan| {
            plan.counts[fault as usize] += 1;
            if let Some(sequence) = sequence
                && fault != Fault::Duplicated
            {
                if plan.given.len() == REMEMBERED {
                    plan.given.pop_front();
                }
                plan.given.push_back((sequence, fault));
            }
        });
    }

    fn with<T>(&self, use_plan: impl FnOnce(&mut Plan) -> T) -> T {
        use_plan(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(plan: &FaultPlan, count: usize) -> Vec<Option<Fault>> {
        (0..count).map(|_| plan.next()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        let faults = |seed| draw(&FaultPlan::random(seed, 0.3, &Fault::ALL), 500);
        assert_eq!(faults(1), faults(1));
        assert_ne!(faults(1), faults(2));
    }

    #[test]
    fn every_fault_comes_and_about_as_often_as_asked_for() {
        let faults = draw(&FaultPlan::random(7, 0.2, &Fault::ALL), 5000);
        let count = faults.iter().flatten().count();
        assert!((800..1200).contains(&count), "{count}");
        for fault in Fault::ALL {
            assert!(faults.contains(&Some(fault)), "{fault:?}");
        }
    }

    #[test]
    fn a_clone_goes_on_where_the_plan_is() {
        let plan = FaultPlan::script(&[(1, Fault::Black), (2, Fault::Stall)]);
        assert_eq!(draw(&plan, 2), [None, Some(Fault::Black)]);
        assert_eq!(draw(&plan.clone(), 2), [Some(Fault::Stall), None]);
    }
}
