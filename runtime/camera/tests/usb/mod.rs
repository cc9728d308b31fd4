//! A USB webcam in this process: a UVC 1.1 device with one MJPG stream of 320 x 240 over a bulk
//! endpoint. It speaks USB/IP over a socket whose other end is handed to the kernel's `vhci-hcd`, so
//! that the kernel's own `uvcvideo` finds it as it finds a camera on a cable. Closing the socket is
//! pulling the plug.

mod descriptors;
mod socket;

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use descriptors::{PAYLOAD, configuration, device, probe, string};
use socket::{Request, Wire};

pub use descriptors::{HEIGHT, WIDTH};

/// Where the kernel takes the other end.
pub const ATTACH: &str = "/sys/devices/platform/vhci_hcd.0/attach";

/// High speed, by the numbers of the kernel.
const SPEED: u32 = 3;
const DEVICE: u32 = 0x1_0002;

const INTERVAL: Duration = Duration::from_millis(33);

/// A camera that is plugged in until this is dropped.
#[derive(Debug)]
pub struct Webcam {
    ours: UnixStream,
    picture: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Webcam {
    /// Plugs in a camera that sees `picture`, a JPEG, in each frame.
    pub fn plug(picture: Vec<u8>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        fs::write(ATTACH, format!("0 {} {DEVICE} {SPEED}", theirs.as_raw_fd()))?;
        let picture = Arc::new(Mutex::new(picture));
        let mut camera = Camera {
            wire: Wire::new(ours.try_clone()?)?,
            picture: Arc::clone(&picture),
            streaming: false,
            frame: None,
            is_odd: false,
            due: Instant::now(),
            waiting: Vec::new(),
        };
        let thread = thread::spawn(move || while camera.turn().is_ok() {});
        Ok(Self {
            ours,
            picture,
            thread: Some(thread),
        })
    }

    /// What the camera sees from the next frame on.
    pub fn show(&self, picture: Vec<u8>) {
        *self.picture.lock().unwrap_or_else(PoisonError::into_inner) = picture;
    }
}

impl Drop for Webcam {
    fn drop(&mut self) {
        let _ = self.ours.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A request for bytes of the stream: its number, and how many.
type Waiting = (u32, usize);

struct Camera {
    wire: Wire,
    picture: Arc<Mutex<Vec<u8>>>,
    streaming: bool,
    /// The frame under way, and how much of it is sent.
    frame: Option<(Vec<u8>, usize)>,
    is_odd: bool,
    due: Instant,
    waiting: Vec<Waiting>,
}

impl Camera {
    /// One request, or a short wait for one, and what of the stream is due.
    fn turn(&mut self) -> io::Result<()> {
        match self.wire.request()? {
            None => {}
            Some(Request::Control {
                number,
                setup,
                reads,
                bytes,
            }) => match self.control(setup) {
                Some(mut answer) if reads => {
                    answer.truncate(bytes);
                    self.wire.answer(number, 0, answer.len(), &answer)?;
                }
                // All that was written was taken.
                Some(_) => self.wire.answer(number, 0, bytes, &[])?,
                None => self.wire.answer(number, socket::STALL, 0, &[])?,
            },
            Some(Request::Sent { number, bytes }) => self.wire.answer(number, 0, bytes, &[])?,
            Some(Request::Stream { number, room }) => self.waiting.push((number, room)),
            Some(Request::Forget { number, forgotten }) => {
                let before = self.waiting.len();
                self.waiting.retain(|(waiting, _)| *waiting != forgotten);
                self.wire.forgot(number, self.waiting.len() < before)?;
            }
        }
        while let Some(&(number, room)) = self.waiting.first()
            && let Some(payload) = self.payload(room)
        {
            self.waiting.remove(0);
            self.wire.answer(number, 0, payload.len(), &payload)?;
        }
        Ok(())
    }

    /// Answers to control requests, by request type and request; `None` stalls.
    fn control(&mut self, setup: [u8; 8]) -> Option<Vec<u8>> {
        let [kind, request, low, high, interface, ..] = setup;
        match (kind, request) {
            // Standard: descriptors, status, configuration, interface.
            (0x80, 6) => match high {
                1 => Some(device()),
                2 => Some(configuration()),
                3 => Some(string(low)),
                _ => None,
            },
            (0x80..=0x82, 0) => Some(vec![0, 0]),
            (0x81, 10) => Some(vec![0]),
            (0x00, 9) | (0x01, 11) => Some(Vec::new()),
            // The endpoint is cleared when the stream stops.
            (0x02, 1) => {
                self.streaming = false;
                self.frame = None;
                Some(Vec::new())
            }
            // UVC, the streaming interface: what is possible, and setting it.
            (0xA1, 0x81 | 0x82 | 0x83 | 0x87) if interface == 1 => Some(probe()),
            (0xA1, 0x85) if interface == 1 => Some(vec![34, 0]),
            (0xA1, 0x86) if interface == 1 => Some(vec![3]),
            (0x21, 1) if interface == 1 => {
                // A commit starts the stream.
                self.streaming |= high == 2;
                Some(Vec::new())
            }
            _ => None,
        }
    }

    /// The next payload of the stream, if one is due.
    fn payload(&mut self, room: usize) -> Option<Vec<u8>> {
        if !self.streaming {
            return None;
        }
        if self.frame.is_none() {
            if Instant::now() < self.due {
                return None;
            }
            self.due = Instant::now() + INTERVAL;
            self.is_odd = !self.is_odd;
            let picture = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
            self.frame = Some((picture.clone(), 0));
        }
        let (frame, sent) = self.frame.as_mut()?;
        let rest = frame.get(*sent..)?;
        let part = rest.get(..room.min(PAYLOAD) - 2).unwrap_or(rest);
        let is_last = part.len() == rest.len();
        // End of header, end of frame, and a bit that changes with each frame.
        let flags = 0x80 | u8::from(is_last) << 1 | u8::from(self.is_odd);
        let payload = [&[2, flags], part].concat();
        *sent += part.len();
        if is_last {
            self.frame = None;
        }
        Some(payload)
    }
}
