//! Packets, stuffing and checksum: messages to bytes and back, one byte at a time on the way back.
//! The order of the checks matters: nothing is believed before the checksum holds, and nothing but
//! the version is read before the version is ours.

use core::marker::PhantomData;

use cobs::{DecodeResult, DecoderState};
use crc::{CRC_32_ISO_HDLC, Crc};
use serde::{Deserialize, Serialize};

use crate::VERSION;
use crate::ids::Sequence;

const HEADER: usize = 5;
const CHECKSUM: usize = 4;

/// Longest body in bytes.
pub const MAX_BODY: usize = 128;

/// Longest packet in bytes: header, body, checksum. Below 254, so that stuffing costs one byte.
pub const MAX_PACKET: usize = HEADER + MAX_BODY + CHECKSUM;

/// Longest frame on the line in bytes: packet, one byte of stuffing, two delimiters.
pub const MAX_WIRE: usize = MAX_PACKET + 3;

const _: () = assert!(MAX_PACKET < 254);

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A message of one direction. Only this crate's two message types are messages.
pub trait Message: Sealed + Sized {
    /// The kind byte.
    fn kind(&self) -> u8;
    /// Writes the body to the start of `body` and gives its length; `None` if it does not fit.
    fn write_body(&self, body: &mut [u8]) -> Option<usize>;
    /// Reads the body of a packet of this kind.
    ///
    /// # Errors
    /// [`Refusal::Kind`] or [`Refusal::Body`].
    fn read(kind: u8, body: &[u8]) -> Result<Self, Refusal>;
}

/// Keeps [`Message`] to this crate: a third message type would share kinds with one of the two.
pub trait Sealed {}

/// One frame as it goes over the line, delimiters included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame(heapless::Vec<u8, MAX_WIRE>);

impl Frame {
    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A verified message with its place in the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<M> {
    /// The sender's count.
    pub sequence: Sequence,
    /// What it says.
    pub message: M,
}

/// Why the bytes between two delimiters were no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stuffing is broken: noise, or a frame cut short.
    #[error("broken stuffing: noise on the line, or a frame cut short")]
    Stuffing,
    /// More bytes than any frame has.
    #[error("more than {MAX_PACKET} bytes without an end: noise, or the wrong baud rate")]
    TooLong,
    /// The port lost bytes, see [`Decoder::interrupt`].
    #[error("the port lost bytes: it was read too late, or the line is noisy")]
    Gap,
    /// Fewer bytes than any frame has.
    #[error("only {bytes} bytes: noise, or a frame cut short")]
    TooShort {
        /// Packet bytes between the delimiters.
        bytes: u8,
    },
    /// The checksum does not hold.
    #[error("the checksum does not hold: noise on the line")]
    Checksum,
    /// A sound frame of another protocol version.
    #[error(
        "the other side speaks protocol version {theirs}, this side {VERSION}: update the older one"
    )]
    Version {
        /// The version of the other side.
        theirs: u8,
    },
    /// The length field does not agree with the frame.
    #[error("the frame states {stated} bytes and has {actual}: a frame cut short")]
    Length {
        /// What the length field says.
        stated: u8,
        /// Bytes of the packet.
        actual: u8,
    },
    /// A sound frame of a kind that this side does not take.
    #[error(
        "kind {kind:#04x} is not for this side: is the receive line wired to the own transmit line?"
    )]
    Kind {
        /// The kind byte.
        kind: u8,
    },
    /// A sound frame whose body has no meaning.
    #[error("a frame of kind {kind:#04x} whose content has no meaning: the sender is faulty")]
    Body {
        /// The kind byte.
        kind: u8,
    },
}

/// Puts a message into a frame.
///
/// Every message fits (a test sends the longest of each kind); were one ever too long, the frame
/// would be empty, which a receiver passes over.
#[must_use]
pub fn encode<M: Message>(sequence: Sequence, message: &M) -> Frame {
    build(sequence, message).unwrap_or_default()
}

