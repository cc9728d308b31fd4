//! The same groups over many images: which patches are the same kind of thing (*what*), and which
//! belong to the same place (*where*), with edges within images and between them.
//!
//! Features come from shards on disk, and memory does not grow with the number of images. Every pass
//! is a pure function of a shard whose results add up, so that shards can be worked on in any order,
//! by any number of threads or machines:
//!
//! 1. [`add_directions`]: the sum of directions, which all degrees follow from.
//! 2. [`add_dual`]: the matrix G^T G, whose eigenvectors [`Space::solve`] finds.
//! 3. [`Sample::add`]: a bounded sample of places in the space, which [`cut()`] cuts into groups.
//! 4. [`add_areas`]: the group of every patch, and how much of each image a group covers.
//!
//! [`group`] does all of it for one pathway. [`Grouping`] keeps what a new image needs to get the
//! same groups, in one small file. The room never looks at a picture or judges a part.

mod areas;
mod budget;
mod cut;
mod error;
mod file;
mod grouping;
mod named;
mod over;
mod passes;
mod rows;
mod sample;
mod space;
#[cfg(test)]
mod tests;

pub use areas::{Areas, ImageAreas, PRESENT, Statistics, add_areas};
pub use budget::Budget;
pub use cut::{Centres, cut};
pub use error::GroupError;
pub use grouping::{Example, Group, Grouping, GroupingOrigin, PathwayGroups};
pub use named::{GroupShare, RegionGroups};
pub use over::{Settings, Tick, group, over_shards};
pub use passes::{add_directions, add_dual};
pub use rows::{PathwayRows, tap_kind};
pub use sample::{Placed, Sample};
pub use space::Space;
