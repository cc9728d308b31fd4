//! What an inspection station does, without I/O: triggers, frames, answers of the inspector and
//! faults go in; results, lamps and deadlines come out. It never sleeps, opens, spawns or keeps a
//! pixel, and knows no clock: every call carries the time since start.
//!
//! # Order of calls
//! 1. [`Station::new`], or [`Station::resume`] with the counters of an earlier run.
//! 2. [`Station::handle_start`] once recipe, model and camera are there.
//! 3. One of `handle_*` for each thing that happens, and [`Station::handle_tick`] no later than
//!    [`Station::poll_deadline`] says.
//! 4. After **every** call [`Station::poll_output`] until it gives nothing. One call makes a handful
//!    of outputs at most, so nothing ever queues up.
//!
//! [`Station::outputs`] is the whole state at any time; the link to the stack light repeats it every
//! period. A watchdog is fed when [`Station::progress`] grew.
//!
//! ```
//! use std::time::Duration;
//! use andon_link::{RecipeIndex, Verdict};
//! use andon_station::*;
//!
//! let ms = Duration::from_millis;
//! let mut station = Station::new(Settings::triggered(RecipeIndex(1)))?;
//! station.handle_start(ms(0));
//! station.handle_trigger(ms(100), Trigger::new(Source::Input));
//! let frame = FrameSeen {
//!     sequence: 7,
//!     captured: ms(105),
//!     health: FrameHealth::Sound,
//!     presence: None,
//! };
//! station.handle_frame(ms(110), frame);
//! while let Some(output) = station.poll_output() {
//!     match output {
//!         Output::Inspect(order) => {
//!             // Here the inspector judges frame 7.
//!             let judgement = Judgement {
//!                 good: true,
//!                 score: 0.6,
//!                 regions: 0,
//!                 recipe: order.recipe,
//!                 measures: None,
//!             };
//!             let done = InspectionDone {
//!                 job: order.job,
//!                 frame: order.frame,
//!                 outcome: Ok(judgement),
//!             };
//!             station.handle_inspection(ms(180), done);
//!         }
//!         Output::Result(record) => assert_eq!(record.verdict, Verdict::Ok),
//!         Output::Show(_) | Output::Event(_) => {}
//!     }
//! }
//! assert_eq!(station.counters().ok, 1);
//! # Ok::<(), SettingsError>(())
//! ```
//!
//! # Rules
//! - A trigger that is taken has exactly one result, at its deadline at the latest: OK, NG, or an
//!   error, which rejects as well. A trigger that is refused has one at once: an error, counted as
//!   skipped. A part that nobody looked at must not pass, and the MCU rejects it anyway.
//! - A frame is judged only if it is sound, newer in number *and* time than any before it, not from
//!   the future, and captured at or after the trigger. Whatever the inspector says of another frame
//!   or by another recipe is an error.
//! - What makes judging impossible ([`Severity::CannotJudge`]) ends the part under way as an error,
//!   even if its frame was taken before: an OK from a faulty time is worth nothing.
//! - An error code is kept until acknowledged, beside the results of later parts;
//!   [`OnError::Block`] takes no later part.
//! - Recoveries are automatic. More than [`Budget`] allows leave the station in [`State::Error`]
//!   until somebody acknowledges.
//! - A challenge blocks production: every part that comes is taken as the challenge part that was
//!   asked for. A part called OK where the known-bad one is due is rejected.
//! - A recipe switch holds from the next trigger on.
//!
//! # Lamps
//! | lamp | when |
//! |---|---|
//! | red flashing | NG alarm, error or fault that nobody acknowledged; failed challenge |
//! | red steady | last part NG or error, fault that is still there, acknowledged alarm |
//! | amber flashing | degraded or drifting, not acknowledged; parts skipped |
//! | amber steady | the same, acknowledged; starting or learning; no part judged yet |
//! | green steady | parts are judged, the last one was OK, and nothing is red |
//! | blue flashing | acknowledge, or show the challenge part |
//! | blue steady | a fault needs a hand, or a result waits to be read |
//!
//! # Drift
//! [`Meter`] measures a frame, [`DriftWatch`] compares with the [`Bands`] of good parts. Both are
//! pure and stand beside the state machine, which sees numbers only.

#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used)]

mod alarm;
mod cause;
mod challenge;
mod counters;
mod drift;
mod due;
mod event;
mod fault;
mod focus;
mod frames;
mod grey;
mod input;
mod judge;
mod lamps;
mod measure;
mod measures;
mod micros;
mod outputs;
mod part;
mod presence;
mod record;
mod samples;
mod settings;
mod shift;
mod show;
mod station;
mod tolerance;

pub use cause::Cause;
pub use counters::{Counters, FrameCounters, Latency};
pub use drift::{CLAMP, DriftStatus, DriftWatch};
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
pub use tolerance::DriftSettings;
