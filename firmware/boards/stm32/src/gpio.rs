//! Pins. Each is set up once and then either read or driven; its port's clock must be on.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

use crate::register::Block;

const MODER: usize = 0x00;
const PUPDR: usize = 0x0C;
const IDR: usize = 0x10;
const BSRR: usize = 0x18;
const AFRL: usize = 0x20;
const AFRH: usize = 0x24;

const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const ALTERNATE: u32 = 2;

/// What holds an input that nothing drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// High.
    Up,
    /// Low.
    Down,
}

/// When an input counts as on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Active {
    /// While high.
    High,
    /// While low.
    Low,
}

/// An output, on while high.
#[derive(Debug)]
pub struct Output {
    port: Block,
    pin: u8,
}

impl Output {
    /// Pin `pin` (0 to 15) of `port` as a push-pull output, low from its first moment.
    #[must_use]
    pub fn new(port: Block, pin: u8) -> Self {
        let mut output = Self { port, pin };
        output.drive(false);
        set_mode(port, pin, OUTPUT);
        output
    }

    fn drive(&mut self, high: bool) {
        let shift = self.pin + if high { 0 } else { 16 };
        self.port.write(BSRR, bit(shift));
    }
}

impl ErrorType for Output {
    type Error = Infallible;
}

impl OutputPin for Output {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.drive(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.drive(true);
        Ok(())
    }
}

/// An input. `high` in the sense of the trait means on.
#[derive(Debug)]
pub struct Input {
    port: Block,
    pin: u8,
    active: Active,
}

impl Input {
    /// Pin `pin` (0 to 15) of `port` as an input.
    #[must_use]
    pub fn new(port: Block, pin: u8, pull: Pull, active: Active) -> Self {
        let bits = match pull {
            Pull::Up => 1,
            Pull::Down => 2,
        };
        port.modify(PUPDR, pair(pin, 3), pair(pin, bits));
        set_mode(port, pin, INPUT);
        Self { port, pin, active }
    }

    fn is_on(&self) -> bool {
        let high = self.port.read(IDR) & bit(self.pin) != 0;
        high == (self.active == Active::High)
    }
}

impl ErrorType for Input {
    type Error = Infallible;
}

impl InputPin for Input {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_on())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.is_on())
    }
}

/// Gives pin `pin` (0 to 15) of `port` to the peripheral that the chip's data sheet lists as
/// alternate function `function` (0 to 15).
pub fn alternate(port: Block, pin: u8, function: u8) {
    let register = if pin < 8 { AFRL } else { AFRH };
    let shift = u32::from(pin % 8) * 4;
    port.modify(register, 0xF << shift, u32::from(function & 0xF) << shift);
    set_mode(port, pin, ALTERNATE);
}

fn set_mode(port: Block, pin: u8, mode: u32) {
    port.modify(MODER, pair(pin, 3), pair(pin, mode));
}

const fn bit(shift: u8) -> u32 {
    1 << (shift & 31)
}

const fn pair(pin: u8, bits: u32) -> u32 {
    bits << (pin as u32 % 16 * 2)
}
