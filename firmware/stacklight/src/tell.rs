//! What the light tells the host: events at once and in order, its full state every period. Events
//! wait in a queue of fixed length; one that finds no room is counted, and the state repeats what
//! it said.

use andon_link::{
    Acknowledge, Answer, Identity, Inputs, LinkCounters, McuMessage, Reply, STATE_PERIOD_MS,
    Sequence, Status, TriggerEdge,
};
use heapless::Deque;

use crate::light::Light;

/// Something to tell once.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A part came.
    Trigger(TriggerEdge),
    /// The button was pressed.
    Acknowledge(Acknowledge),
    /// What became of this frame.
    Reply(Sequence, Answer),
    /// Who is here, in answer to this ping.
    Identity(Option<Sequence>),
}

/// Events that wait to be told.
pub type Events = Deque<Event, 16>;

impl<const N: usize> Light<N> {
    /// The next message for the host; `None` when there is nothing more to say now. `link` is how
    /// the line from the host does, see [`andon_link::Receiver::counters`].
    pub fn poll_transmit(&mut self, link: LinkCounters) -> Option<McuMessage> {
        if let Some(event) = self.events.pop_front() {
            return Some(match event {
                Event::Trigger(edge) => McuMessage::Trigger(edge),
                Event::Acknowledge(acknowledge) => McuMessage::Acknowledge(acknowledge),
                Event::Reply(to, answer) => McuMessage::Reply(Reply { to, answer }),
                Event::Identity(answers) => McuMessage::Identity(self.identity(answers)),
            });
        }
        if self.now.at < self.status_at {
            return None;
        }
        self.status_at = self.now.at.plus(STATE_PERIOD_MS);
        Some(McuMessage::Status(self.status(link)))
    }

    fn identity(&self, answers: Option<Sequence>) -> Identity {
        Identity {
            answers,
            revision: self.boot.revision.clone(),
            board: self.boot.board.clone(),
            reset: self.boot.reset,
            epoch: self.boot.epoch,
        }
    }

    fn status(&self, link: LinkCounters) -> Status {
        Status {
            echo: self.echo,
            uptime_ms: self.now.at.as_ms(),
            mode: self.mode(),
            outputs: self.poll_outputs(),
            inputs: Inputs {
                trigger: self.trigger.level() == Some(true),
                button: self.button.level() == Some(true),
            },
            alarms: self.alarms(),
            reset: self.boot.reset,
            epoch: self.boot.epoch,
            last_trigger: self.newest.map(|newest| self.id(newest.number)),
            pending: u8::try_from(self.belt.len()).unwrap_or(u8::MAX),
            acknowledgements: self.acknowledgements,
            position: self.now.position,
            link,
            line: self.counters,
        }
    }
}
