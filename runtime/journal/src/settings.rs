//! How a journal is kept: its bounds, and when its records must have reached the disk.

/// How much a journal may take, and how safe each record is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the station, for the genesis record.
    pub station: String,
    /// A new file begins before one grows beyond this many bytes.
    pub file_bytes: u64,
    /// The oldest files go when all files together are above this many bytes.
    pub max_bytes: u64,
    /// The oldest files go while the file system has fewer free bytes than this. Give the image
    /// ring a higher limit, so that images make room first.
    pub min_free_bytes: u64,
    /// When records must have reached the disk.
    pub sync: Sync,
    /// Kinds whose last record [`crate::Journal::open`] looks up, such as counters to resume. Only the newest
    /// four files are searched, so write such a record now and then.
    pub recall: Vec<String>,
}

impl Settings {
    /// 16 MiB a file, 1 GiB in all, 64 MiB left free, every record on the disk before the next.
    #[must_use]
    pub fn new(station: impl Into<String>) -> Self {
        Self {
            station: station.into(),
            file_bytes: 16 << 20,
            max_bytes: 1 << 30,
            min_free_bytes: 64 << 20,
            sync: Sync::Each,
            recall: Vec::new(),
        }
    }
}

/// When records must have reached the disk. A killed program loses nothing under any of these,
/// since the kernel holds what was written; they differ when the power fails.
///
/// The cost is one `fdatasync` each time, paid by the writer's thread and never by the line. On a
/// virtual disk its median was 0.1 ms while the disk was idle and 4 ms while others wrote, against
/// 0.006 ms without it. Flash cards differ widely: the example `cost` measures the folder that it
/// is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sync {
    /// After every record: a power failure loses at most the record being written.
    Each,
    /// After every record of these kinds, which takes all records before with it.
    Kinds(Vec<String>),
    /// When the kernel likes, usually within 30 s, and at the end of each file.
    Kernel,
}

impl Sync {
    pub(crate) fn wants(&self, kind: &str) -> bool {
        match self {
            Self::Each => true,
            Self::Kinds(kinds) => kinds.iter().any(|k| k == kind),
            Self::Kernel => false,
        }
    }
}
