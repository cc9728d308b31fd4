//! The two ends of a line with their bookkeeping: what came in, what was lost, and the numbering of
//! what goes out. It counts and numbers; it never holds a message back.

use serde::{Deserialize, Serialize};

use crate::frame::{Decoder, Frame, Message, Received, Refusal, encode};
use crate::ids::Sequence;

/// How a line does, since start; all counts wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounters {
    /// Frames that became messages.
    pub good: u32,
    /// Stretches between delimiters that were damaged.
    pub bad: u32,
    /// Sound frames of another protocol version.
    pub foreign: u32,
    /// Sound frames of this version that mean nothing to this side.
    pub senseless: u32,
    /// Frames missing by their sequence numbers; a jump of more than [`Receiver::MAX_GAP`] is a
    /// restart of the sender and not counted.
    pub lost: u32,
    /// Losses that the port itself reported: overrun, framing, parity.
    pub overruns: u32,
}

/// Finds messages in bytes, and counts.
#[derive(Debug)]
pub struct Receiver<M> {
    decoder: Decoder<M>,
    counters: LinkCounters,
    last: Option<Sequence>,
}

impl<M: Message> Default for Receiver<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Message> Receiver<M> {
    /// Most frames in a row that are believed to be lost rather than never sent.
    pub const MAX_GAP: u16 = 256;

    /// A receiver that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        let counters = LinkCounters {
            good: 0,
            bad: 0,
            foreign: 0,
            senseless: 0,
            lost: 0,
            overruns: 0,
        };
        Self {
            decoder: Decoder::new(),
            counters,
            last: None,
        }
    }

    /// Takes the next byte; gives something at the end of each frame that is not empty.
    ///
    /// # Errors
    /// [`Refusal`] tells why the frame that ended here is no message; it is counted already.
    pub fn push(&mut self, byte: u8) -> Option<Result<Received<M>, Refusal>> {
        let outcome = self.decoder.push(byte)?;
        let count = match &outcome {
            Ok(received) => {
                let gap = self
                    .last
                    .replace(received.sequence)
                    .map_or(0, |last| received.sequence.0.wrapping_sub(last.next().0));
                if gap <= Self::MAX_GAP {
                    self.counters.lost = self.counters.lost.wrapping_add(gap.into());
                }
                &mut self.counters.good
            }
            Err(Refusal::Version { .. }) => &mut self.counters.foreign,
            Err(Refusal::Kind { .. } | Refusal::Body { .. }) => &mut self.counters.senseless,
            Err(_) => &mut self.counters.bad,
        };
        *count = count.wrapping_add(1);
        Some(outcome)
    }

    /// Tells of bytes that the port lost. The frame under way is given up.
    pub fn interrupt(&mut self) {
        self.counters.overruns = self.counters.overruns.wrapping_add(1);
        self.decoder.interrupt();
    }

    /// The counts so far.
    #[must_use]
    pub const fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// Sequence number of the last good frame; `None` before the first.
    #[must_use]
    pub const fn last(&self) -> Option<Sequence> {
        self.last
    }
}

/// Numbers the frames that go out.
#[derive(Clone, Debug, Default)]
pub struct Transmitter {
    next: Sequence,
}

impl Transmitter {
    /// A transmitter whose first frame has number 0.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Sequence(0) }
    }

    /// Puts a message into the next frame; gives its number, by which replies name it.
    pub fn frame<M: Message>(&mut self, message: &M) -> (Sequence, Frame) {
        let sequence = self.next;
        self.next = sequence.next();
        (sequence, encode(sequence, message))
    }
}
