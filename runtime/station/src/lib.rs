//! What an inspection station does, without I/O: triggers, frames, answers of the inspector and
//! faults go in; results, lamps and deadlines come out. It never sleeps, opens, spawns or sees a
//! pixel, and knows no clock: every call carries the time since start.

mod cause;
mod counters;
mod event;
mod fault;
mod input;
mod measures;
mod micros;
mod outputs;
mod record;

pub use cause::Cause;
pub use counters::{Counters, FrameCounters, Latency};
pub use event::Event;
pub use fault::{Fault, Severity};
pub use input::{FrameHealth, FrameSeen, InspectionDone, JobId, Judgement, Source, Trigger};
pub use measures::{Measures, Quantity};
pub use outputs::{Inspect, Output, Outputs, State};
pub use record::{AlarmState, ChallengeStep, PartRecord};
