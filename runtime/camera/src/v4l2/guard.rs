//! Calls into `v4l` whose panics do not get out.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use v4l::Device;
use v4l::io::mmap::Stream;
use v4l::io::traits::Stream as _;

use super::decide::{Answer, answer};

/// How often stopping is tried when signals interrupt it.
const STOP_ATTEMPTS: u32 = 8;

/// Runs a call of `v4l`. It panics on formats, controls and names that it does not know, and in
/// its destructors; here that is an error like any other. (The panic's message still goes to
/// standard error, and a program built with `panic = "abort"` ends.)
pub(super) fn guarded<T>(call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    // What the call leaves half-done is dropped by the caller and never used again.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        Err(io::Error::other(format!(
            "the v4l library gave up: {}",
            message(panic.as_ref())
        )))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("for no stated reason")
}

/// A device whose calls are guarded, and its destructor, too: that panics when closing fails.
pub(super) struct Guarded(Option<Device>);

impl Guarded {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        guarded(|| Device::with_path(path)).map(|device| Self(Some(device)))
    }

    /// Calls the device.
    pub(super) fn call<T>(&self, call: impl FnOnce(&Device) -> io::Result<T>) -> io::Result<T> {
        // It is there until it is dropped.
        let device = self.0.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        guarded(|| call(device))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let device = self.0.take();
        let _ = guarded(|| {
            drop(device);
            Ok(())
        });
    }
}

/// Stops a stream: all its buffers are the program's again, and it may be started anew.
pub(super) fn stop(stream: &mut Stream<'static>) -> io::Result<()> {
    let mut stopped = Ok(());
    for _ in 0..STOP_ATTEMPTS {
        stopped = guarded(|| stream.stop());
        match &stopped {
            Err(error) if answer(error) == Answer::Again => {}
            _ => break,
        }
    }
    stopped
}

/// Stops a stream and drops it.
///
/// The destructor stops it again and unmaps its buffers, and panics when either fails. If both
/// did, the second panic would come while the first unwinds, and that ends the process. So a
/// stream that cannot be stopped, though its device is there, is leaked: its device stays busy,
/// which the next opening says, until the process is started again.
pub(super) fn close(mut stream: Stream<'static>) {
    let leak = stop(&mut stream).is_err_and(|error| answer(&error) != Answer::Gone);
    if leak {
        std::mem::forget(stream);
    } else {
        let _ = guarded(|| {
            drop(stream);
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_library_is_an_error_with_its_message() {
        let error = guarded::<()>(|| std::panic::resume_unwind(Box::new("Invalid field order")))
            .unwrap_err();
        assert!(error.to_string().contains("Invalid field order"), "{error}");
        assert_eq!(answer(&error), Answer::Broken);
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
    }
}
