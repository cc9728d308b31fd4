//! A bench without hardware: the binary of a board runs in QEMU, a host talks to its serial port,
//! and its pins are read and driven from outside. What is read here is what the pins do, not what
//! the firmware says about them.
//!
//! What it cannot show: electrical behaviour, real clocks and dips of the supply, the watchdog
//! (QEMU emulates none on this board), and bytes lost by a port that is read too late (QEMU holds
//! them back instead).

mod board;
mod cable;
mod foreign;
mod line;
mod noise;
mod qmp;
mod qtest;
mod station;
mod timeline;

pub use board::Board;
pub use cable::Cable;
pub use foreign::of_version;
pub use line::Line;
pub use noise::Noise;
pub use station::Station;
pub use timeline::Timeline;

/// What the tests call when they cannot run: they must not look as if they had passed.
pub fn skip(why: &str) {
    eprintln!("\n*** SKIPPED: {why} ***\n");
}
