//! What a part costs: stages of an inspection, the fused network against the plain one, and a whole
//! station from trigger to output. It measures with the code that runs on a line and changes
//! nothing about it. Engines and sizes run in turn where they are compared, and each ratio is the
//! median of the ratios of neighbouring runs, so that other work on the machine costs both alike.

mod rehearsal;
mod stages;
mod station;
mod statistics;

pub use rehearsal::{PICTURE, pictures, rehearsal};
pub use stages::{Against, Stage, Stages, against_plain, stages};
pub use station::{Latency, LatencyError, latency};
pub use statistics::{Spread, median, spread};
