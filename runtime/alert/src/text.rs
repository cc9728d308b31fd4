//! One line of text a result, for a PLC or a logger.
//!
//! # Grammar
//! ```text
//! line    = "ANDON;" station ";" part ";" verdict ";" score ";" recipe ";" code CR LF
//! station = 1*64 printable ASCII without ";"        other characters come as "_"
//! part    = decimal                                 count of triggers since the station started
//! verdict = "OK" | "NG" | "ERROR"
//! score   = decimal "." 3DIGIT | ""                 1.000 is the recipe's limit; empty if unknown
//! recipe  = decimal                                 index of the recipe that judged
//! code    = decimal                                 0, or the error code
//! ```
//! For example `ANDON;press 4;1207;NG;1.820;2;0`. Fields are only ever added at the end.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use andon_link::Verdict;
use andon_station::PartRecord;
use serde::{Deserialize, Serialize};

use crate::backoff::Backoff;
use crate::queue::{Dropped, Queue, drain};

/// Most readers at a time.
const MOST_CLIENTS: usize = 8;

/// How long a reader may take no bytes before it counts as dead.
const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// How often the listener looks for readers and for its end.
const TURN: Duration = Duration::from_millis(50);

/// Longest name of a station in a line.
const MOST_NAME: usize = 64;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResultLine<'a> {
    /// Name of the station.
    pub station: &'a str,
    /// Count of triggers since the station started.
    pub part: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// Score in units of the recipe's limit.
    pub score: Option<f32>,
    /// Index of the recipe that judged.
    pub recipe: u16,
}

impl<'a> ResultLine<'a> {
    /// The line of a result.
    #[must_use]
    pub const fn of(station: &'a str, record: &PartRecord) -> Self {
        Self {
            station,
            part: record.number,
            verdict: record.verdict,
            score: record.score,
            recipe: record.recipe.0,
        }
    }
}

impl fmt::Display for ResultLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != ';';
        let name = self.station.chars().take(MOST_NAME);
        let name: String = name.map(|c| if plain(c) { c } else { '_' }).collect();
        let name = if name.is_empty() { "_" } else { &name };
        let (verdict, code) = match self.verdict {
            Verdict::Ok => ("OK", 0),
            Verdict::Ng => ("NG", 0),
            Verdict::Error(code) => ("ERROR", code.0.get()),
        };
        write!(f, "ANDON;{name};{};{verdict};", self.part)?;
        if let Some(score) = self.score.filter(|score| score.is_finite()) {
            write!(f, "{score:.3}")?;
        }
        write!(f, ";{};{code}\r\n", self.recipe)
    }
}

/// Where lines are offered over TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSettings {
    /// The address; port 0 takes any free one.
    pub address: SocketAddr,
    /// Allows an address that other machines can reach. There is no password: whoever can reach
    /// it, reads along.
    #[serde(default)]
    pub open_to_network: bool,
}

/// How the lines do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextHealth {
    /// Readers now.
    pub readers: usize,
    /// Lines that a reader did not take in time, since start.
    pub dropped: u64,
    /// Readers that had to make way for a newer one, since start.
    pub displaced: u64,
    /// Why there is no reader, where that is a fault.
    pub fault: Option<String>,
}

type Clients = Arc<Mutex<Vec<Queue>>>;

/// Offers lines to readers over TCP. What they send is thrown away.
#[derive(Debug)]
pub struct TextServer {
    address: SocketAddr,
    clients: Clients,
    dropped: Dropped,
    displaced: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TextServer {
    /// Listens.
    ///
    /// # Errors
    /// The address is taken, or reachable from other machines without leave.
    pub fn bind(settings: &TextSettings) -> io::Result<Self> {
        if !settings.address.ip().is_loopback() && !settings.open_to_network {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                format!(
                    "{}: can be reached from other machines: use 127.0.0.1, or set open_to_network",
                    settings.address
                ),
            ));
        }
        let listener = TcpListener::bind(settings.address)?;
        listener.set_nonblocking(true)?;
        let mut server = Self {
            address: listener.local_addr()?,
            clients: Clients::default(),
            dropped: Dropped::default(),
            displaced: Arc::default(),
            stop: Arc::default(),
            thread: None,
        };
        let accept = Accept {
            listener,
            clients: Arc::clone(&server.clients),
            dropped: Arc::clone(&server.dropped),
            displaced: Arc::clone(&server.displaced),
            stop: Arc::clone(&server.stop),
        };
        let thread = thread::Builder::new().name("text".into());
        server.thread = Some(thread.spawn(move || accept.run())?);
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands a line to each reader; never waits.
    pub fn send(&self, line: &ResultLine<'_>) {
        let text: Arc<str> = line.to_string().into();
        clients(&self.clients).retain(|client| client.push(&text));
    }

    /// How the lines do.
    #[must_use]
    pub fn health(&self) -> TextHealth {
        TextHealth {
            readers: clients(&self.clients).len(),
            dropped: self.dropped.load(Ordering::Relaxed),
            displaced: self.displaced.load(Ordering::Relaxed),
            fault: None,
        }
    }
}

impl Drop for TextServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn clients(clients: &Clients) -> std::sync::MutexGuard<'_, Vec<Queue>> {
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Accept {
    listener: TcpListener,
    clients: Clients,
    dropped: Dropped,
    displaced: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Accept {
    fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.listener.accept() {
                Ok((stream, _)) => self.welcome(stream),
                // None is there, or this one gave up meanwhile.
                Err(_) => thread::sleep(TURN),
            }
        }
    }

    fn welcome(&self, stream: TcpStream) {
        let mut clients = clients(&self.clients);
        let prepared = stream
            .set_nonblocking(false)
            .and_then(|()| stream.set_write_timeout(Some(WRITE_LIMIT)))
            .and_then(|()| stream.set_nodelay(true));
        if prepared.is_err() {
            return;
        }
        // A reader that has gone shows only when a line is sent to it, so the oldest makes way:
        // a PLC that comes back again and again is never locked out by its own dead connections.
        if clients.len() >= MOST_CLIENTS {
            clients.remove(0);
            self.displaced.fetch_add(1, Ordering::Relaxed);
        }
        let dropped = Arc::clone(&self.dropped);
        let queue = Queue::spawn("text reader", Arc::clone(&dropped), move |lines| {
            serve(stream, &lines, &dropped);
        });
        // Without a thread there is no reader; it may come again.
        clients.extend(queue);
    }
}

fn serve(mut stream: TcpStream, lines: &Receiver<Arc<str>>, dropped: &Dropped) {
    drain(lines, &mut stream, dropped);
    // What the reader has sent must be read, or closing would throw away lines on their way.
    let _ = stream.set_nonblocking(true);
    let _ = stream.read(&mut [0; 256]);
}

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
