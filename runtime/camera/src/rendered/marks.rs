//! How damage looks: scratches and dents in the plate, stains on everything, and what lies on top.

use super::lamp::Lamp;
use super::maths::{Point, length, mix, scale, smooth, sub};
use super::noise::{self, Cloud};
use super::scene::{Damage, Foreign, Liquid, Scene};
use super::shape::polyline;
use super::surface::{Canvas, Texel};

/// Draws damage of the plate's own surface; to be covered by what is mounted on the plate.
pub(super) fn draw_in_plate(canvas: &mut Canvas, scene: &Scene) {
    for damage in &scene.damage {
        match damage {
            Damage::Scratch {
                line,
                half_width,
                depth,
            } => scratch(canvas, scene, line, *half_width, *depth),
            Damage::Dent { .. } => dent(canvas, scene, damage),
            Damage::Chip { key, .. } => broken_face(canvas, damage, *key),
            Damage::Stain { .. } | Damage::Foreign { .. } => {}
        }
    }
}

/// Draws what lies over everything else.
pub(super) fn draw_on_top(canvas: &mut Canvas, scene: &Scene) {
    for damage in &scene.damage {
        match damage {
            Damage::Stain { .. } => stain(canvas, damage),
            Damage::Foreign {
                line,
                half_width,
                foreign,
                strength,
            } => lying(canvas, line, *half_width, *foreign, *strength),
            Damage::Scratch { .. } | Damage::Dent { .. } | Damage::Chip { .. } => {}
        }
    }
}

/// Centre and half sides of the box around a line, `margin` wider on each side.
fn around(line: &[Point], margin: f32) -> (Point, Point) {
    let mut low = [f32::INFINITY; 2];
    let mut high = [f32::NEG_INFINITY; 2];
    for p in line {
        for axis in 0..2 {
            low[axis] = low[axis].min(p[axis] - margin);
            high[axis] = high[axis].max(p[axis] + margin);
        }
    }
    let half = scale(sub(high, low), 0.5);
    ([low[0] + half[0], low[1] + half[1]], half)
}

/// A groove: raw metal, one flank towards the lamp and one away from it, running out at both ends.
fn scratch(canvas: &mut Canvas, scene: &Scene, line: &[Point], half_width: f32, depth: f32) {
    let (centre, half) = around(line, half_width + 1.5);
    let shadow = Lamp::shadow(canvas.view);
    let away = scale(shadow, 1.0 / length(shadow).max(1e-3));
    let scale_px = canvas.view.scale;
    let cover = canvas.cover();
    canvas.paint_box(centre, half, |p, texel| {
        let near = polyline(p, line);
        let taper = (4.0 * near.along * (1.0 - near.along)).sqrt();
        let reach = half_width * taper;
        let share = (0.5 - (near.distance - reach) * scale_px).clamp(0.0, 1.0)
            * (2.0 * reach * scale_px).min(1.0)
            * smooth(0.0, 0.15, taper)
            * cover(scene.face(p));
        if share <= 0.0 {
            return;
        }
        let mut groove = *texel;
        groove.diffuse = texel.diffuse.map(|c| mix(c, 0.34, 0.75));
        groove.mirror = texel.mirror.map(|c| mix(c, 0.80, 0.7));
        groove.sharp = [1.2, 1.2];
        let side = scale(near.away, 1.0 / half_width.max(0.1));
        groove.slope = scale(side, depth);
        // The flank on the lamp's side lies in its own shadow.
        let dark = depth * smooth(0.1, -0.6, side[0] * away[0] + side[1] * away[1]);
        groove.shadow(0.9 * dark, 0.6 * dark);
        texel.lay(&groove, share * depth);
    });
}

