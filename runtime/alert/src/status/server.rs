//! The station's side: a thread that listens and one for each client, so that no client holds up
//! another or the station.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Request, Response};
use crate::bell::Bell;

/// Longest request in bytes.
const MOST_BYTES: u64 = 4096;

/// Most clients at a time.
const MOST_CLIENTS: usize = 16;

/// How long a client may stay without a request.
const IDLE: Duration = Duration::from_secs(30);

/// How often the listener looks for clients and for its end.
const TURN: Duration = Duration::from_millis(50);

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub request: Request,
    answer: SyncSender<Response>,
}

impl Asked {
    /// Answers. Too late an answer goes nowhere; the client was told so.
    pub fn answer(self, response: Response) {
        let _ = self.answer.try_send(response);
    }
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another station answers there.
    #[error("{}: another station answers there: stop it, or choose another path", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no socket is in the way.
    #[error("{}: is no socket and is left alone: choose another path", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
    },
    /// Anything else that the system reports.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The socket; its file goes when this is dropped.
#[derive(Debug)]
pub struct StatusSocket {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StatusSocket {
    /// Listens at `path`. Requests come through the channel, and the bell is rung for each; one that
    /// is not answered within `deadline` is answered as refused.
    ///
    /// # Errors
    /// [`SocketError`]; a socket file that nobody listens at any more is replaced.
    pub fn bind(
        path: &Path,
        deadline: Duration,
        bell: Bell,
    ) -> Result<(Self, Receiver<Asked>), SocketError> {
        let failed = |source| SocketError::Io {
            path: path.to_owned(),
            source,
        };
        clear(path)?;
        // Bound under another name, so that it never shows with more rights than it may have.
        let mut hidden = path.as_os_str().to_owned();
        hidden.push(".new");
        let hidden = PathBuf::from(hidden);
        let _ = fs::remove_file(&hidden);
        let listener = UnixListener::bind(&hidden).map_err(failed)?;
        fs::set_permissions(&hidden, Permissions::from_mode(0o660))
            .and_then(|()| fs::rename(&hidden, path))
            .and_then(|()| listener.set_nonblocking(true))
            .map_err(failed)?;
        let (ask, asked) = sync_channel(MOST_CLIENTS);
        let stop = Arc::new(AtomicBool::new(false));
        let accept = Accept {
            listener,
            deadline,
            ask: Ask { asked: ask, bell },
            stop: Arc::clone(&stop),
        };
        let thread = thread::Builder::new()
            .name("status".into())
            .spawn(move || accept.run())
            .map_err(failed)?;
        let socket = Self {
            path: path.to_owned(),
            stop,
            thread: Some(thread),
        };
        Ok((socket, asked))
    }
}

impl Drop for StatusSocket {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what a station left that was killed, and nothing else.
fn clear(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Io {
        path: path.to_owned(),
        source,
    };
    let path = path.to_owned();
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => Err(SocketError::InTheWay { path }),
        Ok(_) => match UnixStream::connect(&path) {
            Ok(_) => Err(SocketError::InUse { path }),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                fs::remove_file(&path).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        },
    }
}

struct Accept {
    listener: UnixListener,
    deadline: Duration,
    ask: Ask,
    stop: Arc<AtomicBool>,
}

/// The way of requests to the station.
#[derive(Clone)]
struct Ask {
    asked: SyncSender<Asked>,
    bell: Bell,
}

impl Accept {
    fn run(self) {
        // Each client's thread holds one reference.
        let clients = Arc::new(());
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((stream, _)) = self.listener.accept() else {
                thread::sleep(TURN);
                continue;
            };
            if Arc::strong_count(&clients) > MOST_CLIENTS {
                let _ = write(&stream, &refused("too many clients: try again later"));
                continue;
            }
            let (client, ask, deadline) = (Arc::clone(&clients), self.ask.clone(), self.deadline);
            // Without a thread the client sees its connection closed.
            let _ = thread::Builder::new()
                .name("status client".into())
                .spawn(move || {
                    // A client that breaks off is its own affair.
                    let _ = serve(&stream, &ask, deadline);
                    drop(client);
                });
        }
    }
}

fn serve(stream: &UnixStream, ask: &Ask, deadline: Duration) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut reader)
            .take(MOST_BYTES)
            .read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(());
        }
        if count as u64 == MOST_BYTES && line.last() != Some(&b'\n') {
            // Where the next request begins can no longer be told.
            return write(stream, &refused("a request has at most 4096 bytes"));
        }
        write(stream, &answer(&line, ask, deadline))?;
    }
}

fn answer(line: &[u8], ask: &Ask, deadline: Duration) -> Response {
    let request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return refused(&format!("no request: {error}")),
    };
    let (answer, answered) = sync_channel(1);
    if ask.asked.try_send(Asked { request, answer }).is_err() {
        return refused("the station is too busy to take requests: try again");
    }
    ask.bell.ring();
    answered
        .recv_timeout(deadline)
        .unwrap_or_else(|_| refused("the station did not answer in time: it may still do as asked"))
}

fn refused(why: &str) -> Response {
    Response::Refused(why.into())
}

fn write(mut stream: &UnixStream, response: &Response) -> io::Result<()> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    stream.write_all(&line)
}
