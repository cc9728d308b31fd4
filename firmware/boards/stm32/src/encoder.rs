//! The belt's encoder, counted by a 32-bit timer without the processor: quadrature, both edges of
//! both signals.

use andon_stacklight::Encoder;

use crate::register::Block;

const CR1: usize = 0x00;
const SMCR: usize = 0x08;
const CCMR1: usize = 0x18;
const CNT: usize = 0x24;
const ARR: usize = 0x2C;

/// A timer in encoder mode.
#[derive(Debug)]
pub struct Quadrature(Block);

impl Quadrature {
    /// Starts `timer`, whose clock and pins are set up.
    #[must_use]
    pub fn start(timer: Block) -> Self {
        timer.write(ARR, u32::MAX);
        // Both channels are inputs; a level must stay for 8 clocks (0.5 us) to count.
        timer.write(CCMR1, 0x3131);
        timer.write(SMCR, 3);
        timer.write(CR1, 1);
        Self(timer)
    }
}

impl Encoder for Quadrature {
    fn position(&mut self) -> i32 {
        self.0.read(CNT).cast_signed()
    }
}
