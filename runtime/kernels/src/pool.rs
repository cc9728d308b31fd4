//! Threads that share the work of one kernel call, started once and kept.
//!
//! A network calls about a hundred kernels an image, most of them shorter than what it costs to put a thread to sleep and
//! wake it again. So a worker that has nothing to do looks for the next job for a while ([`SPIN`]) before it sleeps, the
//! caller works too, and a worker that wakes too late is not waited for. Nothing is allocated and no thread is started
//! after [`Pool::new`].
//!
//! A job is a row of units. Each thread begins with its own share, the same units call after call, so that it finds in its
//! cache what it wrote there; when done it takes from the shares of others. The order never shows in the result: units do
//! not see each other.

mod cores;
mod shares;

pub use cores::{Bound, allowed_cores, check_cores, check_distinct};

use crate::{Error, Scratch};
use shares::Shares;
use std::any::Any;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a worker looks for the next job before it sleeps: longer than what lies between two kernels of a network
/// (below 100 us), shorter than what a line would notice as heat.
const SPIN: Duration = Duration::from_micros(300);
/// How long a thread looks without letting others run. What it waits for may need the processor that it is on.
const ALONE: Duration = Duration::from_micros(20);
/// Looks between two glances at the clock.
const LOOKS: u32 = 64;
/// Most threads; more than any board has, and few enough to count in 16 bits.
const MOST_THREADS: usize = 1024;

/// What a job does with some of its units.
type Work<'a> = dyn Fn(&mut Scratch, Range<usize>) + Sync + 'a;

/// A fixed number of threads for the kernels. One call runs at a time: a second caller waits for its turn.
///
/// Dropping it ends its threads.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// One for each thread, the caller's first; none if they are not bound.
    cores: Box<[usize]>,
    /// Held by the thread whose job runs.
    turn: Mutex<()>,
}

impl Pool {
    /// A pool of `threads` in all: the one that calls a kernel, and `threads - 1` workers.
    ///
    /// # Errors
    /// [`Error::Dimension`] when `threads` is not within 1..=1024, [`Error::Thread`] when the system refuses to start one.
    pub fn new(threads: usize) -> Result<Pool, Error> {
        Pool::build(threads, &[])
    }

    /// A pool without workers: the calling thread alone.
    #[must_use]
    pub fn alone() -> Pool {
        Pool::without_workers(1, &[])
    }

    /// A pool whose threads are bound to cores, one to each: workers to all but the first, and whoever calls kernels to the
    /// first, once it has asked for that by [`Pool::bind_caller`]. On the core of a worker it would be in that one's way.
    ///
    /// # Errors
    /// As for [`Pool::new`] and [`check_cores`].
    pub fn bound(cores: &[usize]) -> Result<Pool, Error> {
        check_cores(cores)?;
        Pool::build(cores.len(), cores)
    }

    fn build(threads: usize, cores: &[usize]) -> Result<Pool, Error> {
        if !(1..=MOST_THREADS).contains(&threads) {
            return Err(Error::Dimension {
                what: "number of threads",
                found: threads,
                most: MOST_THREADS,
            });
        }
        let mut pool = Pool::without_workers(threads, cores);
        for index in 1..threads {
            let shared = Arc::clone(&pool.shared);
            let core = cores.get(index).copied();
            let (tell, bound) = std::sync::mpsc::channel();
            let worker = thread::Builder::new()
                .name(format!("andon-kernel-{index}"))
                .spawn(move || {
                    let outcome = core.map_or(Ok(()), |core| cores::bind_this_thread(&[core]));
                    // The other end waits for it.
                    let _ = tell.send(outcome);
                    shared.serve(index);
                })
                .map_err(|error| Error::Thread { kind: error.kind() })?;
            pool.workers.push(worker);
            // A thread that ended without a word has panicked, which no code before the message can.
            bound.recv().unwrap_or(Ok(()))?;
        }
        Ok(pool)
    }

    /// Before its workers are started.
    fn without_workers(threads: usize, cores: &[usize]) -> Pool {
        Pool {
            shared: Arc::new(Shared::new(threads)),
            workers: Vec::with_capacity(threads - 1),
            cores: cores.into(),
            turn: Mutex::new(()),
        }
    }

    /// Threads in all, the caller among them.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.scratch.len()
    }

    /// Runs `work` over the units `0..units`, each exactly once, on all threads, and returns when all are done. A panic in
    /// `work` comes out here.
    pub(crate) fn run(&self, units: usize, work: &Work<'_>) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        // More units than 32 bits hold are beyond any memory; they would still run, here.
        if self.workers.is_empty() || units < 2 || u32::try_from(units).is_err() {
            // SAFETY: index 0 belongs to the thread that has the turn.
            let scratch = unsafe { &mut *shared.scratch[0].0.get() };
            return work(scratch, 0..units);
        }
        shared.shares.deal(units);
        // SAFETY: no worker reads the job: the last one is closed and nobody is in it. Whoever enters has left when `close`
        // returns, and nothing before that can unwind: `take_part` catches panics.
        unsafe {
            *shared.job.get() = Some(
                std::mem::transmute::<*const Work<'_>, *const Work<'static>>(std::ptr::from_ref(
                    work,
                )),
            );
        }
        shared.open();
        for (asleep, worker) in shared.asleep.iter().zip(&self.workers).take(units - 1) {
            if asleep.load(Ordering::SeqCst) {
                worker.thread().unpark();
            }
        }
        shared.take_part(0);
        shared.close();
        let panic = shared
            .panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state.fetch_or(STOP, Ordering::SeqCst);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // Workers catch what their work throws.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("threads", &self.threads())
            .field("cores", &self.cores)
            .finish_non_exhaustive()
    }
}

