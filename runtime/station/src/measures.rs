//! What a frame of a part was like, as four numbers and the score, and the band in which the
//! numbers of good parts lie.

use serde::{Deserialize, Serialize};

/// What the frame of one part was like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Natural logarithm of the mean grey level.
    pub lighting: f32,
    /// Natural logarithm of gradient energy over variance.
    pub focus: f32,
    /// Shift to the right against the reference in pixels of the frame; `None` where the two have
    /// too little in common.
    pub shift_x_px: Option<f32>,
    /// Shift downwards, likewise.
    pub shift_y_px: Option<f32>,
}

/// Something that drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Level of the light.
    Lighting,
    /// Sharpness.
    Focus,
    /// Position to the right.
    ShiftX,
    /// Position downwards.
    ShiftY,
    /// Score of good parts.
    Score,
}
