//! Any bytes on the line, read by both sides: nothing panics, what is taken is sent again as the
//! same frame, and a good frame right behind the bytes is understood.

#![no_main]

use andon_link::{Decoder, HostMessage, McuMessage, Message, Received, Refusal, Sequence, encode};
use libfuzzer_sys::fuzz_target;

fn feed<M: Message>(decoder: &mut Decoder<M>, wire: &[u8]) -> Vec<Result<Received<M>, Refusal>> {
    wire.iter().filter_map(|&byte| decoder.push(byte)).collect()
}

fn read<M>(wire: &[u8])
where
    M: Message + PartialEq + core::fmt::Debug,
{
    let mut decoder = Decoder::<M>::new();
    for Received { sequence, message } in feed(&mut decoder, wire).into_iter().flatten() {
        let frame = encode(sequence, &message);
        let again = feed(&mut Decoder::<M>::new(), frame.as_bytes());
        assert_eq!(again, [Ok(Received { sequence, message })]);
    }
}

fuzz_target!(|wire: &[u8]| {
    read::<HostMessage>(wire);
    read::<McuMessage>(wire);

    let mut decoder = Decoder::<HostMessage>::new();
    feed(&mut decoder, wire);
    let ping = encode(Sequence(7), &HostMessage::Ping);
    let last = feed(&mut decoder, ping.as_bytes()).pop();
    assert_eq!(
        last,
        Some(Ok(Received {
            sequence: Sequence(7),
            message: HostMessage::Ping
        }))
    );
});
