//! Groups that are ready for new images.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::areas::{Statistics, labels};
use super::{GroupError, PathwayRows, Space};
use crate::explain::Groups;
use crate::inspect::Pathway;
use crate::vit::{Grid, TapRequest, Taps};

/// A patch that stands for a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Name of its image.
    pub image: String,
    /// Row on the grid, from 0.
    pub row: usize,
    /// Column on the grid, from 0.
    pub col: usize,
}

/// A group of patches.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The same on every run over the same images: it is derived from pathway, model, and the patch
    /// that stands for the group.
    pub id: String,
    /// What the engineer calls it.
    pub name: Option<String>,
    /// What it covers.
    pub statistics: Statistics,
    /// The patch nearest to its centre.
    pub example: Example,
}

/// The groups of a pathway and what assigns patches to them.
#[derive(Debug, Clone, PartialEq)]
pub struct PathwayGroups {
    /// Which pathway.
    pub pathway: Pathway,
    /// The groups, the largest first; group number n is at n - 1.
    pub groups: Vec<Group>,
    /// Their centres, `[dim, k]`.
    pub centres: DMatrix<f64>,
    /// The space that the centres lie in.
    pub space: Space,
}

impl PathwayGroups {
    /// The group, from 0, of each of the rows `[patches, dim]`.
    ///
    /// # Errors
    /// [`GroupError::Features`] for rows of another size or without a direction.
    pub fn labels(&self, rows: &[f32]) -> Result<Vec<usize>, GroupError> {
        labels(&self.space, &self.centres, rows).map_err(GroupError::features("the image"))
    }

    /// The groups of an image on a grid finer than its patches, from its rows.
    ///
    /// # Errors
    /// As for [`labels`](Self::labels).
    pub fn drawn(&self, rows: &[f32], grid: Grid) -> Result<Groups, GroupError> {
        let placed = self.space.points(rows, self.centres.nrows());
        let (points, _) = placed.map_err(GroupError::features("the image"))?;
        Ok(Groups::around(&points, &self.centres, grid))
    }

    /// What a group, from 0, is called: its name, or its number.
    #[must_use]
    pub fn called(&self, group: usize) -> String {
        let name = self.groups.get(group).and_then(|g| g.name.clone());
        name.unwrap_or_else(|| format!("group {}", group + 1))
    }
}

/// Where groups come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupingOrigin {
    /// When, RFC 3339.
    pub created: String,
    /// Version of the program.
    pub program: String,
    /// Name of the model.
    pub model_name: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// Number of images.
    pub images: usize,
    /// Width and height of the network's input, in pixels.
    pub input: [usize; 2],
}

/// The groups of a set of images by both pathways.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// Where they come from.
    pub origin: GroupingOrigin,
    /// Blocks of the network that are compared, 1-based.
    pub blocks: Vec<usize>,
    /// By what, and by where.
    pub pathways: [PathwayGroups; 2],
}

impl Grouping {
    /// The taps that [`Self::labels`] reads.
    #[must_use]
    pub fn request(&self) -> TapRequest {
        let rows = self.pathways.each_ref().map(|p| self.rows(p.pathway));
        let taps = rows.iter().map(PathwayRows::request);
        TapRequest::new(taps.flat_map(|request| request.iter().collect::<Vec<_>>()))
    }

    /// How the rows of a pathway are made.
    #[must_use]
    pub fn rows(&self, pathway: Pathway) -> PathwayRows {
        PathwayRows {
            pathway,
            blocks: self.blocks.clone(),
        }
    }

    /// The group, from 0, of each patch of an image, by what and by where; of patches that were left
    /// out none, which is [`usize::MAX`].
    ///
    /// # Errors
    /// [`GroupError::NotTapped`], [`GroupError::Features`].
    pub fn labels(&self, taps: &Taps) -> Result<[Vec<usize>; 2], GroupError> {
        let [what, where_] = self.pathways.each_ref().map(|groups| {
            let rows = self.rows(groups.pathway).of_taps(taps)?;
            let labels = groups.labels(&rows)?;
            Ok::<_, GroupError>(match &taps.kept {
                Some(kept) => kept.scatter(&labels, 1, usize::MAX),
                None => labels,
            })
        });
        Ok([what?, where_?])
    }

    /// Refuses a model whose features the groups do not speak of.
    ///
    /// # Errors
    /// [`GroupError::OtherModel`].
    pub fn check_model(&self, sha256: &str) -> Result<(), GroupError> {
        if self.origin.model_sha256.eq_ignore_ascii_case(sha256) {
            return Ok(());
        }
        Err(GroupError::OtherModel {
            theirs: self.origin.model_sha256.clone(),
            ours: sha256.into(),
        })
    }

    /// Names a group, given by its id, or by its number among those of `pathway`; an empty name takes
    /// the name away. Gives the id.
    ///
    /// # Errors
    /// [`GroupError::NoGroup`].
    pub fn name(
        &mut self,
        pathway: Pathway,
        asked: &str,
        name: &str,
    ) -> Result<String, GroupError> {
        let by_number = asked.parse::<usize>().ok();
        let known = || {
            let all = self.pathways.iter().flat_map(|p| {
                let numbered = (1..).zip(&p.groups);
                numbered.map(|(n, g)| format!("{} {n} ({})", p.pathway.as_str(), g.id))
            });
            all.collect::<Vec<_>>().join(", ")
        };
        let missing = GroupError::NoGroup {
            asked: asked.into(),
            known: known(),
        };
        let mut all = self.pathways.iter_mut().flat_map(|p| {
            let of = p.pathway;
            (1..).zip(&mut p.groups).map(move |(n, g)| (of, n, g))
        });
        let found = all.find(|(of, number, group)| {
            group.id == asked || (*of == pathway && by_number == Some(*number))
        });
        let (_, _, group) = found.ok_or(missing)?;
        let name = name.trim();
        group.name = (!name.is_empty()).then(|| name.to_owned());
        Ok(group.id.clone())
    }
}
