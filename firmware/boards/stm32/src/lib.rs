//! The few registers that a stack light needs of an STM32L4 or STM32G0: pins, one USART, the
//! independent watchdog, an encoder timer, the tick, and why the last reset came. The two families
//! share these peripherals and differ only in addresses and clock gates, so the code that an
//! emulated STM32L475 runs in the tests is the code that an STM32G031 runs on a line.
//!
//! A vendor's HAL would do more, and would need peripherals that the emulator lacks. All unsafe
//! code is in [`register`], [`ram`] and [`start`].

#![cfg_attr(not(test), no_std)]
#![deny(missing_docs, unsafe_code)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "the exceptions that call it are not built for the host"
    )
)]

#[cfg(not(test))]
mod exceptions;

pub mod encoder;
pub mod gpio;
pub mod life;
pub mod ram;
pub mod register;
pub mod serial;
pub mod start;
pub mod tick;
pub mod watchdog;

/// Clock of core and peripherals on both boards: the internal 16 MHz oscillator, precise to about
/// 1 %, which a UART at 115 200 baud allows.
pub const CLOCK_HZ: u32 = 16_000_000;
