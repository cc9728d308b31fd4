//! What is drawn on the two pictures of an overlay: outlines and numbers of regions, brackets
//! around true defects.

use super::draw::{Canvas, Point, Style};
use super::layout::{LISTED, Layout};
use super::outline::{dashes, outline};
use super::palette::{EDGE, INK, OUTLINE};
use crate::inspect::{Inspection, Pathway, Region};

/// Outlines of all regions on the second picture, and numbers for those that are listed.
pub(super) fn regions(canvas: &mut Canvas, layout: &Layout, inspection: &Inspection) {
    let stroke = layout.stroke();
    // From the lowest score up, so that the first region lies on top.
    for region in inspection.regions.iter().rev() {
        for line in outline(region, &inspection.map) {
            let line: Vec<Point> = line.iter().map(|p| layout.on_second(*p)).collect();
            canvas.line(&line, stroke + 2.5, EDGE);
            match region.pathway {
                Pathway::What => canvas.line(&line, stroke, OUTLINE),
                Pathway::Where => {
                    for dash in dashes(&line, 4.0 * stroke, 3.0 * stroke) {
                        canvas.line(&dash, stroke, OUTLINE);
                    }
                }
            }
        }
    }
    let mut taken: Vec<[f32; 4]> = Vec::new();
    for (number, region) in (1..).zip(inspection.regions.iter().take(LISTED)) {
        let chip = place_chip(layout, region, number, &taken);
        draw_chip(canvas, layout, chip, number);
        taken.push(chip);
    }
}

/// The four corners of each box, a little outside it.
pub(super) fn brackets(canvas: &mut Canvas, layout: &Layout, truth: &[[u32; 4]]) {
    let stroke = layout.stroke();
    let gap = 2.0 * stroke;
    for bbox in truth {
        let [x, y, width, height] = bbox.map(|v| v as f32);
        let [left, top] = layout.on_first([x, y]);
        let [right, bottom] = layout.on_first([x + width, y + height]);
        let arm = ((right - left).min(bottom - top) / 3.0).max(3.0 * stroke);
        for (x, y, dx, dy) in [
            (left - gap, top - gap, arm, arm),
            (right + gap, top - gap, -arm, arm),
            (left - gap, bottom + gap, arm, -arm),
            (right + gap, bottom + gap, -arm, -arm),
        ] {
            let corner = [[x + dx, y], [x, y], [x, y + dy]];
            let inside = corner.map(|p| layout.clamp_to_first(p));
            canvas.line(&inside, stroke + 2.5, EDGE);
            canvas.line(&inside, stroke, INK);
        }
    }
}

/// `[width, height]` of the chip that carries a number.
pub(super) fn chip_size(layout: &Layout, number: usize) -> [f32; 2] {
    let style = Style::bold(layout.small, OUTLINE);
    let width = style.width(&number.to_string()) as f32 + style.advance() as f32;
    [width, style.line() as f32 * 1.05]
}

/// A place beside the region, inside the picture, on no other chip if there is one.
fn place_chip(layout: &Layout, region: &Region, number: usize, taken: &[[f32; 4]]) -> [f32; 4] {
    let [width, height] = chip_size(layout, number);
    let [x, y, w, h] = region.bbox.map(|v| v as f32);
    let [left, top] = layout.on_second([x, y]);
    let [right, bottom] = layout.on_second([x + w, y + h]);
    let gap = layout.stroke() + 2.0;
    let limit = |at: f32, axis: usize, size: f32| {
        let start = layout.second[axis] as f32;
        at.min(start + layout.picture[axis] as f32 - size)
            .max(start)
    };
    let wishes = [
        [left - gap, top - height - gap],
        [right + gap - width, top - height - gap],
        [left - gap, bottom + gap],
        [right + gap, top],
        [left - width - gap, top],
    ]
    .map(|[x, y]| [limit(x, 0, width), limit(y, 1, height), width, height]);
    let free = |chip: &&[f32; 4]| {
        taken
            .iter()
            .all(|t| (0..2).any(|i| chip[i] >= t[i] + t[i + 2] || t[i] >= chip[i] + chip[i + 2]))
    };
    *wishes.iter().find(free).unwrap_or(&wishes[0])
}

/// The number of a region on a dark chip at `[x, y, width, height]`.
pub(super) fn draw_chip(canvas: &mut Canvas, layout: &Layout, chip: [f32; 4], number: usize) {
    let style = Style::bold(layout.small, OUTLINE);
    let text = number.to_string();
    canvas.fill(chip, chip[3] / 4.0, EDGE);
    let x = chip[0] + (chip[2] - style.width(&text) as f32) / 2.0;
    let y = chip[1] + (chip[3] - style.line() as f32) / 2.0;
    canvas.text(x.round() as u32, y.round() as u32, &text, style);
}