fn build<M: Message>(sequence: Sequence, message: &M) -> Option<Frame> {
    let mut packet = [0; MAX_PACKET];
    let (header, rest) = packet.split_first_chunk_mut::<HEADER>()?;
    let body = message.write_body(rest.get_mut(..MAX_BODY)?)?;
    let length = HEADER + body + CHECKSUM;
    let [low, high] = sequence.0.to_le_bytes();
    *header = [
        VERSION,
        u8::try_from(length).ok()?,
        message.kind(),
        low,
        high,
    ];
    let checksum = CRC.checksum(packet.get(..HEADER + body)?);
    packet
        .get_mut(HEADER + body..length)?
        .iter_mut()
        .zip(checksum.to_le_bytes())
        .for_each(|(to, byte)| *to = byte);

    // Stuffed right where it is to be sent from, between the two delimiters.
    let mut frame = heapless::Vec::new();
    frame.resize(MAX_WIRE, 0).ok()?;
    let stuffed = cobs::try_encode(packet.get(..length)?, frame.get_mut(1..)?).ok()?;
    frame.truncate(stuffed + 1);
    frame.push(0).ok()?;
    Some(Frame(frame))
}

/// Finds messages in a stream of bytes. Whatever came before, the next whole frame is found.
#[derive(Debug)]
pub struct Decoder<M> {
    stuffing: DecoderState,
    packet: heapless::Vec<u8, MAX_PACKET>,
    broken: Option<Refusal>,
    message: PhantomData<fn() -> M>,
}

impl<M: Message> Default for Decoder<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> Decoder<M> {
    /// A decoder that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            stuffing: DecoderState::Idle,
            packet: heapless::Vec::new(),
            broken: None,
            message: PhantomData,
        }
    }

    /// Takes the next byte; gives something at the end of each frame that is not empty.
    ///
    /// # Errors
    /// [`Refusal`] tells why the frame that ended here is no message.
    pub fn push(&mut self, byte: u8) -> Option<Result<Received<M>, Refusal>> {
        if byte == 0 {
            return self.end();
        }
        if self.broken.is_some() {
            return None;
        }
        // An error comes only from a delimiter, which does not get here.
        if let Ok(DecodeResult::DataContinue(data)) = self.stuffing.feed(byte)
            && self.packet.push(data).is_err()
        {
            self.broken = Some(Refusal::TooLong);
        }
        None
    }

    /// Tells of bytes that the port lost: the bytes on either side of the gap do not belong
    /// together, so nothing counts until the next delimiter.
    pub fn interrupt(&mut self) {
        self.broken = Some(Refusal::Gap);
    }

    fn end(&mut self) -> Option<Result<Received<M>, Refusal>> {
        let stuffing = core::mem::replace(&mut self.stuffing, DecoderState::Idle).feed(0);
        let outcome = match (self.broken.take(), stuffing) {
            (Some(refusal), _) => Some(Err(refusal)),
            (None, Ok(DecodeResult::DataComplete)) => Some(verify(&self.packet)),
            // Two delimiters in a row.
            (None, Ok(DecodeResult::NoData | DecodeResult::DataContinue(_))) => None,
            (None, Err(_)) => Some(Err(Refusal::Stuffing)),
        };
        self.packet.clear();
        outcome
    }
}

/// Checks a packet from the outside in.
fn verify<M: Message>(packet: &[u8]) -> Result<Received<M>, Refusal> {
    // The packet is at most MAX_PACKET long, which fits.
    let actual = packet.len() as u8;
    let short = Refusal::TooShort { bytes: actual };
    let (content, checksum) = packet.split_last_chunk::<CHECKSUM>().ok_or(short)?;
    let (&theirs, _) = content.split_first().ok_or(short)?;
    if CRC.checksum(content) != u32::from_le_bytes(*checksum) {
        return Err(Refusal::Checksum);
    }
    if theirs != VERSION {
        return Err(Refusal::Version { theirs });
    }
    let (&[_, stated, kind, low, high], body) =
        content.split_first_chunk::<HEADER>().ok_or(short)?;
    if stated != actual {
        return Err(Refusal::Length { stated, actual });
    }
    let sequence = Sequence(u16::from_le_bytes([low, high]));
    M::read(kind, body).map(|message| Received { sequence, message })
}

/// Writes a body in postcard's format; `None` if it does not fit.
pub(crate) fn write<T: Serialize>(body: &T, to: &mut [u8]) -> Option<usize> {
    postcard::to_slice(body, to)
        .ok()
        .map(|written| written.len())
}

/// Reads a body in postcard's format, all of it.
pub(crate) fn read<'a, T: Deserialize<'a>>(kind: u8, body: &'a [u8]) -> Result<T, Refusal> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        _ => Err(Refusal::Body { kind }),
    }
}
