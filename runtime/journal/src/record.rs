//! One record and its line: how it is written, and when a line is believed. The hash is over the
//! bytes as they stand in the file, so nothing depends on how JSON is laid out.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// Longest line in bytes, newline included. A longer payload is refused.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Kinds that begin so are the journal's own.
pub(crate) const RESERVED: &str = "journal.";
pub(crate) const GENESIS: &str = "journal.genesis";
pub(crate) const TORN: &str = "journal.torn";
pub(crate) const REMOVED: &str = "journal.removed";
pub(crate) const LOST: &str = "journal.lost";

const HASH_KEY: &[u8] = br#","sha256":""#;
const HASH_END: &[u8] = br#""}"#;
const HEX: usize = 64;

/// A SHA-256 hash; 64 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// What stands before record 0.
    pub(crate) const NOTHING: Self = Self([0; 32]);

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let text: &[u8; HEX] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_chunks().0) {
            let [high, low] = *pair;
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::from_hex(&text).ok_or("a hash is 64 lower-case hexadecimal digits")
    }
}

/// A record's number and hash: proof of that record and of all before it. Noted elsewhere, it also
/// proves later that nothing was cut off since; see [`crate::verify_against`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Number of the record.
    pub number: u64,
    /// Its hash.
    pub sha256: Digest,
}

/// One record as read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Count of records since the journal began; the genesis is 0.
    pub number: u64,
    /// When it happened, by the clock of the caller, UTC. May step back when that clock is set.
    pub at: Timestamp,
    /// What kind of record it is; decides what is in `data`.
    pub kind: String,
    /// The payload.
    pub data: serde_json::Value,
    /// Hash of the record before.
    pub before: Digest,
    /// Hash of this record.
    pub sha256: Digest,
}

impl Record {
    /// Number and hash.
    #[must_use]
    pub const fn seal(&self) -> Seal {
        Seal {
            number: self.number,
            sha256: self.sha256,
        }
    }

    /// The payload as the type that was written.
    ///
    /// # Errors
    /// The payload is no `T`.
    pub fn payload<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.data)
    }
}

#[derive(Serialize)]
struct Content<'a> {
    number: u64,
    at: Timestamp,
    kind: &'a str,
    data: &'a RawValue,
    before: Digest,
}

/// The line of a record, newline included, and its hash.
///
/// # Errors
/// The payload holds a line break outside of a text, which only a ready-made JSON text can.
pub(crate) fn encode(
    number: u64,
    at: Timestamp,
    kind: &str,
    data: &RawValue,
    before: Digest,
) -> Result<(Vec<u8>, Digest), serde_json::Error> {
    let content = Content {
        number,
        at,
        kind,
        data,
        before,
    };
    let mut line = serde_json::to_vec(&content)?;
    if line.contains(&b'\n') {
        return Err(serde::ser::Error::custom("it holds a line break"));
    }
    line.pop();
    let sha256 = Digest::of(&line);
    line.extend_from_slice(HASH_KEY);
    line.extend_from_slice(sha256.to_string().as_bytes());
    line.extend_from_slice(HASH_END);
    line.push(b'\n');
    Ok((line, sha256))
}

/// Believes a line, given without its newline, only if its hash holds; `None` otherwise.
pub(crate) fn decode(line: &[u8]) -> Option<Record> {
    let end = line
        .len()
        .checked_sub(HASH_KEY.len() + HEX + HASH_END.len())?;
    let (content, tail) = line.split_at_checked(end)?;
    let hex = tail.strip_prefix(HASH_KEY)?.strip_suffix(HASH_END)?;
    let stated = Digest::from_hex(str::from_utf8(hex).ok()?)?;
    if Digest::of(content) != stated {
        return None;
    }
    serde_json::from_slice(line).ok()
}
