//! What an inspection station does, without I/O: triggers, frames, answers of the inspector and
//! faults go in; results, lamps and deadlines come out. It never sleeps, opens, spawns or sees a
//! pixel, and knows no clock: every call carries the time since start.

mod alarm;
mod cause;
mod challenge;
mod counters;
mod drift;
mod event;
mod fault;
mod focus;
mod frames;
mod grey;
mod input;
mod lamps;
mod measure;
mod measures;
mod micros;
mod outputs;
mod part;
mod presence;
mod record;
mod settings;
mod shift;
mod show;
mod station;

pub use cause::Cause;
pub use counters::{Counters, FrameCounters, Latency};
pub use drift::{CLAMP, DriftSettings, DriftStatus, DriftWatch};
pub use event::Event;
pub use fault::{Fault, FaultStatus, Severity};
pub use grey::{ChangeMeter, Grey, GreyError, Thumbnail, ThumbnailError};
pub use input::{FrameHealth, FrameSeen, InspectionDone, JobId, Judgement, Source, Trigger};
pub use measure::Meter;
pub use measures::{Band, Bands, Measures, Quantity};
pub use outputs::{Inspect, Output, Outputs, State};
pub use presence::{Place, PresenceSettings, Threshold};
pub use record::{AlarmState, ChallengeStep, PartRecord};
pub use settings::{
    Budget, ChallengeSettings, Debounce, Hold, Mode, OnError, Recipe, Settings, SettingsError,
};
pub use station::Station;
