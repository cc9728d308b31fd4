use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::schema::{KEYS, entry};
use crate::{Column, Schema, ShardError};

/// One image of a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// For each column that was asked for, in that order, `[patches, dim]` row by row.
    pub features: Vec<Vec<f32>>,
}

/// A shard opened for reading. It holds the footer; images are read one at a time.
pub struct Shard {
    path: PathBuf,
    file: SerializedFileReader<File>,
    schema: Schema,
    /// Row group by row group, column by column.
    checksums: Vec<u32>,
}

impl Shard {
    /// Opens a shard and checks that its columns are what its metadata says.
    ///
    /// # Errors
    /// [`ShardError::Io`], [`ShardError::Foreign`], [`ShardError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, ShardError> {
        let file = File::open(path).map_err(|source| ShardError::Io {
            path: path.into(),
            source,
        })?;
        let foreign = |reason: String| ShardError::Foreign {
            path: path.into(),
            reason,
        };
        let damaged = |reason: String| ShardError::Damaged {
            path: path.into(),
            reason,
        };
        // Parquet's magic stands at the front as well, so a file without it never was one.
        let file = guarded(|| SerializedFileReader::new(file)).map_err(|reason| {
            if begins_as_parquet(path) {
                damaged(reason)
            } else {
                foreign("it is no Parquet file".into())
            }
        })?;
        let metadata = file.metadata().file_metadata();
        let entries = metadata.key_value_metadata().map_or(&[][..], Vec::as_slice);
        let schema = Schema::parse(entries).map_err(foreign)?;
        if *metadata.schema() != *schema.message()? {
            return Err(foreign("its columns are not what its metadata says".into()));
        }
        let groups = file.metadata().row_groups();
        let patches = schema.patches() as i64;
        if let Some(group) = groups.iter().find(|group| group.num_rows() != patches) {
            return Err(damaged(format!(
                "a row group has {} rows, an image has {patches} patches",
                group.num_rows()
            )));
        }
        let checksums = entry(entries, "andon.crc32")
            .and_then(parse_checksums)
            .map_err(damaged)?;
        if checksums.len() != groups.len() * schema.columns().count() {
            return Err(damaged("it has not one checksum a column".into()));
        }
        Ok(Self {
            path: path.into(),
            file,
            schema,
            checksums,
        })
    }

    /// What it holds.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of images.
    #[must_use]
    pub fn images(&self) -> usize {
        self.file.metadata().num_row_groups()
    }

    /// Number of patches.
    #[must_use]
    pub fn patches(&self) -> usize {
        self.images() * self.schema.patches()
    }

    /// Reads image `index`, from 0, and of its features these columns.
    ///
    /// # Errors
    /// [`ShardError::NotStored`], [`ShardError::Damaged`].
    pub fn read(&self, index: usize, columns: &[Column]) -> Result<Image, ShardError> {
        let positions: Vec<usize> = columns
            .iter()
            .map(|&column| self.schema.position(column))
            .collect::<Result<_, _>>()?;
        let damaged = |reason: String| ShardError::Damaged {
            path: self.path.clone(),
            reason: format!("image {}: {reason}", index + 1),
        };
        let group = guarded(|| self.file.get_row_group(index)).map_err(damaged)?;
        let name = self.name_of(&*group).map_err(damaged)?;
        let mut features = Vec::with_capacity(columns.len());
        for (column, position) in columns.iter().zip(positions) {
            let read = self.features(&*group, index, position);
            features.push(read.map_err(|reason| damaged(format!("column {column}: {reason}")))?);
        }
        Ok(Image { name, features })
    }

    /// All images, each when it is asked for, with these columns.
    pub fn iter<'a>(
        &'a self,
        columns: &'a [Column],
    ) -> impl Iterator<Item = Result<Image, ShardError>> + 'a {
        (0..self.images()).map(|index| self.read(index, columns))
    }

    /// The name of an image, whose patches must stand row by row.
    fn name_of(&self, group: &dyn RowGroupReader) -> Result<String, String> {
        let patches = self.schema.patches();
        let cols = self.schema.grid[1];
        let names = plain::<ByteArrayType>(group, 0, patches)?;
        let rows = plain::<Int32Type>(group, 1, patches)?;
        let places = rows.iter().zip(plain::<Int32Type>(group, 2, patches)?);
        let in_order = (0..)
            .zip(places)
            .all(|(i, (row, col))| (*row, col) == ((i / cols) as i32, (i % cols) as i32));
        let Some(first) = names.first().filter(|_| in_order) else {
            return Err("its patches do not stand row by row".into());
        };
        if names.iter().any(|name| name != first) {
            return Err("a row group holds patches of several images".into());
        }
        let text = std::str::from_utf8(first.data());
        Ok(text.map_err(|_| "its name is no text")?.to_owned())
    }

    fn features(
        &self,
        group: &dyn RowGroupReader,
        index: usize,
        position: usize,
    ) -> Result<Vec<f32>, String> {
        let (patches, dim) = (self.schema.patches(), self.schema.dim);
        let (values, repetition) = lists(group, position, patches, self.schema.values())?;
        let begins = |i: usize| i.is_multiple_of(dim);
        let whole = values.len() == self.schema.values()
            && repetition.len() == values.len()
            && (0..)
                .zip(&repetition)
                .all(|(i, level)| (*level == 0) == begins(i));
        if !whole {
            return Err(format!("a patch has not {dim} numbers"));
        }
        let columns = self.schema.columns().count();
        let stated = self.checksums[index * columns + position - KEYS];
        if checksum(&values) != stated {
            return Err("its checksum is another".into());
        }
        Ok(values)
    }
}

