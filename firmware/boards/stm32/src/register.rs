//! Blocks of 32-bit registers, by name. Only this module knows addresses, and only blocks that both
//! exist and are harmless to memory can be named, so reading and writing them is safe.

/// A peripheral's registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block(usize);

/// The blocks of an STM32L475 (reference manual RM0351, section 2.2.2).
pub mod stm32l475 {
    use super::Block;

    /// Reset and clocks.
    pub const RCC: Block = Block(0x4002_1000);
    /// Pins PA0 to PA15.
    pub const GPIOA: Block = Block(0x4800_0000);
    /// Pins PB0 to PB15.
    pub const GPIOB: Block = Block(0x4800_0400);
    /// Pins PC0 to PC15.
    pub const GPIOC: Block = Block(0x4800_0800);
    /// Pins PD0 to PD15.
    pub const GPIOD: Block = Block(0x4800_0C00);
    /// Serial port 1.
    pub const USART1: Block = Block(0x4001_3800);
    /// Independent watchdog.
    pub const IWDG: Block = Block(0x4000_3000);
}

/// The blocks of an STM32G031 (reference manual RM0444, section 2.2.2).
pub mod stm32g031 {
    use super::Block;

    /// Reset and clocks.
    pub const RCC: Block = Block(0x4002_1000);
    /// Pins PA0 to PA15.
    pub const GPIOA: Block = Block(0x5000_0000);
    /// Pins PB0 to PB9.
    pub const GPIOB: Block = Block(0x5000_0400);
    /// Serial port 2.
    pub const USART2: Block = Block(0x4000_4400);
    /// Timer 2, 32 bits wide.
    pub const TIM2: Block = Block(0x4000_0000);
    /// Independent watchdog.
    pub const IWDG: Block = Block(0x4000_3000);
}

impl Block {
    /// Reads the register at `offset`, a multiple of 4 below 0x400.
    #[must_use]
    pub fn read(self, offset: usize) -> u32 {
        let register = self.register(offset);
        // SAFETY: the address is that of a register of a block listed above, aligned.
        #[allow(unsafe_code)]
        unsafe {
            register.read_volatile()
        }
    }

    /// Writes the register at `offset`, a multiple of 4 below 0x400.
    pub fn write(self, offset: usize, value: u32) {
        let register = self.register(offset);
        // SAFETY: as in `read`; none of the blocks listed above can write to memory by itself.
        #[allow(unsafe_code)]
        unsafe {
            register.write_volatile(value);
        }
    }

    /// Sets the bits of `mask` at `offset` to those of `value`.
    pub fn modify(self, offset: usize, mask: u32, value: u32) {
        self.write(offset, self.read(offset) & !mask | value & mask);
    }

    /// Waits until the bits of `mask` at `offset` are those of `value`. The watchdog must run already:
    /// it ends a wait that would have no end.
    pub fn wait(self, offset: usize, mask: u32, value: u32) {
        while self.read(offset) & mask != value {}
    }

    const fn register(self, offset: usize) -> *mut u32 {
        // Whatever is asked for, it stays within the block.
        (self.0 + (offset & 0x3FC)) as *mut u32
    }
}
