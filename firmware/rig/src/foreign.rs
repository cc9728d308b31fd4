//! Frames of another protocol version, made from frames of ours. Written from the table in the
//! protocol's documentation, not with its code, so that a mistake there is not made here as well.

use anyhow::{Context, Result};

#[path = "../../link/tests/table/mod.rs"]
mod table;

use table::frame_of;

/// Makes a frame one of another version: a sound one, of which only the version is foreign.
///
/// # Errors
/// `wire` is no frame between two delimiters.
pub fn of_version(wire: &[u8], version: u8) -> Result<Vec<u8>> {
    let mut packet = Vec::new();
    let mut rest = wire.get(1..wire.len() - 1).context("delimiters")?;
    while let Some((&code, after)) = rest.split_first() {
        let run = usize::from(code).checked_sub(1).context("a code")?;
        let (run, after) = after.split_at_checked(run).context("a whole run")?;
        packet.extend_from_slice(run);
        packet.push(0);
        rest = after;
    }
    packet.pop();
    let content = packet.len().checked_sub(4).context("a checksum")?;
    packet.truncate(content);
    *packet.first_mut().context("a version")? = version;
    Ok(frame_of(packet))
}
