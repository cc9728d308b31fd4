//! Starts what runs beside the loop: the tick and the port's interrupt.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

use crate::tick;

#[derive(Clone, Copy)]
struct Interrupt(u16);

// SAFETY: the number is that of an interrupt of the chip, as the board's reference manual lists it,
// and never changes.
#[allow(unsafe_code)]
unsafe impl InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

/// Starts the tick, and lets interrupt number `port` through. To be called once.
pub fn start(port: u16) {
    if let Some(mut core) = cortex_m::Peripherals::take() {
        tick::start(&mut core.SYST);
    }
    // SAFETY: no critical section is open here that the interrupt could break into.
    #[allow(unsafe_code)]
    unsafe {
        NVIC::unmask(Interrupt(port));
    }
}
