use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use nalgebra::DMatrix;

use super::LearnError;

/// Features of all parts on disk, so that learning looks at each part several times without
/// keeping them in memory. The file has no name and is gone with the program, even after a crash, so
/// its numbers are in this machine's own byte order.
pub(super) struct Spill {
    file: File,
    dim: usize,
    /// Where each part ends, in patches; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Spill {
    /// An empty file in the temporary folder, for parts of `[dim, any]`.
    ///
    /// # Errors
    /// [`LearnError::Spill`], as for all that touches the file.
    pub fn new(dim: usize) -> Result<Self, LearnError> {
        Ok(Self {
            file: tempfile::tempfile().map_err(|source| refused(source, 1 << 20))?,
            dim,
            ends: Vec::new(),
        })
    }

    /// Number of parts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends a part, `[dim, patches]`.
    pub fn push(&mut self, features: &DMatrix<f32>) -> Result<(), LearnError> {
        debug_assert_eq!(features.nrows(), self.dim);
        let start = self.start(self.len());
        self.append(features, start)
            .map_err(|source| refused(source, bytes(self.dim, features.ncols())))?;
        self.ends.push(start + features.ncols());
        Ok(())
    }

    /// Reads part `index` back, `[dim, patches]`.
    pub fn part(&self, index: usize) -> Result<DMatrix<f32>, LearnError> {
        let start = self.start(index);
        let patches = self.ends.get(index).map_or(0, |end| end - start);
        self.read(start, patches)
            .map_err(|source| refused(source, bytes(self.dim, patches)))
    }

    /// Where a part begins, in patches.
    fn start(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        }
    }

    fn append(&mut self, features: &DMatrix<f32>, start: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(bytes(self.dim, start)))?;
        (&self.file).write_all(bytemuck::cast_slice(features.as_slice()))
    }

    fn read(&self, start: usize, patches: usize) -> io::Result<DMatrix<f32>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(bytes(self.dim, start)))?;
        let mut features = DMatrix::zeros(self.dim, patches);
        file.read_exact(bytemuck::cast_slice_mut(features.as_mut_slice()))?;
        Ok(features)
    }
}

/// Bytes that so many patches take.
fn bytes(dim: usize, patches: usize) -> u64 {
    (dim * patches * size_of::<f32>()) as u64
}

fn refused(source: io::Error, part_bytes: u64) -> LearnError {
    LearnError::Spill {
        folder: std::env::temp_dir(),
        source,
        needed_mb: part_bytes.div_ceil(1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were_in_any_order() {
        let part =
            |seed: usize| DMatrix::from_fn(3, 5 + seed, |i, j| (seed * 100 + i * 10 + j) as f32);
        let mut spill = Spill::new(3).unwrap();
        (0..3).for_each(|seed| spill.push(&part(seed)).unwrap());
        assert_eq!(spill.part(2).unwrap(), part(2));
        spill.push(&part(3)).unwrap();
        assert_eq!(spill.part(0).unwrap(), part(0));
        assert_eq!((spill.len(), spill.part(3).unwrap()), (4, part(3)));
    }
}
