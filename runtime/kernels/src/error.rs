//! Everything that the public doors refuse, with the numbers that say why.

use crate::Isa;

/// Why a kernel refused its arguments. Nothing was written to the output.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The processor lacks the instruction set that was named.
    #[error(
        "instruction set {isa:?} is not available on this processor: use Isa::detect() or one of Isa::available()"
    )]
    IsaUnavailable {
        /// The instruction set that was asked for.
        isa: Isa,
    },

    /// A slice does not have the length that the shape asks for.
    #[error("{what}: expected {expected} values, found {found}")]
    Length {
        /// The slice in question.
        what: &'static str,
        /// Its length, had it fitted.
        expected: usize,
        /// The length that was given.
        found: usize,
    },

    /// The length of a slice is not a whole number of rows.
    #[error("{what}: {found} values are not a whole number of rows of {row}")]
    NotWholeRows {
        /// The slice in question.
        what: &'static str,
        /// Values in one row.
        row: usize,
        /// The length that was given.
        found: usize,
    },

    /// A dimension is zero or too large.
    #[error("{what} is {found}: it must lie within 1..={most}")]
    Dimension {
        /// The dimension in question.
        what: &'static str,
        /// The value that was given.
        found: usize,
        /// The largest value that is accepted.
        most: usize,
    },

    /// Attention heads of another width than 64.
    #[error("attention head width {found}: only width 64 is implemented")]
    HeadWidth {
        /// The width that was given.
        found: usize,
    },

    /// The system refused to start a thread.
    #[error("a thread of the kernels could not be started ({kind}): ask for fewer threads")]
    Thread {
        /// What the system said.
        kind: std::io::ErrorKind,
    },

    /// A core that threads cannot be bound to.
    #[error(
        "core {core} does not exist or may not be used by this program: name some of {}",
        list(allowed)
    )]
    Core {
        /// Its number, from 0.
        core: usize,
        /// Those that may be used.
        allowed: Vec<usize>,
    },

    /// Two threads on one core.
    #[error("core {core} is named twice: each thread needs one of its own, so name it once")]
    CoreTwice {
        /// Its number, from 0.
        core: usize,
    },

    /// No thread can be bound here.
    #[error(
        "this system does not bind threads to cores: name none, and say how many threads instead"
    )]
    Unbindable,

    /// NaN or infinity where the model file must hold a number.
    #[error(
        "{what} holds a NaN or an infinity at index {index}: the model file is damaged or was exported wrongly"
    )]
    NotFinite {
        /// The parameter in question.
        what: &'static str,
        /// Its first bad element.
        index: usize,
    },
}

/// Numbers as people write them.
fn list(numbers: &[usize]) -> String {
    let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// `Ok` when `found == expected`.
pub(crate) fn same_len(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Length {
            what,
            expected,
            found,
        })
    }
}

/// The number of rows of `row` values in a slice of `len` values.
pub(crate) fn whole_rows(what: &'static str, row: usize, len: usize) -> Result<usize, Error> {
    if len.is_multiple_of(row) {
        Ok(len / row)
    } else {
        Err(Error::NotWholeRows {
            what,
            row,
            found: len,
        })
    }
}

/// `Ok` when every value is finite.
pub(crate) fn all_finite(what: &'static str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::NotFinite { what, index }),
    }
}
