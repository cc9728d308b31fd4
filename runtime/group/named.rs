//! On what a flagged region lies, and where.

use serde::Serialize;

use super::{Grouping, PathwayGroups};
use crate::inspect::{Inspection, Region};

/// The group that covers most of a region.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupShare {
    /// Its number, from 1.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// What the engineer calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of the region's patches, 0..=1.
    pub share: f64,
}

/// The groups of a region by *what* and by *where*.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegionGroups {
    /// What it lies on.
    pub what: GroupShare,
    /// Where it lies.
    #[serde(rename = "where")]
    pub where_: GroupShare,
}

impl std::fmt::Display for RegionGroups {
    /// `on screw head, in upper left`; the place only if it has a name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what.name {
            Some(name) => write!(f, "on {name}")?,
            None => write!(f, "on group {}", self.what.number)?,
        }
        match &self.where_.name {
            Some(name) => write!(f, ", in {name}"),
            None => Ok(()),
        }
    }
}

impl Grouping {
    /// The groups of each region of an inspection, from the [labels](Self::labels) of its patches.
    #[must_use]
    pub fn regions(&self, labels: &[Vec<usize>; 2], inspection: &Inspection) -> Vec<RegionGroups> {
        let regions = inspection.regions.iter();
        regions
            .map(|region| {
                let [what, where_] = [0, 1].map(|pathway| {
                    let patches = region_labels(region, &labels[pathway], inspection);
                    most(&self.pathways[pathway], &patches)
                });
                RegionGroups { what, where_ }
            })
            .collect()
    }
}

fn region_labels(region: &Region, labels: &[usize], inspection: &Inspection) -> Vec<usize> {
    let patches = region.patches(&inspection.map).into_iter();
    patches.filter_map(|p| labels.get(p).copied()).collect()
}

/// The group that most labels name; of several, the one of the least number.
fn most(groups: &PathwayGroups, labels: &[usize]) -> GroupShare {
    let count = |group: usize| labels.iter().filter(|label| **label == group).count();
    let all = (0..groups.groups.len()).rev();
    let group = all.max_by_key(|&group| count(group)).unwrap_or(0);
    let share = count(group) as f64 / labels.len().max(1) as f64;
    let named = groups.groups.get(group);
    GroupShare {
        number: group + 1,
        id: named.map_or_else(String::new, |g| g.id.clone()),
        name: named.and_then(|g| g.name.clone()),
        share: (share * 1000.0).round() / 1000.0,
    }
}
