//! The record of a station as it runs: results, events and counters into the journal, images into
//! their ring. Nothing here makes the line wait, and a full disk never stops it.

use std::path::Path;
use std::time::Duration;

use andon_journal::{
    Health, ImageRing, ImageWriter, JournalError, Limits, Opened, Recorder, Settings, Writer,
};
use andon_station::{Counters, Event, Fault, PartRecord};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::StationFile;
use super::inspector::{Answer, Picture, RecipeName};
use super::shell::LineError;
use crate::inspect::Region;

/// Records and images that may wait for the disk.
const WAITING: usize = 1024;
const WAITING_IMAGES: usize = 16;

/// Free bytes below which the disk counts as low.
const LOW_BYTES: u64 = 256 << 20;

/// How long an orderly end may take to bring everything to the disk.
const FINISH: Duration = Duration::from_secs(5);

/// What the journal keeps of one part.
#[derive(Serialize)]
pub(super) struct ResultRecord<'a> {
    pub part: &'a PartRecord,
    /// The file that the frame came from, in a replay.
    pub file: Option<String>,
    pub recipe: Option<&'a RecipeName>,
    pub inspection: Option<Judged<'a>>,
    /// Name of the kept image.
    pub image: Option<&'a str>,
    /// All counters after this part, so that a start after a crash goes on from here.
    pub counters: &'a Counters,
}

/// What the inspector found, as `andon inspect --json` says it.
#[derive(Serialize)]
pub(super) struct Judged<'a> {
    verdict: &'static str,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<f32>,
    threshold: f32,
    regions: &'a [Region],
    ms: Stages,
}

/// Milliseconds by stage.
#[derive(Serialize)]
struct Stages {
    prepare: f64,
    backbone: f64,
    spectral: f64,
    regions: f64,
}

impl<'a> Judged<'a> {
    /// `None` when it could not judge.
    pub fn of(answer: &'a Answer) -> Option<Self> {
        let inspection = answer.inspection.as_ref()?;
        // Two digits behind the point, as everywhere.
        let ms = |time: Duration| (time.as_secs_f64() * 1e5).round() / 100.0;
        let times = &answer.times;
        Some(Self {
            verdict: inspection.verdict.as_str(),
            score: inspection.score,
            layout: inspection.layout,
            threshold: 1.0,
            regions: &inspection.regions,
            ms: Stages {
                prepare: ms(times.prepare),
                backbone: ms(times.backbone),
                spectral: ms(times.spectral),
                regions: ms(times.regions),
            },
        })
    }
}

#[derive(Deserialize)]
struct WithCounters {
    counters: Counters,
}

/// Journal and images.
pub(super) struct Ledger {
    journal: Writer,
    images: Option<ImageWriter>,
    image_fault: Option<String>,
    lost: u64,
}

