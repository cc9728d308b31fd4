//! Measures a frame: light, sharpness, position. Pure functions of grey pixels; nothing here is
//! kept by the station.

use std::fmt;

use crate::focus::focus;
use crate::grey::{Grey, Thumbnail};
use crate::measures::Measures;
use crate::shift::Correlator;

/// Measures frames against the reference of one recipe.
#[derive(Clone)]
pub struct Meter {
    reference: Thumbnail,
    correlator: Correlator,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("columns", &self.reference.columns())
            .field("rows", &self.reference.rows())
            .finish_non_exhaustive()
    }
}

impl Meter {
    /// A meter against this reference: the thumbnail of a good part, stored with the recipe.
    #[must_use]
    pub fn new(reference: Thumbnail) -> Self {
        Self {
            correlator: Correlator::new(&reference),
            reference,
        }
    }

    /// The reference.
    #[must_use]
    pub const fn reference(&self) -> &Thumbnail {
        &self.reference
    }

    /// Measures a frame of the same size as the reference had.
    #[must_use]
    pub fn measure(&self, image: &Grey) -> Measures {
        let thumbnail = Thumbnail::of(image);
        let shift = self.correlator.shift(&thumbnail).map(|[x, y]| {
            [
                x * image.width() as f32 / thumbnail.columns() as f32,
                y * image.height() as f32 / thumbnail.rows() as f32,
            ]
        });
        Measures {
            // Half a level keeps a black frame finite.
            lighting: (thumbnail.mean() + 0.5).ln(),
            focus: focus(image, shift.unwrap_or_default()),
            shift_x_px: shift.map(|[x, _]| x),
            shift_y_px: shift.map(|[_, y]| y),
        }
    }
}
