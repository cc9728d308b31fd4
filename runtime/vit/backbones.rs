use std::sync::{Arc, Mutex, PoisonError};

use super::{Backbone, Engine, Kept, Model, ModelError, TapRequest, Threads};

/// How many are kept: more than the shapes that follow each other on a line, few enough that their
/// weights fit a small computer.
const KEPT: usize = 4;

/// One network for each size of input and choice of patches. Each is prepared when it is first
/// needed; the ones used last are kept.
pub struct Backbones {
    model: Model,
    request: TapRequest,
    threads: Threads,
    room: usize,
    /// The one used last comes last.
    networks: Mutex<Vec<Arc<Backbone>>>,
}

impl Backbones {
    /// For these taps, all on the same threads; none is prepared yet.
    pub fn new(model: Model, request: TapRequest, threads: Threads) -> Self {
        Self {
            model,
            request,
            threads,
            room: KEPT,
            networks: Mutex::default(),
        }
    }

    /// Keeps at least so many: as many as one picture needs, say.
    #[must_use]
    pub fn with_room(self, room: usize) -> Self {
        Self {
            room: room.max(KEPT),
            ..self
        }
    }

    /// The network for input of this size, `(width, height)` in pixels, of which only the patches
    /// `kept` are computed, or all.
    ///
    /// # Errors
    /// [`ModelError`] when the model cannot serve it.
    pub fn of(
        &self,
        size: (usize, usize),
        kept: Option<&Kept>,
    ) -> Result<Arc<Backbone>, ModelError> {
        // A panic elsewhere leaves the list as it was: whole.
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let serves = |of: &Arc<Backbone>| of.size() == size && of.kept() == kept;
        let backbone = match networks.iter().position(serves) {
            Some(index) => networks.remove(index),
            None => Arc::new(Backbone::with_kept(
                &self.model,
                size,
                kept,
                &self.request,
                &self.threads,
                Engine::default(),
            )?),
        };
        if networks.len() >= self.room {
            networks.remove(0);
        }
        networks.push(Arc::clone(&backbone));
        Ok(backbone)
    }
}
