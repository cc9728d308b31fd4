//! Inspections compared with what is known about the images: figures, curves and regions found.
//!
//! Everything here is arithmetic on scores that were already given; the only thing read from disk
//! is ground truth ([`TruthFolders`]). It never looks at features, changes a limit, or draws.
//!
//! The order of use: one [`Evaluation`], every good and every bad image added once, then
//! [`Evaluation::figures`] and the curves. Memory does not grow with the number of pixels.

mod evaluation;
mod pixels;
mod ranking;
mod raster;
mod regions;
mod truth;
mod verdicts;

pub use evaluation::{Evaluation, EvaluationError, Figures, ImageOutcome};
pub use pixels::{PRO_LIMIT, PixelError, PixelMetrics, ProPoint};
pub use ranking::{RocPoint, auroc, roc};
pub use raster::rasterise;
pub use regions::{HitRule, RegionTally, RegionTruth};
pub use truth::{GroundTruth, TruthBox, TruthError, TruthFolders};
pub use verdicts::{Rate, WhatIf, what_if};
