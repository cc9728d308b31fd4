//! A recipe as bytes: the safetensors layout, so that any tool can look inside, with one metadata
//! entry `andon` that holds everything but the arrays as JSON. The checksum in there covers the
//! whole file, read with the checksum's own 64 digits as zeros.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use nalgebra::{DMatrix, DVector};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Calibration, DriftReference, Golden, Origin, Recipe, RecipeError, ViewSettings};
use crate::hash::hex;
use crate::inspect::Limits;
use crate::normal::{Centre, Composition, NormalModel, NormalParts, Places, Turned};
use crate::vit::{Grid, Manifest};

/// Layout of the file that this program writes and reads.
const LAYOUT: u32 = 1;
/// The same with a mask: a program that knows of none must not judge what the mask leaves out.
const MASKED: u32 = 2;
/// The same with tiles, and perhaps a mask: a program that knows of none would look at a frame as one
/// input.
const TILED: u32 = 3;
/// Name of the array of turned patches, which a recipe may lack.
const TURNED: &str = "turned";
/// Names of the arrays of the composition, which a recipe may lack: mean, axes, variances.
const COMPOSITION: [&str; 3] = [
    "composition.mean",
    "composition.axes",
    "composition.variances",
];
/// Name of the metadata entry.
const ENTRY: &str = "andon";
/// What stands in the file for the checksum while the checksum is computed.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Far more than any recipe needs; what is larger is not read.
const MAX_BYTES: u64 = 256 << 20;

/// Name of the array of the drift section: grey levels `[rows, columns]`.
const DRIFT: &str = "drift.reference";

/// Everything but the arrays.
#[derive(Serialize, Deserialize)]
struct Header {
    layout: u32,
    checksum: String,
    origin: Origin,
    view: ViewSettings,
    grid: Grid,
    blocks: Vec<usize>,
    centre: Centre,
    gate: Option<usize>,
    limits: Limits,
    calibration: Calibration,
    golden_scores: Vec<f32>,
    /// Kept as it is until its own version was looked at: older recipes have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<serde_json::Value>,
}

/// The part of a header that every layout has.
#[derive(Deserialize)]
struct AnyHeader {
    layout: u32,
    checksum: String,
    origin: AnyOrigin,
}

#[derive(Deserialize)]
struct AnyOrigin {
    program: String,
}

impl Recipe {
    /// Reads and verifies a recipe.
    ///
    /// # Errors
    /// [`RecipeError`] when the file is missing, damaged, of another layout, or makes no sense.
    pub fn read(path: &Path) -> Result<Self, RecipeError> {
        let failed = |source| RecipeError::Read {
            path: path.to_path_buf(),
            source,
        };
        let length = std::fs::metadata(path).map_err(failed)?.len();
        if length > MAX_BYTES {
            return Err(RecipeError::Format {
                name: path.display().to_string(),
                reason: format!("it has {length} bytes, more than any recipe"),
            });
        }
        Self::from_bytes(
            &std::fs::read(path).map_err(failed)?,
            &path.display().to_string(),
        )
    }

