//! The lines whose changes QEMU tells one by one: those of port B.

/// A line of port B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The part is good.
    Ok,
    /// The part is rejected.
    Ng,
    /// The station could not judge.
    Error,
    /// The rejector strikes.
    Reject,
}

impl Line {
    /// By the table of the board.
    pub(crate) const fn pin(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Ng => 1,
            Self::Error => 2,
            Self::Reject => 4,
        }
    }

    pub(crate) fn at(pin: u8) -> Option<Self> {
        [Self::Ok, Self::Ng, Self::Error, Self::Reject]
            .into_iter()
            .find(|line| line.pin() == pin)
    }
}
