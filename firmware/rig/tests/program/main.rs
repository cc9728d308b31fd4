//! `andon run` drives the emulated light end to end, on real images: the program that
//! `ANDON_PROGRAM` names, its own serial code, the board's own binary.

mod bad_cable;
mod bench;
mod line;
mod whole;
