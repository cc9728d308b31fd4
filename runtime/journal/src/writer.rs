//! The fronts that the line talks to: each hands over and returns at once, whatever the disk does.
//! Records and images have a thread each, so that a large image never holds up a record.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::JournalError;
use crate::journal::raw;
use crate::lane::{Dropped, Lane, Work};
use crate::recorder::{Health, Recorder};
use crate::ring::ImageRing;

/// A value that one thread writes and others look at.
type Shared<T> = Arc<Mutex<T>>;

fn set<T>(shared: &Shared<T>, value: T) {
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

fn get<T: Clone>(shared: &Shared<T>) -> T {
    shared
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// The front of a [`Recorder`] on its own thread.
#[derive(Debug)]
pub struct Writer {
    lane: Lane<Item>,
    health: Shared<Health>,
}

#[derive(Debug)]
struct Item {
    at: Timestamp,
    kind: String,
    payload: Box<RawValue>,
}

struct Recording {
    recorder: Recorder,
    health: Shared<Health>,
}

impl Work for Recording {
    type Item = Item;

    fn take(&mut self, item: Item) {
        // A failure stands in the health, and the record waits.
        let _ = self.recorder.record_raw(item.at, item.kind, item.payload);
        set(&self.health, self.recorder.health());
    }

    fn idle(&mut self) {
        let _ = self.recorder.poll(Timestamp::now());
        set(&self.health, self.recorder.health());
    }

    fn finish(&mut self) {
        let _ = self.recorder.finish(Timestamp::now());
        set(&self.health, self.recorder.health());
    }
}

impl Writer {
    /// Starts the thread; up to `capacity` records wait for it.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(recorder: Recorder, capacity: usize) -> io::Result<Self> {
        let health = Arc::new(Mutex::new(recorder.health()));
        let work = Recording {
            recorder,
            health: Arc::clone(&health),
        };
        let lane = Lane::spawn("journal", capacity, work)?;
        Ok(Self { lane, health })
    }

    /// Hands over a record that happened `at`; never waits.
    ///
    /// # Errors
    /// [`TrySendError::Dropped`] if the channel is full, [`TrySendError::Record`] if the kind or the
    /// payload cannot be recorded at all.
    pub fn try_send(
        &self,
        at: Timestamp,
        kind: &str,
        payload: &impl Serialize,
    ) -> Result<(), TrySendError> {
        let payload = raw(kind, payload)?;
        let kind = kind.into();
        Ok(self.lane.try_send(Item { at, kind, payload })?)
    }

    /// How the record does, as of the last record or second.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            dropped: self.lane.dropped(),
            ..get(&self.health)
        }
    }

    /// Writes all that was handed over and brings it to the disk, within `deadline`. `false` if
    /// records are not on the disk by then.
    #[must_use]
    pub fn finish(self, deadline: Duration) -> bool {
        let health = self.health;
        self.lane.finish(deadline) && get(&health).fault.is_none() && get(&health).waiting == 0
    }
}

/// Why a record was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum TrySendError {
    /// The channel is full.
    #[error(transparent)]
    Dropped(#[from] Dropped),
    /// The record itself is at fault.
    #[error(transparent)]
    Record(#[from] JournalError),
}

/// How the images do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RingHealth {
    /// Why the last image was not stored; `None` if it was.
    pub fault: Option<String>,
    /// Images kept now.
    pub images: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Images that the line could not hand over because the disk was busy, since start.
    pub dropped: u64,
}

/// The front of an [`ImageRing`] on its own thread.
#[derive(Debug)]
pub struct ImageWriter {
    lane: Lane<(String, Vec<u8>)>,
    health: Shared<RingHealth>,
}

struct Storing {
    ring: ImageRing,
    health: Shared<RingHealth>,
}

impl Storing {
    fn tell(&self, fault: Option<String>) {
        let health = RingHealth {
            fault,
            images: self.ring.len(),
            bytes: self.ring.bytes(),
            dropped: 0,
        };
        set(&self.health, health);
    }
}

impl Work for Storing {
    type Item = (String, Vec<u8>);

    fn take(&mut self, (name, bytes): Self::Item) {
        let stored = self.ring.store(&name, &bytes);
        self.tell(stored.err().map(|error| error.to_string()));
    }

    fn idle(&mut self) {
        // Others may have filled the disk meanwhile; images go before anything else has to.
        if self.ring.make_room(0).is_ok() {
            let fault = get(&self.health).fault;
            self.tell(fault);
        }
    }

    fn finish(&mut self) {}
}

impl ImageWriter {
    /// Starts the thread; up to `capacity` images wait for it in memory.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn(ring: ImageRing, capacity: usize) -> io::Result<Self> {
        let health = Shared::default();
        let work = Storing {
            ring,
            health: Arc::clone(&health),
        };
        work.tell(None);
        let lane = Lane::spawn("images", capacity, work)?;
        Ok(Self { lane, health })
    }

    /// Hands over an image under its file name; never waits.
    ///
    /// # Errors
    /// [`Dropped`] if the channel is full.
    pub fn try_store(&self, name: String, bytes: Vec<u8>) -> Result<(), Dropped> {
        self.lane.try_send((name, bytes))
    }

    /// How the images do, as of the last image or second.
    #[must_use]
    pub fn health(&self) -> RingHealth {
        RingHealth {
            dropped: self.lane.dropped(),
            ..get(&self.health)
        }
    }

    /// Stores all that was handed over, within `deadline`; `false` if it did not come to that.
    #[must_use]
    pub fn finish(self, deadline: Duration) -> bool {
        self.lane.finish(deadline)
    }
}
