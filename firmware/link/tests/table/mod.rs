//! Frames by the table in the crate's documentation and not by its code, so that a mistake there is
//! not made here as well. The fuzz targets and the rig take this file in, too.

/// Closes a packet with its checksum and stuffs it between two delimiters. It holds no run of more
/// than 254 bytes without a zero: no message is that long.
pub fn frame_of(mut packet: Vec<u8>) -> Vec<u8> {
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
        wire.push(run.len() as u8 + 1);
        wire.extend_from_slice(run);
    }
    wire.push(0);
    wire
}
