//! The published bytes and their meanings. If one of these fails, the protocol has changed: bytes
//! that are out in the field mean something else now, and the version must go up.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

use andon_link::{Decoder, HostMessage, McuMessage, Message, Refusal, Sequence, VERSION, encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const ACCEPTED: &str = include_str!("../vectors/v1.json");
const REFUSED: &str = include_str!("../vectors/refused-v1.json");

#[derive(Deserialize)]
struct Accepted {
    version: u8,
    from_host: Vec<Vector<HostMessage>>,
    from_mcu: Vec<Vector<McuMessage>>,
}

#[derive(Deserialize)]
struct Vector<M> {
    name: String,
    sequence: u16,
    wire: String,
    message: M,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    to: Direction,
    wire: String,
    refused: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    HostToMcu,
    McuToHost,
}

fn bytes(wire: &str) -> Vec<u8> {
    wire.split(' ')
        .map(|hex| u8::from_str_radix(hex, 16).unwrap())
        .collect()
}

fn check<M>(vectors: &[Vector<M>])
where
    M: Message + DeserializeOwned + PartialEq + core::fmt::Debug,
{
    for Vector {
        name,
        sequence,
        wire,
        message,
    } in vectors
    {
        let wire = bytes(wire);
        let frame = encode(Sequence(*sequence), message);
        assert_eq!(
            frame.as_bytes(),
            wire,
            "{name}: is sent as other bytes than were published"
        );
        let mut decoder = Decoder::<M>::new();
        let got = wire.iter().find_map(|&byte| decoder.push(byte));
        let got = got.unwrap_or_else(|| panic!("{name}: nothing was decoded"));
        let got = got.unwrap_or_else(|refusal| panic!("{name}: refused: {refusal}"));
        assert_eq!(
            &got.message, message,
            "{name}: means something else than was published"
        );
        assert_eq!(got.sequence, Sequence(*sequence), "{name}");
    }
}

fn kinds<M: Message>(vectors: &[Vector<M>]) -> Vec<u8> {
    let mut kinds: Vec<u8> = vectors.iter().map(|v| v.message.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn published_bytes_keep_their_meaning() {
    let accepted: Accepted = serde_json::from_str(ACCEPTED).unwrap();
    assert_eq!(
        accepted.version, VERSION,
        "a new version needs a vector file of its own"
    );
    check(&accepted.from_host);
    check(&accepted.from_mcu);
}

#[test]
fn every_kind_of_message_has_published_bytes() {
    let accepted: Accepted = serde_json::from_str(ACCEPTED).unwrap();
    assert_eq!(kinds(&accepted.from_host), [0x01, 0x02, 0x03, 0x04]);
    assert_eq!(kinds(&accepted.from_mcu), [0x81, 0x82, 0x83, 0x84, 0x85]);
}

#[test]
fn published_nonsense_is_refused_for_the_published_reason() {
    let vectors: Vec<Refused> = serde_json::from_str(REFUSED).unwrap();
    assert!(!vectors.is_empty());
    for Refused {
        name,
        to,
        wire,
        refused,
    } in vectors
    {
        let got = match to {
            Direction::HostToMcu => refusal::<HostMessage>(&bytes(&wire)),
            Direction::McuToHost => refusal::<McuMessage>(&bytes(&wire)),
        };
        assert_eq!(got, refused, "{name}");
    }
}

fn refusal<M: Message>(wire: &[u8]) -> String {
    let mut decoder = Decoder::<M>::new();
    match wire.iter().find_map(|&byte| decoder.push(byte)) {
        None => "nothing".into(),
        Some(Ok(_)) => "accepted".into(),
        Some(Err(refusal)) => match refusal {
            Refusal::Stuffing => "stuffing".into(),
            Refusal::TooLong => "too long".into(),
            Refusal::Gap => "gap".into(),
            Refusal::TooShort { .. } => "too short".into(),
            Refusal::Checksum => "checksum".into(),
            Refusal::Version { theirs } => format!("version {theirs}"),
            Refusal::Length { .. } => "length".into(),
            Refusal::Kind { kind } => format!("kind {kind:#04x}"),
            Refusal::Body { kind } => format!("body of {kind:#04x}"),
        },
    }
}
