//! What a defect does to a scene, and which places of the part it touches.

use super::config::ScrewDrive;
use super::defect::DefectKind;
use super::dice::Dice;
use super::layout::{self, COUNTERBORE, SCREWS};
use super::maths::{Point, Turn, add, length, mix, scale, sub};
use super::noise;
use super::scene::{Damage, Foreign, Liquid, Placement, Scene, Screw, ScrewMetal};
use super::shape::circle;

/// A place of the part, in its coordinates, where a defect changes the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its centre.
    pub(super) centre: Point,
    /// Half sides of the box within which pixels can differ, before shadows and blur.
    pub(super) half: Point,
    /// Turn of that box, degrees.
    pub(super) degrees: f32,
    /// Where set, a thing was or is here that fills the box with corners of this radius, and all
    /// of it belongs to the mask, also where old and new look happen to agree.
    pub(super) filled: Option<f32>,
}

/// Ranges over severity, least to greatest.
mod range {
    /// Shift of a moved label, px.
    pub(super) const MOVED_PX: [f32; 2] = [9.0, 42.0];
    /// Turn of a rotated label, degrees.
    pub(super) const TURNED_DEG: [f32; 2] = [3.5, 24.0];
    /// Length of a scratch, px.
    pub(super) const SCRATCH_PX: [f32; 2] = [34.0, 170.0];
    /// Radius of a dent, px.
    pub(super) const DENT_PX: [f32; 2] = [8.0, 24.0];
    /// Radius of a chip, px.
    pub(super) const CHIP_PX: [f32; 2] = [11.0, 36.0];
    /// Radius of a stain, px.
    pub(super) const STAIN_PX: [f32; 2] = [11.0, 46.0];
}

/// Changes the good `scene` so that it shows one defect of `kind`. `severity` is 0 to 1. Gives one
/// entry for each thing that is seen to be wrong, with all the places that it touches: a moved
/// label is one thing with an old and a new place, two swapped pieces are two things.
pub(super) fn inflict(
    scene: &mut Scene,
    kind: DefectKind,
    severity: f32,
    dice: &mut Dice,
) -> Vec<Vec<Place>> {
    match kind {
        DefectKind::SwappedParts => swap(scene).into_iter().map(|place| vec![place]).collect(),
        _ => vec![harm(scene, kind, severity, dice)],
    }
}

