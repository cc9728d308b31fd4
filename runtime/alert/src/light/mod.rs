//! The host's end of the stack light: [`LightSession`] is the protocol without a port and without
//! a clock, [`LightPort`] the thread that gives it both.

mod clock;
mod pending;
mod port;
mod session;
mod triggers;
mod words;

pub use port::{LightPort, LightPortSettings};
pub use session::LightSession;
pub use words::{LightEvent, LightHealth, LightSettings, PortHealth, version_mismatch};
