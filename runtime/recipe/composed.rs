//! Learning what lies where on the parts, all patches together.

use nalgebra::DMatrix;

use super::calibration::Limit;
use crate::normal::{Composition, Features, LEADING, cosine_maps};
use crate::vit::{Grid, Kept};

/// What the slow cosines over the grid hold of each part, `F C` `[dim, maps]`, before it is known
/// which directions of the features lead.
pub(super) struct Contents {
    /// `C`, `[patches, maps]`; `None` where the grid is too small for them.
    maps: Option<DMatrix<f32>>,
    parts: Vec<DMatrix<f32>>,
}

impl Contents {
    /// Of no parts yet, whose `kept` patches lie on `grid`; `None`: all of them.
    pub fn new(grid: Grid, kept: Option<&Kept>) -> Self {
        Self {
            maps: cosine_maps(grid, kept),
            parts: Vec::new(),
        }
    }

    /// Adds a part, whose patches are known to be these; all are passed over where the grid is too
    /// small.
    pub fn add(&mut self, features: &Features) {
        if let Some(maps) = &self.maps {
            self.parts.push(&features.total * maps);
        }
    }

    /// The composition of all parts in the leading ones of the directions `basis` `[dim, any]`, in
    /// units of the limit that good parts exceed at this `rate`. `left_out` holds for each fold the
    /// directions that were learned without it; part `i` is of fold `i` modulo their number.
    ///
    /// `None` when there are too few parts to leave some out, or they do not differ.
    pub fn learn(
        &self,
        basis: &DMatrix<f32>,
        left_out: &[DMatrix<f32>],
        rate: f64,
    ) -> Option<Composition> {
        let maps = self.maps.as_ref()?;
        let compose = |basis: &DMatrix<f32>| -> Vec<DMatrix<f32>> {
            let leading = basis.columns(0, LEADING.min(basis.ncols())).transpose();
            self.parts.iter().map(|part| &leading * part).collect()
        };
        let mut distances = Vec::with_capacity(self.parts.len());
        for (fold, basis) in left_out.iter().enumerate() {
            let all = compose(basis).into_iter().enumerate();
            let (out, rest): (Vec<_>, Vec<_>) =
                all.partition(|(part, _)| part % left_out.len() == fold);
            let rest: Vec<_> = rest.into_iter().map(|(_, part)| part).collect();
            let composition = Composition::of(maps, &rest)?;
            distances.extend(out.iter().map(|(_, part)| composition.distance(part)));
        }
        if distances.is_empty() {
            return None;
        }
        let limit = Limit::from_left_out(&distances, rate);
        Composition::of(maps, &compose(basis))?.in_units_of(limit.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const GRID: Grid = Grid { rows: 8, cols: 8 };
    const DIM: usize = 30;

    /// A part whose patches all have a look of their own, that is seen a little differently each
    /// time and lies a little differently, too.
    fn part(dice: &mut ChaCha8Rng) -> Features {
        let tilt = dice.random_range(-0.1..0.1);
        let total = DMatrix::from_fn(DIM, GRID.patches(), |i, patch| {
            let look = ((i * 37 + patch * patch * 11) % 17) as f32 / 17.0;
            let slope = tilt * (patch % 8) as f32 / 8.0;
            look + slope + dice.random_range(-0.1..0.1)
        });
        Features {
            grid: GRID,
            kept: None,
            blocks: vec![total.clone().into()],
            total,
        }
    }

    fn learned(parts: usize, dice: &mut ChaCha8Rng) -> Option<Composition> {
        let mut contents = Contents::new(GRID, None);
        (0..parts).for_each(|_| contents.add(&part(dice)));
        let basis = DMatrix::identity(DIM, DIM);
        let folds = vec![basis.clone(); parts.min(8)];
        contents.learn(&basis, &folds, 0.01)
    }

    #[test]
    fn good_parts_stay_below_the_limit() {
        for parts in [4, 8, 30] {
            let mut dice = ChaCha8Rng::seed_from_u64(parts as u64);
            let composition = learned(parts, &mut dice).unwrap();
            let maps = cosine_maps(GRID, None).unwrap();
            let mut above = 0;
            for _ in 0..100 {
                let leading = part(&mut dice).total.rows(0, LEADING).into_owned();
                above += usize::from(composition.distance(&(leading * &maps)) >= 1.0);
            }
            assert!(above <= 5, "{above} of 100 with {parts} learned");
        }
    }

    #[test]
    fn nothing_is_learned_from_parts_of_which_none_can_be_left_out() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut contents = Contents::new(GRID, None);
        (0..3).for_each(|_| contents.add(&part(&mut dice)));
        assert_eq!(
            contents.learn(&DMatrix::identity(DIM, DIM), &[], 0.01),
            None
        );
    }
}
