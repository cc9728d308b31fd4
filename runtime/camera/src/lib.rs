//! Frames in: cameras, folders of pictures, a rendered line, and faults on demand.
//!
//! A [`Frame`] is bytes with a checked [`Layout`], the time of its capture and a number. A
//! [`FrameSource`] gives one after the other, and says with few kinds of [`FrameError`] why there
//! is none. The room decides nothing about what frames show.
//!
//! | sources | |
//! |---|---|
//! | [`v4l2::V4l2Source`] | a camera of Video4Linux (64-bit Linux only) |
//! | [`Replay`] | a folder of pictures, at a rate or on demand |
//! | [`LineSource`] | the [`rendered`] line, with its truth beside the frames |
//!
//! | around a source | |
//! |---|---|
//! | [`Faulty`] | faults at random or from a script |
//! | [`Recovering`] | opens another when it fails, backed off and within a budget |
//! | [`Newest`] | a thread and one slot: the newest frame wins, skipped ones are counted |
//!
//! A station puts them together as `Newest(Recovering(V4l2Source))`, asks for a frame that is
//! newer than the last, lets [`health`] look at it, and takes its region by [`to_rgb`]. From an
//! unplug to the next frame it takes what the camera itself needs to be opened, and at most
//! [`RecoverySettings::longest_pause`] from the moment it is back.
//!
//! ```
//! use std::time::Duration;
//! use andon_camera::rendered::LineConfig;
//! use andon_camera::{Delivery, LineSource, Newest, to_rgb};
//!
//! let config = LineConfig { width: 64, height: 48, ..LineConfig::default() };
//! let line = LineSource::new(config, 0, None)?;
//! let newest = Newest::start(line, Duration::from_secs(5), Delivery::Newest)?;
//! let frame = newest.wait(None, Duration::from_secs(5))?;
//! assert_eq!(to_rgb(&frame, None)?.dimensions(), (64, 48));
//! newest.stop(Duration::from_secs(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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

pub use convert::{ConvertError, Region, RgbView, as_rgb, to_rgb};
pub use error::{Corruption, FrameError, LayoutError};
pub use fault::{Fault, Faulty};
pub use frame::{Frame, Layout, MAX_SIDE_PX, PixelFormat, YuvRange};
pub use line::{LineSource, Truth, Truths};
pub use mailbox::MailboxCounts;
pub use newest::{Delivery, Newest, StopError, Waker};
pub use plan::FaultPlan;
pub use recover::{OpenSource, Recovering, RecoveryCounts, RecoveryWatch};
pub use replay::{ReadPicture, Replay, ReplaySettings};
pub use schedule::RecoverySettings;
pub use source::FrameSource;
