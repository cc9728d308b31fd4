use std::borrow::Cow;
use std::path::Path;

use super::{Manifest, ModelError};
use crate::hash::sha256;

const EMBEDDED_MANIFEST: &[u8] = include_bytes!("../../models/dinov2-vits14-int8.json");
const EMBEDDED_GRAPH: &[u8] = include_bytes!("../../models/dinov2-vits14-int8.onnx");

/// A model file that is known to be the one its manifest describes.
#[derive(Debug, Clone)]
pub struct Model {
    manifest: Manifest,
    graph: Cow<'static, [u8]>,
}

impl Model {
    /// The model that is built into the program.
    ///
    /// # Errors
    /// [`ModelError::Hash`] when the program file itself is damaged.
    pub fn embedded() -> Result<Self, ModelError> {
        let manifest = Manifest::parse(EMBEDDED_MANIFEST, "built into this program")?;
        Self::verified(manifest, Cow::Borrowed(EMBEDDED_GRAPH))
    }

    /// Opens a manifest and the ONNX file beside it; the hash is checked before the graph is
    /// parsed.
    ///
    /// # Errors
    /// [`ModelError`] when a file is missing, unreadable, or not what the manifest says.
    pub fn open(manifest_path: &Path) -> Result<Self, ModelError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| ModelError::Read {
                path: path.to_path_buf(),
                source,
            })
        };
        let manifest =
            Manifest::parse(&read(manifest_path)?, &manifest_path.display().to_string())?;
        let graph = read(&manifest_path.with_file_name(&manifest.file))?;
        Self::verified(manifest, Cow::Owned(graph))
    }

    fn verified(manifest: Manifest, graph: Cow<'static, [u8]>) -> Result<Self, ModelError> {
        let found = sha256(&graph);
        if !found.eq_ignore_ascii_case(&manifest.sha256) {
            return Err(ModelError::Hash {
                file: manifest.file,
                expected: manifest.sha256,
                found,
            });
        }
        Ok(Self { manifest, graph })
    }

    /// What the file is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The ONNX bytes.
    pub(super) fn graph(&self) -> &[u8] {
        &self.graph
    }
}
