//! Sound frames with any content, which a checksum would keep from a fuzzer: what is taken is a
//! value that the types allow, and sending it again gives the same value.

#![no_main]

use andon_link::{Decoder, HostMessage, McuMessage, Message, Refusal, VERSION, encode};
use libfuzzer_sys::fuzz_target;

#[path = "../../link/tests/table/mod.rs"]
mod table;

use table::frame_of;

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