    /// Verifies and takes apart the bytes of a recipe; `name` stands in errors.
    ///
    /// # Errors
    /// [`RecipeError`], as for [`Self::read`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, RecipeError> {
        let wrong = |reason: String| RecipeError::Format {
            name: name.into(),
            reason,
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| {
            wrong(format!(
                "its outer layout cannot be read ({e}); it may be cut off or no recipe"
            ))
        })?;
        let json = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(ENTRY))
            .ok_or_else(|| wrong(format!("it has no entry {ENTRY:?}")))?;
        let any: AnyHeader =
            serde_json::from_str(json).map_err(|e| wrong(format!("its header is odd: {e}")))?;
        let found = checksum(bytes, &any.checksum)
            .ok_or_else(|| wrong("its checksum is missing".into()))?;
        if found != any.checksum {
            return Err(RecipeError::Checksum {
                name: name.into(),
                expected: any.checksum,
                found,
            });
        }
        if !(LAYOUT..=TILED).contains(&any.layout) {
            return Err(RecipeError::Version {
                name: name.into(),
                expected: TILED,
                found: any.layout,
                program: any.origin.program,
            });
        }
        let header: Header =
            serde_json::from_str(json).map_err(|e| wrong(format!("its header is odd: {e}")))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
        assemble(header, &Arrays(&tensors)).map_err(wrong)
    }

    /// The recipe as bytes, and its checksum.
    fn to_bytes(&self) -> Result<(Vec<u8>, String), String> {
        let header = Header {
            layout: match self.view.kept {
                _ if !self.view.tiles.is_one() => TILED,
                Some(_) => MASKED,
                None => LAYOUT,
            },
            checksum: BLANK.into(),
            origin: self.origin.clone(),
            view: self.view.clone(),
            grid: self.normal.grid,
            blocks: self.normal.blocks.clone(),
            centre: self.normal.centre(),
            gate: self.normal.gate,
            limits: self.limits,
            calibration: self.calibration.clone(),
            golden_scores: self.golden.iter().map(|golden| golden.score).collect(),
            drift: self
                .drift
                .as_ref()
                .map(|drift| drift.section().map_err(|e| e.to_string()))
                .transpose()?,
        };
        let json = serde_json::to_string(&header).map_err(|e| e.to_string())?;
        let arrays = self.arrays();
        let views = arrays
            .iter()
            .map(|array| {
                let view = TensorView::new(array.kind, array.shape.clone(), &array.bytes);
                Ok((array.name.as_str(), view.map_err(|e| e.to_string())?))
            })
            .collect::<Result<Vec<_>, String>>()?;
        let entries = HashMap::from([(ENTRY.to_string(), json)]);
        let mut bytes = safetensors::serialize(views, Some(entries)).map_err(|e| e.to_string())?;
        let at = find(header_of(&bytes), BLANK).ok_or("the checksum's place was lost")?;
        let digest = hex(&Sha256::digest(&bytes));
        bytes[at..at + digest.len()].copy_from_slice(digest.as_bytes());
        Ok((bytes, digest))
    }

    /// Writes the recipe so that the file is either the old one or all of the new one, whatever
    /// happens, and returns the number of bytes. Sets [`Recipe::id`].
    ///
    /// # Errors
    /// [`RecipeError::Write`] when the disk refuses.
    pub fn write(&mut self, path: &Path) -> Result<u64, RecipeError> {
        let failed = |source| RecipeError::Write {
            path: path.to_path_buf(),
            source,
        };
        let (bytes, id) = self
            .to_bytes()
            .map_err(|reason| failed(io::Error::other(reason)))?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::Builder::new()
            .prefix(".andon-recipe-")
            .tempfile_in(folder)
            .map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        readable_by_others(file.as_file()).map_err(failed)?;
        file.persist(path).map_err(|e| failed(e.error))?;
        // The rename itself must reach the disk, too.
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        self.id = id;
        Ok(bytes.len() as u64)
    }

    /// Refuses a model whose features the recipe does not speak of.
    ///
    /// # Errors
    /// [`RecipeError::OtherModel`].
    pub fn check_model(&self, manifest: &Manifest) -> Result<(), RecipeError> {
        if self
            .origin
            .model_sha256
            .eq_ignore_ascii_case(&manifest.sha256)
        {
            return Ok(());
        }
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        Err(RecipeError::OtherModel {
            name: self.origin.name.clone(),
            made_with: self.origin.model_name.clone(),
            made_hash: short(&self.origin.model_sha256),
            here: manifest.name.clone(),
            here_hash: short(&manifest.sha256),
        })
    }

    fn arrays(&self) -> Vec<Array> {
        let normal = &self.normal;
        let mut arrays = vec![Array::floats("memory", &normal.memory)];
        if normal.gate.is_some() {
            arrays.push(Array {
                name: "places".into(),
                kind: Dtype::U64,
                shape: vec![normal.memory.ncols(), normal.grid.patches().div_ceil(64)],
                bytes: normal
                    .places
                    .as_words()
                    .iter()
                    .flat_map(|w| w.to_le_bytes())
                    .collect(),
            });
        }
        for (block, mean) in normal
            .blocks
            .iter()
            .zip(normal.block_means.iter().flatten())
        {
            let mean = DMatrix::from_column_slice(mean.len(), 1, mean.as_slice());
            arrays.push(Array::floats(&format!("block{block}.mean"), &mean));
        }
        for (block, basis) in normal.blocks.iter().zip(&normal.block_bases) {
            arrays.push(Array::floats(&format!("block{block}.basis"), basis));
        }
        if let Some(drift) = &self.drift {
            let (columns, rows) = (drift.thumbnail.columns(), drift.thumbnail.rows());
            let levels = DMatrix::from_column_slice(columns, rows, drift.thumbnail.levels());
            arrays.push(Array::floats(DRIFT, &levels));
        }
        if let Some(turned) = &self.turned {
            arrays.push(Array::floats(TURNED, turned.patches()));
        }
        if let Some(composition) = &self.composition {
            let named = COMPOSITION.iter().zip(composition.arrays());
            arrays.extend(named.map(|(name, array)| Array::floats(name, &array)));
        }
        for (index, golden) in (1..).zip(&self.golden) {
            arrays.push(Array {
                name: format!("golden{index}.png"),
                kind: Dtype::U8,
                shape: vec![golden.png.len()],
                bytes: golden.png.clone(),
            });
        }
        arrays
    }
}

