//! USB/IP as a device speaks it, of which only what a camera with a bulk endpoint needs; see
//! `Documentation/usb/usbip_protocol.rst` of the kernel.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Each header has this length, and numbers in it are big-endian.
const HEADER: usize = 48;

/// `EPIPE`: this request is not known here.
pub const STALL: i32 = -32;
/// `ECONNRESET`: a request was taken back in time.
const TAKEN_BACK: i32 = -104;

/// What the kernel asks.
pub enum Request {
    /// A control request that reads or writes so many bytes.
    Control {
        number: u32,
        setup: [u8; 8],
        reads: bool,
        bytes: usize,
    },
    /// A transfer to the stream's endpoint that would be from the host, which there is none of.
    Sent { number: u32, bytes: usize },
    /// Room for bytes of the stream.
    Stream { number: u32, room: usize },
    /// An earlier request is taken back.
    Forget { number: u32, forgotten: u32 },
}

/// The socket, and what of the next request has come.
pub struct Wire {
    socket: UnixStream,
    bytes: Vec<u8>,
}

impl Wire {
    pub fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_read_timeout(Some(Duration::from_millis(2)))?;
        Ok(Self {
            socket,
            bytes: Vec::new(),
        })
    }

    /// The next request, or `None` after a short wait.
    pub fn request(&mut self) -> io::Result<Option<Request>> {
        if let Some(request) = self.parse()? {
            return Ok(Some(request));
        }
        let mut some = [0; 4096];
        match self.socket.read(&mut some) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.bytes.extend_from_slice(&some[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        self.parse()
    }

    fn parse(&mut self) -> io::Result<Option<Request>> {
        let Some(header) = self.bytes.first_chunk::<HEADER>().copied() else {
            return Ok(None);
        };
        let word = |at: usize| {
            let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            u32::from_be_bytes(bytes)
        };
        let (command, number, is_in, endpoint) = (word(0), word(4), word(12) == 1, word(16));
        let length = word(24) as usize;
        let data = if command == 1 && !is_in { length } else { 0 };
        if self.bytes.len() < HEADER + data {
            return Ok(None);
        }
        self.bytes.drain(..HEADER + data);
        let mut setup = [0; 8];
        setup.copy_from_slice(&header[40..]);
        match (command, endpoint) {
            (1, 0) => Ok(Some(Request::Control {
                number,
                setup,
                reads: is_in,
                bytes: length,
            })),
            (1, _) if is_in => Ok(Some(Request::Stream {
                number,
                room: length,
            })),
            (1, _) => Ok(Some(Request::Sent {
                number,
                bytes: length,
            })),
            (2, _) => Ok(Some(Request::Forget {
                number,
                forgotten: word(20),
            })),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Answers a request.
    pub fn answer(
        &mut self,
        number: u32,
        status: i32,
        length: usize,
        bytes: &[u8],
    ) -> io::Result<()> {
        self.send(3, number, status, length as u32, bytes)
    }

    /// Answers a request that takes another one back.
    pub fn forgot(&mut self, number: u32, in_time: bool) -> io::Result<()> {
        let status = if in_time { TAKEN_BACK } else { 0 };
        self.send(4, number, status, 0, &[])
    }

    fn send(
        &mut self,
        command: u32,
        number: u32,
        status: i32,
        length: u32,
        bytes: &[u8],
    ) -> io::Result<()> {
        let mut message = vec![0; HEADER];
        message[..4].copy_from_slice(&command.to_be_bytes());
        message[4..8].copy_from_slice(&number.to_be_bytes());
        message[20..24].copy_from_slice(&status.to_be_bytes());
        message[24..28].copy_from_slice(&length.to_be_bytes());
        message.extend_from_slice(bytes);
        self.socket.write_all(&message)
    }
}
