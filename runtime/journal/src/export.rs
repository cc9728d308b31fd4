//! The record as a table for a spreadsheet: one column for each field that any payload has.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::error::JournalError;
use crate::read::{Filter, read};
use crate::record::Record;

/// Why a table is not complete.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A record could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The table could not be written.
    #[error("the table could not be written: {0}")]
    Write(#[from] csv::Error),
}

/// Writes the records in `folder` that `filter` wants as CSV, and gives their count.
///
/// Columns are `number`, `at`, `kind`, then one for each field of the payloads in the order in
/// which the fields first come, then `data` for payloads that have no fields. Lists and objects
/// inside a field stay JSON. The files are read twice, so memory does not grow with the record.
///
/// # Errors
/// A damaged line or a file that cannot be read ([`ExportError::Journal`]); the table cannot be
/// written ([`ExportError::Write`]).
pub fn export_csv(folder: &Path, filter: &Filter, to: impl Write) -> Result<u64, ExportError> {
    let mut fields: Vec<String> = Vec::new();
    let mut has_plain = false;
    for record in read(folder, filter.clone())? {
        match record?.data {
            Value::Object(data) => {
                for (name, _) in data {
                    if !fields.contains(&name) {
                        fields.push(name);
                    }
                }
            }
            _ => has_plain = true,
        }
    }
    let mut table = csv::Writer::from_writer(to);
    for name in ["number", "at", "kind"] {
        table.write_field(name)?;
    }
    for name in &fields {
        table.write_field(name)?;
    }
    if has_plain {
        table.write_field("data")?;
    }
    table.write_record(None::<&[u8]>)?;
    let mut count = 0;
    for record in read(folder, filter.clone())? {
        write_row(&mut table, &record?, &fields, has_plain)?;
        count += 1;
    }
    table.flush().map_err(csv::Error::from)?;
    Ok(count)
}

fn write_row<W: Write>(
    table: &mut csv::Writer<W>,
    record: &Record,
    fields: &[String],
    has_plain: bool,
) -> Result<(), csv::Error> {
    table.write_field(record.number.to_string())?;
    table.write_field(record.at.to_string())?;
    table.write_field(&record.kind)?;
    for name in fields {
        table.write_field(cell(record.data.get(name)))?;
    }
    if has_plain {
        table.write_field(cell(Some(&record.data).filter(|data| !data.is_object())))?;
    }
    table.write_record(None::<&[u8]>)
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