/// What the start of the record came to.
pub(super) struct Start {
    pub ledger: Ledger,
    /// Counters of the run before.
    pub counters: Option<Counters>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Ledger {
    /// Opens or begins the record of a station.
    ///
    /// # Errors
    /// When another program writes this record, or no thread is left. A disk that refuses is no
    /// error: it is told by [`Self::fault`], and tried again.
    pub fn open(file: &StationFile) -> Result<Start, LineError> {
        let settings = Settings {
            recall: vec!["result".into(), "counters".into()],
            ..Settings::new(&file.name)
        };
        let folder = &file.record.folder;
        let (recorder, opened) =
            Recorder::start(folder.join("journal"), settings, Timestamp::now());
        let mut notes = Vec::new();
        let counters = match opened {
            Ok(opened) => resumed(opened, &mut notes),
            Err(error @ (JournalError::Locked { .. } | JournalError::Unreadable { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                notes.push(format!("the journal waits: {error}"));
                None
            }
        };
        let mb = |mb: u64| mb.saturating_mul(1_000_000);
        let limits = Limits {
            max_bytes: mb(file.record.images_mb),
            min_free_bytes: mb(file.record.leave_free_mb),
        };
        let (images, image_fault) = match open_images(&folder.join("images"), limits) {
            Ok(images) => (Some(images), None),
            Err(reason) => {
                notes.push(format!("no images are kept: {reason}"));
                (None, Some(reason))
            }
        };
        let journal = Writer::spawn(recorder, WAITING).map_err(LineError::Thread)?;
        let ledger = Self {
            journal,
            images,
            image_fault,
            lost: 0,
        };
        Ok(Start {
            ledger,
            counters,
            notes,
        })
    }

    /// Records a part.
    pub fn result(&mut self, record: &ResultRecord<'_>) {
        self.send("result", record);
    }

    /// Records an event.
    pub fn event(&mut self, event: &Event) {
        self.send("event", event);
    }

    /// Records the counters, after a reset and at the end.
    pub fn counters(&mut self, counters: &Counters) {
        #[derive(Serialize)]
        struct Of<'a> {
            counters: &'a Counters,
        }
        self.send("counters", &Of { counters });
    }

    /// Records anything else that an auditor may ask for.
    pub fn note(&mut self, kind: &str, value: &impl Serialize) {
        self.send(kind, value);
    }

    fn send(&mut self, kind: &str, value: &impl Serialize) {
        if self
            .journal
            .try_send(Timestamp::now(), kind, value)
            .is_err()
        {
            self.lost += 1;
        }
    }

    /// Keeps an image.
    pub fn picture(&mut self, picture: Picture) {
        if let Some(images) = &self.images {
            // A full lane drops it and counts that.
            let _ = images.try_store(picture.name, picture.bytes);
        }
    }

    /// What is wrong with the disk, in the station's words and in the system's.
    pub fn fault(&self) -> Option<(Fault, String)> {
        let health = self.journal.health();
        let images = self
            .images
            .as_ref()
            .and_then(|images| images.health().fault)
            .or_else(|| self.image_fault.clone());
        if let Some(reason) = health.fault.clone() {
            return Some((Self::kind(&health, &reason), reason));
        }
        if let Some(reason) = images {
            return Some((Self::kind(&health, &reason), reason));
        }
        let free = health.free_bytes?;
        (free < LOW_BYTES).then(|| {
            let reason = format!("{} MB of the disk are free: make room", free / 1_000_000);
            (Fault::DiskLow, reason)
        })
    }

    fn kind(health: &Health, reason: &str) -> Fault {
        let full = health.free_bytes.is_some_and(|free| free < LOW_BYTES)
            || reason.contains("space")
            || reason.contains("full");
        if full {
            Fault::DiskFull
        } else {
            Fault::DiskReadOnly
        }
    }

    /// How the journal does.
    pub fn health(&self) -> Health {
        let mut health = self.journal.health();
        health.lost += self.lost;
        health
    }

    /// Brings everything to the disk; `false` if that did not work in time.
    pub fn finish(self) -> bool {
        let images = self.images.is_none_or(|images| images.finish(FINISH));
        self.journal.finish(FINISH) && images
    }
}

fn open_images(folder: &Path, limits: Limits) -> Result<ImageWriter, String> {
    let ring = ImageRing::open(folder, limits).map_err(|e| e.to_string())?;
    ImageWriter::spawn(ring, WAITING_IMAGES).map_err(|e| e.to_string())
}

/// The counters that the run before ended with, and what its end left to say.
fn resumed(opened: Opened, notes: &mut Vec<String>) -> Option<Counters> {
    if let Some(torn) = &opened.torn {
        notes.push(format!(
            "the run before was cut off while it wrote record {}: its {} bytes are in {}",
            torn.number, torn.bytes, torn.file
        ));
    }
    if let Some((file, line)) = &opened.damaged {
        notes.push(format!(
            "{} line {line} is damaged: run `andon journal verify`",
            file.display()
        ));
    }
    let newest = opened.last.into_values().max_by_key(|r| r.number)?;
    let data: WithCounters = newest.payload().ok()?;
    Some(data.counters)
}
