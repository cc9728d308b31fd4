//! Where frames come from. So far there is one source: the rendered line, which needs no camera.
//!
//! This room makes pictures. It decides nothing about them.

pub mod rendered;
