//! What a station shows, and what comes back: the stack light on its serial link, lamps and lines
//! of the host itself, text for a PLC, the local status socket, and the service manager. It is
//! given the whole [`Outputs`](andon_station::Outputs) each time, never an edge, and judges nothing.
//!
//! # Dead-man rule
//! Everything that could say "good" is shown only while inspection makes progress: each call
//! carries the age of the latest progress ([`Shown::progress_age`]), and beyond
//! [`PROGRESS_LIMIT`] every sink falls back to "host lost", amber and red in turn with OK off.
//! Progress is a finished turn of the inspection loop, never the tick of a timer thread.
//!
//! | room | shows on | brings back |
//! |---|---|---|
//! | [`LightPort`] | the MCU of the stack light, over the protocol of `andon-link` | triggers, acknowledgements |
//! | [`LedLamps`] | the kernel's LED class | |
//! | [`GpioLines`], [`GpioInputs`] | lines of a GPIO chip | triggers, acknowledgements |
//! | [`TextServer`], [`TextPort`] | one line of text a result, over TCP or a second serial port | |
//! | [`StatusSocket`] | JSON on a local socket | commands |
//! | [`Service`] | the service manager | |

#![forbid(unsafe_code)]

mod backoff;
mod bell;
mod gpio;
mod led;
mod levels;
mod light;
mod notify;
mod queue;
mod sink;
mod status;
mod text;

pub use backoff::Backoff;
pub use bell::Bell;
pub use gpio::{
    GpioError, GpioInputs, GpioLines, GpioSettings, Input, InputEvent, InputLine, Line,
};
pub use led::{LedLamps, LedNames};
pub use levels::{FLASH_HALF_PERIOD, OutputLine, changes, levels};
pub use light::{
    LightEvent, LightHealth, LightPort, LightPortSettings, LightSession, LightSettings, PortHealth,
    version_mismatch,
};
pub use notify::Service;
pub use sink::{PROGRESS_LIMIT, Shown, Sink, SinkError};
pub use status::{AskError, Asked, Request, Response, SocketError, StatusSocket, ask};
pub use text::{ResultLine, TextHealth, TextPort, TextServer, TextSettings};
