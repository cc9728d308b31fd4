//! Frames in: cameras, folders of pictures, a rendered line, and faults on demand.
//!
//! A [`Frame`] is bytes with a checked [`Layout`], the time of its capture and a number. A
//! [`FrameSource`] gives one after the other and says with few kinds of [`FrameError`] why there
//! is none. The room decides nothing about what the frames show.

pub mod clock;
mod error;
mod frame;
pub mod jpeg;
pub mod rendered;
mod source;

pub use error::{Corruption, FrameError, LayoutError};
pub use frame::{Frame, Layout, MAX_SIDE_PX, PixelFormat, YuvRange};
pub use source::FrameSource;
