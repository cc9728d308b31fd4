//! The stack light on an ST B-L475E-IOT01A, which QEMU emulates as `-M b-l475e-iot01a`. Host: USART1
//! behind the board's USB socket. No encoder: QEMU emulates no timer that could count one.
//!
//! | signal | pin | connector |
//! |---|---|---|
//! | red, amber, green, blue | PA2, PA3, PA4, PA5 | D10, D4, D7, D13 |
//! | buzzer | PA6 | D12 |
//! | Trigger Ready, Results Ready | PA7, PA15 | D11, D9 |
//! | OK, NG, Error | PB0, PB1, PB2 | D3, D6, D8 |
//! | reject | PB4 | D5 |
//! | trigger, on while high | PD14 | D2 |
//! | acknowledge, on while low | PC13 | blue button |

#![no_std]
#![no_main]
#![deny(missing_docs)]

use andon_link::{BAUD, Label};
use andon_stacklight::{Boot, InputPins, Light, Moment, NoEncoder, OutputPins, Shell};
use cortex_m_rt::entry;
use stm32::gpio::{Active, Input, Output, Pull, alternate};
use stm32::register::stm32l475::{GPIOA, GPIOB, GPIOC, GPIOD, IWDG, RCC, USART1};
use stm32::serial::Serial;
use stm32::watchdog::Independent;
use stm32::{life, ram, start, tick};

/// Interrupt of USART1 (RM0351, table 57).
const USART1_INTERRUPT: u16 = 37;

/// Parts, or stretches of parts, between trigger and rejector.
const PLACES: usize = 16;

#[entry]
fn main() -> ! {
    // First of all, so that no wait below is one without end.
    let watchdog = Independent::start(IWDG);
    let noise = ram::noise();
    let record = ram::record();
    let epoch = life::next_epoch(record, noise);
    ram::keep(life::write(epoch));
    let reset = life::cause(life::take_flags(RCC, 0x94), life::read(record).is_some());
    let boot = Boot {
        epoch,
        reset,
        revision: Label::try_from(env!("CARGO_PKG_VERSION")).unwrap_or_default(),
        board: Label::try_from(env!("CARGO_PKG_NAME")).unwrap_or_default(),
    };

    clocks();
    let outputs = OutputPins {
        red: Output::new(GPIOA, 2),
        amber: Output::new(GPIOA, 3),
        green: Output::new(GPIOA, 4),
        blue: Output::new(GPIOA, 5),
        buzzer: Output::new(GPIOA, 6),
        ready: Output::new(GPIOA, 7),
        results_ready: Output::new(GPIOA, 15),
        ok: Output::new(GPIOB, 0),
        ng: Output::new(GPIOB, 1),
        error: Output::new(GPIOB, 2),
        reject: Output::new(GPIOB, 4),
    };
    let inputs = InputPins {
        trigger: Input::new(GPIOD, 14, Pull::Down, Active::High),
        button: Input::new(GPIOC, 13, Pull::Up, Active::Low),
    };
    alternate(GPIOB, 6, 7);
    alternate(GPIOB, 7, 7);
    let port = Serial::new(USART1, BAUD);
    start::start(USART1_INTERRUPT);
    let light = Light::<PLACES>::new(boot, Moment::default());
    let mut shell = Shell::new(light, outputs, inputs, port, NoEncoder, watchdog);
    loop {
        shell.turn(tick::now());
        // The tick or a byte wakes it.
        cortex_m::asm::wfi();
    }
}

/// Runs on the 16 MHz oscillator, and switches on the clocks of what is used.
fn clocks() {
    RCC.modify(0x00, 1 << 8, 1 << 8);
    RCC.wait(0x00, 1 << 10, 1 << 10);
    RCC.modify(0x08, 3, 1);
    RCC.wait(0x08, 3 << 2, 1 << 2);
    // Ports A to D, USART1.
    RCC.modify(0x4C, 0xF, 0xF);
    RCC.modify(0x60, 1 << 14, 1 << 14);
}
