//! What the service manager is told. Its watchdog is fed by inspection progress alone: a station
//! that hangs is restarted even while its other threads live.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;

/// The service manager, if there is one: without `NOTIFY_SOCKET` in the environment, as when
/// started by hand, nothing is told and nothing fails.
#[derive(Clone, Debug)]
pub struct Service {
    /// Half of the time after which the service manager would restart the station.
    feed_every: Option<Duration>,
    fed: Option<Duration>,
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

impl Service {
    /// Reads from the environment whether a watchdog is to be fed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            feed_every: sd_notify::watchdog_enabled().map(|limit| limit / 2),
            fed: None,
        }
    }

    /// How often the watchdog is fed; `None` without one.
    #[must_use]
    pub const fn feed_every(&self) -> Option<Duration> {
        self.feed_every
    }

    /// The station takes triggers.
    ///
    /// # Errors
    /// The service manager does not listen.
    pub fn ready(&self) -> io::Result<()> {
        sd_notify::notify(&[NotifyState::Ready])
    }

    /// The station stops.
    ///
    /// # Errors
    /// The service manager does not listen.
    pub fn stopping(&self) -> io::Result<()> {
        sd_notify::notify(&[NotifyState::Stopping])
    }

    /// One line for `systemctl status`; line breaks become spaces, since a line is a message.
    ///
    /// # Errors
    /// The service manager does not listen.
    pub fn status(&self, text: &str) -> io::Result<()> {
        let line = text.replace(['\n', '\r'], " ");
        sd_notify::notify(&[NotifyState::Status(&line)])
    }

    /// Inspection got somewhere `now`: feeds the watchdog if it is due. To be called by the
    /// inspection loop and by nothing else.
    ///
    /// # Errors
    /// The service manager does not listen.
    pub fn progress(&mut self, now: Duration) -> io::Result<()> {
        let Some(every) = self.feed_every else {
            return Ok(());
        };
        if self.fed.is_some_and(|fed| now.saturating_sub(fed) < every) {
            return Ok(());
        }
        sd_notify::notify(&[NotifyState::Watchdog])?;
        self.fed = Some(now);
        Ok(())
    }
}
