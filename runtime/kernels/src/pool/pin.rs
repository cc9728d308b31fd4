//! Binds a thread to a processor.

use crate::Error;

/// Binds the calling thread to one processor.
#[cfg(target_os = "linux")]
pub(super) fn pin_this_thread(cpu: usize) -> Result<(), Error> {
    use rustix::thread::{CpuSet, sched_setaffinity};

    if cpu >= CpuSet::MAX_CPU {
        return Err(Error::Pin { cpu });
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).map_err(|_| Error::Pin { cpu })
}

/// Refused: no portable way.
#[cfg(not(target_os = "linux"))]
pub(super) fn pin_this_thread(cpu: usize) -> Result<(), Error> {
    Err(Error::Pin { cpu })
}
