//! The independent watchdog: its own oscillator, its own supply, and no way to stop it.

use andon_stacklight::Watchdog;

use crate::register::Block;

const KEY: usize = 0x00;
const PRESCALER: usize = 0x04;
const RELOAD: usize = 0x08;
const STATUS: usize = 0x0C;

/// A running watchdog.
#[derive(Debug)]
pub struct Independent(Block);

impl Independent {
    /// How long it waits, by its oscillator of 32 kHz, which may be off by some 10 %. A loop turns
    /// once a millisecond at the least, so this is a hundred turns.
    pub const TIMEOUT_MS: u32 = 100;

    /// Starts the watchdog.
    #[must_use]
    pub fn start(watchdog: Block) -> Self {
        watchdog.write(KEY, 0xCCCC);
        watchdog.write(KEY, 0x5555);
        // 32 kHz divided by 4.
        watchdog.write(PRESCALER, 0);
        watchdog.write(RELOAD, Self::TIMEOUT_MS * 8 - 1);
        watchdog.wait(STATUS, 0x7, 0);
        let mut running = Self(watchdog);
        running.feed();
        running
    }
}

impl Watchdog for Independent {
    fn feed(&mut self) {
        self.0.write(KEY, 0xAAAA);
    }
}
