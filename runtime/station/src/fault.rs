//! Faults: what is wrong with the station's surroundings, and whether parts can still be judged.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::settings::Budget;

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

/// How a fault stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultStatus {
    /// It is there now.
    pub active: bool,
    /// Somebody acknowledged it since it came.
    pub acknowledged: bool,
    /// How often it came since start.
    pub raised: u64,
    /// How often it went since start.
    pub recovered: u64,
}

/// All faults, and the budget that keeps them from coming and going for ever.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    status: [FaultStatus; Fault::ALL.len()],
    budget: Budget,
    /// When judging was last taken up again, oldest first; at most the budget.
    recoveries: VecDeque<Duration>,
    spent: bool,
}

/// What became of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// The fault was not there.
    Nothing,
    /// It went; so often since start.
    Recovered(u64),
    /// It went, once more often than the budget allows.
    BudgetSpent(u64),
}

impl Faults {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            status: [FaultStatus::default(); Fault::ALL.len()],
            budget,
            recoveries: VecDeque::new(),
            spent: false,
        }
    }

    pub(crate) const fn status(&self, fault: Fault) -> FaultStatus {
        self.status[fault as usize]
    }

    /// Gives how often the fault came, if it was not there already.
    pub(crate) const fn raise(&mut self, fault: Fault) -> Option<u64> {
        let status = &mut self.status[fault as usize];
        if status.active {
            return None;
        }
        status.active = true;
        status.acknowledged = false;
        status.raised += 1;
        Some(status.raised)
    }

    pub(crate) fn recover(&mut self, now: Duration, fault: Fault) -> Recovery {
        let status = &mut self.status[fault as usize];
        if !status.active {
            return Recovery::Nothing;
        }
        status.active = false;
        status.recovered += 1;
        let count = status.recovered;
        if fault.severity() == Severity::Degraded {
            return Recovery::Recovered(count);
        }
        let begin = now.saturating_sub(self.budget.within);
        self.recoveries.retain(|&at| at >= begin);
        self.recoveries.push_back(now);
        let most = self.budget.recoveries.min(Budget::MAX_RECOVERIES) as usize;
        if self.recoveries.len() <= most {
            return Recovery::Recovered(count);
        }
        self.recoveries.clear();
        let first = !self.spent;
        self.spent = true;
        if first {
            Recovery::BudgetSpent(count)
        } else {
            Recovery::Recovered(count)
        }
    }

    /// Why no part can be judged, if none can.
    pub(crate) fn blocking(&self) -> Option<Cause> {
        self.active()
            .find_map(|fault| match fault.severity() {
                Severity::CannotJudge(cause) => Some(cause),
                Severity::Degraded => None,
            })
            .or(self.spent.then_some(Cause::Flapping))
    }

    /// Whether judging is degraded, and whether by something that nobody acknowledged.
    pub(crate) fn degraded(&self) -> (bool, bool) {
        let mut degraded = self
            .active()
            .filter(|fault| fault.severity() == Severity::Degraded)
            .map(|fault| !self.status(fault).acknowledged)
            .peekable();
        (degraded.peek().is_some(), degraded.any(|new| new))
    }

    fn active(&self) -> impl Iterator<Item = Fault> {
        Fault::ALL
            .into_iter()
            .filter(|&fault| self.status(fault).active)
    }

    /// Gives whether there was anything to acknowledge. A spent budget begins again.
    pub(crate) fn acknowledge(&mut self) -> bool {
        let mut any = std::mem::take(&mut self.spent);
        for status in &mut self.status {
            any |= status.active && !status.acknowledged;
            status.acknowledged = status.active;
        }
        any
    }
}
