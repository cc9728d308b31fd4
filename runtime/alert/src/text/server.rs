//! Lines over TCP, to each reader that is there.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ResultLine, TextHealth};
use crate::queue::{Dropped, Queue, WRITE_LIMIT, drain};

/// Most readers at a time.
const MOST_CLIENTS: usize = 8;

/// How often the listener looks for readers and for its end.
const TURN: Duration = Duration::from_millis(50);

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
