//! What a station leaves behind that was killed: LEDs and lines of this computer keep what they
//! showed last, green included. Whoever looks after the program calls this once it has ended, in
//! whatever way (`ExecStopPost=` of systemd). The stack light needs nobody: it falls to "host lost"
//! by itself.

use std::path::Path;
use std::time::Duration;

use andon_alert::{GpioLines, LedLamps, Request, Sink, SinkError, ask};

use super::config::OutputsTo;

/// How long a station that still runs may take to say so.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Why outputs were not released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The station shows its state itself.
    #[error("the station runs: stop it first")]
    Runs,
    /// An output that refused; the others were released.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Leaves LEDs (under `leds`, normally `/sys/class/leds`) and GPIO lines in "host lost": red and
/// amber, flashing where the kernel has a timer for that, OK off, NG and Error on. Lines are given
/// back at the end, and whether they keep their level then is a matter of the chip.
///
/// # Errors
/// [`ReleaseError`]; every output is tried, the first that refused is named.
pub fn release(outputs: &OutputsTo, leds: &Path) -> Result<(), ReleaseError> {
    if let Some(socket) = &outputs.socket
        && ask(socket, &Request::Status, ANSWER_WITHIN).is_ok()
    {
        return Err(ReleaseError::Runs);
    }
    // Lines first: a PLC may read OK, and lamps take a moment to bring into turns.
    let lines = outputs.gpio.as_ref().map_or(Ok(()), |settings| {
        let mut lines = GpioLines::open(settings)?;
        lines.leave()
    });
    let lamps = outputs.leds.as_ref().map_or(Ok(()), |names| {
        LedLamps::open(leds, names).and_then(|mut lamps| lamps.leave())
    });
    Ok(lines.and(lamps)?)
}
