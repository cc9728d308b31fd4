//! Frames in: cameras, folders of pictures, a rendered line, and faults on demand.
//!
//! A [`Frame`] is bytes with a checked [`Layout`], the time of its capture and a number. A
//! [`FrameSource`] gives one after the other and says with few kinds of [`FrameError`] why there
//! is none. The room decides nothing about what the frames show.

pub mod clock;
mod convert;
mod error;
mod fault;
mod frame;
pub mod health;
pub mod jpeg;
mod line;
mod mailbox;
mod natural;
mod newest;
mod pace;
mod plan;
mod recover;
pub mod rendered;
mod replay;
mod schedule;
mod source;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod v4l2;

pub use convert::{ConvertError, Region, to_rgb};
pub use error::{Corruption, FrameError, LayoutError};
pub use fault::{Fault, Faulty};
pub use frame::{Frame, Layout, MAX_SIDE_PX, PixelFormat, YuvRange};
pub use line::{LineSource, Truth, Truths};
pub use mailbox::MailboxCounts;
pub use newest::{Delivery, Newest, StopError};
pub use plan::FaultPlan;
pub use recover::{OpenSource, Recovering, RecoveryCounts, RecoveryWatch};
pub use replay::{ReadPicture, Replay, ReplaySettings};
pub use schedule::RecoverySettings;
pub use source::FrameSource;
