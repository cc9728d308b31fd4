use std::sync::{Arc, Mutex, PoisonError};

use super::{Backbone, Model, ModelError, TapRequest};

/// How many are kept: more than the shapes that follow each other on a line, few enough that their
/// weights fit a small computer.
const KEPT: usize = 4;

/// One network for each size of input. Each is prepared when it is first needed; the ones used last
/// are kept.
pub struct Backbones {
    model: Model,
    request: TapRequest,
    threads: usize,
    /// The one used last comes last.
    kept: Mutex<Vec<Arc<Backbone>>>,
}

impl Backbones {
    /// For these taps, on `threads` cores; none is prepared yet.
    pub fn new(model: Model, request: TapRequest, threads: usize) -> Self {
        Self {
            model,
            request,
            threads,
            kept: Mutex::default(),
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
            None => Arc::new(Backbone::new(
                &self.model,
                size,
                &self.request,
                self.threads,
            )?),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&backbone));
        Ok(backbone)
    }
}
