//! The logic of a stack light: which lamp is lit, which line is energised, which part is struck by
//! the rejector. It knows no clock, no pin and no port, never allocates, and never shows "good"
//! without a valid, fresh, matching word from the host.
//!
//! # Order of calls
//! [`Light`] is driven by one loop, and every input carries its own [`Moment`]:
//!
//! 1. [`Light::handle_frame`] for each frame that came in,
//! 2. [`Light::handle_inputs`] once, whether or not an input changed: it also moves time on,
//! 3. [`Light::poll_outputs`], and drive the pins with it,
//! 4. [`Light::poll_transmit`] until it gives nothing,
//! 5. [`Light::poll_at`] tells when to call step 2 again if no input changes before.
//!
//! [`Shell`] is that loop over `embedded-hal` and `embedded-io` traits, with a watchdog that is fed
//! only when each step made progress.
//!
//! # What is shown
//!
//! | situation | lamps | lines |
//! |---|---|---|
//! | host says so, and its word is valid | as the host says | as the host says, within the rules below |
//! | nothing valid from the host, and after a reset | red and amber alternate | NG, Error |
//! | as above, and frames of another protocol version come in | red and blue alternate | NG, Error |
//! | host is there, its configuration not yet | host's lamps, amber flashes | NG, Error, reject held |
//! | restarted by watchdog, fault or dip of supply, until acknowledged | host's lamps, amber flashes | as the host says |
//! | a part came that could not be taken, for 2 s | host's lamps, amber flashes | NG, Error until the next part |
//! | the button is down for 10 s | host's lamps, blue flashes | as the host says |
//! | a bad part went past the rejector unstruck, until acknowledged | host's lamps, green off, red flashes | NG, Error |
//!
//! # Rules
//! - OK is energised only while the host's state is valid, names the newest part, calls it OK, and
//!   that OK came before the part reached the rejector. Any later NG stands.
//! - Trigger Ready drops with the trigger and rises only on a state that the host sent after it
//!   had seen that trigger.
//! - A part without an OK when it reaches the rejector is struck. After a reset or a change of
//!   configuration the rejector strikes until every part that may have been under way is past.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![deny(clippy::unwrap_used)]

mod belt;
mod debounce;
mod lamps;
mod light;
mod moment;
mod shell;
mod show;
mod tell;
mod trace;
mod watchdog;

pub use belt::Fate;
pub use lamps::FLASH_HALF_PERIOD_MS;
pub use light::{
    BUTTON_DEBOUNCE_MS, Boot, FOREIGN_SHOWN_MS, Light, STUCK_MS, TRACED, UNTAKEN_SHOWN_MS,
};
pub use moment::{Instant, Moment};
pub use shell::{Encoder, InputPins, NoEncoder, OutputPins, Shell};
pub use trace::{Trace, TraceEvent};
pub use watchdog::{Feeder, Stage, Watchdog};
