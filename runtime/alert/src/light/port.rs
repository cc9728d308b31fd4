//! The thread that gives a session its serial port and its clock. It never makes the station wait:
//! the state is left for it to pick up, results and events go through bounded channels.

use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use andon_link::{BAUD, PartResult};
use andon_station::Outputs;
use serialport::TTYPort;

use super::session::LightSession;
use super::words::{LightEvent, LightSettings, PortHealth};
use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::sink::{Shown, Sink, SinkError};

/// Longest wait for bytes: how late a change can go out.
const TURN: Duration = Duration::from_millis(5);

/// How long one write may take; a frame takes 12 ms at most.
const WRITE_LIMIT: Duration = Duration::from_millis(200);

/// Tries to open a port that is gone.
const REOPEN: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// Results, and events, that wait for the other side.
const ROOM: usize = 256;

/// Where the light is, and how it is used.
#[derive(Clone, Debug)]
pub struct LightPortSettings {
    /// The serial port; a name under `/dev/serial/by-id` finds the same adapter again after it was
    /// plugged in elsewhere.
    pub port: PathBuf,
    /// How the light is used.
    pub light: LightSettings,
}

/// What the station last said.
#[derive(Debug)]
struct Latest {
    outputs: Option<Outputs>,
    /// When inspection last got somewhere.
    progress: Instant,
    stop: bool,
    health: PortHealth,
}

/// A stack light on a serial port.
#[derive(Debug)]
pub struct LightPort {
    latest: Arc<Mutex<Latest>>,
    results: SyncSender<PartResult>,
    events: Receiver<LightEvent>,
    thread: Option<JoinHandle<()>>,
}

impl LightPort {
    /// Starts the thread. `epoch` is the zero of the station's clock, in which event times are
    /// given; the bell is rung when the light has brought some. A port that cannot be opened is tried
    /// again, at most 2 s apart.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(settings: LightPortSettings, epoch: Instant, bell: Bell) -> io::Result<Self> {
        let latest = Arc::new(Mutex::new(Latest {
            outputs: None,
            progress: epoch,
            stop: false,
            health: PortHealth::default(),
        }));
        let (results, to_send) = sync_channel(ROOM);
        let (tell, events) = sync_channel(ROOM);
        let mut turns = Turns {
            session: LightSession::new(settings.light),
            settings,
            epoch,
            latest: Arc::clone(&latest),
            results: to_send,
            events: tell,
            bell,
        };
        let thread = thread::Builder::new()
            .name("light".into())
            .spawn(move || turns.run())?;
        Ok(Self {
            latest,
            results,
            events,
            thread: Some(thread),
        })
    }

    /// Hands over the result of a numbered part. `false` if there was no room, which means that
    /// the light is gone; the state repeats the last result anyway.
    pub fn result(&self, result: PartResult) -> bool {
        self.results.try_send(result).is_ok()
    }

    /// What the light brought, to be waited for with a deadline or polled.
    #[must_use]
    pub const fn events(&self) -> &Receiver<LightEvent> {
        &self.events
    }

    /// How port and light do.
    #[must_use]
    pub fn health(&self) -> PortHealth {
        lock(&self.latest).health.clone()
    }
}

impl Sink for LightPort {
    fn show(&mut self, shown: &Shown<'_>) -> Result<(), SinkError> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(SinkError::Ended {
                what: "stack light",
            });
        }
        let mut latest = lock(&self.latest);
        if latest.outputs.as_ref() != Some(shown.outputs) {
            latest.outputs = Some(shown.outputs.clone());
        }
        // An age beyond what the clock has counted is as good as none.
        let progress = Instant::now().checked_sub(shown.progress_age);
        latest.progress = progress.unwrap_or(latest.progress);
        Ok(())
    }

    /// Says nothing more: the light shows "host lost" by itself once the last state has lapsed.
    fn leave(&mut self) -> Result<(), SinkError> {
        lock(&self.latest).stop = true;
        if let Some(thread) = self.thread.take() {
            // Ends within a turn and a write.
            let _ = thread.join();
        }
        Ok(())
    }
}

