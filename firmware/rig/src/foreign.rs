//! Frames of another protocol version, made from frames of ours. Written from the table in the
//! protocol's documentation, not with its code, so that a mistake there is not made here as well.

use anyhow::{Context, Result};

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
    let mut crc = u32::MAX;
    for &byte in &packet {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
        }
    }
    packet.extend((!crc).to_le_bytes());
    let mut wire = vec![0];
    for run in packet.split(|&byte| byte == 0) {
        wire.push(u8::try_from(run.len() + 1)?);
        wire.extend_from_slice(run);
    }
    wire.push(0);
    Ok(wire)
}