/// One array on its way into a file.
struct Array {
    name: String,
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    /// A matrix whose columns become the rows of the stored array.
    fn floats(name: &str, matrix: &DMatrix<f32>) -> Self {
        Self {
            name: name.into(),
            kind: Dtype::F32,
            shape: vec![matrix.ncols(), matrix.nrows()],
            bytes: matrix.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }
}

/// The arrays of a file, by name.
struct Arrays<'a>(&'a SafeTensors<'a>);

impl Arrays<'_> {
    fn of(&self, name: &str, kind: Dtype) -> Result<TensorView<'_>, String> {
        let view = self
            .0
            .tensor(name)
            .map_err(|_| format!("array {name:?} is missing"))?;
        if view.dtype() == kind {
            Ok(view)
        } else {
            Err(format!(
                "array {name:?} holds {:?}, expected {kind:?}",
                view.dtype()
            ))
        }
    }

    /// A stored `[columns, rows]` array as a matrix `[rows, columns]`.
    fn matrix(&self, name: &str) -> Result<DMatrix<f32>, String> {
        let view = self.of(name, Dtype::F32)?;
        let &[columns, rows] = view.shape() else {
            return Err(format!(
                "array {name:?} has shape {:?}, expected two sides",
                view.shape()
            ));
        };
        let (values, _) = view.data().as_chunks::<4>();
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok(DMatrix::from_iterator(rows, columns, values))
    }

    fn places(&self, grid: Grid, memory: usize) -> Result<Places, String> {
        let view = self.of("places", Dtype::U64)?;
        let (words, _) = view.data().as_chunks::<8>();
        let words = words
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        Places::from_words(grid, memory, words)
            .ok_or_else(|| "the array of places has another length than the memory".into())
    }
}

