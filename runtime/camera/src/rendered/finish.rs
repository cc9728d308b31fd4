//! The two finishes of the plate: brushed aluminium and moulded polymer.

use super::config::Finish;
use super::maths::Point;
use super::noise::{Cloud, Field};
use super::surface::Texel;

/// Distance between two lanes of the end mill that cut the pocket, px.
const LANE: f32 = 21.0;

/// The untouched face of one plate, and the floor that was milled into it.
pub(super) enum Face {
    /// Brushed along x.
    Brushed {
        /// Single strokes.
        fine: Field,
        /// Bundles of strokes.
        broad: Field,
        /// Where the brush pressed harder.
        patch: Field,
        /// Strength of all three.
        texture: f32,
    },
    /// With the grain of an eroded mould.
    Moulded {
        /// Rise of the grain along x, and its shade.
        grain: Field,
        /// Rise of the grain along y.
        cross: Field,
        /// Lines along which the melt flowed.
        flow: Cloud,
        /// Strength of all three.
        texture: f32,
    },
}

impl Face {
    /// The face of the part with this `key`.
    pub(super) fn new(finish: Finish, key: u32, texture: f32) -> Self {
        match finish {
            Finish::BrushedMetal => Self::Brushed {
                fine: Field::new(key),
                broad: Field::new(key ^ 0x11),
                patch: Field::new(key ^ 0x22),
                texture,
            },
            Finish::MouldedPolymer => Self::Moulded {
                grain: Field::new(key),
                cross: Field::new(key ^ 0x33),
                flow: Cloud::new(key ^ 0x44),
                texture,
            },
        }
    }

    /// The surface at `p` on the plate.
    pub(super) fn at(&mut self, [x, y]: Point) -> Texel {
        match self {
            Self::Brushed {
                fine,
                broad,
                patch,
                texture,
            } => {
                let (fine, broad) = (fine.at(x / 46.0, y / 0.8), broad.at(x / 150.0, y / 3.1));
                let streak = *texture * (0.6 * fine + 0.4 * broad);
                let patch = *texture * patch.at(x / 120.0, y / 90.0);
                let mut texel = Texel::metal([0.70, 0.71, 0.73], 1.0);
                // Brushing spreads light across the strokes, not along them.
                texel.sharp = [3.1, 0.85];
                texel.tint(1.0 + 0.12 * streak, 1.0 + 0.16 * streak + 0.03 * patch);
                texel.tilt([0.02, 0.10], *texture * fine);
                texel
            }
            Self::Moulded {
                grain,
                cross,
                flow,
                texture,
            } => {
                let grain = *texture * grain.at(x / 2.1, y / 2.1);
                let cross = *texture * cross.at(x / 2.1 + 53.0, y / 2.1);
                let flow = *texture * flow.at(x / 110.0, y / 60.0);
                let mut texel = Texel::matte([0.105, 0.112, 0.122]);
                texel.mirror = [0.05; 3];
                texel.sharp = [1.9, 1.9];
                let shade = 1.0 + 0.10 * grain + 0.06 * flow;
                texel.tint(shade, shade);
                texel.slope = [0.13 * grain, 0.13 * cross];
                texel
            }
        }
    }
}

/// The floor of the pocket.
pub(super) enum Floor {
    /// Arcs left by an end mill that went along x.
    Milled {
        /// Tool marks.
        marks: Field,
        /// Their strength.
        texture: f32,
    },
    /// As smooth as the mould's core.
    Moulded,
}

impl Floor {
    /// The floor of the part with this `key`.
    pub(super) fn new(finish: Finish, key: u32, texture: f32) -> Self {
        match finish {
            Finish::BrushedMetal => Self::Milled {
                marks: Field::new(key ^ 0x55),
                texture,
            },
            Finish::MouldedPolymer => Self::Moulded,
        }
    }

    /// The surface at `p`, measured from the middle of the pocket.
    pub(super) fn at(&mut self, [x, y]: Point) -> Texel {
        match self {
            Self::Milled { marks, texture } => {
                let lane = (y / LANE).round();
                let aside = y - LANE * lane;
                let mark = *texture * marks.at((x + 0.08 * aside * aside) / 1.9, lane);
                let mut texel = Texel::metal([0.58, 0.59, 0.61], 1.6);
                texel.tint(1.0 + 0.06 * mark, 1.0 + 0.08 * mark);
                texel.tilt([0.9, 0.01 * aside], 0.05 * mark);
                texel
            }
            Self::Moulded => Texel::matte([0.075, 0.08, 0.088]),
        }
    }
}
