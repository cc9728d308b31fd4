//! Growable memory aligned to a cache line, so that no vector load of packed data straddles two lines. Grows and never
//! shrinks: after the first call of a shape there is no allocation.

use std::marker::PhantomData;

/// Bytes of a cache line on every target here, and of the widest vector.
const LINE: usize = 64;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

mod plain {
    /// Types for which any bit pattern is a value, with an alignment of at most 64 and no padding.
    ///
    /// # Safety
    /// Only integers and floats may implement this.
    pub unsafe trait Plain: Copy {}
    // SAFETY: every bit pattern of these is a value, none has padding.
    unsafe impl Plain for i8 {}
    // SAFETY: as above.
    unsafe impl Plain for u8 {}
    // SAFETY: as above.
    unsafe impl Plain for i16 {}
    // SAFETY: as above.
    unsafe impl Plain for i32 {}
    // SAFETY: as above.
    unsafe impl Plain for f32 {}
}
use plain::Plain;

/// A `Vec<T>` of numbers whose first element lies on a cache line.
#[derive(Clone)]
pub(crate) struct Buffer<T> {
    lines: Vec<Line>,
    len: usize,
    kind: PhantomData<T>,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Buffer {
            lines: Vec::new(),
            len: 0,
            kind: PhantomData,
        }
    }
}

impl<T: Plain> Buffer<T> {
    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let mut buffer = Buffer::default();
        buffer.prepare(len);
        buffer
    }

    /// Makes this exactly `len` values long; the values are whatever was there before, or zero.
    pub(crate) fn prepare(&mut self, len: usize) -> &mut [T] {
        let lines = (len * size_of::<T>()).div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0; LINE]));
        }
        self.len = len;
        self.as_mut_slice()
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: the lines are initialised and contiguous (repr(C), size 64), `len` values of T fit in them (checked in
        // `prepare`), the alignment of a line suffices for T and every bit pattern is a T.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<T>(), self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: as in `as_slice`; the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<T>(), self.len) }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * LINE
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn memory_lies_on_a_cache_line_and_keeps_its_values() {
        let mut buffer = Buffer::<i16>::default();
        assert!(buffer.as_slice().is_empty());
        buffer.prepare(33).copy_from_slice(&[7; 33]);
        assert_eq!(buffer.as_slice().as_ptr().align_offset(64), 0);
        assert_eq!(buffer.prepare(5), [7; 5]);
        assert_eq!(buffer.bytes(), 128);
        assert_eq!(buffer.prepare(100)[64..], [0; 36]);
    }
}
