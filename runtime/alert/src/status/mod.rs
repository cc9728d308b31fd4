//! The local socket for status and commands: one JSON request a line, one JSON answer a line.
//! Whoever is in the group of the socket file may use it (mode 0660).
//!
//! | request | answer |
//! |---|---|
//! | `{"request":"status"}` | `{"status":{...}}` |
//! | `{"request":"trigger"}` | `"done"` |
//! | `{"request":"ack"}` | `"done"` |
//! | `{"request":"recipe","recipe":"bracket-a"}`, a name or an index | `"done"` |
//! | `{"request":"challenge","who":"Ann"}` | `"done"` |
//! | `{"request":"reset-counters","who":"Ann"}` | `"done"` |
//! | anything else | `{"refused":"why"}` |

mod client;
mod server;

pub use client::{AskError, ask};
pub use server::{Asked, SocketError, StatusSocket};

use serde::{Deserialize, Serialize};

/// What can be asked of a station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// State, lamps, counters, last result, drift, temperatures.
    Status,
    /// A part is there.
    Trigger,
    /// The operator has seen what is shown.
    Ack,
    /// Judge the next part by another recipe.
    Recipe {
        /// Its name or its index.
        recipe: String,
    },
    /// Ask for the challenge parts.
    Challenge {
        /// Who asks; for the record.
        who: String,
    },
    /// Start the counters from zero.
    ResetCounters {
        /// Who asks; for the record.
        who: String,
    },
}

/// What a station answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// It is done.
    Done,
    /// The status.
    Status(serde_json::Value),
    /// It is not done, and why.
    Refused(String),
}
