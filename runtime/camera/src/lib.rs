//! Frames in: cameras, folders of pictures, a rendered line, and faults on demand.
//!
//! A [`Frame`] is bytes with a checked [`Layout`], the time of its capture and a number. A
//! [`FrameSource`] gives one after the other and says with few kinds of [`FrameError`] why there
//! is none. The room decides nothing about what the frames show.

pub mod clock;
mod convert;
mod error;
mod frame;
pub mod health;
pub mod jpeg;
mod line;
mod natural;
mod pace;
pub mod rendered;
mod replay;
mod source;

pub use convert::{ConvertError, Region, to_rgb};
pub use error::{Corruption, FrameError, LayoutError};
pub use frame::{Frame, Layout, MAX_SIDE_PX, PixelFormat, YuvRange};
pub use line::{LineSource, Truth, Truths};
pub use replay::{ReadPicture, Replay, ReplaySettings};
pub use source::FrameSource;
