//! All passes over all shards.

use std::path::PathBuf;

use andon_kernels::Pool;
use andon_shards::Shard;
use andon_spectral::{DirectionSum, DualAffinity};

use super::areas::add_areas;
use super::grouping::{Group, PathwayGroups};
use super::passes::{add_directions, add_dual};
use super::{Areas, GroupError, PathwayRows, Sample, Space, cut};
use crate::explain::MOST_GROUPS;
use crate::hash::sha256;

/// Patches that are cut into groups; all others go to the nearest. A few thousand place eight
/// centres to well within the distance of two patches.
const SAMPLE: usize = 8192;

/// Called once an image in each of the four passes.
pub type Tick<'a> = dyn Fn() + Sync + 'a;

/// How to group.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// How many groups, 2 to [`MOST_GROUPS`]; by the largest gap of the eigenvalues if `None`.
    pub groups: Option<usize>,
    /// Shards that are worked on at a time: as many as memory allows, of the threads that there are.
    pub workers: usize,
    /// The threads.
    pub pool: &'a Pool,
}

/// Works through shards with several workers on the threads of a pool: each begins with `start`, takes in shards by `add`,
/// and what they have is put together by `merge`.
///
/// # Errors
/// The first error of `add`, `merge` or of opening a shard.
pub fn over_shards<T: Send>(
    pool: &Pool,
    shards: &[PathBuf],
    workers: usize,
    start: impl Fn() -> Result<T, GroupError> + Sync,
    add: impl Fn(&mut T, &Shard) -> Result<(), GroupError> + Sync,
    mut merge: impl FnMut(&mut T, T) -> Result<(), GroupError>,
) -> Result<T, GroupError> {
    let workers = workers.clamp(1, shards.len().max(1));
    let work = |first: usize| {
        let mut seen = start()?;
        for path in shards.iter().skip(first).step_by(workers) {
            add(&mut seen, &Shard::open(path)?)?;
        }
        Ok(seen)
    };
    let mut parts: Vec<_> = (0..workers).map(|_| None).collect();
    pool.chunks(&mut parts, 1, &|first, part| part[0] = Some(work(first)));
    let sum = parts.into_iter().flatten().reduce(|sum, part| {
        let mut sum = sum?;
        merge(&mut sum, part?)?;
        Ok(sum)
    });
    sum.unwrap_or_else(start)
}

/// Groups all patches of the shards by one pathway, the largest group first.
///
/// # Errors
/// [`GroupError`] when a shard is damaged, or there is nothing to group.
pub fn group(
    shards: &[PathBuf],
    rows: &PathwayRows,
    settings: Settings<'_>,
    tick: &Tick<'_>,
) -> Result<(PathwayGroups, Areas), GroupError> {
    let failed = || GroupError::features("all images");
    let first = shards.first().ok_or_else(|| GroupError::Alike {
        pathway: rows.pathway.as_str(),
    })?;
    let schema = Shard::open(first)?.schema().clone();
    let Settings { pool, workers, .. } = settings;
    let directions = over_shards(
        pool,
        shards,
        workers,
        || DirectionSum::new(rows.dim(schema.dim)).map_err(failed()),
        |sum, shard| add_directions(sum, shard, rows, tick),
        |sum, part| sum.merge(&part).map_err(failed()),
    )?;
    let dual = over_shards(
        pool,
        shards,
        workers,
        || DualAffinity::new(directions.clone()).map_err(failed()),
        |dual, shard| add_dual(dual, shard, rows, tick),
        |dual, part| dual.merge(&part).map_err(failed()),
    )?;
    let space = Space::solve(&dual, rows.pathway)?;
    drop(dual);
    let count = settings.groups.unwrap_or_else(|| space.groups_by_gap());
    let count = count.clamp(2, MOST_GROUPS);
    let sample = over_shards(
        pool,
        shards,
        workers,
        || Ok(Sample::new(SAMPLE)),
        |sample, shard| sample.add(shard, rows, (&space, count - 1), tick),
        |sample, part| {
            sample.merge(part);
            Ok(())
        },
    )?;
    let centres = cut(&sample, count, schema.grid[1], rows.pathway)?;
    let mut areas = over_shards(
        pool,
        shards,
        workers,
        || Ok(Areas::default()),
        |areas, shard| add_areas(areas, shard, rows, (&space, &centres.points), tick),
        |areas, part| {
            areas.merge(part);
            Ok(())
        },
    )?;
    areas.merge(Areas::default());
    let mut order: Vec<usize> = (0..centres.examples.len()).collect();
    let mean = |group: usize| areas.statistics(group).mean;
    order.sort_by(|a, b| mean(*b).total_cmp(&mean(*a)).then(a.cmp(b)));
    areas.reorder(&order);
    let groups = (0..).zip(&order).map(|(number, &group)| {
        let example = centres.examples[group].clone();
        let word = rows.pathway.as_str();
        let origin = format!(
            "{word}|{}|{}|{}|{}",
            schema.model, example.image, example.row, example.col
        );
        Group {
            id: format!("{word}-{}", &sha256(origin.as_bytes())[..6]),
            name: None,
            statistics: areas.statistics(number),
            example,
        }
    });
    let groups = PathwayGroups {
        pathway: rows.pathway,
        groups: groups.collect(),
        centres: centres.points.select_columns(&order),
        space,
    };
    Ok((groups, areas))
}
