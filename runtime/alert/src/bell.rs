//! How a thread that brings something tells whoever takes it, so that nobody has to look often.

use std::fmt;
use std::sync::Arc;

/// Rung after a command, an edge or an event was left for the station. It may be rung in vain.
#[derive(Clone)]
pub struct Bell(Arc<dyn Fn() + Send + Sync>);

impl Bell {
    /// A bell that does this, quickly and from any thread.
    #[must_use]
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(ring))
    }

    /// A bell that nobody hears: what was left is found by looking for it.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|| {})
    }

    pub(crate) fn ring(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}
