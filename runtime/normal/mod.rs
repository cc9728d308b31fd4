//! The normal model: what patches of good parts look like and where they lie, and how far a patch
//! of another part is from that. It never sees a picture, decides no verdict, and does no I/O.

mod composition;
mod contribution;
mod cosine_maps;
mod displaced;
mod feature;
mod memory;
mod model;
mod moments;
mod places;
mod shrunk;
mod subspace;

pub use composition::Composition;
pub use contribution::Contribution;
pub use displaced::{Displacement, Turned};
pub use feature::{FeatureError, Features};
pub use model::{NormalError, NormalModel, NormalParts, PatchScores};
pub use moments::{Centre, Moments, WholeMoments};
pub use places::Places;

pub(crate) use cosine_maps::cosine_maps;
pub(crate) use memory::k_centres;
pub(crate) use model::{LEADING, nearest, relative_to};
pub(crate) use subspace::Subspace;
