//! What interrupts the loop. The boards have no table of device interrupts: the port's is the only
//! one that is switched on, so whatever has no handler of its own is the port's. A fault or a panic
//! restarts the chip at once, since until then its pins would keep showing what they showed last.

use core::panic::PanicInfo;

use cortex_m::peripheral::SCB;
use cortex_m_rt::{ExceptionFrame, exception};

use crate::{serial, tick};

#[exception]
fn SysTick() {
    tick::count();
}

#[allow(unsafe_code)]
#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    if interrupt < 0 {
        SCB::sys_reset();
    }
    serial::interrupt();
}

#[allow(unsafe_code)]
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    SCB::sys_reset();
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    SCB::sys_reset();
}