/// Working memory of one thread, on cache lines of its own.
#[repr(align(128))]
struct Own(UnsafeCell<Scratch>);

/// Number of workers inside the job.
const INSIDE: u64 = (1 << 16) - 1;
/// The job may be entered.
const OPEN: u64 = 1 << 16;
/// The threads are to end.
const STOP: u64 = 1 << 17;
/// Above these: the number of the job.
const NUMBER: u32 = 18;

/// What all threads see.
struct Shared {
    /// See [`INSIDE`], [`OPEN`], [`STOP`] and [`NUMBER`].
    state: AtomicU64,
    job: UnsafeCell<Option<*const Work<'static>>>,
    shares: Shares,
    /// One for each thread, the caller's first.
    scratch: Box<[Own]>,
    /// One for each worker: it sleeps, or is about to.
    asleep: Box<[AtomicBool]>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written by the thread that has the turn while no worker is inside, and read by workers inside; what it
// points to is `Sync`. An element of `scratch` is used by one thread only, that of the caller by the one that has the turn.
// `Scratch` is plain memory.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new(threads: usize) -> Shared {
        Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            shares: Shares::new(threads),
            scratch: (0..threads)
                .map(|_| Own(UnsafeCell::new(Scratch::new())))
                .collect(),
            asleep: (1..threads).map(|_| AtomicBool::new(false)).collect(),
            panic: Mutex::new(None),
        }
    }

    /// Lets the workers in. Only the thread that has the turn calls this, and nobody is inside.
    fn open(&self) {
        let number = (self.state.load(Ordering::Relaxed) >> NUMBER) + 1;
        // Not a plain store only because of STOP, which cannot come now: `drop` needs the pool for itself.
        self.state.store(number << NUMBER | OPEN, Ordering::SeqCst);
    }

    /// The life of worker `index`.
    fn serve(&self, index: usize) {
        let mut last = 0;
        while let Some(number) = self.next_job(index, last) {
            last = number;
            if self.enter(number) {
                self.take_part(index);
                self.state.fetch_sub(1, Ordering::Release);
            }
        }
    }

    /// The number of the first open job after `last`; `None` when the pool ends.
    fn next_job(&self, index: usize, last: u64) -> Option<u64> {
        let news = || {
            let state = self.state.load(Ordering::SeqCst);
            let open = state & OPEN != 0 && state >> NUMBER != last;
            (state & STOP != 0 || open).then_some(state)
        };
        let state = spin_until(SPIN, news).unwrap_or_else(|| {
            let asleep = &self.asleep[index - 1];
            asleep.store(true, Ordering::SeqCst);
            // Either this look sees the job, or whoever opened it sees the flag.
            let state = loop {
                match news() {
                    Some(state) => break state,
                    None => thread::park(),
                }
            };
            asleep.store(false, Ordering::SeqCst);
            state
        });
        (state & STOP == 0).then_some(state >> NUMBER)
    }

    /// Whether the job was still open; then the caller waits for whoever entered.
    fn enter(&self, number: u64) -> bool {
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |state| {
                (state & OPEN != 0 && state >> NUMBER == number).then_some(state + 1)
            })
            .is_ok()
    }

    /// Lets nobody in any more and waits for those inside.
    fn close(&self) {
        self.state.fetch_and(!OPEN, Ordering::AcqRel);
        let empty = || (self.state.load(Ordering::Acquire) & INSIDE == 0).then_some(());
        while spin_until(SPIN, empty).is_none() {}
    }

    /// Does units until none is left. Only for those inside the job.
    fn take_part(&self, index: usize) {
        // SAFETY: those inside may read the job, and it stays valid until they leave.
        let Some(work) = (unsafe { *self.job.get() }) else {
            return;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: as above; the working memory of `index` belongs to this thread.
            let (work, scratch) = unsafe { (&*work, &mut *self.scratch[index].0.get()) };
            while let Some(units) = self.shares.claim(index) {
                work(scratch, units);
            }
        }));
        if let Err(panic) = outcome {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
    }
}

/// Looks for something again and again, at most for `limit`.
fn spin_until<T>(limit: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
    let mut began = None;
    loop {
        for _ in 0..LOOKS {
            if let Some(found) = look() {
                return Some(found);
            }
            std::hint::spin_loop();
        }
        match began.get_or_insert_with(Instant::now).elapsed() {
            spent if spent > limit => return None,
            spent if spent > ALONE => thread::yield_now(),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_panic_in_a_unit_comes_out_and_the_pool_goes_on() {
        let pool = Pool::new(3).unwrap();
        for bad in [0, 50, 99] {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(100, &|_, units| {
                    assert!(!units.contains(&bad), "unit {bad}")
                });
            }));
            let panic = outcome.unwrap_err();
            let text = panic.downcast_ref::<String>().unwrap();
            assert!(text.contains(&format!("unit {bad}")), "{text}");
            let done = AtomicUsize::new(0);
            pool.run(100, &|_, units| {
                done.fetch_add(units.len(), Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 100);
        }
    }

    #[test]
    fn a_pool_that_is_dropped_asleep_or_awake_ends_its_threads() {
        for rest in [Duration::ZERO, 10 * SPIN] {
            let pool = Pool::new(4).unwrap();
            pool.run(10, &|_, _| ());
            thread::sleep(rest);
            let shared = Arc::downgrade(&pool.shared);
            drop(pool);
            assert_eq!(shared.strong_count(), 0);
        }
    }
}
