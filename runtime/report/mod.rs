//! Inspections made visible: overlays (one picture for each image) and self-contained HTML pages.
//!
//! Data in, pictures and text out: nothing here opens a file, asks for the time, or judges. It is
//! not on the hot path of the line.

mod draw;
mod outline;
mod overlay;
mod palette;

pub use overlay::overlay;