/// Opens all shards of a folder in the order of their names, which must hold the same features.
///
/// # Errors
/// As for [`Shard::open`], [`ShardError::None`], [`ShardError::Mixed`].
pub fn open_folder(folder: &Path) -> Result<Vec<Shard>, ShardError> {
    let io = |source| ShardError::Io {
        path: folder.into(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|e| e == "parquet") {
            paths.push(path);
        }
    }
    paths.sort();
    let shards: Vec<Shard> = paths
        .iter()
        .map(|path| Shard::open(path))
        .collect::<Result<_, _>>()?;
    let Some(first) = shards.first() else {
        return Err(ShardError::None {
            path: folder.into(),
        });
    };
    for shard in &shards {
        if let Some(what) = shard.schema.difference(&first.schema) {
            return Err(ShardError::Mixed {
                path: shard.path.clone(),
                first: first.path.clone(),
                what,
            });
        }
    }
    Ok(shards)
}

/// CRC-32 of numbers as little-endian bytes.
pub(crate) fn checksum(values: &[f32]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let mut bytes = [0; 4096];
    for values in values.chunks(bytes.len() / 4) {
        for (to, value) in bytes.chunks_exact_mut(4).zip(values) {
            to.copy_from_slice(&value.to_le_bytes());
        }
        hasher.update(&bytes[..4 * values.len()]);
    }
    hasher.finalize()
}

fn parse_checksums(text: &str) -> Result<Vec<u32>, String> {
    let odd = || "its checksums cannot be read".to_owned();
    let digits = text.as_bytes().chunks(8);
    digits
        .map(|eight| {
            let text = std::str::from_utf8(eight).ok().filter(|t| t.len() == 8);
            text.and_then(|text| u32::from_str_radix(text, 16).ok())
                .ok_or_else(odd)
        })
        .collect()
}

fn begins_as_parquet(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && &magic == b"PAR1"
}

/// A column without lists.
fn plain<T: DataType>(
    group: &dyn RowGroupReader,
    position: usize,
    rows: usize,
) -> Result<Vec<T::T>, String> {
    let values = guarded(|| {
        let mut reader = get_typed_column_reader::<T>(group.get_column_reader(position)?);
        let mut values = Vec::with_capacity(rows);
        reader.read_records(rows, None, None, &mut values)?;
        Ok(values)
    })?;
    if values.len() == rows {
        Ok(values)
    } else {
        Err(format!("{} of {rows} rows are there", values.len()))
    }
}

/// A column of lists: all numbers, and their repetition levels.
fn lists(
    group: &dyn RowGroupReader,
    position: usize,
    rows: usize,
    most: usize,
) -> Result<(Vec<f32>, Vec<i16>), String> {
    guarded(|| {
        let mut reader = get_typed_column_reader::<FloatType>(group.get_column_reader(position)?);
        let mut values = Vec::with_capacity(most);
        let (mut definition, mut repetition) = (Vec::new(), Vec::new());
        let levels = (Some(&mut definition), Some(&mut repetition));
        reader.read_records(rows, levels.0, levels.1, &mut values)?;
        Ok((values, repetition))
    })
}

/// Calls into the Parquet reader, which may panic on a file that was tampered with.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the reader gave up on it".into()),
    }
}
