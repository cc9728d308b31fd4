//! Small identities that travel in frames: sequence numbers, part ids, codes and labels. They are
//! types of their own so that one is never taken for another; they never carry meaning beyond that.

use core::num::NonZeroU8;

use serde::{Deserialize, Serialize};

/// Number of a frame in its direction; wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sequence(pub u16);

impl Sequence {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Which life of the MCU a part belongs to; differs from one reset to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u16);

/// Identity of one triggered part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TriggerId {
    /// The life of the MCU in which the trigger came.
    pub epoch: Epoch,
    /// Count of triggers in that life, starting at 1; wraps to 0 after 2^32 - 1.
    pub number: u32,
}

/// Which of the station's recipes judged; the station keeps the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecipeIndex(pub u16);

/// Why the station could not judge; never zero, the station keeps the list of meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ErrorCode(pub NonZeroU8);

/// A name of at most 24 printable ASCII characters, such as a firmware revision or a board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "heapless::String<24>")]
pub struct Label(heapless::String<24>);

/// Why a text is no [`Label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// More than 24 bytes.
    #[error("a label holds at most 24 characters: shorten it")]
    TooLong,
    /// Something other than space and printable ASCII.
    #[error("a label holds only printable ASCII: replace the other characters")]
    NotPrintable,
}

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<heapless::String<24>> for Label {
    type Error = LabelError;

    fn try_from(text: heapless::String<24>) -> Result<Self, LabelError> {
        if text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(LabelError::NotPrintable)
        }
    }
}

impl TryFrom<&str> for Label {
    type Error = LabelError;

    fn try_from(text: &str) -> Result<Self, LabelError> {
        heapless::String::try_from(text)
            .map_err(|_| LabelError::TooLong)?
            .try_into()
    }
}