/// A hollow with a slightly raised rim.
fn dent(canvas: &mut Canvas, scene: &Scene, damage: &Damage) {
    let Damage::Dent {
        centre,
        radius,
        stretch,
        steepness,
    } = *damage
    else {
        return;
    };
    let cover = canvas.cover();
    let reach = 1.35 * radius;
    let half = [reach * stretch, reach / stretch];
    canvas.paint_box(centre, half, |p, texel| {
        let q = sub(p, centre);
        let q = [q[0] / stretch, q[1] * stretch];
        let t = length(q) / radius;
        let share = cover(scene.face(p));
        if t >= 1.35 || share <= 0.0 {
            return;
        }
        let outwards = scale(q, 1.0 / length(q).max(1e-3));
        // Slope of a bowl, steepest at 0.6 of its radius, that ends in a low ring.
        let bowl = if t < 1.0 {
            2.9 * t * (1.0 - t * t)
        } else {
            -1.1 * smooth(0.0, 1.0, 1.0 - ((t - 1.0) / 0.35 * 2.0 - 1.0).abs()) * 0.35
        };
        let pressed = share * smooth(1.0, 0.4, t);
        // Pressing smooths a grain, so that it shines.
        texel.slope = scale(texel.slope, 1.0 - 0.7 * pressed);
        texel.mirror = texel.mirror.map(|c| c + 0.06 * pressed);
        texel.tilt(outwards, share * steepness * bowl);
        texel.sharp = texel.sharp.map(|s| mix(s, 1.6, 0.5 * pressed));
        texel.shadow(0.0, 0.7 * steepness * pressed);
    });
}

/// The raw, faceted surface around a piece that broke off.
fn broken_face(canvas: &mut Canvas, damage: &Damage, key: u32) {
    let Damage::Chip { centre, radius, .. } = damage else {
        return;
    };
    let cover = canvas.cover();
    let reach = 2.0 * radius + 3.0;
    let depth = 0.42 * radius + 2.0;
    canvas.paint_box(*centre, [reach, reach], |p, texel| {
        // Only the plate breaks: what has a slope of its own or lies open is left by the caller's
        // order, so all that is needed here is to stay within the plate.
        if super::layout::plate(p) > 0.0 {
            return;
        }
        let bite = damage.bite(p);
        let edge = depth * (0.7 + 0.35 * noise::value(p[0] / 8.0, p[1] / 8.0, key ^ 0x3));
        let share = cover(bite - edge) * (1.0 - cover(bite));
        if share <= 0.0 {
            return;
        }
        let facet = |salt: u32| {
            noise::value(p[0] / 4.0, p[1] / 4.0, key ^ salt)
                + 0.6 * noise::value(p[0] / 1.6, p[1] / 1.6, key ^ salt ^ 0x8)
        };
        let away = sub(p, *centre);
        let outwards = scale(away, 1.0 / length(away).max(1e-3));
        let mut raw = *texel;
        raw.diffuse = texel.diffuse.map(|c| mix(c, 0.26, 0.6));
        raw.mirror = texel.mirror.map(|c| mix(c, 0.40, 0.6));
        raw.sharp = [1.5, 1.5];
        raw.slope = [0.55 * facet(0x10), 0.55 * facet(0x20)];
        raw.tilt(outwards, 0.65);
        texel.lay(&raw, share);
    });
}

fn stain(canvas: &mut Canvas, damage: &Damage) {
    let Damage::Stain {
        centre,
        radius,
        stretch,
        liquid,
        strength,
        key,
    } = damage
    else {
        return;
    };
    let reach = 1.6 * radius;
    let half = [reach * stretch, reach / stretch];
    let (mut outline, mut blotch) = (Cloud::new(*key), Cloud::new(key ^ 0x51));
    canvas.paint_box(*centre, half, |p, texel| {
        let q = sub(p, *centre);
        let q = [q[0] / stretch, q[1] * stretch];
        let wavy = outline.at(q[0] / (0.7 * radius), q[1] / (0.7 * radius));
        // Positive inside, 0 on the outline; the noise is at most 1, so nothing is cut off.
        let depth = 1.0 - length(q) / radius + 0.55 * wavy;
        if depth <= 0.0 {
            return;
        }
        let blotch = 0.5 + 0.5 * blotch.at(p[0] / 7.0, p[1] / 7.0);
        let rim = smooth(0.0, 0.05, depth) * (1.0 - smooth(0.05, 0.22, depth));
        wet(texel, *liquid, *strength, depth, rim, blotch);
    });
}

