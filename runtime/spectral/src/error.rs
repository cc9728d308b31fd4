//! Everything that can be refused, with the numbers that say why.

/// Why a spectral problem was refused or could not be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No eigenpair was asked for.
    #[error("0 eigenpairs asked for: ask for at least 1")]
    NoneWanted,

    /// Two sizes that must agree do not.
    #[error("{what}: expected {expected}, found {found}")]
    DimensionMismatch {
        /// The size in question.
        what: &'static str,
        /// The size that would fit.
        expected: usize,
        /// The size that was given.
        found: usize,
    },

    /// Something that must hold data is empty.
    #[error("{what} is empty: give at least one row and one column")]
    Empty {
        /// What is empty.
        what: &'static str,
    },

    /// NaN or infinity in data from the caller.
    #[error(
        "{what} holds NaN or infinity at row {row}, column {column}: check what was computed there"
    )]
    NotFinite {
        /// The matrix in question.
        what: &'static str,
        /// Zero-based row.
        row: usize,
        /// Zero-based column.
        column: usize,
    },

    /// The operator itself gave NaN or infinity.
    #[error(
        "the operator gave NaN or infinity at row {row} of column {column} in block product \
         {product}: check its entries, or scale it down if they are near the largest f64"
    )]
    OperatorNotFinite {
        /// Which block product, counted from 1.
        product: usize,
        /// Zero-based row.
        row: usize,
        /// Zero-based column of the block.
        column: usize,
    },

    /// An option is outside its range.
    #[error("option {option} is {value}: {allowed}")]
    BadOption {
        /// Name of the option.
        option: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },

    /// A matrix that must be symmetric is not.
    #[error(
        "entries ({row}, {column}) and ({column}, {row}) differ by {difference:e}, more than \
         rounding: the matrix is not symmetric; symmetrise it first"
    )]
    NotSymmetric {
        /// Zero-based row.
        row: usize,
        /// Zero-based column.
        column: usize,
        /// Absolute difference of the two entries.
        difference: f64,
    },

    /// An affinity is negative.
    #[error("affinity ({row}, {column}) is {value:e}: affinities must not be negative")]
    NegativeAffinity {
        /// Zero-based row.
        row: usize,
        /// Zero-based column.
        column: usize,
        /// The entry.
        value: f64,
    },

    /// A token has no affinity to anything, itself included, so it cannot be normalised.
    #[error("token {token} has affinity 0 to every token: leave it out or give it a self-affinity")]
    IsolatedToken {
        /// Zero-based token.
        token: usize,
    },

    /// A token has no direction.
    #[error(
        "token {token} of {what} is a zero row, which has no cosine to anything: leave it out, or \
         look at what computed it"
    )]
    ZeroRow {
        /// The matrix in question.
        what: &'static str,
        /// Zero-based token.
        token: usize,
    },

    /// Two parts of a dual affinity were normalised differently.
    #[error(
        "the dual affinities to merge come from different first passes: merge the direction sums \
         of all shards first, and make every dual affinity from that one"
    )]
    OtherDirections,

    /// Vectors that must span a subspace are linearly dependent.
    #[error("column {column} of {what} depends on the columns before it: give independent columns")]
    DependentColumns {
        /// The basis in question.
        what: &'static str,
        /// Zero-based column.
        column: usize,
    },

    /// The small projected eigenproblem did not settle.
    #[error("the projected {size} x {size} eigenproblem did not settle in {sweeps} sweeps")]
    SmallEigenproblem {
        /// Size of the projected problem.
        size: usize,
        /// Sweeps after which it was given up.
        sweeps: usize,
    },
}
