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

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that was just switched on.
    const NOISE: Record = [0x1234_5678, 0x9ABC_DEF0];
    const BROWN_OUT_AND_PIN: u32 = 3 << 26;

    #[test]
    fn a_life_after_a_life_has_the_next_epoch() {
        assert_eq!(next_epoch(write(Epoch(41)), 7), Epoch(42));
        assert_eq!(next_epoch(write(Epoch(u16::MAX)), 7), Epoch(0));
    }

    #[test]
    fn a_life_after_nothing_has_the_epoch_that_the_noise_gives() {
        assert_eq!(next_epoch(NOISE, 7), Epoch(7));
        assert_eq!(next_epoch([0, 0], 7), Epoch(7));
        assert_eq!(next_epoch([u32::MAX, 0], 7), Epoch(7));
    }

    #[test]
    fn a_record_with_any_bit_turned_is_none() {
        let [word, turned] = write(Epoch(41));
        for bit in 0..32 {
            assert_eq!(read([word ^ 1 << bit, turned]), None);
            assert_eq!(read([word, turned ^ 1 << bit]), None);
        }
    }

    #[test]
    fn a_dip_is_told_from_switching_on_by_what_the_memory_kept() {
        assert_eq!(cause(BROWN_OUT_AND_PIN, true), ResetCause::BrownOut);
        assert_eq!(cause(BROWN_OUT_AND_PIN, false), ResetCause::PowerOn);
    }

    #[test]
    fn the_cause_is_the_innermost_one() {
        let pin = 1 << 26;
        assert_eq!(cause(1 << 29 | pin, true), ResetCause::Watchdog);
        assert_eq!(cause(1 << 28 | pin, true), ResetCause::Software);
        assert_eq!(cause(pin, true), ResetCause::Pin);
        assert_eq!(cause(0, true), ResetCause::Unknown);
    }
}
