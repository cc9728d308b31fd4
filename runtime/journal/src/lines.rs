//! The lines of one file, and what of them is sound. Memory is bounded by the longest line that a
//! journal writes, whatever the file holds.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::record::{MAX_LINE, Record, Seal, decode};

/// One line of a file.
pub(crate) struct Line {
    /// Place in the file, from 1.
    pub number: u64,
    /// First byte after the line.
    pub end: u64,
    /// The record; `None` where the hash does not hold or the line is no record at all.
    pub record: Option<Record>,
    /// Whether the line ends in a newline; only the last one of a file may not.
    pub complete: bool,
}

/// Reads the lines of a file.
pub(crate) struct Lines {
    reader: BufReader<File>,
    buffer: Vec<u8>,
    number: u64,
    end: u64,
}

impl Lines {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, File::open(path)?),
            buffer: Vec::new(),
            number: 0,
            end: 0,
        })
    }

    /// The next line; `None` at the end. A stretch without newline beyond the longest line is given
    /// in pieces, none of which is a record.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        self.buffer.clear();
        let limit = MAX_LINE as u64;
        let mut bounded = (&mut self.reader).take(limit);
        let bytes = bounded.read_until(b'\n', &mut self.buffer)?;
        if bytes == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.end += bytes as u64;
        let content = self.buffer.strip_suffix(b"\n");
        Ok(Some(Line {
            number: self.number,
            end: self.end,
            complete: content.is_some() || bytes == MAX_LINE,
            record: decode(content.unwrap_or(&self.buffer)),
        }))
    }
}

/// What a file holds, looked at as the writer does when it goes on.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The last sound record.
    pub last: Option<Seal>,
    /// Bytes up to the end of the last sound record.
    pub sound_bytes: u64,
    /// Bytes after it: a line that was being written when the writer died.
    pub torn_bytes: u64,
    /// The first line that is no sound record although sound ones follow: no crash does that.
    pub damaged_line: Option<u64>,
}

/// Looks at a whole file and hands over each sound record.
pub(crate) fn scan(path: &Path, mut each: impl FnMut(Record)) -> io::Result<Scan> {
    let mut lines = Lines::open(path)?;
    let mut scan = Scan::default();
    let mut unsound = None;
    let mut end = 0;
    while let Some(line) = lines.next()? {
        end = line.end;
        match line.record {
            Some(record) if line.complete => {
                scan.damaged_line = scan.damaged_line.or(unsound.take());
                scan.last = Some(record.seal());
                scan.sound_bytes = end;
                each(record);
            }
            _ => unsound = unsound.or(Some(line.number)),
        }
    }
    scan.torn_bytes = end - scan.sound_bytes;
    Ok(scan)
}
