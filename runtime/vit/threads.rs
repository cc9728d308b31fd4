//! The threads of a program: made once, handed to every network and to what computes beside it.

use std::sync::{Arc, OnceLock};

use andon_kernels::{Bound, Pool};
use tract_linalg::multithread::Executor;

/// The threads that networks run on, and distances of patches. A clone is another handle to the
/// same threads; they end with the last one.
///
/// One job runs at a time, so that networks which share them take turns.
#[derive(Debug, Clone)]
pub struct Threads {
    pool: Arc<Pool>,
    /// Those of the engine, once a network needs them.
    engine: Arc<OnceLock<Executor>>,
}

/// Why there are no threads as asked for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ThreadsError {
    /// A number of threads and cores that do not agree.
    #[error(
        "each thread gets a core of its own, but threads is {threads} and the number of cores that \
         are named is {cores}: leave threads out, or make it {cores}"
    )]
    Differ {
        /// Threads that were asked for.
        threads: usize,
        /// Cores that were named.
        cores: usize,
    },
    /// A core that cannot be had, or a thread that the system refuses.
    #[error(transparent)]
    Pool(#[from] andon_kernels::Error),
}

impl Threads {
    /// The calling thread alone: nothing is started.
    pub fn alone() -> Self {
        Self::of(Pool::alone())
    }

    /// So many threads, at least one, the calling one among them. They are not bound.
    ///
    /// # Errors
    /// [`ThreadsError::Pool`] when the system refuses.
    pub fn new(threads: usize) -> Result<Self, ThreadsError> {
        Ok(Self::of(Pool::new(threads.max(1))?))
    }

    /// What is asked for: threads that are bound to `cores`, one to each, if any are named; else so
    /// many threads, or one for each core that this program may use. Whoever judges should bind
    /// itself by [`Self::bind_caller`].
    ///
    /// # Errors
    /// [`ThreadsError`].
    pub fn asked(threads: Option<usize>, cores: &[usize]) -> Result<Self, ThreadsError> {
        Self::check(threads, cores)?;
        if cores.is_empty() {
            return Self::new(threads.unwrap_or_else(all));
        }
        Ok(Self::of(Pool::bound(cores)?))
    }

    /// Whether what is asked for makes sense, on whatever computer.
    ///
    /// # Errors
    /// [`ThreadsError::Differ`], [`andon_kernels::Error::CoreTwice`].
    pub fn check(threads: Option<usize>, cores: &[usize]) -> Result<(), ThreadsError> {
        let named = cores.len();
        match threads {
            Some(threads) if named > 0 && threads != named => Err(ThreadsError::Differ {
                threads,
                cores: named,
            }),
            _ => Ok(andon_kernels::check_distinct(cores)?),
        }
    }

    /// Whether these are what [`Self::asked`] would make.
    pub fn serve(&self, threads: Option<usize>, cores: &[usize]) -> bool {
        let count = threads.unwrap_or_else(all).max(1);
        self.pool.cores() == cores && (!cores.is_empty() || self.count() == count)
    }

    fn of(pool: Pool) -> Self {
        Self {
            pool: Arc::new(pool),
            engine: Arc::default(),
        }
    }

    /// How many, the calling one among them.
    pub fn count(&self) -> usize {
        self.pool.threads()
    }

    /// The threads themselves, for what computes beside a network.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Binds the calling thread to the first of the cores, as long as the answer lives; nothing
    /// happens if none were named.
    ///
    /// # Errors
    /// [`ThreadsError::Pool`] when the core was taken away.
    pub fn bind_caller(&self) -> Result<Bound, ThreadsError> {
        Ok(self.pool.bind_caller()?)
    }

    /// Threads for operators of the engine, if the program was built with them: made when a network
    /// first asks, for all networks. They stay on the cores of the pool.
    pub(super) fn engine(&self) -> Result<Executor, ThreadsError> {
        let _confined = self.pool.confine_caller()?;
        Ok(self.engine.get_or_init(|| executor(self.count())).clone())
    }
}

/// One for each core that this program may use.
fn all() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn executor(threads: usize) -> Executor {
    match threads {
        0 | 1 => Executor::SingleThread,
        #[cfg(feature = "engine-threads")]
        threads => Executor::multithread_with_name(threads, "andon-vit"),
        #[cfg(not(feature = "engine-threads"))]
        _ => Executor::SingleThread,
    }
}
