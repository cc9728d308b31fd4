use nalgebra::{DMatrix, DVectorView};

use super::memory::{k_centres, squared_distance};
use super::model::relative_to;
use super::{Features, NormalModel, NormalParts};

/// Turned patches to keep: 512 recognise a turned label in two of three cases only, 2048 no better
/// (`docs/what-and-where.md`).
const KEPT: usize = 1024;

/// Patches of good parts that were turned a little: what a part shows that is right in itself and
/// lies wrongly. They answer the question why a patch was flagged, never whether.
///
/// They are whole features, not coordinates of the model's subspace: that holds what good parts
/// show, and a turned patch lies partly outside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Turned {
    /// Measured from the model's centre, `[dim, patches]`.
    patches: DMatrix<f32>,
}

/// How far a patch is from what good parts show, twice: squared distances in feature space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Displacement {
    /// To the nearest patch that was seen at this very place.
    pub here: f32,
    /// To the nearest patch that was seen at any place, turned or not; at most `here`.
    pub anywhere: f32,
}

impl Turned {
    /// Chooses from views of good parts, as seen by the model that these numbers make.
    pub fn choose(normal: &NormalParts, views: &[Features]) -> Self {
        let mean = normal.block_means.as_ref().map(|means| means.iter().sum());
        let relative = views
            .iter()
            .map(|view| relative_to(view.total.clone(), mean.as_ref()));
        let columns: Vec<_> = relative.collect();
        let columns: Vec<_> = columns.iter().flat_map(|view| view.column_iter()).collect();
        let all = DMatrix::from_columns(&columns);
        let chosen = k_centres(all.as_slice(), all.nrows(), KEPT);
        Self {
            patches: all.select_columns(&chosen),
        }
    }

    /// Restores what [`Self::patches`] gave; `None` when they do not fit features of width `dim` or
    /// are not finite.
    pub fn from_patches(patches: DMatrix<f32>, dim: usize) -> Option<Self> {
        let sound = patches.nrows() == dim && patches.iter().all(|v| v.is_finite());
        sound.then_some(Self { patches })
    }

    /// The patches, measured from the model's centre, `[dim, patches]`.
    pub fn patches(&self) -> &DMatrix<f32> {
        &self.patches
    }

    /// The squared distance from `patch` to the nearest.
    fn nearest(&self, patch: &DVectorView<'_, f32>) -> f32 {
        let distances = self.patches.column_iter().map(|turned| {
            // Columns of a matrix lie in one piece.
            squared_distance(turned.as_slice(), patch.as_slice())
        });
        distances.fold(f32::INFINITY, f32::min)
    }
}

impl NormalModel {
    /// How the given patches deviate here, and how they would anywhere. Features are those that
    /// were scored.
    ///
    /// Costs `memory * rank + turned * dim` multiplications a patch, so it is asked of flagged
    /// patches only.
    pub fn displacements(
        &self,
        features: &Features,
        turned: Option<&Turned>,
        patches: &[usize],
    ) -> Vec<Displacement> {
        let relative = relative_to(features.total.clone(), self.mean.as_ref());
        let places = &self.parts().places;
        let displacement = |&patch: &usize| {
            let place = self.parts().place(patch);
            let feature = relative.column(patch);
            let products = &self.memory_rows * (&self.basis_rows * feature);
            let own = feature.norm_squared();
            let (mut here, mut anywhere) = (f32::INFINITY, f32::INFINITY);
            for (element, (norm, product)) in self.memory_norms.iter().zip(&products).enumerate() {
                let distance = (own + norm - 2.0 * product).max(0.0);
                anywhere = anywhere.min(distance);
                if distance < here && places.seen(element, place) {
                    here = distance;
                }
            }
            if let Some(turned) = turned {
                anywhere = anywhere.min(turned.nearest(&feature));
            }
            // Where nothing was ever seen, place says nothing.
            let here = if here.is_finite() { here } else { anywhere };
            Displacement {
                here,
                anywhere: anywhere.min(here),
            }
        };
        patches.iter().map(displacement).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::Places;
    use crate::vit::Grid;
    use nalgebra::DVector;

    const GRID: Grid = Grid { rows: 1, cols: 2 };

    /// Remembers (1, 0, 0) on the left and (0, 1, 0) on the right; the subspace is their plane.
    fn model() -> NormalModel {
        let basis = DMatrix::from_columns(&[
            DVector::from_vec(vec![1.0, 0.0, 0.0]),
            DVector::from_vec(vec![0.0, 1.0, 0.0]),
        ]);
        let mut places = Places::new(GRID, 2);
        places.see(0, 0);
        places.see(1, 1);
        NormalModel::new(NormalParts {
            grid: GRID,
            kept: None,
            blocks: vec![1],
            block_means: Some(vec![DVector::zeros(3)]),
            block_bases: vec![basis],
            memory: DMatrix::identity(2, 2),
            places,
            gate: Some(2),
        })
        .unwrap()
    }

    fn features(left: [f32; 3], right: [f32; 3]) -> Features {
        let total = DMatrix::from_columns(&[DVector::from(left.to_vec()), right.to_vec().into()]);
        Features {
            grid: GRID,
            kept: None,
            blocks: vec![total.clone().into()],
            total,
        }
    }

    #[test]
    fn the_right_thing_in_the_wrong_place_is_near_anywhere_and_far_here() {
        let swapped = features([0.0, 1.0, 0.0], [1.0, 0.0, 0.0]);
        for displacement in model().displacements(&swapped, None, &[0, 1]) {
            assert!(displacement.anywhere < 1e-6, "{displacement:?}");
            assert!((displacement.here - 2.0).abs() < 1e-6, "{displacement:?}");
        }
    }

    #[test]
    fn the_wrong_thing_is_as_far_anywhere_as_here() {
        let wrong = features([1.0, 0.0, 1.0], [0.0, 1.0, 0.0]);
        let found = model().displacements(&wrong, None, &[0, 1]);
        assert!((found[0].here - 1.0).abs() < 1e-6 && (found[0].anywhere - 1.0).abs() < 1e-6);
        assert!(found[1].here < 1e-6);
    }

    #[test]
    fn what_is_known_turned_is_near_anywhere_even_outside_the_subspace() {
        let views = [features([0.8, 0.0, 0.6], [0.0, 0.8, 0.6])];
        let model = model();
        let turned = Turned::choose(model.parts(), &views);
        let part = features([0.8, 0.0, 0.6], [0.0, 1.0, 0.0]);
        let found = model.displacements(&part, Some(&turned), &[0]);
        assert!(found[0].anywhere < 1e-6 && found[0].here > 0.3, "{found:?}");
    }

    #[test]
    fn turned_patches_of_another_width_or_without_a_number_are_refused() {
        assert!(Turned::from_patches(DMatrix::zeros(3, 5), 3).is_some());
        assert!(Turned::from_patches(DMatrix::zeros(2, 5), 3).is_none());
        assert!(Turned::from_patches(DMatrix::from_element(3, 5, f32::NAN), 3).is_none());
    }
}
