//! The normal model: what patches of good parts look like and where they lie, and how far a patch
//! of another part is from that. It never sees a picture, decides no verdict, and does no I/O.

mod displaced;
mod feature;
mod memory;
mod model;
mod moments;
mod places;
mod subspace;

pub use displaced::{Displacement, Turned};
pub use feature::{FeatureError, Features};
pub use model::{NormalError, NormalModel, NormalParts, PatchScores};
pub use moments::{Centre, Moments, WholeMoments};
pub use places::Places;

pub(crate) use memory::k_centres;
pub(crate) use model::{nearest, relative_to};
pub(crate) use subspace::Subspace;
