//! Groups as a file: the safetensors layout with one metadata entry that holds everything but the
//! arrays as JSON, and one with a checksum over that and them.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use andon_spectral::{DirectionSum, DualEmbedding};
use nalgebra::{DMatrix, DVector};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::areas::Statistics;
use super::grouping::{Example, Group, Grouping, GroupingOrigin, PathwayGroups};
use super::{GroupError, Space};
use crate::explain::MOST_GROUPS;
use crate::hash::sha256;
use crate::inspect::Pathway;

/// Layout of the file that this program writes and reads.
const LAYOUT: u32 = 1;
const ENTRY: &str = "andon.groups";
const CHECKSUM: &str = "sha256";
/// Far more than any file needs; what is larger is not read.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Header {
    layout: u32,
    origin: GroupingOrigin,
    blocks: Vec<usize>,
    what: PathwayHeader,
    #[serde(rename = "where")]
    where_: PathwayHeader,
}

#[derive(Serialize, Deserialize)]
struct PathwayHeader {
    tokens: u64,
    groups: Vec<GroupHeader>,
}

#[derive(Serialize, Deserialize)]
struct GroupHeader {
    id: String,
    name: Option<String>,
    mean: f64,
    spread: f64,
    images: f64,
    example: Example,
}

impl Grouping {
    /// Writes the file so that it is either the old one or all of the new one.
    ///
    /// # Errors
    /// [`GroupError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), GroupError> {
        let failed = |source| GroupError::Write {
            path: path.into(),
            source,
        };
        let bytes = self.to_bytes().map_err(|e| failed(io::Error::other(e)))?;
        let unfinished = path.with_extension("unfinished");
        let mut file = std::fs::File::create(&unfinished).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&unfinished, path).map_err(failed)
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`GroupError::Read`], [`GroupError::Format`].
    pub fn read(path: &Path) -> Result<Self, GroupError> {
        let failed = |source| GroupError::Read {
            path: path.into(),
            source,
        };
        let wrong = |reason: String| GroupError::Format {
            path: path.into(),
            reason,
        };
        let length = std::fs::metadata(path).map_err(failed)?.len();
        if length > MAX_BYTES {
            return Err(wrong(format!("it has {length} bytes")));
        }
        Self::from_bytes(&std::fs::read(path).map_err(failed)?).map_err(wrong)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let [what, where_] = self.pathways.each_ref().map(PathwayHeader::of);
        let header = Header {
            layout: LAYOUT,
            origin: self.origin.clone(),
            blocks: self.blocks.clone(),
            what,
            where_,
        };
        let json = serde_json::to_string(&header).map_err(|e| e.to_string())?;
        let arrays: Vec<Array> = self.pathways.iter().flat_map(Array::all).collect();
        let views = arrays
            .iter()
            .map(|array| Ok((array.name.clone(), array.view()?)))
            .collect::<Result<Vec<_>, String>>()?;
        let checksum = checksum(
            &json,
            arrays.iter().map(|a| (a.name.as_str(), &a.bytes[..])),
        );
        let entries = HashMap::from([(ENTRY.into(), json), (CHECKSUM.into(), checksum)]);
        safetensors::serialize(views, Some(entries)).map_err(|e| e.to_string())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let odd = |e: &dyn std::fmt::Display| format!("its layout cannot be read ({e})");
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| odd(&e))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| odd(&e))?;
        let entries = metadata.metadata().as_ref();
        let entry = |name: &str| {
            let found = entries.and_then(|entries| entries.get(name));
            found.ok_or_else(|| format!("it has no entry {name:?}"))
        };
        let json = entry(ENTRY)?;
        let mut names: Vec<&str> = tensors.names();
        names.sort_unstable();
        let mut arrays = Vec::new();
        for name in names {
            let tensor = tensors.tensor(name).map_err(|e| odd(&e))?;
            arrays.push((name, tensor.data()));
        }
        if checksum(json, arrays) != *entry(CHECKSUM)? {
            return Err("its checksum is another, so it is damaged".into());
        }
        let header: Header = serde_json::from_str(json).map_err(|e| odd(&e))?;
        if header.layout != LAYOUT {
            return Err(format!(
                "it is of layout {}, this program reads {LAYOUT}",
                header.layout
            ));
        }
        Ok(Self {
            origin: header.origin,
            blocks: header.blocks,
            pathways: [
                header.what.join(Pathway::What, &tensors)?,
                header.where_.join(Pathway::Where, &tensors)?,
            ],
        })
    }
}

