//! The wire protocol between an inspection station (host) and its stack light (MCU), used unchanged
//! by both: it turns messages into frames and bytes back into messages. It never allocates, never
//! blocks, knows no clock and no port, and never hands over a frame that it could not verify.
//!
//! # Line
//! 115 200 baud, 8 data bits, no parity, one stop bit, no flow control ([`BAUD`]). Each side sends
//! its full state every [`STATE_PERIOD_MS`] whether or not anything changed, so a lost frame heals
//! by itself; events are sent at once in between and their counts are repeated in the full state.
//!
//! # Frame
//! `00 <COBS of the packet> 00`. The leading delimiter ends whatever noise came before, so noise
//! costs at most the frame it fell on. Two delimiters may touch; an empty frame means nothing.
//!
//! | packet offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version of the protocol, now [`VERSION`] |
//! | 1 | 1 | length of the whole packet, checksum included |
//! | 2 | 1 | kind of message, below |
//! | 3 | 2 | sequence number, little endian, each direction counts its own |
//! | 5 | 0..=[`MAX_BODY`] | body, in postcard's format (little-endian varints, one byte an enum or bool, no padding) |
//! | last 4 | 4 | CRC-32/ISO-HDLC of all bytes before, little endian |
//!
//! The first byte and the last four, and the stuffing around them, stay as they are in every later
//! version. So any version can tell a foreign frame from a broken one, and both sides see it: each
//! reads the other's version from the periodic state that it cannot decode
//! ([`Refusal::Version`]).
//!
//! # Messages
//!
//! | kind | from | message | when | answered by |
//! |---|---|---|---|---|
//! | `01` | host | [`HostState`]: lamps, buzzer, ready, last trigger seen, outcome shown, valid-for time | every period and on change | [`Status`] with the echo |
//! | `02` | host | [`PartResult`]: verdict and recipe of one triggered part | once judged; may be repeated | [`Reply`] |
//! | `03` | host | [`Configuration`]: trigger input, rejector | after a reset was seen; may be repeated | [`Reply`] |
//! | `04` | host | ping | when wanted | [`Identity`] |
//! | `81` | MCU | [`Status`]: echo, mode, outputs and inputs as they are, alarms, reset cause, counters | every period and after each host state | |
//! | `82` | MCU | [`TriggerEdge`]: id, time stamp, whether it was taken | at the edge | [`PartResult`] |
//! | `83` | MCU | [`Acknowledge`]: number, time stamp | at the press | |
//! | `84` | MCU | [`Reply`]: which frame, what became of it | after kinds `02` and `03` | |
//! | `85` | MCU | [`Identity`]: firmware revision, board, reset cause | after a reset and after a ping | |
//!
//! # Parts
//! The MCU numbers parts, because it sees the trigger first. A [`TriggerId`] is an epoch, new at
//! each reset, and a number. A result meant for a part from before a reset therefore never lands on
//! a part after it.
//!
//! # What a frame cannot say
//! Values that make no sense have no representation, so a decoded message needs no second check:
//! all lamps dark ([`Lamps`]), OK together with NG ([`Verdict`]), an error without a code
//! ([`ErrorCode`]), a state valid for ever or for no time ([`ValidFor`]), a reject pulse wider than
//! the distance to the next part ([`Rejector`]).
//!
//! # What the checks catch
//! Every truncation (the length is inside the checksum), and every flip of one to four bits that
//! leaves the stuffing alone (at up to 371 bytes CRC-32 has Hamming distance 5; Koopman, "32-bit
//! cyclic redundancy codes for Internet applications", DSN 2002). A flip that hits the stuffing
//! moves the bytes behind it; checksum and length catch that save for a chance of about 2^-32.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used)]

mod config;
mod frame;
mod host;
mod ids;
mod lamps;
mod mcu;
mod receiver;

pub use config::{Configuration, Edge, Rejector, RejectorError, TriggerInput, Triggering, Unit};
pub use frame::{
    Decoder, Frame, MAX_BODY, MAX_PACKET, MAX_WIRE, Message, Received, Refusal, encode,
};
pub use host::{HostMessage, HostState, Outcome, PartResult, ValidFor, Verdict};
pub use ids::{Epoch, ErrorCode, Label, LabelError, RecipeIndex, Sequence, TriggerId};
pub use lamps::{Buzzer, Lamps, LampsError, Signal};
pub use mcu::{
    Acknowledge, Admission, Alarms, Answer, Identity, Inputs, LineCounters, McuMessage, Mode,
    Outputs, Reply, ResetCause, Status, TriggerEdge,
};
pub use receiver::{LinkCounters, Receiver, Transmitter};

/// Version of the protocol that this crate speaks; the first byte of every packet.
pub const VERSION: u8 = 1;

/// Symbols a second on the line.
pub const BAUD: u32 = 115_200;

/// Time between two full states of either side, in milliseconds.
pub const STATE_PERIOD_MS: u32 = 100;
