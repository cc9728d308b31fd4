//! Lines of text on their way to a reader that may be slow, dead or not there: a bounded queue and
//! a thread for each, so that no reader holds up the station or another reader.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that wait for one reader.
const ROOM: usize = 256;

/// How long a reader may take no bytes before it counts as dead.
pub(crate) const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// Lines that did not reach a reader.
pub(crate) type Dropped = Arc<AtomicU64>;

/// The way to one reader.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: SyncSender<Arc<str>>,
    dropped: Dropped,
}

impl Queue {
    /// Starts the thread `name`, which does `work` with the lines until none can come any more.
    pub fn spawn(
        name: &str,
        dropped: Dropped,
        work: impl FnOnce(Receiver<Arc<str>>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, lines) = sync_channel(ROOM);
        thread::Builder::new()
            .name(name.into())
            .spawn(move || work(lines))?;
        Ok(Self { sender, dropped })
    }

    /// Hands a line over or drops and counts it; never waits. `false` once the reader is gone.
    pub fn push(&self, line: &Arc<str>) -> bool {
        match self.sender.try_send(Arc::clone(line)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Writes lines until the writer fails or no line can come any more.
pub(crate) fn drain(lines: &Receiver<Arc<str>>, writer: &mut impl Write, dropped: &Dropped) {
    while let Ok(line) = lines.recv() {
        if writer.write_all(line.as_bytes()).is_err() {
            let unsent = 1 + lines.try_iter().count() as u64;
            dropped.fetch_add(unsent, Ordering::Relaxed);
            return;
        }
    }
}
