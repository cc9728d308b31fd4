//! Memory as it is found after a reset: a record that no reset clears, and the noise in memory that
//! nobody uses yet. That memory is then painted, so that a debugger sees how far the stack grew.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::life::Record;

/// What the unused memory is painted with.
pub const PAINT: u32 = 0xCCCC_CCCC;

// The start-up code leaves this section as it finds it.
#[allow(unsafe_code)]
#[unsafe(link_section = ".uninit.LIFE")]
static LIFE: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];

/// The record of the life before, or noise.
#[must_use]
pub fn record() -> Record {
    LIFE.each_ref().map(|word| word.load(Ordering::Relaxed))
}

/// Keeps the record of this life.
pub fn keep(record: Record) {
    for (place, word) in LIFE.iter().zip(record) {
        place.store(word, Ordering::Relaxed);
    }
}

/// Folds the memory between the last static and the stack into a number that differs from one
/// switching-on to the next, and paints it. To be called once, first of all.
#[allow(unsafe_code)]
#[must_use]
pub fn noise() -> u16 {
    unsafe extern "C" {
        /// The first address behind all statics, by the linker script of cortex-m-rt.
        static __sheap: u32;
    }
    // The stack in use, and what this function itself may need, stay untouched.
    let end = cortex_m::register::msp::read().wrapping_sub(256) as usize;
    let mut place = (&raw const __sheap) as usize;
    let mut hash = 0x811C_9DC5_u32;
    while place < end {
        let word = place as *mut u32;
        // SAFETY: aligned memory of this chip, behind the statics and below the stack pointer;
        // nothing else uses it. Volatile, since its content was never written by this program.
        unsafe {
            hash = (hash ^ word.read_volatile()).wrapping_mul(0x0100_0193);
            word.write_volatile(PAINT);
        }
        place += 4;
    }
    (hash ^ hash >> 16) as u16
}
