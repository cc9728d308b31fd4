//! The group of every patch, and how much of each image a group covers.

use andon_shards::Shard;
use nalgebra::DMatrix;

use super::passes::for_each;
use super::{GroupError, PathwayRows, Space, Tick};
use crate::explain::nearest;

/// An image has a group if it covers at least this share of it: less is a patch or two on a border.
pub const PRESENT: f64 = 0.005;

/// How much of an image each group covers.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageAreas {
    /// Name of the image.
    pub image: String,
    /// Share of its patches, `[groups]`; they add up to 1.
    pub shares: Vec<f64>,
}

/// Areas of images, sorted by name. A few bytes a group and image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Areas(pub Vec<ImageAreas>);

/// What a group covers over all images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Mean share of an image.
    pub mean: f64,
    /// Standard deviation of the share over the images.
    pub spread: f64,
    /// Share of the images that have it; see [`PRESENT`].
    pub images: f64,
}

/// The group of each patch: the nearest of the centres `[dim, k]`.
///
/// # Errors
/// [`andon_spectral::Error`] for rows of another size or without a direction.
pub(super) fn labels(
    space: &Space,
    centres: &DMatrix<f64>,
    rows: &[f32],
) -> Result<Vec<usize>, andon_spectral::Error> {
    let (points, _) = space.points(rows, centres.nrows())?;
    let points = points.transpose();
    let columns = points.column_iter();
    Ok(columns
        .map(|point| nearest(centres, point.as_slice()).0)
        .collect())
}

/// Adds the areas of all images of a shard.
///
/// # Errors
/// [`GroupError`] when the shard is damaged or a patch has no direction.
pub fn add_areas(
    areas: &mut Areas,
    shard: &Shard,
    rows: &PathwayRows,
    (space, centres): (&Space, &DMatrix<f64>),
    tick: &Tick<'_>,
) -> Result<(), GroupError> {
    for_each(shard, rows, tick, |image, rows| {
        let labels = labels(space, centres, rows).map_err(GroupError::features(&image.name))?;
        let mut shares = vec![0.0; centres.ncols()];
        for label in &labels {
            shares[*label] += 1.0 / labels.len() as f64;
        }
        areas.0.push(ImageAreas {
            image: image.name.clone(),
            shares,
        });
        Ok(())
    })
}

impl Areas {
    /// Takes in all that `other` has seen.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort_by(|a, b| a.image.cmp(&b.image));
    }

    /// Puts groups into another order: the one at `order[i]` becomes number i.
    pub(super) fn reorder(&mut self, order: &[usize]) {
        for image in &mut self.0 {
            image.shares = order.iter().map(|&group| image.shares[group]).collect();
        }
    }

    /// What a group, from 0, covers over all images.
    #[must_use]
    pub fn statistics(&self, group: usize) -> Statistics {
        let shares = || self.0.iter().map(|image| image.shares[group]);
        let count = self.0.len().max(1) as f64;
        let mean = shares().sum::<f64>() / count;
        let variance = shares().map(|share| (share - mean).powi(2)).sum::<f64>() / count;
        Statistics {
            mean,
            spread: variance.sqrt(),
            images: shares().filter(|share| *share >= PRESENT).count() as f64 / count,
        }
    }
}
