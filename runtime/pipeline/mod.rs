//! The way through, put together once: picture -> input -> taps -> features -> inspection, and the
//! same front half for learning, so that their scores cannot differ by preprocessing. It owns no
//! mathematics; it reads a clock only to tell what each stage costs.

mod front;
mod judge;
mod learn;

pub use front::{FrontEnd, FrontEndError, Seen};
pub use judge::{InspectError, Judged, Pipeline, PipelineError, ReplayError, StageTimes};
pub use learn::{BLOCKS, LearnSettings, Lesson, LessonError};
