//! Which life of the MCU this is, and why the last one ended. A record in memory that no reset
//! clears tells a dip of the supply from switching it on: after a dip it still holds.

use andon_link::{Epoch, ResetCause};

use crate::register::Block;

/// Marks a record.
const MARK: u32 = 0xA9D0;

/// The record of a life: epoch and mark, then the same with every bit turned.
pub type Record = [u32; 2];

/// The epoch that a record holds; `None` if it is not one.
#[must_use]
pub const fn read(record: Record) -> Option<Epoch> {
    let [word, turned] = record;
    if word == !turned && word & 0xFFFF == MARK {
        Some(Epoch((word >> 16) as u16))
    } else {
        None
    }
}

/// The record of a life.
#[must_use]
pub const fn write(epoch: Epoch) -> Record {
    let word = (epoch.0 as u32) << 16 | MARK;
    [word, !word]
}

/// The epoch after the one in `record`, or `noise` where there is none.
#[must_use]
pub const fn next_epoch(record: Record, noise: u16) -> Epoch {
    match read(record) {
        Some(Epoch(last)) => Epoch(last.wrapping_add(1)),
        None => Epoch(noise),
    }
}

/// Reads and clears the reset flags of `rcc`, whose CSR register is at `csr`. Both families have
/// them at the same bits.
#[must_use]
pub fn take_flags(rcc: Block, csr: usize) -> u32 {
    let flags = rcc.read(csr);
    rcc.modify(csr, 1 << 23, 1 << 23);
    flags
}

/// Why the reset came. `survived` is whether the record of the life before still holds.
#[must_use]
pub const fn cause(flags: u32, survived: bool) -> ResetCause {
    const fn set(flags: u32, bit: u32) -> bool {
        flags >> bit & 1 != 0
    }
    // In this order: a reset from within also pulls the reset pin, and sets its flag.
    if set(flags, 29) || set(flags, 30) {
        ResetCause::Watchdog
    } else if set(flags, 28) {
        ResetCause::Software
    } else if set(flags, 27) && survived {
        ResetCause::BrownOut
    } else if set(flags, 27) {
        ResetCause::PowerOn
    } else if set(flags, 26) {
        ResetCause::Pin
    } else {
        ResetCause::Unknown
    }
}
