//! Inspections made visible: overlays (one picture for each image) and self-contained HTML pages.
//!
//! Data in, pictures and text out: nothing here opens a file, asks for the time, or judges. It is
//! not on the hot path of the line.

mod demonstration;
mod draw;
mod evaluation;
mod explanation;
mod field;
mod grouped;
mod grouping;
mod judged;
mod layout;
mod listing;
mod marks;
mod outline;
mod overlay;
mod page;
mod palette;
mod plots;
mod scale;
mod sheets;
mod stress;
mod tiles;
mod words;

pub use demonstration::DemonstrationReport;
pub use evaluation::EvaluationReport;
pub use explanation::{ExplainedImage, ExplanationReport};
pub use grouped::{GroupedImage, contact_sheet};
pub use grouping::{GroupingReport, ListedGroup, ListedPathway};
pub use judged::{Gallery, JudgedImage, Outcome, Picture};
pub use overlay::{overlay, overlay_with_notes, overlay_with_truth};
pub use sheets::{block_sheet, eigenvector_sheet, group_sheet};
