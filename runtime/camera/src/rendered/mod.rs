//! The rendered line: a camera above a belt, drawn by arithmetic, on which good and defective
//! parts pass.
//!
//! It serves the demo, tests and the validation of what/where, so every frame comes with exact
//! ground truth, and any part can be made again from the seed and its number alone, bit for bit,
//! on every platform. It never stands in for a camera on a real line and decides nothing.
//!
//! A frame shows a plate (brushed aluminium or moulded polymer) with four screws, a printed label,
//! a sticker, a connector, a milled pocket and drilled holes. It is drawn as layers of *surface*
//! (colour, gloss, slope, shadow), then lit by one lamp, seen through a lens and read by a noisy
//! sensor, so that a dent or a scratch changes what light does rather than being painted on.
//!
//! A frame of 640 x 480 takes about 40 ms on one core of a server, a defective one a little more,
//! as its good twin is drawn around the defect, too. Buffers take up to 40 bytes a pixel.
//!
//! # Ground truth
//!
//! The mask holds 255 where a pixel
//!
//! 1. differs from the same part without the defect (its *good twin*) by at least two grey levels
//!    in any channel, both seen through the lens but before sensor noise; shadows of a defect
//!    belong to it; or
//! 2. lies on a place that something is missing from, was moved from or to, or that holds the
//!    wrong thing: then all of that place counts, also where old and new look happen to agree.
//!    (Screws: the counterbore. Label and swapped pieces: the whole old and new rectangle.)
//!
//! Everywhere else a frame differs from its good twin by sensor noise only.

mod belt;
mod config;
mod damage;
mod defect;
mod dice;
mod error;
mod finish;
mod font;
mod lamp;
mod layout;
mod lens;
mod line;
mod marks;
mod maths;
mod noise;
mod path;
mod picture;
mod pieces;
mod place;
mod plate;
mod print;
mod scene;
mod screw;
mod shape;
mod spot;
mod surface;
#[cfg(test)]
mod tests;
mod truth;
mod view;

pub use config::{Finish, LineConfig, ScrewDrive};
pub use defect::{Defect, DefectKind, Pathway};
pub use error::LineConfigError;
pub use lamp::Illumination;
pub use line::{Parts, RenderedLine, RenderedPart};
