//! The host's end of the stack light: [`LightSession`] is the protocol without a port and without
//! a clock, [`LightPort`] the thread that gives it both.

mod clock;
mod pending;
mod port;
mod session;
mod triggers;

pub use port::{LightPort, LightPortSettings, PortHealth};
pub use session::{LightEvent, LightHealth, LightSession, LightSettings};