/// The kinds after which one thing is wrong: the places that it touches.
fn harm(scene: &mut Scene, kind: DefectKind, severity: f32, dice: &mut Dice) -> Vec<Place> {
    let within = |[low, high]: [f32; 2]| mix(low, high, severity);
    match kind {
        DefectKind::MissingScrew => {
            let (at, place) = pick_screw(dice);
            scene.screws[at] = None;
            vec![place]
        }
        DefectKind::WrongScrew => {
            let (at, place) = pick_screw(dice);
            if let Some(screw) = &mut scene.screws[at] {
                *screw = wrong_screw(*screw, severity, dice);
            }
            vec![place]
        }
        DefectKind::Scratch => scratch(scene, severity, within(range::SCRATCH_PX), dice),
        DefectKind::Stain => vec![stain(scene, severity, within(range::STAIN_PX), dice)],
        DefectKind::Dent => {
            let radius = within(range::DENT_PX) * dice.between(0.85, 1.15);
            let (centre, stretch) = (bare_spot(radius * 0.7, dice), dice.between(0.8, 1.25));
            scene.damage.push(Damage::Dent {
                centre,
                radius,
                stretch,
                steepness: mix(0.2, 0.75, severity) * dice.between(0.8, 1.2),
            });
            vec![box_around(centre, radius * 1.35 * 1.25 + 1.0)]
        }
        DefectKind::Chip => {
            let radius = within(range::CHIP_PX) * dice.between(0.9, 1.1);
            let centre = edge_spot(radius, dice);
            scene.damage.push(Damage::Chip {
                centre,
                radius,
                key: dice.bits(),
            });
            // The bite, the broken face around it, and the plate's shadow on the belt.
            vec![box_around(centre, radius * 2.0 + 26.0)]
        }
        DefectKind::MovedLabel => {
            let shift =
                Turn::degrees(dice.between(0.0, 360.0)).apply([within(range::MOVED_PX), 0.0]);
            change_label(scene, |label| label.centre = add(label.centre, shift))
        }
        DefectKind::RotatedLabel => {
            let degrees = if dice.chance(0.15) {
                180.0
            } else {
                within(range::TURNED_DEG) * dice.sign()
            };
            change_label(scene, |label| label.degrees += degrees)
        }
        DefectKind::MissingLabel => {
            let place = scene.label.take().map(label_place);
            place.into_iter().collect()
        }
        DefectKind::SwappedParts => swap(scene),
        DefectKind::ForeignObject => vec![foreign(scene, severity, dice)],
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

fn box_around(centre: Point, reach: f32) -> Place {
    Place {
        centre,
        half: [reach, reach],
        degrees: 0.0,
        filled: None,
    }
}

/// The box around a line of this half width.
fn line_place(line: &[Point], half_width: f32) -> Place {
    let fold = |pick: fn(f32, f32) -> f32| {
        line.iter()
            .copied()
            .reduce(|a, b| [pick(a[0], b[0]), pick(a[1], b[1])])
            .unwrap_or_default()
    };
    let (low, high) = (fold(f32::min), fold(f32::max));
    let half = scale(sub(high, low), 0.5);
    Place {
        centre: add(low, half),
        half: add(half, [half_width + 1.0, half_width + 1.0]),
        degrees: 0.0,
        filled: None,
    }
}

fn pick_screw(dice: &mut Dice) -> (usize, Place) {
    let at = dice.pick(&[0, 1, 2, 3]).unwrap_or_default();
    let place = Place {
        centre: SCREWS[at],
        half: [COUNTERBORE, COUNTERBORE],
        degrees: 0.0,
        filled: Some(COUNTERBORE),
    };
    (at, place)
}

fn wrong_screw(right: Screw, severity: f32, dice: &mut Dice) -> Screw {
    let other_drive = match right.drive {
        ScrewDrive::HexSocket => ScrewDrive::Phillips,
        ScrewDrive::Phillips => ScrewDrive::HexSocket,
    };
    let metal = if severity < 0.33 {
        dice.pick(&[ScrewMetal::Steel, ScrewMetal::YellowZinc])
    } else if severity < 0.66 {
        dice.pick(&[ScrewMetal::YellowZinc, ScrewMetal::Brass])
    } else {
        dice.pick(&[ScrewMetal::Black, ScrewMetal::Brass])
    }
    .unwrap_or(ScrewMetal::Black);
    let drive = if metal == ScrewMetal::Steel || dice.chance(0.4) {
        other_drive
    } else {
        right.drive
    };
    Screw {
        drive,
        metal,
        degrees: dice.between(0.0, 360.0),
        ..right
    }
}

fn scratch(scene: &mut Scene, severity: f32, length: f32, dice: &mut Dice) -> Vec<Place> {
    let start = bare_spot(6.0, dice);
    // Of a few ways to go, the one that stays longest on bare metal: under the label nothing shows.
    let mut best = (0, Vec::new());
    for _ in 0..8 {
        let line = wander(start, length, 16, 2.5, dice);
        let shown = line.iter().filter(|&&p| layout::is_bare(p, 2.0)).count();
        if best.1.is_empty() || shown > best.0 {
            best = (shown, line);
        }
    }
    let line = best.1;
    let half_width = mix(0.6, 1.5, severity);
    let depth = mix(0.4, 1.0, severity) * dice.between(0.85, 1.15);
    let strokes = if dice.chance(0.3) { 3 } else { 1 };
    let mut places: Vec<Place> = Vec::new();
    for stroke in 0..strokes {
        let aside = [
            stroke as f32 * 3.5 + dice.play(),
            stroke as f32 * 3.0 + 2.0 * dice.play(),
        ];
        let line: Vec<Point> = line.iter().map(|&p| add(p, aside)).collect();
        places.push(line_place(&line, half_width + 1.5));
        scene.damage.push(Damage::Scratch {
            line,
            half_width: half_width * if stroke == 0 { 1.0 } else { 0.7 },
            depth: depth * if stroke == 0 { 1.0 } else { 0.8 },
        });
    }
    vec![hull(&places)]
}

/// One box around several that are not turned.
fn hull(places: &[Place]) -> Place {
    let corners: Vec<Point> = places
        .iter()
        .flat_map(|place| [sub(place.centre, place.half), add(place.centre, place.half)])
        .collect();
    line_place(&corners, 0.0)
}

fn stain(scene: &mut Scene, severity: f32, radius: f32, dice: &mut Dice) -> Place {
    let centre = plate_spot(dice);
    let liquid = dice
        .pick(&[Liquid::Oil, Liquid::Rust, Liquid::Coolant])
        .unwrap_or(Liquid::Oil);
    scene.damage.push(Damage::Stain {
        centre,
        radius: radius * dice.between(0.9, 1.1),
        stretch: dice.between(0.8, 1.25),
        liquid,
        strength: mix(0.42, 0.95, severity),
        key: dice.bits(),
    });
    box_around(centre, radius * 1.1 * 1.25 * 1.6 + 1.0)
}

fn foreign(scene: &mut Scene, severity: f32, dice: &mut Dice) -> Place {
    const FIBRES: [[f32; 3]; 4] = [
        [0.62, 0.03, 0.03],
        [0.75, 0.73, 0.68],
        [0.03, 0.07, 0.42],
        [0.012, 0.012, 0.014],
    ];
    let (line, half_width, foreign) = if dice.chance(0.5) {
        let length = mix(46.0, 150.0, severity);
        let turn = dice.sign() * dice.between(0.7, 1.3) * 360.0 / 40.0;
        (
            curl(length, 40, turn, dice),
            mix(1.5, 3.4, severity),
            Foreign::Swarf,
        )
    } else {
        let length = mix(40.0, 190.0, severity);
        let colour = dice.pick(&FIBRES).unwrap_or(FIBRES[0]);
        (
            wander([0.0, 0.0], length, 28, 16.0, dice),
            mix(0.65, 1.5, severity),
            Foreign::Thread(colour),
        )
    };
    // Centred on a spot of the plate, so that most of it is on the part.
    let to = sub(plate_spot(dice), line_place(&line, 0.0).centre);
    let line: Vec<Point> = line.iter().map(|&p| add(p, to)).collect();
    let place = line_place(&line, half_width + 1.0);
    scene.damage.push(Damage::Foreign {
        line,
        half_width,
        foreign,
        strength: mix(0.75, 1.0, severity),
    });
    place
}

/// A path from `start` in a random direction whose heading changes by up to `bend` degrees a step,
/// itself changing slowly.
fn wander(start: Point, length: f32, steps: usize, bend: f32, dice: &mut Dice) -> Vec<Point> {
    let mut heading = dice.between(0.0, 360.0);
    let mut turn = bend * dice.play();
    path(start, length, steps, || {
        turn = (turn + 0.5 * bend * dice.play()).clamp(-bend, bend);
        heading += turn;
        heading
    })
}

/// A path that winds up: `turn` degrees a step at its start, twice that at its end.
fn curl(length: f32, steps: usize, turn: f32, dice: &mut Dice) -> Vec<Point> {
    let mut heading = dice.between(0.0, 360.0);
    let mut step = 0;
    path([0.0, 0.0], length, steps, || {
        heading += turn * mix(0.5, 2.0, step as f32 / steps as f32) + 4.0 * dice.play();
        step += 1;
        heading
    })
}

fn path(start: Point, length: f32, steps: usize, mut heading: impl FnMut() -> f32) -> Vec<Point> {
    let stride = [length / steps as f32, 0.0];
    std::iter::successors(Some(start), |&at| {
        Some(add(at, Turn::degrees(heading()).apply(stride)))
    })
    .take(steps + 1)
    .collect()
}

fn change_label(scene: &mut Scene, change: impl FnOnce(&mut Placement)) -> Vec<Place> {
    let Some(label) = &mut scene.label else {
        return Vec::new();
    };
    let old = *label;
    change(label);
    vec![label_place(old), label_place(*label)]
}

fn label_place(label: Placement) -> Place {
    piece_place(label, layout::LABEL.half)
}

fn piece_place(at: Placement, half: Point) -> Place {
    Place {
        centre: at.centre,
        half,
        degrees: at.degrees,
        filled: Some(3.0),
    }
}

fn swap(scene: &mut Scene) -> Vec<Place> {
    let Some(label) = &mut scene.label else {
        return Vec::new();
    };
    std::mem::swap(label, &mut scene.sticker);
    [*label, scene.sticker]
        .into_iter()
        .map(|place| piece_place(place, layout::LABEL.half))
        .collect()
}

/// A random spot of the plate whose surface shows for `room` around it.
fn bare_spot(room: f32, dice: &mut Dice) -> Point {
    for _ in 0..400 {
        let p = plate_spot(dice);
        if layout::is_bare(p, room) {
            return p;
        }
    }
    // The largest bare area of the drawing: below the sticker.
    [120.0, 135.0]
}

/// A random spot of the plate, not too near its edge.
fn plate_spot(dice: &mut Dice) -> Point {
    [
        dice.between(-0.9, 0.9) * layout::PLATE[0],
        dice.between(-0.88, 0.88) * layout::PLATE[1],
    ]
}

/// Where to bite into the edge of the plate: a random spot just outside it, `radius` away from
/// corners, screws and notch.
fn edge_spot(radius: f32, dice: &mut Dice) -> Point {
    let [half_width, half_height] = layout::PLATE;
    for _ in 0..200 {
        let along = dice.between(-1.0, 1.0);
        let side = dice.sign();
        // The long sides are met more often, as they are longer.
        let (p, outwards) = if dice.chance(half_width / (half_width + half_height)) {
            (
                [along * (half_width - 20.0), side * half_height],
                [0.0, side],
            )
        } else {
            (
                [side * half_width, along * (half_height - 20.0)],
                [side, 0.0],
            )
        };
        let clear = SCREWS
            .iter()
            .all(|&screw| circle(sub(p, screw), COUNTERBORE) > 0.6 * radius)
            && circle(sub(p, layout::NOTCH.centre), layout::NOTCH.radius) > radius
            && layout::plate(p).abs() < 1.0;
        if clear {
            // From beyond the edge, the bite is widest where it enters.
            return add(p, scale(outwards, 0.3 * radius));
        }
    }
    [0.0, half_height]
}
