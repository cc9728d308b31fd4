use serde::{Deserialize, Serialize};

use super::{ModelError, TapKind};

/// Version of the manifest layout that this program reads.
const SCHEMA: u32 = 1;

/// What a model file is: where it came from, its hash, its layout, how its input is made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub schema: u32,
    /// Short name, for people.
    pub name: String,
    /// File name of the ONNX graph, beside the manifest.
    pub file: String,
    /// SHA-256 of that file, hexadecimal.
    pub sha256: String,
    /// Size of that file in bytes.
    pub bytes: u64,
    /// What the weights were made from.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Sizes of the network.
    pub architecture: Architecture,
    /// How pixels become the input tensor.
    pub input: Normalisation,
    /// The table of positions inside the graph.
    pub position_embedding: PositionEmbedding,
    /// Names of the tapped tensors; `{block}` stands for the 1-based block number.
    pub taps: TapNames,
}

/// Where weights came from and under which terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// Name of the package or model.
    pub name: String,
    /// Its licence, as an SPDX expression.
    pub licence: String,
}

/// Sizes of a vision transformer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Architecture {
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Width of a token.
    pub dim: usize,
    /// Attention heads; `dim` is a multiple.
    pub heads: usize,
    /// Number of blocks.
    pub blocks: usize,
    /// Side, in patches, of the grid that the position embedding is stored for.
    pub native_grid: usize,
    /// Tokens in front of the patches (class token, registers).
    pub class_tokens: usize,
}

/// How 8-bit RGB becomes the input: `(value / 255 - mean) / std` per channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Normalisation {
    /// Name of the graph's input.
    pub name: String,
    /// Mean per channel, R G B, of values in 0..1.
    pub mean: [f32; 3],
    /// Deviation per channel, R G B, of values in 0..1.
    pub std: [f32; 3],
}

/// Which initialiser holds the position embedding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PositionEmbedding {
    /// Name of the initialiser, `[1, class_tokens + native_grid^2, dim]`.
    pub initializer: String,
}

/// Name patterns of the taps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TapNames {
    query: String,
    key: String,
    value: String,
    tokens: String,
}

impl TapNames {
    /// Name of a tapped tensor in the graph.
    pub fn name(&self, block: usize, kind: TapKind) -> String {
        let pattern = match kind {
            TapKind::Query => &self.query,
            TapKind::Key => &self.key,
            TapKind::Value => &self.value,
            TapKind::Tokens => &self.tokens,
        };
        pattern.replace("{block}", &block.to_string())
    }
}

impl Manifest {
    /// Parses and checks a manifest; `origin` names it in errors.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] when it is not JSON, misses a field, or contradicts itself.
    pub fn parse(json: &[u8], origin: &str) -> Result<Self, ModelError> {
        let wrong = |reason: String| ModelError::Manifest {
            origin: origin.into(),
            reason,
        };
        let manifest: Self = serde_json::from_slice(json).map_err(|e| wrong(e.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(wrong(format!(
                "it has schema {}, this program reads schema {SCHEMA}: \
                 use the manifest of this release",
                manifest.schema
            )));
        }
        let Architecture {
            patch,
            dim,
            heads,
            blocks,
            native_grid,
            class_tokens,
        } = manifest.architecture;
        let sane = (1..=64).contains(&patch)
            && (1..=8192).contains(&dim)
            && heads >= 1
            && dim % heads == 0
            && (1..=128).contains(&blocks)
            && (1..=256).contains(&native_grid)
            && class_tokens <= 64;
        if !sane {
            return Err(wrong(format!(
                "its architecture is impossible: {:?}",
                manifest.architecture
            )));
        }
        if manifest.file.contains(['/', '\\']) {
            return Err(wrong("`file` must be a plain file name".into()));
        }
        let usable = |v: &f32| v.is_finite();
        let positive = |v: &f32| v.is_finite() && *v > 0.0;
        if !manifest.input.mean.iter().all(usable) || !manifest.input.std.iter().all(positive) {
            return Err(wrong("`mean` or `std` is not a usable number".into()));
        }
        Ok(manifest)
    }
}
