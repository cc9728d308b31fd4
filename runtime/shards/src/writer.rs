use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use crate::reader::checksum;
use crate::{Column, Schema, ShardError};

/// Writes one shard, image by image; nothing of an image is kept once it is written.
pub struct ShardWriter {
    path: PathBuf,
    unfinished: PathBuf,
    schema: Schema,
    file: SerializedFileWriter<BufWriter<File>>,
    /// What does not change from image to image: levels of the lists, places of the patches.
    constant: Constant,
    /// Checksums, row group by row group, column by column.
    checksums: String,
    images: usize,
}

struct Constant {
    /// 1 everywhere: no list is empty.
    definition: Vec<i16>,
    /// 0 where a patch begins, 1 within.
    repetition: Vec<i16>,
    rows: Vec<i32>,
    cols: Vec<i32>,
}

impl ShardWriter {
    /// Begins the shard `path`, which appears when it is [finished](Self::finish).
    ///
    /// # Errors
    /// [`ShardError::Schema`] for features that no file can hold, [`ShardError::Io`].
    pub fn create(path: &Path, schema: &Schema) -> Result<Self, ShardError> {
        schema
            .check()
            .map_err(|reason| ShardError::Schema { reason })?;
        let unfinished = path.with_extension("unfinished");
        let file = File::create(&unfinished).map_err(|source| ShardError::Io {
            path: unfinished.clone(),
            source,
        })?;
        let properties = WriterProperties::builder()
            .set_created_by(format!("andon-shards {}", env!("CARGO_PKG_VERSION")))
            .set_dictionary_enabled(false)
            .set_column_dictionary_enabled("image".into(), true)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_statistics_enabled("image".into(), EnabledStatistics::Chunk)
            .set_max_row_group_row_count(None)
            .set_key_value_metadata(Some(schema.metadata()))
            .build();
        let sink = BufWriter::new(file);
        let file = SerializedFileWriter::new(sink, schema.message()?, Arc::new(properties));
        let (cols, patches) = (schema.grid[1], schema.patches());
        let place = |of: &dyn Fn(usize) -> usize| (0..patches).map(|i| of(i) as i32).collect();
        Ok(Self {
            file: file.map_err(|e| failed(&unfinished, e))?,
            path: path.into(),
            unfinished,
            constant: Constant {
                definition: vec![1; schema.values()],
                repetition: (0..schema.values())
                    .map(|i| i16::from(i % schema.dim != 0))
                    .collect(),
                rows: place(&|i| i / cols),
                cols: place(&|i| i % cols),
            },
            schema: schema.clone(),
            checksums: String::new(),
            images: 0,
        })
    }

    /// Images written so far.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images
    }

    /// Writes an image: `features` gives `[patches, dim]`, row by row in memory, for each column.
    ///
    /// # Errors
    /// [`ShardError::Length`] for features of another size, [`ShardError::Io`]. The shard is of no
    /// use after an error.
    pub fn write<'a>(
        &mut self,
        image: &str,
        features: impl Fn(Column) -> &'a [f32],
    ) -> Result<(), ShardError> {
        let expected = self.schema.values();
        for column in self.schema.columns() {
            let found = features(column).len();
            if found != expected {
                return Err(ShardError::Length {
                    image: image.into(),
                    column: column.to_string(),
                    expected,
                    found,
                });
            }
        }
        for column in self.schema.columns() {
            self.checksums += &format!("{:08x}", checksum(features(column)));
        }
        let written = self.write_group(image, features);
        written.map_err(|e| failed(&self.unfinished, e))?;
        self.images += 1;
        Ok(())
    }

    fn write_group<'a>(
        &mut self,
        image: &str,
        features: impl Fn(Column) -> &'a [f32],
    ) -> Result<(), ParquetError> {
        let constant = &self.constant;
        let names = vec![ByteArray::from(image); self.schema.patches()];
        let mut group = self.file.next_row_group()?;
        write_column::<ByteArrayType>(&mut group, &names, None)?;
        write_column::<Int32Type>(&mut group, &constant.rows, None)?;
        write_column::<Int32Type>(&mut group, &constant.cols, None)?;
        let levels = (&*constant.definition, &*constant.repetition);
        for column in self.schema.columns() {
            write_column::<FloatType>(&mut group, features(column), Some(levels))?;
        }
        group.close()?;
        Ok(())
    }

    /// Ends the shard and gives it its name.
    ///
    /// # Errors
    /// [`ShardError::Io`].
    pub fn finish(mut self) -> Result<PathBuf, ShardError> {
        let checksums = std::mem::take(&mut self.checksums);
        self.file
            .append_key_value_metadata(KeyValue::new("andon.crc32".to_owned(), checksums));
        let io = |source| ShardError::Io {
            path: self.path.clone(),
            source,
        };
        let sink = self
            .file
            .into_inner()
            .map_err(|e| failed(&self.unfinished, e))?;
        let file = sink.into_inner().map_err(|e| io(e.into_error()))?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&self.unfinished, &self.path).map_err(io)?;
        Ok(self.path)
    }
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    values: &[T::T],
    levels: Option<(&[i16], &[i16])>,
) -> Result<(), ParquetError> {
    let mut column = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("the schema has fewer columns".into()))?;
    let (definition, repetition) = levels.unzip();
    column
        .typed::<T>()
        .write_batch(values, definition, repetition)?;
    column.close()
}

fn failed(path: &Path, error: ParquetError) -> ShardError {
    ShardError::Io {
        path: path.into(),
        source: std::io::Error::other(error),
    }
}

/// Writes a data set into a folder as shards `features-00000.parquet` and so on, each of a bounded
/// number of rows.
pub struct ShardsWriter {
    folder: PathBuf,
    schema: Schema,
    images_a_shard: usize,
    current: Option<ShardWriter>,
    finished: Vec<PathBuf>,
}

impl ShardsWriter {
    /// Into an existing `folder`, at most `rows` patches a shard, but at least one image.
    ///
    /// # Errors
    /// [`ShardError::Schema`] for features that no file can hold.
    pub fn new(folder: &Path, schema: Schema, rows: usize) -> Result<Self, ShardError> {
        schema
            .check()
            .map_err(|reason| ShardError::Schema { reason })?;
        Ok(Self {
            folder: folder.into(),
            images_a_shard: (rows / schema.patches()).max(1),
            schema,
            current: None,
            finished: Vec::new(),
        })
    }

    /// Writes an image; as [`ShardWriter::write`].
    ///
    /// # Errors
    /// As for [`ShardWriter::write`].
    pub fn write<'a>(
        &mut self,
        image: &str,
        features: impl Fn(Column) -> &'a [f32],
    ) -> Result<(), ShardError> {
        let shard = match &mut self.current {
            Some(shard) => shard,
            none => {
                let name = format!("features-{:05}.parquet", self.finished.len());
                let shard = ShardWriter::create(&self.folder.join(name), &self.schema)?;
                none.insert(shard)
            }
        };
        shard.write(image, features)?;
        if shard.images() == self.images_a_shard {
            self.finish_current()?;
        }
        Ok(())
    }

    /// Ends the last shard; gives the files in order.
    ///
    /// # Errors
    /// [`ShardError::Io`].
    pub fn finish(mut self) -> Result<Vec<PathBuf>, ShardError> {
        self.finish_current()?;
        Ok(self.finished)
    }

    fn finish_current(&mut self) -> Result<(), ShardError> {
        if let Some(shard) = self.current.take() {
            self.finished.push(shard.finish()?);
        }
        Ok(())
    }
}
