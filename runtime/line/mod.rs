//! The line: threads, clocks, devices and files around the station's state machine. It carries what
//! comes in to [`andon_station::Station`] and what comes out to network, lamps and record, and
//! decides nothing itself: no verdict, no lamp, no deadline.
//!
//! | thread | does | when it hangs |
//! |---|---|---|
//! | `capture` | reads frames, the newest wins | the station finds the camera stalled |
//! | `inspector` | runs network and recipe | the station finds the inspector stuck; lamps show "host lost" |
//! | `andon-kernel-1`, ... | share the work of network and recipe with the inspector | the same |
//! | `measure` | measures what a frame is like, beside the network | the same |
//! | `journal`, `images` | write to disk | records wait, then are counted as lost; judging goes on |
//! | of each output | writes to its device | amber; the MCU rejects by itself |
//! | main | turns the loop, owns the station | the service manager restarts it; the MCU shows "host lost" |

mod config;
mod cut;
mod inspector;
mod ledger;
mod outputs;
mod release;
mod shell;
mod sight;
mod source;
mod watch;

pub use config::{
    Camera, DriftFrom, Judging, Light, OutputsTo, RecipeEntry, Record, StationFile,
    StationFileError, TextSerial, TriggerFrom,
};
pub use inspector::{Bench, BenchError, RecipeName};
pub use outputs::LEDS;
pub use release::{ReleaseError, release};
pub use shell::{Ended, Line, LineError, Stop, Tell};
pub use source::{Feed, open_source};
