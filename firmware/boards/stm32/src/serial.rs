//! The one serial port, with a buffer each way that its interrupt empties and fills. A byte that
//! the port lost empties the receive buffer as well, so that the gap is reported where it is.

use core::cell::RefCell;

use critical_section::Mutex;
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use heapless::Deque;

use crate::CLOCK_HZ;
use crate::register::Block;

const CR1: usize = 0x00;
const CR3: usize = 0x08;
const BRR: usize = 0x0C;
const ISR: usize = 0x1C;
const ICR: usize = 0x20;
const RDR: usize = 0x24;
const TDR: usize = 0x28;

const ENABLE: u32 = 1 << 0;
const RECEIVE: u32 = 1 << 2;
const TRANSMIT: u32 = 1 << 3;
const RECEIVED: u32 = 1 << 5;
const SENDABLE: u32 = 1 << 7;
/// Parity, framing, noise, overrun: the same bits in `ISR` and `ICR`.
const ERRORS: u32 = 0xF;

struct Buffers {
    usart: Option<Block>,
    /// More than one turn of the loop can fall behind: 5 ms at 115 200 baud are 58 bytes.
    received: Deque<u8, 128>,
    lost: bool,
    /// One frame of the longest kind and some of the next.
    sending: Deque<u8, 160>,
}

static BUFFERS: Mutex<RefCell<Buffers>> = Mutex::new(RefCell::new(Buffers {
    usart: None,
    received: Deque::new(),
    lost: false,
    sending: Deque::new(),
}));

/// Runs `with` on the buffers, the port's interrupt held off. Should they be in use already, which
/// the order of calls excludes, it gives `None`.
fn buffers<R>(with: impl FnOnce(&mut Buffers) -> R) -> Option<R> {
    critical_section::with(|cs| {
        BUFFERS
            .borrow(cs)
            .try_borrow_mut()
            .ok()
            .map(|mut buffers| with(&mut buffers))
    })
}

/// The port.
#[derive(Debug)]
pub struct Serial {
    usart: Block,
}

/// The port lost bytes: overrun, framing, noise, or a full buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl core::fmt::Display for Lost {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the port lost bytes: noise on the line, or the loop fell behind")
    }
}

impl core::error::Error for Lost {}

impl embedded_io::Error for Lost {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl Serial {
    /// Opens `usart`, whose clock and pins are set up, for 8 data bits without parity. There is one
    /// set of buffers, so there is one port.
    #[must_use]
    pub fn new(usart: Block, baud: u32) -> Self {
        usart.write(BRR, (CLOCK_HZ + baud / 2).checked_div(baud).unwrap_or(0));
        // Errors interrupt as well.
        usart.write(CR3, 1);
        usart.write(CR1, ENABLE | RECEIVE | TRANSMIT | RECEIVED);
        buffers(|buffers| buffers.usart = Some(usart));
        Self { usart }
    }
}

/// To be called by the port's interrupt.
pub(crate) fn interrupt() {
    buffers(|buffers| {
        let Some(usart) = buffers.usart else { return };
        let status = usart.read(ISR);
        let damaged = status & ERRORS != 0;
        if damaged {
            usart.write(ICR, ERRORS);
        }
        // Reading the byte frees the port, even where the byte is not to be believed.
        let byte = (status & RECEIVED != 0).then(|| usart.read(RDR) as u8);
        let pushed = byte.is_none_or(|byte| buffers.received.push_back(byte).is_ok());
        if damaged || !pushed {
            buffers.received.clear();
            buffers.lost = true;
        }
        if status & SENDABLE != 0 && usart.read(CR1) & SENDABLE != 0 {
            match buffers.sending.pop_front() {
                Some(byte) => usart.write(TDR, byte.into()),
                None => usart.modify(CR1, SENDABLE, 0),
            }
        }
    });
}

impl ErrorType for Serial {
    type Error = Lost;
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Lost> {
        Ok(buffers(|b| b.lost || !b.received.is_empty()).unwrap_or(false))
    }
}

impl Read for Serial {
    fn read(&mut self, to: &mut [u8]) -> Result<usize, Lost> {
        if to.is_empty() {
            return Ok(0);
        }
        loop {
            let read = buffers(|buffers| {
                if core::mem::take(&mut buffers.lost) {
                    return Err(Lost);
                }
                let mut count = 0;
                for place in to.iter_mut() {
                    let Some(byte) = buffers.received.pop_front() else {
                        break;
                    };
                    *place = byte;
                    count += 1;
                }
                Ok(count)
            });
            match read {
                Some(Err(lost)) => return Err(lost),
                Some(Ok(count)) if count > 0 => return Ok(count),
                _ => cortex_m::asm::wfi(),
            }
        }
    }
}

impl WriteReady for Serial {
    fn write_ready(&mut self) -> Result<bool, Lost> {
        Ok(buffers(|b| !b.sending.is_full()).unwrap_or(false))
    }
}

impl Write for Serial {
    fn write(&mut self, from: &[u8]) -> Result<usize, Lost> {
        if from.is_empty() {
            return Ok(0);
        }
        loop {
            let written = buffers(|buffers| {
                let mut count = 0;
                for byte in from {
                    if buffers.sending.push_back(*byte).is_err() {
                        break;
                    }
                    count += 1;
                }
                // Within the critical section: the interrupt changes the same register.
                self.usart.modify(CR1, SENDABLE, SENDABLE);
                count
            });
            match written {
                Some(count) if count > 0 => return Ok(count),
                _ => cortex_m::asm::wfi(),
            }
        }
    }

    fn flush(&mut self) -> Result<(), Lost> {
        while buffers(|b| !b.sending.is_empty()).unwrap_or(false) {
            cortex_m::asm::wfi();
        }
        Ok(())
    }
}