fn assemble(header: Header, arrays: &Arrays<'_>) -> Result<Recipe, String> {
    let memory = arrays.matrix("memory")?;
    // A grid is stated by the file and bounds what is allocated for it later.
    let sane = |side: usize| (1..=256).contains(&side);
    if !sane(header.grid.rows) || !sane(header.grid.cols) {
        return Err(format!("its grid of {} is impossible", header.grid));
    }
    header.view.check(header.grid)?;
    let places = match header.gate {
        Some(_) => arrays.places(header.grid, memory.ncols())?,
        None => Places::new(header.grid, memory.ncols()),
    };
    if !header.blocks.is_sorted_by(|a, b| a < b) {
        return Err(format!("its blocks {:?} do not ascend", header.blocks));
    }
    let block_bases = header
        .blocks
        .iter()
        .map(|block| arrays.matrix(&format!("block{block}.basis")))
        .collect::<Result<_, _>>()?;
    let mean = |block: &usize| {
        let mean = arrays.matrix(&format!("block{block}.mean"))?;
        Ok(DVector::from_column_slice(mean.as_slice()))
    };
    let block_means = match header.centre {
        Centre::Image => None,
        Centre::Parts => Some(
            header
                .blocks
                .iter()
                .map(mean)
                .collect::<Result<_, String>>()?,
        ),
    };
    let normal = NormalParts {
        grid: header.grid,
        kept: header.view.kept.clone(),
        blocks: header.blocks,
        block_means,
        block_bases,
        memory,
        places,
        gate: header.gate,
    };
    NormalModel::new(normal.clone()).map_err(|e| e.to_string())?;
    header.limits.check()?;
    let turned = match arrays.0.tensor(TURNED) {
        Err(_) => None,
        Ok(_) => {
            let patches = arrays.matrix(TURNED)?;
            let dim = normal.block_bases.first().map_or(0, DMatrix::nrows);
            let turned = Turned::from_patches(patches, dim);
            Some(turned.ok_or("its turned patches have another width or are not finite")?)
        }
    };
    let composition = composition(&normal, arrays)?;
    let golden = header
        .golden_scores
        .iter()
        .enumerate()
        .map(|(index, &score)| {
            let png = arrays.of(&format!("golden{}.png", index + 1), Dtype::U8)?;
            Ok(Golden {
                png: png.data().to_vec(),
                score,
            })
        })
        .collect::<Result<_, String>>()?;
    let levels = || Ok(arrays.matrix(DRIFT)?.as_slice().to_vec());
    let drift = header
        .drift
        .map(|section| DriftReference::assemble(&section, levels))
        .transpose()?
        .flatten();
    Ok(Recipe {
        origin: header.origin,
        view: header.view,
        normal,
        limits: header.limits,
        calibration: header.calibration,
        turned,
        composition,
        golden,
        drift,
        id: header.checksum,
    })
}

/// The composition of a recipe for these parts; none in a recipe without.
fn composition(normal: &NormalParts, arrays: &Arrays<'_>) -> Result<Option<Composition>, String> {
    if COMPOSITION
        .iter()
        .all(|name| arrays.0.tensor(name).is_err())
    {
        return Ok(None);
    }
    if normal.gate.is_none() {
        return Err("it has a composition, but place does not count".into());
    }
    let [mean, axes, variances] = COMPOSITION.map(|name| arrays.matrix(name));
    let found = [mean?, axes?, variances?];
    let restored = Composition::from_arrays(
        normal.grid,
        normal.kept.as_ref(),
        normal.memory.nrows(),
        found,
    );
    let odd = "its composition has other sizes than its features, or impossible numbers";
    Ok(Some(restored.ok_or(odd)?))
}

/// SHA-256 of the file with the one place in its header where `stated` stands blanked; `None`
/// when there is no such place or more than one.
fn checksum(bytes: &[u8], stated: &str) -> Option<String> {
    if stated.len() != BLANK.len() {
        return None;
    }
    let at = find(header_of(bytes), stated)?;
    let mut hasher = Sha256::new();
    hasher.update(&bytes[..at]);
    hasher.update(BLANK);
    hasher.update(&bytes[at + stated.len()..]);
    Some(hex(&hasher.finalize()))
}

/// The bytes before the arrays: the length of the header, then the header.
fn header_of(bytes: &[u8]) -> &[u8] {
    let length = bytes
        .first_chunk()
        .map_or(0, |length| u64::from_le_bytes(*length));
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_add(8));
    end.and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

/// Where `text` stands in `bytes`; `None` unless it stands there exactly once.
fn find(bytes: &[u8], text: &str) -> Option<usize> {
    let mut places = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(at, _)| at);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

/// Temporary files are private by default; a recipe is not a secret.
fn readable_by_others(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
