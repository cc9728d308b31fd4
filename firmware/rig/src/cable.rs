//! The cable between a station's serial port and the board's: a terminal device on one side, the
//! board's socket on the other. It carries the bytes as they are, spoils some, or puts another
//! protocol version on each frame, as if the other side were from another release.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use serialport::{SerialPort, TTYPort};

use crate::foreign::of_version;
use crate::noise::Noise;

/// Longest wait for bytes of one side while the other may have some.
const TURN: Duration = Duration::from_millis(1);

/// A cable that is plugged in at both ends.
#[derive(Debug)]
pub struct Cable {
    trouble: Arc<Mutex<Trouble>>,
    unplugged: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What is wrong with the cable.
#[derive(Debug, Default)]
struct Trouble {
    /// To the board, and from it.
    noise: Option<(Noise, Noise)>,
    version: Option<u8>,
}

impl Cable {
    /// Connects `board`, the socket of [`crate::Board::port`], to a new terminal device, to which
    /// `link` is made to point.
    ///
    /// # Errors
    /// Nobody listens at `board`, something is at `link` already, or the system has no terminal.
    pub fn plug(board: &Path, link: &Path) -> Result<Self> {
        let socket = UnixStream::connect(board).context("the board's serial port")?;
        socket.set_read_timeout(Some(TURN))?;
        let (mut terminal, device) = TTYPort::pair()?;
        terminal.set_timeout(TURN)?;
        symlink(device.name().context("a name of the terminal")?, link)?;
        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let unplugged = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (trouble, unplugged) = (Arc::clone(&trouble), Arc::clone(&unplugged));
            move || carry(socket, terminal, &trouble, &unplugged)
        });
        Ok(Self {
            trouble,
            unplugged,
            thread: Some(thread),
        })
    }

    /// Puts noise on the line, to the board and from it, or takes it off and gives it back.
    #[must_use = "the noise that was there tells how much it hit"]
    pub fn set_noise(&self, noise: Option<(Noise, Noise)>) -> Option<(Noise, Noise)> {
        std::mem::replace(&mut lock(&self.trouble).noise, noise)
    }

    /// From now on each side hears the other speak this version, or its own again.
    pub fn set_version(&self, version: Option<u8>) {
        lock(&self.trouble).version = version;
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.unplugged.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Ends within two turns.
            let _ = thread.join();
        }
    }
}

fn lock(trouble: &Mutex<Trouble>) -> std::sync::MutexGuard<'_, Trouble> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carry(
    mut socket: UnixStream,
    mut terminal: TTYPort,
    trouble: &Mutex<Trouble>,
    unplugged: &AtomicBool,
) {
    let (mut to_board, mut to_station) = (Way::default(), Way::default());
    let mut bytes = [0; 1024];
    while !unplugged.load(Ordering::Relaxed) {
        // An error that is no time-out: no station has the terminal open.
        let (count, is_open) = match terminal.read(&mut bytes) {
            Ok(count) => (count, true),
            Err(error) => (0, error.kind() == ErrorKind::TimedOut),
        };
        let carried = {
            let trouble = &mut *lock(trouble);
            let noise = trouble.noise.as_mut().map(|(out, _)| out);
            to_board.pass(&bytes[..count], noise, trouble.version)
        };
        // The board is gone: the cable ends, and so does the test.
        if socket.write_all(&carried).is_err() {
            return;
        }
        let count = match socket.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => return,
        };
        let carried = {
            let trouble = &mut *lock(trouble);
            let noise = trouble.noise.as_mut().map(|(_, back)| back);
            to_station.pass(&bytes[..count], noise, trouble.version)
        };
        if is_open {
            // A station that does not read loses bytes, as at a real port.
            let _ = terminal.write_all(&carried);
        }
    }
}

/// One direction of the cable.
#[derive(Debug, Default)]
struct Way {
    /// The begun frame, while versions are changed.
    begun: Vec<u8>,
}

impl Way {
    /// What comes out of the cable for what goes in.
    fn pass(&mut self, bytes: &[u8], noise: Option<&mut Noise>, version: Option<u8>) -> Vec<u8> {
        let mut out = match version {
            Some(version) => self.translate(bytes, version),
            None => {
                let mut out = std::mem::take(&mut self.begun);
                out.extend_from_slice(bytes);
                out
            }
        };
        if let Some(noise) = noise {
            noise.spoil(&mut out);
        }
        out
    }

    fn translate(&mut self, bytes: &[u8], version: u8) -> Vec<u8> {
        let mut out = Vec::new();
        for &byte in bytes {
            if byte != 0 {
                self.begun.push(byte);
                continue;
            }
            let mut frame = vec![0];
            frame.append(&mut self.begun);
            frame.push(0);
            // What is no frame stays what it is.
            let foreign = of_version(&frame, version);
            out.extend(foreign.unwrap_or(frame));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use andon_link::{HostMessage, Receiver, Refusal, Transmitter};

    fn heard(bytes: &[u8]) -> Vec<Option<Refusal>> {
        let mut receiver = Receiver::<HostMessage>::new();
        let heard = bytes.iter().filter_map(|&byte| receiver.push(byte));
        heard.map(Result::err).collect()
    }

    #[test]
    fn frames_in_pieces_become_sound_frames_of_another_version_and_back_again() {
        let mut transmitter = Transmitter::new();
        let mut way = Way::default();
        let mut out = Vec::new();
        let bytes: Vec<u8> = (0..3)
            .flat_map(|_| transmitter.frame(&HostMessage::Ping).1.as_bytes().to_vec())
            .collect();
        for piece in bytes.chunks(5) {
            out.extend(way.pass(piece, None, Some(9)));
        }
        assert_eq!(heard(&out), [Some(Refusal::Version { theirs: 9 }); 3]);
        out.clear();
        for piece in bytes.chunks(5) {
            out.extend(way.pass(piece, None, None));
        }
        assert_eq!(out, bytes);
    }

    #[test]
    fn noise_hits_as_many_bytes_as_it_says() {
        let mut noise = Noise::new(1, 10);
        let out = Way::default().pass(&[7; 100_000], Some(&mut noise), None);
        let hit = out.iter().filter(|&&byte| byte != 7).count();
        assert_eq!(u64::try_from(hit).unwrap(), noise.flipped());
        assert!((800..1200).contains(&hit), "{hit}");
    }
}
