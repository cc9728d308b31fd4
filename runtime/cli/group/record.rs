//! What `groups.json` says.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::Gathered;
use crate::cli::output::{peak_rss_mb, rounded};
use crate::group::{Areas, Example, Grouping, GroupingOrigin, PathwayGroups};
use crate::vit::Grid;

/// Seconds by stage.
#[derive(Clone, Copy, Serialize)]
pub struct Seconds {
    /// Reading images, running the network, writing features.
    pub network: f64,
    /// All passes over the features.
    pub passes: f64,
    /// Drawing.
    pub pictures: f64,
}

/// All of it.
#[derive(Serialize)]
pub struct Record<'a> {
    #[serde(flatten)]
    origin: &'a GroupingOrigin,
    blocks: &'a [usize],
    /// Rows and columns of patches.
    grid: [usize; 2],
    what: PathwayRecord<'a>,
    #[serde(rename = "where")]
    where_: PathwayRecord<'a>,
    areas: Vec<ImageRecord<'a>>,
    failed: Vec<FailedRecord<'a>>,
    seconds: Seconds,
    rss_mb: Option<f64>,
}

#[derive(Serialize)]
struct PathwayRecord<'a> {
    eigenvalues: &'a [f64],
    groups: Vec<GroupRecord<'a>>,
}

#[derive(Serialize)]
struct GroupRecord<'a> {
    number: usize,
    id: &'a str,
    name: Option<&'a str>,
    /// Mean share of an image, its standard deviation, share of images that have it.
    area_mean: f64,
    area_spread: f64,
    images: f64,
    example: &'a Example,
    sheet: String,
}

/// Shares of the groups in their order.
#[derive(Serialize)]
struct ImageRecord<'a> {
    image: &'a str,
    what: Vec<f64>,
    #[serde(rename = "where")]
    where_: Vec<f64>,
}

#[derive(Serialize)]
struct FailedRecord<'a> {
    image: &'a str,
    error: &'a str,
}

impl<'a> Record<'a> {
    /// Of groups and what they cover of each image.
    pub fn new(
        grouping: &'a Grouping,
        [what, where_]: &'a [Areas; 2],
        gathered: &'a Gathered,
        grid: Grid,
        seconds: Seconds,
    ) -> Self {
        let [by_what, by_where] = grouping.pathways.each_ref().map(PathwayRecord::new);
        let all = |shares: &[f64]| shares.iter().copied().map(rounded).collect();
        let areas = what
            .0
            .iter()
            .zip(&where_.0)
            .map(|(what, where_)| ImageRecord {
                image: &what.image,
                what: all(&what.shares),
                where_: all(&where_.shares),
            });
        let failed = gathered
            .failed
            .iter()
            .map(|(image, error)| FailedRecord { image, error });
        Self {
            origin: &grouping.origin,
            blocks: &grouping.blocks,
            grid: [grid.rows, grid.cols],
            what: by_what,
            where_: by_where,
            areas: areas.collect(),
            failed: failed.collect(),
            seconds,
            rss_mb: peak_rss_mb(),
        }
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("cannot write JSON")?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl<'a> PathwayRecord<'a> {
    fn new(groups: &'a PathwayGroups) -> Self {
        let word = groups.pathway.as_str();
        let record = |(number, group): (usize, &'a crate::group::Group)| GroupRecord {
            number,
            id: &group.id,
            name: group.name.as_deref(),
            area_mean: rounded(group.statistics.mean),
            area_spread: rounded(group.statistics.spread),
            images: rounded(group.statistics.images),
            example: &group.example,
            sheet: format!("{word}-{number}.png"),
        };
        Self {
            eigenvalues: groups.space.values(),
            groups: (1..).zip(&groups.groups).map(record).collect(),
        }
    }
}
