//! A thread behind a bounded channel: the front hands over or counts, and never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The channel to the writing thread is full, or that thread is gone. It is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the writer is too busy to take this: it was dropped and counted; the disk is too slow or stuck"
)]
pub struct Dropped;

/// What the thread does.
pub(crate) trait Work: Send + 'static {
    type Item: Send + 'static;
    /// Takes one item.
    fn take(&mut self, item: Self::Item);
    /// Called whenever nothing came for a second.
    fn idle(&mut self);
    /// Called once, after the last item.
    fn finish(&mut self);
}

/// The front of a thread.
#[derive(Debug)]
pub(crate) struct Lane<T> {
    sender: SyncSender<T>,
    ended: Receiver<()>,
    dropped: Arc<AtomicU64>,
}

impl<T: Send + 'static> Lane<T> {
    /// Starts the thread `name` with room for `capacity` items before it.
    pub fn spawn(
        name: &str,
        capacity: usize,
        mut work: impl Work<Item = T>,
    ) -> std::io::Result<Self> {
        let (sender, items) = sync_channel(capacity);
        let (ending, ended) = sync_channel(1);
        thread::Builder::new().name(name.into()).spawn(move || {
            loop {
                match items.recv_timeout(Duration::from_secs(1)) {
                    Ok(item) => work.take(item),
                    Err(RecvTimeoutError::Timeout) => work.idle(),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            work.finish();
            // Nobody may be waiting any more.
            let _ = ending.send(());
        })?;
        Ok(Self {
            sender,
            ended,
            dropped: Arc::default(),
        })
    }

    pub fn try_send(&self, item: T) -> Result<(), Dropped> {
        self.sender.try_send(item).map_err(|_| {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            Dropped
        })
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Lets the thread finish what it has; `false` if it has not by `deadline`.
    pub fn finish(self, deadline: Duration) -> bool {
        let Self { sender, ended, .. } = self;
        drop(sender);
        ended.recv_timeout(deadline).is_ok()
    }
}
