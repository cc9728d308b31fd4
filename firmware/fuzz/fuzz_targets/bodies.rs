//! Sound frames with any content, which a checksum would keep from a fuzzer: what is taken is a
//! value that the types allow, and sending it again gives the same value.

#![no_main]

use andon_link::{Decoder, HostMessage, McuMessage, Message, Refusal, VERSION, encode};
use libfuzzer_sys::fuzz_target;

/// Stuffs and closes a packet, by the table in the protocol's documentation and not by its code.
fn frame_of(mut packet: Vec<u8>) -> Vec<u8> {
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

fn read<M>(wire: &[u8])
where
    M: Message + PartialEq + core::fmt::Debug,
{
    let decode = |wire: &[u8]| {
        let mut decoder = Decoder::<M>::new();
        wire.iter().find_map(|&byte| decoder.push(byte))
    };
    match decode(wire).expect("a sound frame is never passed over") {
        Ok(received) => {
            let frame = encode(received.sequence, &received.message);
            assert_eq!(decode(frame.as_bytes()), Some(Ok(received)));
        }
        Err(Refusal::Kind { .. } | Refusal::Body { .. }) => {}
        Err(other) => panic!("a sound frame was refused as damaged: {other}"),
    }
}

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (kind, sequence, body) = input;
    let body = &body[..body.len().min(128)];
    let [low, high] = sequence.to_le_bytes();
    let mut packet = vec![VERSION, body.len() as u8 + 9, kind, low, high];
    packet.extend_from_slice(body);
    let wire = frame_of(packet);
    read::<HostMessage>(&wire);
    read::<McuMessage>(&wire);
});
