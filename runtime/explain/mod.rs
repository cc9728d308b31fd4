//! What lies beside what in one image, and where: the leading eigenvectors of affinity graphs over
//! its patches, block by block and all blocks together, and the groups that they make
//! (arXiv 2312.06716; for a vision transformer, where all blocks share one grid).
//!
//! Taps in, eigenvectors and groups out. It never opens a file, reads a clock or judges a part.
//!
//! Calls, in order: [`Explainer::new`] once; [`Explainer::request`] tells which taps it reads; for
//! each image and pathway [`Explainer::spectra`], then [`Layers::new`] to cut them into groups.

mod affinity;
mod explainer;
mod groups;
mod kmeans;
mod layers;
#[cfg(test)]
mod objective;
mod parts;
mod refine;
mod spectrum;

pub use affinity::{WhatTap, WhereAffinity};
pub use explainer::{ExplainError, Explainer, Settings, Spectra};
pub use groups::{Groups, MOST_GROUPS};
pub(crate) use kmeans::{centres, nearest};
pub use layers::{Layer, Layers};
pub use parts::{GroupArea, Part};
pub use refine::Labels;
pub use spectrum::Spectrum;
pub(crate) use spectrum::groups_by_gap;
