//! One line of text a result, for a PLC or a logger.
//!
//! # Grammar
//! ```text
//! line    = "ANDON;" station ";" part ";" verdict ";" score ";" recipe ";" code CR LF
//! station = 1*64 printable ASCII without ";"        other characters come as "_"
//! part    = decimal                                 count of triggers since the station started
//! verdict = "OK" | "NG" | "ERROR"
//! score   = decimal "." 3DIGIT | ""                 1.000 is the recipe's limit; empty if unknown
//! recipe  = decimal                                 index of the recipe that judged
//! code    = decimal                                 0, or the error code
//! ```
//! For example `ANDON;press 4;1207;NG;1.820;2;0`. Fields are only ever added at the end.

mod port;
mod server;

pub use port::TextPort;
pub use server::{TextServer, TextSettings};

use std::fmt;

use andon_link::Verdict;
use andon_station::PartRecord;
use serde::Serialize;

/// Longest name of a station in a line.
const MOST_NAME: usize = 64;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResultLine<'a> {
    /// Name of the station.
    pub station: &'a str,
    /// Count of triggers since the station started.
    pub part: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// Score in units of the recipe's limit.
    pub score: Option<f32>,
    /// Index of the recipe that judged.
    pub recipe: u16,
}

impl<'a> ResultLine<'a> {
    /// The line of a result.
    #[must_use]
    pub const fn of(station: &'a str, record: &PartRecord) -> Self {
        Self {
            station,
            part: record.number,
            verdict: record.verdict,
            score: record.score,
            recipe: record.recipe.0,
        }
    }
}

impl fmt::Display for ResultLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && c != ';';
        let name = self.station.chars().take(MOST_NAME);
        let name: String = name.map(|c| if plain(c) { c } else { '_' }).collect();
        let name = if name.is_empty() { "_" } else { &name };
        let (verdict, code) = match self.verdict {
            Verdict::Ok => ("OK", 0),
            Verdict::Ng => ("NG", 0),
            Verdict::Error(code) => ("ERROR", code.0.get()),
        };
        write!(f, "ANDON;{name};{};{verdict};", self.part)?;
        if let Some(score) = self.score.filter(|score| score.is_finite()) {
            write!(f, "{score:.3}")?;
        }
        write!(f, ";{};{code}\r\n", self.recipe)
    }
}

/// How the lines do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TextHealth {
    /// Readers now.
    pub readers: usize,
    /// Lines that a reader did not take in time, since start.
    pub dropped: u64,
    /// Readers that had to make way for a newer one, since start.
    pub displaced: u64,
    /// Why there is no reader, where that is a fault.
    pub fault: Option<String>,
}
