//! One part as data: what lies where, before anything is drawn. A good part and its defective twin
//! are the same scene except for what the defect changes.

use super::config::{LineConfig, ScrewDrive};
use super::dice::{Dice, Purpose};
use super::layout::{self, Area};
use super::maths::{Point, Turn, add, length, scale, sub};
use super::noise;

/// Where a flat piece (label or sticker) sits on the plate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    /// Its centre on the plate.
    pub(super) centre: Point,
    /// Its turn on the plate, degrees.
    pub(super) degrees: f32,
}

/// What a screw is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScrewMetal {
    /// Stainless steel: the right one.
    Steel,
    /// Zinc plated, passivated yellow.
    YellowZinc,
    /// Black oxide.
    Black,
    /// Brass.
    Brass,
}

/// A mounted screw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Screw {
    /// Its drive.
    pub(super) drive: ScrewDrive,
    /// Its material.
    pub(super) metal: ScrewMetal,
    /// Turn of its head, degrees.
    pub(super) degrees: f32,
    /// How far its head leans, as a slope.
    pub(super) lean: Point,
    /// Noise of its surface.
    pub(super) key: u32,
}

/// What a stain consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liquid {
    /// Dark, wet and shiny.
    Oil,
    /// Brown and dull.
    Rust,
    /// Pale and dull, with a rim.
    Coolant,
}

/// What a foreign object is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Foreign {
    /// A curled metal chip.
    Swarf,
    /// A fibre of this colour (linear red, green, blue).
    Thread([f32; 3]),
}

/// Damage to the part, in its own coordinates.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Damage {
    /// A groove along a line.
    Scratch {
        /// Where it runs.
        line: Vec<Point>,
        /// Half its width, px.
        half_width: f32,
        /// 0 to 1.
        depth: f32,
    },
    /// A round hollow.
    Dent {
        /// Its centre.
        centre: Point,
        /// Its radius, px.
        radius: f32,
        /// Width divided by height, as a square root.
        stretch: f32,
        /// Slope of its steepest flank.
        steepness: f32,
    },
    /// A bite out of the edge.
    Chip {
        /// Centre of the bite.
        centre: Point,
        /// Its radius, px.
        radius: f32,
        /// Noise of its outline.
        key: u32,
    },
    /// A liquid that dried, or did not.
    Stain {
        /// Its middle.
        centre: Point,
        /// Its radius, px, before its outline is disturbed.
        radius: f32,
        /// Width divided by height, as a square root.
        stretch: f32,
        /// What it is.
        liquid: Liquid,
        /// How much it covers, 0 to 1.
        strength: f32,
        /// Noise of its outline.
        key: u32,
    },
    /// Something that lies on the part.
    Foreign {
        /// Where it runs.
        line: Vec<Point>,
        /// Half its width, px.
        half_width: f32,
        /// What it is.
        foreign: Foreign,
        /// How visible it is, 0 to 1: a thin fibre lets the ground through.
        strength: f32,
    },
}

/// Everything that is seen in one frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    /// Shift of the part against the frame's centre, px.
    pub(super) shift: Point,
    /// Turn of the part, degrees.
    pub(super) degrees: f32,
    /// Which piece of the belt lies below.
    pub(super) belt: Point,
    /// Noise of the surfaces.
    pub(super) key: u32,
    /// The four screws, in the order of the drawing.
    pub(super) screws: [Option<Screw>; 4],
    /// The label.
    pub(super) label: Option<Placement>,
    /// The sticker.
    pub(super) sticker: Placement,
    /// The number printed on the label.
    pub(super) serial: u32,
    /// What is broken or lies where it should not.
    pub(super) damage: Vec<Damage>,
}

/// The number on the label of a line whose parts are not numbered.
const LOT_NUMBER: u32 = 40_318_273;

impl Scene {
    /// The good part `index` of a line.
    pub(super) fn good(config: &LineConfig, index: u64) -> Self {
        let mut dice = Dice::new(config.seed, index, Purpose::Pose, 0);
        let shift = [
            config.vibration_px * dice.play(),
            config.vibration_px * dice.play(),
        ];
        let degrees = config.vibration_deg * dice.play();
        let belt = [dice.between(0.0, 4096.0), dice.between(0.0, 64.0)];
        let key = dice.bits();
        let screws = std::array::from_fn(|_| {
            Some(Screw {
                drive: config.drive,
                metal: ScrewMetal::Steel,
                degrees: dice.between(0.0, 360.0),
                lean: [0.03 * dice.play(), 0.03 * dice.play()],
                key: dice.bits(),
            })
        });
        let mut place = |area: Area| Placement {
            centre: add(
                area.centre,
                [
                    config.placement_px * dice.play(),
                    config.placement_px * dice.play(),
                ],
            ),
            degrees: config.placement_deg * dice.play(),
        };
        Self {
            shift,
            degrees,
            belt,
            key,
            screws,
            label: Some(place(layout::LABEL)),
            sticker: place(layout::STICKER),
            serial: if config.serial_numbers {
                (LOT_NUMBER / 10_000) * 10_000 + (index % 10_000) as u32
            } else {
                LOT_NUMBER
            },
            damage: Vec::new(),
        }
    }

    /// Signed distance to the outline of the plate, with what has broken off.
    pub(super) fn plate(&self, p: Point) -> f32 {
        self.damage
            .iter()
            .fold(layout::plate(p), |outline, damage| {
                outline.max(-damage.bite(p))
            })
    }

    /// The same to the plate's flat face: what was milled or drilled away does not belong to it.
    pub(super) fn face(&self, p: Point) -> f32 {
        self.plate(p).max(-layout::cavities(p))
    }
}

impl Placement {
    /// `p` seen from this piece: relative to its centre, turned back.
    pub(super) fn local(&self, turn: Turn, p: Point) -> Point {
        turn.undo(sub(p, self.centre))
    }
}

impl Damage {
    /// Signed distance to what this damage takes out of the plate: negative where it is gone.
    pub(super) fn bite(&self, p: Point) -> f32 {
        let Self::Chip {
            centre,
            radius,
            key,
        } = self
        else {
            return f32::INFINITY;
        };
        let q = sub(p, *centre);
        let distance = length(q);
        // Ragged by direction alone, so that no crumb is left floating inside the bite.
        let rim = scale(q, radius / distance.max(1e-3));
        let jag = |size: f32, salt: u32| noise::value(rim[0] / size, rim[1] / size, key ^ salt);
        let ragged = jag(0.45 * radius, 0) + 0.4 * jag(3.0, 0x77) * (6.0 / radius).min(1.0);
        distance - radius * (1.0 - 0.34 * ragged)
    }
}
