use std::collections::HashMap;

use nalgebra::DMatrix;

use super::{Example, GroupError, Sample};
use crate::explain::{centres, nearest};
use crate::inspect::Pathway;

/// Distances are compared in this share of the largest one, so that the last bits, which depend on
/// the order of sums, do not decide which patch stands for a group.
const STEPS: f64 = 1e6;

/// Groups as the points that they lie around.
#[derive(Debug, Clone, PartialEq)]
pub struct Centres {
    /// `[dim, k]`.
    pub points: DMatrix<f64>,
    /// For each, the patch of the sample that is nearest to it.
    pub examples: Vec<Example>,
}

/// Cuts a sample into `count` groups by k-means weighted with the degrees; fewer come out if there
/// are fewer different points. `cols` is the width of the grid.
///
/// # Errors
/// [`GroupError::Alike`] for less than two groups.
pub fn cut(
    sample: &Sample,
    count: usize,
    cols: usize,
    pathway: Pathway,
) -> Result<Centres, GroupError> {
    let alike = GroupError::Alike {
        pathway: pathway.as_str(),
    };
    let dim = sample.patches().next().map_or(0, |p| p.point.len());
    let values = sample.patches().flat_map(|p| p.point.iter().copied());
    let points = DMatrix::from_iterator(dim, sample.len(), values);
    let weights: Vec<f64> = sample.patches().map(|p| p.degree).collect();
    let centres = centres(&points, &weights, count);
    let spread = points.amax().powi(2).max(f64::MIN_POSITIVE);
    let mut best: HashMap<usize, (u64, Example)> = HashMap::new();
    for patch in sample.patches() {
        let (group, distance) = nearest(&centres, &patch.point);
        let distance = (distance / spread * STEPS).round() as u64;
        // The sample's order breaks ties.
        if best.get(&group).is_none_or(|(least, _)| distance < *least) {
            let example = Example {
                image: patch.image.clone(),
                row: patch.patch / cols.max(1),
                col: patch.patch % cols.max(1),
            };
            best.insert(group, (distance, example));
        }
    }
    // A centre that lost all its points in the last sweep stands for nothing.
    let kept: Vec<usize> = (0..centres.ncols())
        .filter(|group| best.contains_key(group))
        .collect();
    if kept.len() < 2 {
        return Err(alike);
    }
    let example = |group: &usize| best.remove(group).map(|(_, example)| example);
    Ok(Centres {
        points: centres.select_columns(&kept),
        examples: kept.iter().filter_map(example).collect(),
    })
}