/// Changes a surface as a liquid does. `depth` is 0 at the outline and about 1 in the middle.
fn wet(texel: &mut Texel, liquid: Liquid, strength: f32, depth: f32, rim: f32, blotch: f32) {
    let mut under = *texel;
    let share = match liquid {
        Liquid::Oil => {
            // A film: it swallows scattered light, shines, and is brownish where it is thick.
            let thick = smooth(0.0, 0.5, depth);
            for (channel, keep) in [0.36, 0.27, 0.13].into_iter().enumerate() {
                under.diffuse[channel] *= keep;
                under.mirror[channel] = under.mirror[channel] * (keep + 0.08) + 0.02;
            }
            under.sharp = [2.8, 2.8];
            under.slope = scale(under.slope, 0.4);
            (0.55 + 0.35 * thick + 0.3 * rim).min(1.0) * smooth(0.0, 0.06, depth)
        }
        Liquid::Rust => {
            under.diffuse = [0.24, 0.085, 0.025].map(|c| c * (0.55 + 0.9 * blotch));
            under.mirror = [0.03; 3];
            under.sharp = [1.2, 1.2];
            smooth(0.0, 0.35, depth) * (0.35 + 0.85 * blotch).min(1.0)
        }
        Liquid::Coolant => {
            under.diffuse = [0.50, 0.50, 0.46];
            under.mirror = texel.mirror.map(|c| 0.4 * c);
            under.sharp = [1.2, 1.2];
            smooth(0.0, 0.04, depth) * (0.30 + 0.25 * blotch + 0.7 * rim).min(1.0)
        }
    };
    texel.lay(&under, share * strength);
}

/// Something long and round that lies on the part and throws a shadow.
fn lying(canvas: &mut Canvas, line: &[Point], half_width: f32, foreign: Foreign, strength: f32) {
    let height = match foreign {
        Foreign::Swarf => 2.2 * half_width,
        Foreign::Thread(_) => 1.6 * half_width,
    };
    let throw = scale(Lamp::shadow(canvas.view), height);
    let (centre, half) = around(line, half_width + length(throw) + 4.0);
    let cover = canvas.cover();
    canvas.paint_box(centre, half, |p, texel| {
        let cast = polyline(sub(p, throw), line).distance - half_width;
        texel.shadow(
            0.6 * strength * smooth(2.5, -1.0, cast),
            0.15 * smooth(3.0, 0.0, cast),
        );
        let near = polyline(p, line);
        let taper = match foreign {
            // Swarf is torn off to a point at one end.
            Foreign::Swarf => 0.35 + 0.65 * smooth(0.0, 0.3, near.along),
            Foreign::Thread(_) => 1.0,
        };
        let share = cover(near.distance - half_width * taper);
        if share > 0.0 {
            let body = round_body(
                near.away,
                near.along,
                half_width * taper,
                line.len(),
                foreign,
            );
            texel.lay(&body, share * strength);
        }
    });
}

/// The surface of a round or twisted body, `away` from its middle line.
fn round_body(away: Point, along: f32, radius: f32, pieces: usize, foreign: Foreign) -> Texel {
    let across = scale(away, 1.0 / radius.max(0.1));
    let outside = length(across).min(0.96);
    // Slope of a circle's edge.
    let fall = outside / (1.0 - outside * outside).sqrt();
    let direction = scale(across, 1.0 / outside.max(1e-3));
    match foreign {
        Foreign::Swarf => {
            let mut texel = Texel::metal([0.74, 0.74, 0.76], 1.9);
            // It is twisted: its flat side turns to the lamp and away.
            let twist = 0.8 * (noise::value(along * pieces as f32 * 0.8, 0.0, 0x5AF));
            let ridge = noise::value(along * pieces as f32 * 3.5, outside, 0x5B0);
            texel.tint(1.0 + 0.2 * ridge, 1.0 + 0.2 * ridge);
            texel.tilt(direction, -0.55 * fall);
            texel.tilt([0.9, 0.5], twist);
            texel
        }
        Foreign::Thread(colour) => {
            let mut texel = Texel::matte(colour);
            let ply = noise::value(along * pieces as f32 * 4.0, 3.0 * outside, 0x7EAD);
            texel.tint(1.0 + 0.25 * ply, 1.0);
            texel.tilt(direction, -0.8 * fall);
            texel.shadow(0.0, 0.4 * outside);
            texel
        }
    }
}
