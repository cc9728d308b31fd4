//! What the line must withstand, for every message that the types can hold.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

mod common;
mod table;

use andon_link::{
    Decoder, HostMessage, McuMessage, Message, Receiver, Refusal, Sequence, VERSION, encode,
};
use common::{host_message, mcu_message};
use proptest::prelude::*;
use table::frame_of;

/// All that a fresh decoder makes of `wire`, then of a closing delimiter.
fn decode<M: Message>(wire: &[u8]) -> Vec<Result<(Sequence, M), Refusal>> {
    let mut decoder = Decoder::new();
    wire.iter()
        .chain(&[0])
        .filter_map(|&byte| decoder.push(byte))
        .map(|outcome| outcome.map(|r| (r.sequence, r.message)))
        .collect()
}

fn comes_back<M: Message + Clone + PartialEq + core::fmt::Debug>(sequence: u16, message: &M) {
    let frame = encode(Sequence(sequence), message);
    assert_eq!(
        decode(frame.as_bytes()),
        [Ok((Sequence(sequence), message.clone()))]
    );
}

fn stays_a_message_or_is_refused<M>(wire: &[u8])
where
    M: Message + Clone + PartialEq + core::fmt::Debug,
{
    for outcome in decode::<M>(wire) {
        match outcome {
            Ok((sequence, message)) => comes_back(sequence.0, &message),
            Err(Refusal::Kind { .. } | Refusal::Body { .. }) => {}
            Err(other) => panic!("a sound frame was refused as damaged: {other}"),
        }
    }
}

fn no_flip_passes<M: Message>(sequence: u16, message: &M) {
    let frame = encode(Sequence(sequence), message);
    let mut wire = frame.as_bytes().to_vec();
    for bit in 0..wire.len() * 8 {
        wire[bit / 8] ^= 1 << (bit % 8);
        let outcomes = decode::<M>(&wire);
        assert!(
            !outcomes.is_empty(),
            "bit {bit} made the frame vanish without a word"
        );
        assert!(
            outcomes.iter().all(Result::is_err),
            "bit {bit} went unnoticed"
        );
        wire[bit / 8] ^= 1 << (bit % 8);
    }
}

fn no_truncation_passes<M: Message>(sequence: u16, message: &M) {
    let frame = encode(Sequence(sequence), message);
    let wire = frame.as_bytes();
    // Without its last delimiter, or its first, a frame is still whole.
    for end in 0..wire.len() - 1 {
        assert!(
            decode::<M>(&wire[..end]).iter().all(Result::is_err),
            "cut after {end} bytes"
        );
    }
    for start in 2..wire.len() {
        assert!(
            decode::<M>(&wire[start..]).iter().all(Result::is_err),
            "cut before {start}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn what_the_host_says_arrives_as_it_was_said(sequence: u16, message in host_message()) {
        comes_back(sequence, &message);
    }

    #[test]
    fn what_the_mcu_says_arrives_as_it_was_said(sequence: u16, message in mcu_message()) {
        comes_back(sequence, &message);
    }

    #[test]
    fn any_bytes_at_all_are_survived(soup in proptest::collection::vec(any::<u8>(), 0..600)) {
        decode::<HostMessage>(&soup);
        decode::<McuMessage>(&soup);
    }

    /// Soup with few distinct bytes has many delimiters and plausible stuffing, so it gets further.
    #[test]
    fn soup_rich_in_delimiters_is_survived(soup in proptest::collection::vec(0u8..12, 0..600)) {
        decode::<HostMessage>(&soup);
        decode::<McuMessage>(&soup);
    }

    #[test]
    fn the_frame_after_noise_is_understood(
        noise in proptest::collection::vec(any::<u8>(), 0..600),
        sequence: u16,
        message in host_message(),
    ) {
        let frame = encode(Sequence(sequence), &message);
        let mut wire = noise;
        wire.extend_from_slice(frame.as_bytes());
        prop_assert_eq!(decode(&wire).pop(), Some(Ok((Sequence(sequence), message))));
    }

    #[test]
    fn the_frame_after_a_lost_byte_is_understood(
        first in host_message(),
        second in host_message(),
        at: prop::sample::Index,
    ) {
        let mut receiver = Receiver::<HostMessage>::new();
        let wire = encode(Sequence(1), &first);
        let gap = at.index(wire.as_bytes().len());
        for (place, &byte) in wire.as_bytes().iter().enumerate() {
            if place == gap {
                receiver.interrupt();
            } else if let Some(Ok(received)) = receiver.push(byte) {
                // Only a lost delimiter leaves the frame whole.
                prop_assert!(gap == 0 || gap + 1 == wire.as_bytes().len());
                prop_assert_eq!(&received.message, &first);
            }
        }
        let good = encode(Sequence(2), &second);
        let outcomes: Vec<_> = good.as_bytes().iter().filter_map(|&b| receiver.push(b)).collect();
        prop_assert_eq!(outcomes.last().unwrap().as_ref().map(|r| &r.message), Ok(&second));
        prop_assert_eq!(receiver.counters().overruns, 1);
    }

    #[test]
    fn a_foreign_version_is_named_and_never_read(
        version: u8,
        rest in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        prop_assume!(version != VERSION);
        let mut packet = vec![version];
        packet.extend(rest);
        let wire = frame_of(packet);
        prop_assert_eq!(decode::<HostMessage>(&wire), [Err(Refusal::Version { theirs: version })]);
        prop_assert_eq!(decode::<McuMessage>(&wire), [Err(Refusal::Version { theirs: version })]);
    }

    /// A sender gone mad: the envelope is right, the content is anything. What is taken must be a
    /// value that the types allow, which encoding it again shows.
    #[test]
    fn a_sound_frame_with_any_body_is_a_message_or_a_refusal(
        kind in prop_oneof![1u8..=5, 0x81u8..=0x86, any::<u8>()],
        body in proptest::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..110),
    ) {
        let mut packet = vec![VERSION, (body.len() + 9) as u8, kind, 7, 0];
        packet.extend(body);
        let wire = frame_of(packet);
        stays_a_message_or_is_refused::<HostMessage>(&wire);
        stays_a_message_or_is_refused::<McuMessage>(&wire);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_flipped_bit_is_ever_taken(sequence: u16, host in host_message(), mcu in mcu_message()) {
        no_flip_passes(sequence, &host);
        no_flip_passes(sequence, &mcu);
    }

    #[test]
    fn no_part_of_a_frame_is_ever_taken(sequence: u16, host in host_message(), mcu in mcu_message()) {
        no_truncation_passes(sequence, &host);
        no_truncation_passes(sequence, &mcu);
    }
}
