//! A source that is built again when it fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::error::FrameError;
use crate::frame::Frame;
use crate::schedule::{RecoverySettings, Schedule};
use crate::source::FrameSource;

/// Counts since the start. They never go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecoveryCounts {
    /// Sources given up: after a time-out, an unplug, or too many damaged frames in a row.
    pub failures: u64,
    /// Sources opened in place of one that was given up.
    pub restarts: u64,
    /// Attempts to open that failed.
    pub failed_openings: u64,
}

/// The counts of a [`Recovering`] source, also while a thread owns it. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct RecoveryWatch(Arc<Mutex<RecoveryCounts>>);

impl RecoveryWatch {
    /// Counts so far.
    pub fn counts(&self) -> RecoveryCounts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, add: impl FnOnce(&mut RecoveryCounts)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Opens sources; called again whenever the last one failed.
pub type OpenSource = dyn FnMut() -> Result<Box<dyn FrameSource>, FrameError> + Send;

/// A source around others: the one in use is dropped when it times out, is unplugged, or gives
/// only damaged frames, and another is opened after a pause that grows from attempt to attempt.
///
/// * Every failure is given to the reader once, so that it is seen and counted.
/// * A device that stays away is looked for without end; looking costs little.
/// * A device that comes back and fails again and again is flapping: when the budget of restarts
///   is spent, [`FrameError::Refused`] is said until [`Self::rearm`], as a person must look at it.
/// * Numbers of frames go on growing over restarts, with a gap of at least one.
pub struct Recovering {
    name: String,
    open: Box<OpenSource>,
    source: Option<Box<dyn FrameSource>>,
    schedule: Schedule,
    watch: RecoveryWatch,
    numbers: Numbers,
}

impl Recovering {
    /// A source called `name` in errors, which `open` opens at the first call of
    /// [`FrameSource::next`].
    pub fn new(name: impl Into<String>, settings: RecoverySettings, open: Box<OpenSource>) -> Self {
        Self {
            name: name.into(),
            open,
            source: None,
            schedule: Schedule::new(settings),
            watch: RecoveryWatch::default(),
            numbers: Numbers::default(),
        }
    }

    /// A view of the counts that goes on working when the source is given to a thread.
    pub fn watch(&self) -> RecoveryWatch {
        self.watch.clone()
    }

    /// Gives the whole budget of restarts again: a person has looked at the device.
    pub fn rearm(&mut self) {
        self.schedule.rearm();
    }

    /// Opens a source if there is none, waiting for the time to do so until `deadline`.
    fn opened(&mut self, timeout: Duration) -> Result<&mut dyn FrameSource, FrameError> {
        if self.source.is_none() {
            if let Some(spent) = self.schedule.spent() {
                return Err(FrameError::Refused {
                    name: self.name.clone(),
                    reason: format!(
                        "it failed again after each of {} restarts within {:?}: \
                         repair it, then acknowledge",
                        spent.restarts, spent.within
                    ),
                });
            }
            let wait = self.schedule.wait(clock::now());
            std::thread::sleep(wait.min(timeout));
            if wait > timeout {
                return Err(FrameError::TimedOut {
                    name: self.name.clone(),
                    waited: timeout,
                });
            }
            let source = (self.open)().inspect_err(|_| {
                self.watch.count(|counts| counts.failed_openings += 1);
                self.schedule.opening_failed(clock::now());
            })?;
            if self.schedule.opened(clock::now()) {
                self.watch.count(|counts| counts.restarts += 1);
            }
            self.numbers.begin();
            self.source = Some(source);
        }
        match &mut self.source {
            Some(source) => Ok(source.as_mut()),
            // Was filled above.
            None => Err(FrameError::End {
                name: self.name.clone(),
            }),
        }
    }
}

impl FrameSource for Recovering {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let begun = clock::now();
        self.opened(timeout)?;
        let left = timeout.saturating_sub(clock::now().saturating_sub(begun));
        let given = self.opened(left)?.next(left);
        let give_up = match &given {
            Ok(_) => {
                self.schedule.frame();
                false
            }
            Err(FrameError::Corrupt { .. }) => self.schedule.corrupt(),
            Err(error) => error.may_pass(),
        };
        if give_up {
            // Closed before the pause, so that the device is free by the time it is opened again.
            self.source = None;
            self.watch.count(|counts| counts.failures += 1);
            self.schedule.failed(clock::now());
        }
        given.map(|frame| {
            let number = self.numbers.of(frame.sequence());
            let captured = frame.captured();
            frame.renumbered(captured, number)
        })
    }

    fn describe(&self) -> String {
        self.source
            .as_ref()
            .map_or_else(|| self.name.clone(), |source| source.describe())
    }
}

/// Numbers that go on growing when a source begins anew at 0 or anywhere else.
#[derive(Debug, Default)]
struct Numbers {
    /// The source's number of its first frame, and ours.
    first: Option<(u64, u64)>,
    /// Ours of the latest frame.
    last: Option<u64>,
}

impl Numbers {
    fn begin(&mut self) {
        self.first = None;
    }

    fn of(&mut self, number: u64) -> u64 {
        // The gap says that frames may be missing.
        let ours = self.last.map_or(number, |last| last.saturating_add(2));
        let (first, base) = *self.first.get_or_insert((number, ours));
        // Within one source numbers are passed on as they are, also if they repeat or go back.
        let shifted = base.saturating_add(number).saturating_sub(first);
        self.last = self.last.max(Some(shifted));
        shifted
    }
}

#[cfg(test)]
mod tests;
