//! Lines over a second serial port.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{ResultLine, TextHealth};
use crate::backoff::Backoff;
use crate::queue::{Dropped, Queue, WRITE_LIMIT, drain};

/// Sends lines over a serial port of its own, which is opened again whenever it is lost.
#[derive(Debug)]
pub struct TextPort {
    queue: Queue,
    dropped: Dropped,
    fault: Arc<Mutex<Option<String>>>,
}

impl TextPort {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left; a port that is not there is tried again.
    pub fn spawn(port: PathBuf, baud: u32) -> io::Result<Self> {
        let dropped = Dropped::default();
        let fault = Arc::new(Mutex::new(None));
        let (counted, told) = (Arc::clone(&dropped), Arc::clone(&fault));
        let queue = Queue::spawn("text port", Arc::clone(&dropped), move |lines| {
            let tell = |fault| *told.lock().unwrap_or_else(PoisonError::into_inner) = fault;
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
            loop {
                let path = port.to_string_lossy();
                match serialport::new(path, baud)
                    .timeout(WRITE_LIMIT)
                    .open_native()
                {
                    Ok(mut open) => {
                        backoff.succeeded();
                        tell(None);
                        drain(&lines, &mut open, &counted);
                    }
                    Err(error) => tell(Some(format!(
                        "{}: {error}: check the cable and the right to open it; trying again",
                        port.display()
                    ))),
                }
                if rest(&lines, backoff.failed(), &counted) {
                    return;
                }
            }
        })?;
        Ok(Self {
            queue,
            dropped,
            fault,
        })
    }

    /// Hands a line over; never waits.
    pub fn send(&self, line: &ResultLine<'_>) {
        self.queue.push(&line.to_string().into());
    }

    /// How the lines do.
    #[must_use]
    pub fn health(&self) -> TextHealth {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        TextHealth {
            readers: usize::from(fault.is_none()),
            dropped: self.dropped.load(Ordering::Relaxed),
            displaced: 0,
            fault: fault.clone(),
        }
    }
}

/// Waits and drops what comes meanwhile: an old line would be taken for a new one. `true` if none
/// can come any more.
fn rest(lines: &Receiver<Arc<str>>, wait: Duration, dropped: &Dropped) -> bool {
    let end = Instant::now() + wait;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(_) => _ = dropped.fetch_add(1, Ordering::Relaxed),
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}
