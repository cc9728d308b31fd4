//! Cameras of Video4Linux: USB webcams and other single-planar devices, through the crate `v4l`.
//!
//! A [`V4l2Source`] sets the camera up, says what the camera made of it ([`Taken`]), and gives its
//! frames. It never repairs itself: whatever fails is an error, and [`crate::Recovering`] builds
//! it again. Cameras without single-planar capture (most MIPI sensors) are refused.
//!
//! # What is done about the library
//!
//! `v4l` 0.14 is good at talking to the kernel and less so at bad days:
//!
//! | it | so |
//! |---|---|
//! | queues a buffer twice when it is asked again after a time-out, and fails ever after | readiness is waited for *before* it is asked, and after any error the stream is stopped, which takes all buffers back |
//! | ignores `EINTR` | a wait that a signal interrupts is taken up again |
//! | ignores `bytesused`, the error flag and `POLLERR` | each buffer is judged by pure functions; a device that is ready but has nothing is an error |
//! | panics in destructors, and on values it does not know | every call is inside `catch_unwind`, and streams are stopped before they are dropped |
//!
//! Decisions are pure functions (`decide`), tested without a camera. `tests/v4l2.rs` and
//! `tests/vivid.rs` run them against a driver where there is one, as `boards/vm/test` does. The kernel's virtual camera
//! provokes time-outs, marked buffers, a broken queue, a failing start, missing buffers, and an
//! unplug; it cannot provoke an interrupted wait, a failing destructor or a value unknown to the
//! library.

mod controls;
mod decide;
mod device;
mod guard;
mod list;
mod source;

pub use controls::{ControlName, ControlTaken};
pub use device::{CameraSettings, Taken};
pub use list::{DeviceDetails, DeviceInfo, FormatInfo, SizeInfo, list};
pub use source::V4l2Source;
