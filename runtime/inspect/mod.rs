//! The inspection logic: features of one image in, verdict and flagged regions out. It never knows
//! time, files or devices.

mod inspection;
mod inspector;
mod map;
mod regions;
mod statistic;

pub use inspection::{BlockShare, Inspection, Pathway, Region, ScoreMap, Verdict};
pub use inspector::{Inspector, Limits};

pub(crate) use statistic::image_statistic;
