//! Time since reset, counted by the core's own timer in milliseconds. The tick also wakes a
//! sleeping loop, so inputs are looked at once a millisecond at the least.

use core::cell::Cell;

use andon_stacklight::Instant;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use critical_section::Mutex;

use crate::CLOCK_HZ;

// 64 bits, since 32 would wrap after 49 days.
static MILLISECONDS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Starts the tick.
pub(crate) fn start(systick: &mut SYST) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(CLOCK_HZ / 1000 - 1);
    systick.clear_current();
    systick.enable_counter();
    systick.enable_interrupt();
}

/// To be called by the tick's exception.
pub(crate) fn count() {
    critical_section::with(|cs| {
        let milliseconds = MILLISECONDS.borrow(cs);
        milliseconds.set(milliseconds.get().saturating_add(1));
    });
}

/// Time since reset.
#[must_use]
pub fn now() -> Instant {
    Instant::from_ms(critical_section::with(|cs| MILLISECONDS.borrow(cs).get()))
}
