use std::sync::{Arc, Mutex, PoisonError};

use super::{Backbone, Engine, Kept, Model, ModelError, TapRequest, Threads};

/// How many are kept: more than the shapes that follow each other on a line, few enough that their
/// weights fit a small computer.
const KEPT: usize = 4;

/// One network for each size of input. Each is prepared when it is first needed; the ones used last
/// are kept.
pub struct Backbones {
    model: Model,
    request: TapRequest,
    threads: Threads,
    patches: Option<Kept>,
    /// The one used last comes last.
    kept: Mutex<Vec<Arc<Backbone>>>,
}

impl Backbones {
    /// For these taps, all on the same threads; none is prepared yet.
    pub fn new(model: Model, request: TapRequest, threads: Threads) -> Self {
        Self {
            model,
            request,
            threads,
            patches: None,
            kept: Mutex::default(),
        }
    }

    /// Only these patches are computed, `None` for all: they are those of inputs of one size, and
    /// there are networks for no other.
    #[must_use]
    pub fn with_kept(self, kept: Option<Kept>) -> Self {
        Self {
            patches: kept,
            ..self
        }
    }

    /// The network for input of this size, `(width, height)` in pixels.
    ///
    /// # Errors
    /// [`ModelError`] when the model cannot serve it.
    pub fn of(&self, size: (usize, usize)) -> Result<Arc<Backbone>, ModelError> {
        // A panic elsewhere leaves the list as it was: whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let backbone = match kept.iter().position(|backbone| backbone.size() == size) {
            Some(index) => kept.remove(index),
            None => Arc::new(Backbone::with_kept(
                &self.model,
                size,
                self.patches.as_ref(),
                &self.request,
                &self.threads,
                Engine::default(),
            )?),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&backbone));
        Ok(backbone)
    }
}
