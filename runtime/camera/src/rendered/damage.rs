//! What a defect does to a scene, and which places of the part it touches.

use super::config::ScrewDrive;
use super::defect::DefectKind;
use super::dice::Dice;
use super::layout::{self, COUNTERBORE, SCREWS};
use super::maths::{Point, Turn, add, mix, sub};
use super::path::{curl, wander};
use super::place::{Place, box_around, hull, label_place, line_place, piece_place};
use super::scene::{Damage, Foreign, Liquid, Placement, Scene, Screw, ScrewMetal};
use super::spot::{bare_spot, edge_spot, plate_spot};

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
    let within = |[low, high]: [f32; 2]| mix(low, high, severity);
    let one_thing = match kind {
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
        DefectKind::SwappedParts => {
            return swap(scene).into_iter().map(|place| vec![place]).collect();
        }
        DefectKind::ForeignObject => vec![foreign(scene, severity, dice)],
    };
    vec![one_thing]
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

fn change_label(scene: &mut Scene, change: impl FnOnce(&mut Placement)) -> Vec<Place> {
    let Some(label) = &mut scene.label else {
        return Vec::new();
    };
    let old = *label;
    change(label);
    vec![label_place(old), label_place(*label)]
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
