//! A bounded sample of patches, the same whatever the order of shards.

use std::collections::BTreeMap;

use andon_shards::Shard;

use super::passes::for_each;
use super::{GroupError, PathwayRows, Space, Tick};
use crate::hash::first_word;

/// A patch and where it lies in the space.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Name of its image.
    pub image: String,
    /// Number of the patch, row by row.
    pub patch: usize,
    /// Its point, `[dim]`.
    pub point: Vec<f64>,
    /// Its degree.
    pub degree: f64,
}

/// Those patches of all that were seen whose hashes are least: a uniform sample, and the union of
/// two is merged into the same as if all had been seen at once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    most: usize,
    kept: BTreeMap<(u64, String, usize), Placed>,
}

impl Sample {
    /// Of at most `most` patches.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            kept: BTreeMap::new(),
        }
    }

    /// Takes in the patches of a shard by the first `dim` eigenvectors.
    ///
    /// # Errors
    /// [`GroupError`] when the shard is damaged or a patch has no direction.
    pub fn add(
        &mut self,
        shard: &Shard,
        rows: &PathwayRows,
        (space, dim): (&Space, usize),
        tick: &Tick<'_>,
    ) -> Result<(), GroupError> {
        for_each(shard, rows, tick, |image, rows| {
            let placed = space.points(rows, dim);
            let (points, degrees) = placed.map_err(GroupError::features(&image.name))?;
            let seed = first_word(image.name.as_bytes());
            for (patch, degree) in degrees.iter().enumerate() {
                let key = mixed(seed.wrapping_add(patch as u64));
                if self.full_below(key) {
                    continue;
                }
                let placed = Placed {
                    image: image.name.clone(),
                    patch,
                    point: points.row(patch).iter().copied().collect(),
                    degree: *degree,
                };
                self.kept.insert((key, image.name.clone(), patch), placed);
                self.shrink();
            }
            Ok(())
        })
    }

    /// Takes in all that `other` has seen.
    pub fn merge(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.shrink();
    }

    /// The patches, in an order that depends on nothing but their names.
    pub fn patches(&self) -> impl Iterator<Item = &Placed> {
        self.kept.values()
    }

    /// Number of patches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// True before the first patch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn full_below(&self, key: u64) -> bool {
        let last = self.kept.last_key_value();
        self.kept.len() >= self.most && last.is_none_or(|((last, _, _), _)| *last < key)
    }

    fn shrink(&mut self) {
        while self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }
}

/// The mixing steps of SplitMix64 (Steele, Lea and Flood 2014): neighbours become unrelated.
fn mixed(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
