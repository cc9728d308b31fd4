use std::panic::{AssertUnwindSafe, catch_unwind};

use tract_onnx::prelude::TractResult;

use super::ModelError;

/// The inference engine parses untrusted files with code that may panic; a panic there is turned
/// into an error here and nowhere else.
pub(super) struct Guarded<'a> {
    /// Name of the model in its manifest.
    pub name: &'a str,
}

impl Guarded<'_> {
    /// Does `work`, which is `doing` in errors.
    pub fn guard<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce() -> TractResult<T>,
    ) -> Result<T, ModelError> {
        let failed = |reason: String| ModelError::Engine {
            name: self.name.into(),
            doing,
            reason,
        };
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(failed(format!("{error:#}"))),
            Err(panic) => Err(failed(
                panic
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "the engine panicked".into()),
            )),
        }
    }
}
