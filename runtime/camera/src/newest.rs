//! A thread that keeps the newest frame of a source at hand.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::FrameError;
use crate::frame::Frame;
use crate::mailbox::{Mailbox, MailboxCounts};
use crate::source::FrameSource;

/// How long the thread rests after an error that came at once, such as from a device that is
/// gone: without it the thread would ask as fast as it can.
const REST: Duration = Duration::from_millis(50);

/// When the thread asks its source for the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// At once: a frame that was not read in time is replaced and counted as skipped. For cameras.
    #[default]
    Newest,
    /// When the last one was read: none is skipped. For a folder in which every file counts.
    Every,
}

/// The thread did not end in time; it ends by itself once its source returns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: the capture thread did not stop within {waited:?}: its driver hangs")]
pub struct StopError {
    /// The source.
    pub name: String,
    /// How long it was waited for.
    pub waited: Duration,
}

#[derive(Debug)]
struct State {
    mailbox: Mailbox,
    /// Set by the reader: the thread shall end.
    stop: bool,
    /// Set by a [`Waker`]: whoever waits for a frame shall look up.
    woken: bool,
    /// Set by the thread: it has ended, and why when the source ended it.
    ended: bool,
    last: Option<FrameError>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under the lock panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` or the deadline.
    fn wait<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        deadline: Instant,
        done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| !done(state))
            .unwrap_or_else(PoisonError::into_inner);
        state
    }
}

/// Wakes whoever waits for a frame of a [`Newest`], because something else wants to be seen to.
#[derive(Debug, Clone)]
pub struct Waker(Arc<Shared>);

impl Waker {
    /// Ends the wait under way, or else the next one.
    pub fn wake(&self) {
        self.0.lock().woken = true;
        self.0.changed.notify_all();
    }
}

/// The newest frame of a source, which a thread of its own reads. Dropping it lets the thread end
/// by itself; [`Self::stop`] waits for that.
#[derive(Debug)]
pub struct Newest {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    name: String,
}

impl Newest {
    /// Starts the thread. `patience` is how long the source may take for one frame before it says
    /// [`FrameError::TimedOut`]; it is also about how long [`Self::stop`] can take.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(
        mut source: impl FrameSource + 'static,
        patience: Duration,
        delivery: Delivery,
    ) -> std::io::Result<Self> {
        let name = source.describe();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mailbox: Mailbox::default(),
                stop: false,
                woken: false,
                ended: false,
                last: None,
            }),
            changed: Condvar::new(),
        });
        let end = Ended(Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("capture".into())
            .spawn(move || {
                let last = capture(&end.0, &mut source, patience, delivery);
                // A driver may take its time to close: that counts as running.
                drop(source);
                end.0.lock().last = last;
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            name,
        })
    }

    /// The newest frame with a number above `after`, or the next error, waited for at most
    /// `timeout`. Errors come in the order in which they happened, also between frames.
    ///
    /// # Errors
    /// Those of the source, and [`FrameError::TimedOut`] when neither came. After the source has
    /// ended ([`FrameError::End`], [`FrameError::Refused`]) that is said again and again. A
    /// [`Waker`] ends the wait as if its time were over.
    pub fn wait(&self, after: Option<u64>, timeout: Duration) -> Result<Frame, FrameError> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            state = self.shared.wait(state, deadline, |state| {
                !state.mailbox.is_empty() || state.ended || state.woken
            });
            if let Some(item) = state.mailbox.take(after) {
                self.shared.changed.notify_all();
                return item;
            }
            if state.ended {
                return Err(state.last.clone().unwrap_or_else(|| FrameError::Refused {
                    name: self.name.clone(),
                    reason: "the capture thread ended: restart the station and report this".into(),
                }));
            }
            if std::mem::take(&mut state.woken) || Instant::now() >= deadline {
                return Err(FrameError::TimedOut {
                    name: self.name.clone(),
                    waited: timeout,
                });
            }
            // What waited was a stale frame; its slot is free again.
            self.shared.changed.notify_all();
        }
    }

    /// Ends waits early, from any thread.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Counts of frames and errors so far.
    pub fn counts(&self) -> MailboxCounts {
        self.shared.lock().mailbox.counts()
    }

    /// Ends the thread and waits for that, at most `timeout`.
    ///
    /// # Errors
    /// [`StopError`] when the source did not come back in time.
    pub fn stop(mut self, timeout: Duration) -> Result<(), StopError> {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        state.stop = true;
        self.shared.changed.notify_all();
        state = self.shared.wait(state, deadline, |state| state.ended);
        if !state.ended {
            return Err(StopError {
                name: self.name.clone(),
                waited: timeout,
            });
        }
        drop(state);
        if let Some(thread) = self.thread.take() {
            // Nothing is left for it to do but to return. A panic in the source was told before.
            let _ = thread.join();
        }
        Ok(())
    }

    /// Whether the thread has ended, by [`Self::stop`] or with its source.
    pub fn is_finished(&self) -> bool {
        self.shared.lock().ended
    }
}

impl Drop for Newest {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

/// Says that the thread has ended when it is dropped, so also when the source panics: a reader
/// must not wait for a thread that is gone.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}

/// Reads the source until it ends or the reader asks to stop. The last error says why it ended.
fn capture(
    shared: &Shared,
    source: &mut impl FrameSource,
    patience: Duration,
    delivery: Delivery,
) -> Option<FrameError> {
    loop {
        let mut state = shared.lock();
        if delivery == Delivery::Every {
            state = shared
                .changed
                .wait_while(state, |state| !state.stop && !state.mailbox.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.stop {
            return None;
        }
        drop(state);
        let asked = Instant::now();
        let item = source.next(patience);
        let last = item.as_ref().err().filter(|e| !e.may_pass()).cloned();
        let failed_at_once = item.is_err() && asked.elapsed() < REST;
        let mut state = shared.lock();
        state.mailbox.put(item);
        shared.changed.notify_all();
        if last.is_some() {
            return last;
        }
        if failed_at_once && delivery == Delivery::Newest {
            drop(shared.wait(state, asked + REST, |state| state.stop));
        }
    }
}

#[cfg(test)]
mod tests;
