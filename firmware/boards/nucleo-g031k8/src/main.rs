//! The stack light on an ST NUCLEO-G031K8. Host: USART2 behind the board's USB socket. Not tried on
//! the board itself yet; what it shares with the emulated board is tested there.
//!
//! | signal | pin |
//! |---|---|
//! | red, amber, green, blue | PB0, PB1, PB2, PB3 |
//! | buzzer | PB4 |
//! | Trigger Ready, Results Ready | PB5, PA8 |
//! | OK, NG, Error | PA6, PA7, PA11 |
//! | reject | PA12 |
//! | trigger, on while high | PA4 |
//! | acknowledge, on while low | PA5 |
//! | encoder A, B | PA0, PA1 |

#![no_std]
#![no_main]
#![deny(missing_docs)]

use andon_link::{BAUD, Label};
use andon_stacklight::{Boot, InputPins, Light, Moment, OutputPins, Shell};
use cortex_m_rt::entry;
use stm32::encoder::Quadrature;
use stm32::gpio::{Active, Input, Output, Pull, alternate};
use stm32::register::stm32g031::{GPIOA, GPIOB, IWDG, RCC, TIM2, USART2};
use stm32::serial::Serial;
use stm32::watchdog::Independent;
use stm32::{life, ram, start, tick};

/// Interrupt of USART2 (RM0444, table 60).
const USART2_INTERRUPT: u16 = 28;

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
    let reset = life::cause(life::take_flags(RCC, 0x60), life::read(record).is_some());
    let boot = Boot {
        epoch,
        reset,
        revision: Label::try_from(env!("CARGO_PKG_VERSION")).unwrap_or_default(),
        board: Label::try_from(env!("CARGO_PKG_NAME")).unwrap_or_default(),
    };

    clocks();
    let outputs = OutputPins {
        red: Output::new(GPIOB, 0),
        amber: Output::new(GPIOB, 1),
        green: Output::new(GPIOB, 2),
        blue: Output::new(GPIOB, 3),
        buzzer: Output::new(GPIOB, 4),
        ready: Output::new(GPIOB, 5),
        results_ready: Output::new(GPIOA, 8),
        ok: Output::new(GPIOA, 6),
        ng: Output::new(GPIOA, 7),
        error: Output::new(GPIOA, 11),
        reject: Output::new(GPIOA, 12),
    };
    let inputs = InputPins {
        trigger: Input::new(GPIOA, 4, Pull::Down, Active::High),
        button: Input::new(GPIOA, 5, Pull::Up, Active::Low),
    };
    alternate(GPIOA, 0, 2);
    alternate(GPIOA, 1, 2);
    let encoder = Quadrature::start(TIM2);
    alternate(GPIOA, 2, 1);
    alternate(GPIOA, 3, 1);
    let port = Serial::new(USART2, BAUD);
    start::start(USART2_INTERRUPT);
    let light = Light::<PLACES>::new(boot, Moment::default());
    let mut shell = Shell::new(light, outputs, inputs, port, encoder, watchdog);
    loop {
        shell.turn(tick::now());
        // The tick or a byte wakes it.
        cortex_m::asm::wfi();
    }
}

/// Switches on the clocks of what is used; the chip starts on its 16 MHz oscillator.
fn clocks() {
    // Ports A and B, TIM2, USART2.
    RCC.modify(0x34, 3, 3);
    RCC.modify(0x3C, 1 | 1 << 17, 1 | 1 << 17);
}
