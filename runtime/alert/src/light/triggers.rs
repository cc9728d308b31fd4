//! Which triggers of the MCU have been told. A status that names a newer one than was heard of
//! means that its message was lost; the part is then told as lost rather than not at all, because
//! the MCU awaits a result and stays not ready until the host has seen it.

use andon_link::{Epoch, TriggerId};

/// Most lost triggers that are told one by one; the station counts the gap before them.
const MOST_LOST: u32 = 32;

/// The newest trigger that was told, or that was there before anyone listened.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    epoch: Option<Epoch>,
    newest: Option<u32>,
}

impl Triggers {
    /// The MCU's life is `epoch`; a new one has had no triggers yet.
    pub fn begin(&mut self, epoch: Epoch) {
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.newest = None;
        }
    }

    /// Whether a trigger of this life was told, or none can have been missed.
    pub const fn has_any(&self) -> bool {
        self.newest.is_some()
    }

    /// A trigger message came: `None` if it is no news, else the triggers before it whose messages
    /// were lost, oldest first.
    pub fn told(&mut self, part: TriggerId) -> Option<Vec<TriggerId>> {
        self.begin(part.epoch);
        let Some(newest) = self.newest.replace(part.number) else {
            return Some(Vec::new());
        };
        if !is_newer(part.number, newest) {
            self.newest = Some(newest);
            return None;
        }
        Some(between(part.epoch, newest, part.number.wrapping_sub(1)))
    }

    /// A status came. The triggers whose messages were lost, oldest first. Those from before the
    /// first status of a life are nobody's: the MCU took none of them without a host.
    pub fn status(
        &mut self,
        epoch: Epoch,
        last: Option<TriggerId>,
        is_first: bool,
    ) -> Vec<TriggerId> {
        self.begin(epoch);
        let last = last.filter(|last| last.epoch == epoch);
        // The first trigger of a life has number 1.
        let number = last.map_or(0, |last| last.number);
        match self.newest {
            None if is_first || last.is_none() => {
                self.newest = Some(number);
                Vec::new()
            }
            newest => {
                let newest = newest.unwrap_or(0);
                if last.is_none() || !is_newer(number, newest) {
                    return Vec::new();
                }
                self.newest = Some(number);
                between(epoch, newest, number)
            }
        }
    }

    /// The newest trigger that nobody has to answer for: `seen` of the station if it is of this
    /// life, else what was there before.
    pub fn seen(&self, station: Option<TriggerId>, before: Option<TriggerId>) -> Option<TriggerId> {
        station
            .filter(|part| Some(part.epoch) == self.epoch)
            .or_else(|| before.filter(|part| Some(part.epoch) == self.epoch))
    }
}

/// The triggers after `known` up to and with `last`, the newest [`MOST_LOST`] of them.
fn between(epoch: Epoch, known: u32, last: u32) -> Vec<TriggerId> {
    let lost = last.wrapping_sub(known).min(MOST_LOST);
    (0..lost)
        .rev()
        .map(|back| TriggerId {
            epoch,
            number: last.wrapping_sub(back),
        })
        .collect()
}

/// Within half of the numbers that wrap.
const fn is_newer(number: u32, than: u32) -> bool {
    let ahead = number.wrapping_sub(than);
    ahead != 0 && ahead <= u32::MAX / 2
}
