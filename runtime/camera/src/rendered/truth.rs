//! Ground truth: which pixels a defect changes, found by comparing with the good twin.

use image::{GrayImage, Luma};

use super::defect::{Defect, DefectKind};
use super::lens::quantise;
use super::maths::{Turn, sub};
use super::place::Place;
use super::shape::rounded_box;
use super::view::{Rect, View};

/// Difference to the good twin, in grey levels of any channel before sensor noise, from which a
/// pixel counts as changed. One level is what rounding alone can do.
pub(super) const VISIBLE_LEVELS: u8 = 2;

/// How far shadows can fall outside a place, px of the drawing.
const SHADOW_PX: f32 = 10.0;

/// The rectangle of the frame outside which the places cannot change anything.
pub(super) fn reach(view: &View, places: &[Vec<Place>], blur_reach: u32) -> Rect {
    let margin = (SHADOW_PX * view.scale).ceil() as u32 + blur_reach + 1;
    places
        .iter()
        .flatten()
        .map(|place| view.bounds(place.centre, place.half, Turn::degrees(place.degrees)))
        .fold(Rect::frame(0, 0), |all, one| all.hull(&one))
        .grow(margin, &view.frame)
}

/// Writes the mask of the pixels in `region` whose grey levels differ between `bad` and `good`, or
/// that lie on a filled place, and gives the box of each thing that is seen to be wrong. Things
/// that cannot be seen in the frame are left out.
pub(super) fn mark(
    mask: &mut GrayImage,
    kind: DefectKind,
    view: &View,
    places: &[Vec<Place>],
    region: Rect,
    [bad, good]: [&[f32]; 2],
) -> Vec<Defect> {
    let bytes = |levels: &[f32]| {
        let mut bytes = vec![0; levels.len()];
        quantise(levels, &mut bytes);
        bytes
    };
    let (bad, good) = (bytes(bad), bytes(good));
    let mut pixels = bad.chunks_exact(3).zip(good.chunks_exact(3));
    let mut boxes = vec![Rect::frame(0, 0); places.len()];
    for y in region.y0..region.y1 {
        for x in region.x0..region.x1 {
            let Some((bad, good)) = pixels.next() else {
                continue;
            };
            let changed = bad
                .iter()
                .zip(good)
                .any(|(a, b)| a.abs_diff(*b) >= VISIBLE_LEVELS);
            let at = nearest(view, places, x, y);
            if changed || at.filled {
                mask.put_pixel(x, y, Luma([255]));
                let pixel = Rect {
                    x0: x,
                    y0: y,
                    x1: x + 1,
                    y1: y + 1,
                };
                boxes[at.thing] = boxes[at.thing].hull(&pixel);
            }
        }
    }
    boxes
        .into_iter()
        .filter(|seen| !seen.is_empty())
        .map(|seen| Defect {
            kind,
            bbox: [seen.x0, seen.y0, seen.width() as u32, seen.height() as u32],
        })
        .collect()
}

struct Nearest {
    /// Index of the thing whose places are nearest.
    thing: usize,
    /// Whether the pixel lies on a filled place.
    filled: bool,
}

fn nearest(view: &View, places: &[Vec<Place>], x: u32, y: u32) -> Nearest {
    let p = view.part_point(x, y);
    let mut best = (f32::INFINITY, 0);
    let mut filled = false;
    for (thing, places) in places.iter().enumerate() {
        for place in places {
            let local = Turn::degrees(place.degrees).undo(sub(p, place.centre));
            let distance = rounded_box(local, place.half, place.filled.unwrap_or(0.0));
            filled |= place.filled.is_some() && distance <= 0.0;
            if distance < best.0 {
                best = (distance, thing);
            }
        }
    }
    Nearest {
        thing: best.1,
        filled,
    }
}
