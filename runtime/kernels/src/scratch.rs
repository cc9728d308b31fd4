//! Working memory that the caller keeps between calls, one per thread.

use crate::buffer::Buffer;
use crate::quantise::RowScale;

/// Working memory of one thread. Grows to the largest shape seen and is then reused: the kernels allocate nothing in the
/// steady state. It carries no result from one call to the next.
#[derive(Default, Clone)]
pub struct Scratch {
    pub(crate) bytes: Buffer<u8>,
    pub(crate) words: Buffer<i16>,
    /// Of quantised rows, for [`crate::winograd`].
    #[cfg(target_arch = "x86_64")]
    pub(crate) crosses: Buffer<i32>,
    #[cfg(target_arch = "aarch64")]
    pub(crate) signed: Buffer<i8>,
    /// Quantised rows in pairs, for `smmla`.
    #[cfg(target_arch = "aarch64")]
    pub(crate) pairs: Buffer<i8>,
    pub(crate) rows: Vec<RowScale>,
    pub(crate) attention: crate::attention::Block,
}

impl Scratch {
    /// Empty working memory.
    #[must_use]
    pub fn new() -> Scratch {
        Scratch::default()
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch")
            .field("bytes", &self.bytes.bytes())
            .finish_non_exhaustive()
    }
}
