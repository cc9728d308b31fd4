//! What a record of kind `result` says, as it is read back. Fields that an older or newer program
//! did not write are missing, never an error.

use andon_link::Verdict;
use andon_station::Cause;
use serde::Deserialize;

/// One part.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PartResult {
    pub part: Part,
    pub file: Option<String>,
    pub recipe: Option<RecipeOf>,
    pub inspection: Option<Judged>,
    pub image: Option<String>,
}

/// What the station says of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Part {
    pub number: u64,
    pub part: Option<Numbered>,
    pub source: Option<String>,
    pub latency_us: Option<u64>,
    pub verdict: Verdict,
    pub cause: Option<Cause>,
    pub reason: Option<String>,
    #[serde(default)]
    pub skipped: bool,
    pub score: Option<f64>,
    pub recipe: Option<u16>,
    pub frame: Option<u64>,
    pub challenge: Option<serde_json::Value>,
}

/// The identity that the stack light's computer gave the part.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Numbered {
    pub epoch: u32,
    pub number: u32,
}

/// Which recipe judged.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RecipeOf {
    pub index: u16,
    pub name: String,
    pub sha256: String,
}

/// What the inspector found.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Judged {
    pub score: f64,
    pub layout: Option<f64>,
    pub threshold: f64,
    #[serde(default)]
    pub regions: Vec<Region>,
}

/// A flagged place.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Region {
    pub bbox: [u32; 4],
    pub score: f64,
    pub pathway: String,
    pub what: Option<f64>,
}

impl PartResult {
    /// The score to three digits, as the inspector gave it or else the station.
    pub fn score(&self) -> Option<f64> {
        let judged = self.inspection.as_ref().map(|judged| judged.score);
        judged.or(self.part.score)
    }

    /// What the score is held against.
    pub fn limit(&self) -> Option<f64> {
        self.inspection.as_ref().map(|judged| judged.threshold)
    }

    /// The layout, if it was beyond its limit.
    pub fn layout_beyond(&self) -> Option<f64> {
        let layout = self.inspection.as_ref()?.layout?;
        (layout >= 1.0).then_some(layout)
    }

    /// The flagged regions.
    pub fn regions(&self) -> &[Region] {
        self.inspection
            .as_ref()
            .map_or(&[], |judged| &judged.regions)
    }

    /// The recipe in words.
    pub fn recipe_words(&self) -> String {
        match (&self.recipe, self.part.recipe) {
            (Some(recipe), _) => format!("{} {}", recipe.index, recipe.name),
            (None, Some(index)) => index.to_string(),
            (None, None) => "unknown".into(),
        }
    }
}

impl Part {
    /// `OK`, `NG` or `ERROR`.
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Ok => "OK",
            Verdict::Ng => "NG",
            Verdict::Error(_) => "ERROR",
        }
    }

    /// The error code.
    pub fn code(&self) -> Option<u8> {
        match self.verdict {
            Verdict::Error(code) => Some(code.0.get()),
            Verdict::Ok | Verdict::Ng => None,
        }
    }

    /// From trigger to result.
    pub fn latency_ms(&self) -> Option<f64> {
        self.latency_us.map(|us| us as f64 / 1000.0)
    }

    /// What it was shown for, if it was a challenge part.
    pub fn challenge_words(&self) -> Option<String> {
        self.challenge.as_ref().map(crate::cli::words::plain)
    }
}

impl Region {
    /// One line.
    pub fn line(&self) -> String {
        let [x, y, width, height] = self.bbox;
        let share = match (self.what, self.pathway.as_str()) {
            (Some(what), "where") => format!(", {:.0} % where", 100.0 * (1.0 - what)),
            (Some(what), _) => format!(", {:.0} % {}", 100.0 * what, self.pathway),
            (None, pathway) => format!(", {pathway}"),
        };
        format!(
            "at {x},{y} {width} x {height} px, score {:.3}{share}",
            self.score
        )
    }
}