impl Drop for LightPort {
    fn drop(&mut self) {
        let _ = self.leave();
    }
}

fn lock(latest: &Mutex<Latest>) -> std::sync::MutexGuard<'_, Latest> {
    latest.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's side.
struct Turns {
    session: LightSession,
    settings: LightPortSettings,
    epoch: Instant,
    latest: Arc<Mutex<Latest>>,
    results: Receiver<PartResult>,
    events: SyncSender<LightEvent>,
    bell: Bell,
}

impl Turns {
    fn run(&mut self) {
        let mut backoff = REOPEN;
        let mut was_open = false;
        while !lock(&self.latest).stop {
            let fault = match self.open() {
                Ok(mut port) => {
                    backoff.succeeded();
                    self.opened(was_open);
                    was_open = true;
                    match self.talk(&mut port) {
                        Ok(()) => return,
                        Err(error) => error.to_string(),
                    }
                }
                Err(error) => error.to_string(),
            };
            let port = self.settings.port.display();
            lock(&self.latest).health.fault = Some(format!(
                "{port}: {fault}: check the cable and the right to open it; trying again"
            ));
            self.rest(backoff.failed());
        }
    }

    fn open(&self) -> serialport::Result<TTYPort> {
        let path = self.settings.port.to_string_lossy();
        serialport::new(path, BAUD).timeout(TURN).open_native()
    }

    fn opened(&mut self, again: bool) {
        self.session.handle_connected();
        let mut latest = lock(&self.latest);
        latest.health.fault = None;
        latest.health.reconnects += u32::from(again);
    }

    /// Waits without a port; results queue up in the session meanwhile, and lapse there.
    fn rest(&mut self, wait: Duration) {
        let end = Instant::now() + wait;
        while Instant::now() < end && !lock(&self.latest).stop {
            self.take_results();
            self.session.handle_tick(self.now());
            self.pass_events();
            thread::sleep(TURN.min(end.saturating_duration_since(Instant::now())));
        }
    }

    /// Talks until the port is lost, or `Ok` when told to stop.
    fn talk(&mut self, port: &mut TTYPort) -> io::Result<()> {
        let mut bytes = [0; 1024];
        loop {
            match port.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    let now = self.now();
                    let read = bytes.get(..count).unwrap_or_default();
                    self.session.handle_bytes(read, now);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
            self.take_results();
            let (outputs, progress_age) = {
                let latest = lock(&self.latest);
                if latest.stop {
                    return Ok(());
                }
                (latest.outputs.clone(), latest.progress.elapsed())
            };
            // Before the station has said anything, there is nothing to be said for it.
            if let Some(outputs) = outputs {
                while let Some(frame) = self.session.poll(self.now(), &outputs, progress_age) {
                    write(port, frame.as_bytes())?;
                }
            }
            self.pass_events();
        }
    }

    fn take_results(&mut self) {
        let now = self.now();
        while let Ok(result) = self.results.try_recv() {
            self.session.handle_result(result, now);
        }
    }

    fn pass_events(&mut self) {
        let (mut passed, mut dropped) = (false, 0);
        while let Some(event) = self.session.poll_event() {
            passed = true;
            dropped += u32::from(self.events.try_send(event).is_err());
        }
        if passed {
            self.bell.ring();
        }
        let mut latest = lock(&self.latest);
        latest.health.dropped = latest.health.dropped.wrapping_add(dropped);
        latest.health.light = self.session.health();
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}

/// Writes a frame whole. A port that takes nothing for too long is lost.
fn write(port: &mut TTYPort, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + WRITE_LIMIT;
    while !bytes.is_empty() {
        match port.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if is_passing(&error) && Instant::now() < end => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted
    )
}