impl PathwayHeader {
    fn of(groups: &PathwayGroups) -> Self {
        let header = |group: &Group| GroupHeader {
            id: group.id.clone(),
            name: group.name.clone(),
            mean: group.statistics.mean,
            spread: group.statistics.spread,
            images: group.statistics.images,
            example: group.example.clone(),
        };
        Self {
            tokens: groups.space.embedding().directions().tokens(),
            groups: groups.groups.iter().map(header).collect(),
        }
    }

    fn join(self, pathway: Pathway, tensors: &SafeTensors<'_>) -> Result<PathwayGroups, String> {
        let read = |what: &str| read_array(tensors, &name(pathway, what));
        let column = |what: &str| read(what).map(|m| m.column(0).clone_owned());
        let wrong = |e: andon_spectral::Error| e.to_string();
        let directions = DirectionSum::from_parts(self.tokens, column("sum")?).map_err(wrong)?;
        let values = column("values")?.as_slice().to_vec();
        let embedding = DualEmbedding::new(directions, values, read("vectors")?);
        let (centres, count) = (read("centres")?, self.groups.len());
        let embedding = embedding.map_err(wrong)?;
        let fits = centres.ncols() == count
            && (2..=MOST_GROUPS).contains(&count)
            && centres.nrows() <= embedding.values().len()
            && centres.iter().all(|v| v.is_finite());
        if !fits {
            return Err(format!("its groups by {} do not fit", pathway.as_str()));
        }
        let group = |group: GroupHeader| Group {
            id: group.id,
            name: group.name,
            statistics: Statistics {
                mean: group.mean,
                spread: group.spread,
                images: group.images,
            },
            example: group.example,
        };
        Ok(PathwayGroups {
            pathway,
            groups: self.groups.into_iter().map(group).collect(),
            centres,
            space: Space::new(embedding),
        })
    }
}

/// A matrix as it stands in the file: `[columns, rows]`, row by row, which is the matrix column by
/// column.
struct Array {
    name: String,
    shape: [usize; 2],
    bytes: Vec<u8>,
}

impl Array {
    fn all(groups: &PathwayGroups) -> [Self; 4] {
        let embedding = groups.space.embedding();
        let of = |what: &str, matrix: DMatrix<f64>| Self {
            name: name(groups.pathway, what),
            shape: [matrix.ncols(), matrix.nrows()],
            bytes: matrix.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        let column = |values: &[f64]| DMatrix::from_column_slice(values.len(), 1, values);
        // By name, as the checksum goes through them.
        [
            of("centres", groups.centres.clone()),
            of("sum", column(embedding.directions().sum().as_slice())),
            of("values", column(embedding.values())),
            of("vectors", embedding.vectors().clone()),
        ]
    }

    fn view(&self) -> Result<TensorView<'_>, String> {
        TensorView::new(Dtype::F64, self.shape.into(), &self.bytes).map_err(|e| e.to_string())
    }
}

fn name(pathway: Pathway, what: &str) -> String {
    format!("{}.{what}", pathway.as_str())
}

fn read_array(tensors: &SafeTensors<'_>, name: &str) -> Result<DMatrix<f64>, String> {
    let tensor = tensors
        .tensor(name)
        .map_err(|_| format!("array {name:?} is missing"))?;
    match (tensor.dtype(), tensor.shape()) {
        (Dtype::F64, &[columns, rows]) if columns > 0 && rows > 0 => {
            let values = tensor.data().as_chunks::<8>().0.iter();
            let values = values.map(|bytes| f64::from_le_bytes(*bytes));
            let values = DVector::from_iterator(rows * columns, values);
            Ok(DMatrix::from_column_slice(rows, columns, values.as_slice()))
        }
        _ => Err(format!("array {name:?} is of an odd type or shape")),
    }
}

fn checksum<'a>(json: &str, arrays: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut all = json.as_bytes().to_vec();
    for (name, bytes) in arrays {
        all.extend(name.as_bytes());
        all.extend(bytes);
    }
    sha256(&all)
}
