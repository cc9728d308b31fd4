//! The two passes that the eigenvectors need. Each adds a shard to what was seen before; what
//! several hands have seen is merged by adding it up.

use andon_shards::{Image, Shard};
use andon_spectral::{DirectionSum, DualAffinity};

use super::{GroupError, PathwayRows, Tick};

/// Pass 1: adds the directions of all patches of a shard to `sum`.
///
/// # Errors
/// [`GroupError`] when the shard is damaged or a patch has no direction.
pub fn add_directions(
    sum: &mut DirectionSum,
    shard: &Shard,
    rows: &PathwayRows,
    tick: &Tick<'_>,
) -> Result<(), GroupError> {
    for_each(shard, rows, tick, |image, rows| {
        sum.push(rows).map_err(GroupError::features(&image.name))
    })
}

/// Pass 2: adds G^T G over all patches of a shard to `dual`, which was made with the directions of
/// all shards.
///
/// # Errors
/// As for [`add_directions`].
pub fn add_dual(
    dual: &mut DualAffinity,
    shard: &Shard,
    rows: &PathwayRows,
    tick: &Tick<'_>,
) -> Result<(), GroupError> {
    for_each(shard, rows, tick, |image, rows| {
        dual.push(rows).map_err(GroupError::features(&image.name))
    })
}

/// Calls `take` with each image of a shard and its rows.
pub(super) fn for_each(
    shard: &Shard,
    rows: &PathwayRows,
    tick: &Tick<'_>,
    mut take: impl FnMut(&Image, &[f32]) -> Result<(), GroupError>,
) -> Result<(), GroupError> {
    let columns = rows.columns();
    for image in shard.iter(&columns) {
        let image = image?;
        take(&image, &rows.of_image(&image, shard.schema().dim))?;
        tick();
    }
    Ok(())
}
