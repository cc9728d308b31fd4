//! The answer about one image: what `inspect` gives and everything behind it (station, report,
//! journal, JSON) reads.

use crate::vit::Kept;

/// What a region looks like to be: wrong in itself, or wrong in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pathway {
    /// Unlike anything that was seen on good parts, wherever it lies.
    What,
    /// Like something that good parts have, but not here.
    Where,
}

impl Pathway {
    /// `"what"` or `"where"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Where => "where",
        }
    }
}

/// How much of a region's score one block saw.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct BlockShare {
    /// Block number, 1-based.
    pub block: usize,
    /// Share of the score, 0..=1; the shares of a region add up to 1.
    #[serde(serialize_with = "thousandths")]
    pub share: f32,
}

/// One connected place that is unlike the good parts.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Region {
    /// `[x, y, width, height]` in pixels of the original image.
    pub bbox: [u32; 4],
    /// Area in pixels of the original image.
    pub area_px: u64,
    /// Mean of its most deviating patches (as many as decide about the image, or all if it is
    /// smaller), in units of the recipe's limit. Below 1.0 it would not have failed the part by
    /// itself.
    #[serde(serialize_with = "thousandths")]
    pub score: f32,
    /// The larger of the two shares.
    pub pathway: Pathway,
    /// Share of the deviation that would be there wherever the patches lay and however they were
    /// turned, 0..=1; always 1 where place does not count.
    #[serde(serialize_with = "thousandths")]
    pub what: f32,
    /// Share that is there only because of the place, `1 - what`.
    #[serde(rename = "where", serialize_with = "thousandths")]
    pub where_: f32,
    /// Share of each block, in ascending order of blocks.
    pub blocks: Vec<BlockShare>,
    /// The cells of [`ScoreMap`] that belong to the region, as indices into its values.
    #[serde(skip)]
    pub cells: Vec<u32>,
}

impl Region {
    /// The patches that it lies on, numbered row by row; `map` is that of its inspection.
    #[must_use]
    pub fn patches(&self, map: &ScoreMap) -> Vec<usize> {
        super::map::patches(&self.cells, map)
    }
}

impl std::fmt::Display for Region {
    /// Where it lies, how high it scores, and which pathway saw it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [x, y, width, height] = self.bbox;
        let share = 100.0 * self.what.max(self.where_);
        write!(
            f,
            "at {x},{y} {width} x {height} px, score {:.2}, {share:.0} % {}",
            self.score,
            self.pathway.as_str()
        )
    }
}

/// Scores over the inspected part of an image, in units of the recipe's limit, on a grid finer
/// than the patches.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMap {
    /// Cells from left to right.
    pub cols: usize,
    /// Cells from top to bottom.
    pub rows: usize,
    /// `rows * cols` scores, row by row; 1.0 is the limit.
    pub values: Vec<f32>,
    /// The rectangle of the original image that the grid covers: `[x, y, width, height]` in pixels.
    pub area: [u32; 4],
    /// Which patches were looked at, where a mask leaves others out; `None`: all of them. The
    /// scores of the others are 0.
    pub kept: Option<Kept>,
}

/// Whether a part passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The score is below the limit.
    Ok,
    /// The score is at the limit or above.
    Ng,
}

impl Verdict {
    /// `"ok"` or `"ng"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Ng => "ng",
        }
    }
}

/// Everything that is said about one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// Whether the part passes.
    pub verdict: Verdict,
    /// Score of the image in units of the recipe's limit; 1.0 is the limit.
    pub score: f32,
    /// How far things lie, all together, from how they lie on good parts, in units of its own limit.
    /// It decides nothing. `None` where place does not count, or the recipe has none.
    pub layout: Option<f32>,
    /// Flagged regions, highest score first; empty when the verdict is OK.
    pub regions: Vec<Region>,
    /// Where the score comes from.
    pub map: ScoreMap,
}

impl Inspection {
    /// What to say of the layout: nothing, unless it is beyond its limit.
    #[must_use]
    pub fn layout_note(&self) -> Option<String> {
        let layout = self.layout.filter(|layout| *layout >= 1.0)?;
        Some(format!(
            "layout {layout:.2} of its limit: things lie differently than on good parts"
        ))
    }
}

/// Three digits behind the point: more would pretend.
fn thousandths<S: serde::Serializer>(value: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*value) * 1000.0).round() / 1000.0)
}
