//! Faults: what is wrong with the station's surroundings, and whether parts can still be judged.

use serde::{Deserialize, Serialize};

use crate::cause::Cause;

/// Something is wrong around the station. It holds from [`crate::Station::handle_fault`] to
/// [`crate::Station::handle_recovery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The camera is gone and does not come back by itself.
    CameraLost,
    /// No usable frame came for too long; the station finds this itself.
    CameraStalled,
    /// The recipe that was asked for cannot be used.
    RecipeRefused,
    /// The inspector ended.
    InspectorDied,
    /// The inspector does not come back from a part; the station finds this itself.
    InspectorStuck,
    /// The camera is being opened again; frames may still come.
    CameraRetrying,
    /// The line to the stack light is down; the MCU rejects by itself.
    SerialLost,
    /// A sink of results (text line, LED, GPIO line) is down.
    OutputLost,
    /// The disk is getting full.
    DiskLow,
    /// The disk is full.
    DiskFull,
    /// The disk cannot be written.
    DiskReadOnly,
    /// The computer slows down because it is hot.
    Overheated,
}

/// What a fault means for the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No part can be judged: state Error, red, every part rejected.
    CannotJudge(Cause),
    /// Parts are judged; amber.
    Degraded,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 12] = [
        Self::CameraLost,
        Self::CameraStalled,
        Self::RecipeRefused,
        Self::InspectorDied,
        Self::InspectorStuck,
        Self::CameraRetrying,
        Self::SerialLost,
        Self::OutputLost,
        Self::DiskLow,
        Self::DiskFull,
        Self::DiskReadOnly,
        Self::Overheated,
    ];

    /// What it means for the parts.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::CameraLost => Severity::CannotJudge(Cause::CameraLost),
            Self::CameraStalled => Severity::CannotJudge(Cause::CameraStalled),
            Self::RecipeRefused => Severity::CannotJudge(Cause::RecipeRefused),
            Self::InspectorDied => Severity::CannotJudge(Cause::InspectorDied),
            Self::InspectorStuck => Severity::CannotJudge(Cause::InspectorStuck),
            Self::CameraRetrying
            | Self::SerialLost
            | Self::OutputLost
            | Self::DiskLow
            | Self::DiskFull
            | Self::DiskReadOnly
            | Self::Overheated => Severity::Degraded,
        }
    }
}
