//! The side of whoever asks.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Request, Response};

/// Longest answer that a client reads.
const MOST_ANSWER: u64 = 1 << 20;

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No station is there.
    #[error("{}: no station answers there ({source}): is it running, and may you use its socket?", path.display())]
    NoStation {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The connection broke, or took too long.
    #[error("{}: the station broke off or did not answer in time: {source}", path.display())]
    BrokenOff {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The answer is none.
    #[error("{}: the answer makes no sense ({source}): are both sides of one version?", path.display())]
    Senseless {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Asks the station at `path` and waits for its answer, at most `deadline`.
///
/// # Errors
/// [`AskError`]; a refusal is an answer.
pub fn ask(path: &Path, request: &Request, deadline: Duration) -> Result<Response, AskError> {
    let broken = |source| AskError::BrokenOff {
        path: path.to_owned(),
        source,
    };
    let senseless = |source| AskError::Senseless {
        path: path.to_owned(),
        source,
    };
    let mut stream = UnixStream::connect(path).map_err(|source| AskError::NoStation {
        path: path.to_owned(),
        source,
    })?;
    let mut line = serde_json::to_vec(request).map_err(senseless)?;
    line.push(b'\n');
    stream
        .set_read_timeout(Some(deadline))
        .and_then(|()| stream.set_write_timeout(Some(deadline)))
        .and_then(|()| stream.write_all(&line))
        .map_err(broken)?;
    line.clear();
    let mut reader = BufReader::new(stream.take(MOST_ANSWER));
    if reader.read_until(b'\n', &mut line).map_err(broken)? == 0 {
        return Err(broken(ErrorKind::UnexpectedEof.into()));
    }
    serde_json::from_slice(&line).map_err(senseless)
}
