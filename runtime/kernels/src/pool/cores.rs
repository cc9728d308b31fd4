//! Which cores threads run on. A thread that is bound stays on its core and finds its cache there; cores that nobody is
//! bound to stay free for whatever else the program does.

use super::Pool;
use crate::Error;
use std::marker::PhantomData;

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// Cores that a thread may run on.
    pub(super) type Cores = CpuSet;

    /// Those of the calling thread.
    pub(super) fn own() -> Option<Cores> {
        sched_getaffinity(None).ok()
    }

    pub(super) fn numbers(cores: &Cores) -> Vec<usize> {
        let all = 0..CpuSet::MAX_CPU;
        all.filter(|core| cores.is_set(*core)).collect()
    }

    /// These, all of them among those that a thread may run on.
    pub(super) fn of(numbers: &[usize]) -> Cores {
        let mut cores = CpuSet::new();
        numbers.iter().for_each(|core| cores.set(*core));
        cores
    }

    /// Whether the calling thread runs on these only from now on.
    pub(super) fn bind(cores: &Cores) -> bool {
        sched_setaffinity(None, cores).is_ok()
    }
}

/// No portable way.
#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) type Cores = ();

    pub(super) fn own() -> Option<Cores> {
        None
    }

    pub(super) fn numbers((): &Cores) -> Vec<usize> {
        Vec::new()
    }

    pub(super) fn of(_: &[usize]) -> Cores {}

    pub(super) fn bind((): &Cores) -> bool {
        false
    }
}

/// The cores, numbered from 0, that the calling thread may run on, and so those that it may bind threads to. None where
/// threads cannot be bound: on systems other than Linux.
#[must_use]
pub fn allowed_cores() -> Vec<usize> {
    system::own()
        .as_ref()
        .map(system::numbers)
        .unwrap_or_default()
}

/// Whether cores are named once each, whatever this computer has.
///
/// # Errors
/// [`Error::CoreTwice`].
pub fn check_distinct(cores: &[usize]) -> Result<(), Error> {
    let twice = |(n, core)| cores[..n].contains(core);
    let mut numbered = cores.iter().enumerate();
    match numbered.find(|&numbered| twice(numbered)) {
        Some((_, &core)) => Err(Error::CoreTwice { core }),
        None => Ok(()),
    }
}

/// Whether a pool of the calling thread can be bound to these cores, one thread to each.
///
/// # Errors
/// As for [`check_distinct`]; [`Error::Core`] when one does not exist or may not be used; [`Error::Unbindable`] on systems other
/// than Linux.
pub fn check_cores(cores: &[usize]) -> Result<(), Error> {
    check_distinct(cores)?;
    let allowed = allowed_cores();
    match cores.iter().find(|core| !allowed.contains(core)) {
        None => Ok(()),
        Some(_) if allowed.is_empty() => Err(Error::Unbindable),
        Some(&core) => Err(Error::Core { core, allowed }),
    }
}

/// Binds the calling thread to cores that [`check_cores`] let pass.
pub(super) fn bind_this_thread(cores: &[usize]) -> Result<(), Error> {
    if system::bind(&system::of(cores)) {
        return Ok(());
    }
    // What was allowed a moment ago is no longer.
    check_cores(cores).and(Err(Error::Unbindable))
}

/// As long as this lives the calling thread runs on some cores only; then on those that it had before. Threads that it
/// starts meanwhile begin with the same cores.
#[must_use = "the thread is bound only as long as this lives"]
#[derive(Debug)]
pub struct Bound {
    before: Option<system::Cores>,
    /// Only the thread that was bound can be freed.
    here: PhantomData<*const ()>,
}

impl Bound {
    fn to(cores: &[usize]) -> Result<Bound, Error> {
        let here = PhantomData;
        if cores.is_empty() {
            return Ok(Bound { before: None, here });
        }
        let before = system::own();
        bind_this_thread(cores)?;
        Ok(Bound { before, here })
    }

    /// The thread stays bound until it ends.
    pub fn keep(mut self) {
        self.before = None;
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // These were its own: refused only where somebody has taken them away meanwhile, and then there is no better.
            system::bind(before);
        }
    }
}

impl Pool {
    /// The cores that the threads are bound to, in their order; none if they are not bound.
    #[must_use]
    pub fn cores(&self) -> &[usize] {
        &self.cores
    }

    /// Binds the calling thread, which is to call kernels, to the first of the pool's cores: no worker is there. Nothing
    /// happens if the pool is not bound.
    ///
    /// # Errors
    /// [`Error::Core`], [`Error::Unbindable`] when the system has taken the core away since the pool was made.
    pub fn bind_caller(&self) -> Result<Bound, Error> {
        Bound::to(&self.cores[..self.cores.len().min(1)])
    }

    /// Keeps the calling thread on the pool's cores, on any of them, so that threads that it starts meanwhile do not run
    /// elsewhere. Nothing happens if the pool is not bound.
    ///
    /// # Errors
    /// As for [`Self::bind_caller`].
    pub fn confine_caller(&self) -> Result<Bound, Error> {
        Bound::to(&self.cores)
    }
}
