//! What happened at a source, for one reader: the newest frame only, and errors in order.

use std::collections::VecDeque;

use crate::error::FrameError;
use crate::frame::Frame;

/// Most errors that wait for the reader. Who does not read that many is told how many were lost.
const MOST_ERRORS: usize = 16;

/// Counts since the start. They never go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailboxCounts {
    /// Frames that the source gave.
    pub captured: u64,
    /// Frames that a newer one replaced before they were read.
    pub skipped: u64,
    /// Frames that were not newer than what the reader had already seen.
    pub stale: u64,
    /// Errors that the source gave.
    pub errors: u64,
    /// Errors that were dropped as too many were waiting.
    pub errors_dropped: u64,
}

/// A slot for one frame, between errors that came before and after it. Pure: no thread, no clock.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// In the order of arrival; at most one is a frame.
    items: VecDeque<Result<Frame, FrameError>>,
    counts: MailboxCounts,
}

impl Mailbox {
    /// Takes what the source gave. A frame replaces the one that waits; errors stay in order.
    pub(crate) fn put(&mut self, item: Result<Frame, FrameError>) {
        if item.is_ok() {
            self.counts.captured += 1;
            if let Some(at) = self.items.iter().position(Result::is_ok) {
                self.items.remove(at);
                self.counts.skipped += 1;
            }
        } else {
            self.counts.errors += 1;
            let waiting = self.items.iter().filter(|item| item.is_err()).count();
            if waiting == MOST_ERRORS
                && let Some(oldest) = self.items.iter().position(Result::is_err)
            {
                self.items.remove(oldest);
                self.counts.errors_dropped += 1;
            }
        }
        self.items.push_back(item);
    }

    /// The oldest error or the newest frame, whichever came first, if the frame's number is above
    /// `after`.
    pub(crate) fn take(&mut self, after: Option<u64>) -> Option<Result<Frame, FrameError>> {
        let item = self.items.pop_front()?;
        if let Ok(frame) = &item
            && after.is_some_and(|seen| frame.sequence() <= seen)
        {
            self.counts.stale += 1;
            return self.items.pop_front();
        }
        Some(item)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) const fn counts(&self) -> MailboxCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Layout, PixelFormat};
    use std::time::Duration;

    fn frame(sequence: u64) -> Result<Frame, FrameError> {
        let layout = Layout::packed(PixelFormat::Grey, 1, 1);
        Ok(Frame::new(vec![0], layout, Duration::ZERO, sequence).unwrap())
    }

    fn error(name: &str) -> Result<Frame, FrameError> {
        Err(FrameError::End { name: name.into() })
    }

    /// Everything in the box: the number of a frame, the name of an error.
    fn all(mailbox: &mut Mailbox, after: Option<u64>) -> Vec<String> {
        std::iter::from_fn(|| mailbox.take(after))
            .map(|item| match item {
                Ok(frame) => frame.sequence().to_string(),
                Err(FrameError::End { name }) => name,
                Err(other) => other.to_string(),
            })
            .collect()
    }

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        let mut mailbox = Mailbox::default();
        (0..10).for_each(|n| mailbox.put(frame(n)));
        assert_eq!(all(&mut mailbox, None), ["9"]);
        let counts = mailbox.counts();
        assert_eq!((counts.captured, counts.skipped), (10, 9));
    }

    #[test]
    fn errors_keep_their_order_and_their_place_before_or_after_the_frame() {
        let mut mailbox = Mailbox::default();
        for item in [error("a"), frame(1), error("b"), frame(2), error("c")] {
            mailbox.put(item);
        }
        assert_eq!(all(&mut mailbox, None), ["a", "b", "2", "c"]);
    }

    #[test]
    fn errors_that_nobody_reads_do_not_pile_up() {
        let mut mailbox = Mailbox::default();
        mailbox.put(frame(1));
        (0..100).for_each(|n| mailbox.put(error(&format!("e{n}"))));
        let rest = all(&mut mailbox, None);
        assert_eq!(rest.len(), MOST_ERRORS + 1);
        assert_eq!(rest.last().unwrap(), "e99");
        let counts = mailbox.counts();
        assert_eq!((counts.errors, counts.errors_dropped), (100, 84));
    }

    #[test]
    fn a_frame_that_was_seen_is_never_given_as_new() {
        let mut mailbox = Mailbox::default();
        mailbox.put(frame(5));
        mailbox.put(error("late"));
        assert_eq!(all(&mut mailbox, Some(5)), ["late"]);
        mailbox.put(frame(6));
        assert_eq!(all(&mut mailbox, Some(5)), ["6"]);
        assert_eq!(mailbox.counts().stale, 1);
    }
}
