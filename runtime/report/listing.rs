//! The regions in words, under the scale.

use super::draw::{Canvas, Style};
use super::layout::{LISTED, Layout};
use super::marks::{chip_size, draw_chip};
use super::palette::{INK, MUTED};
use super::words::score_text;
use crate::inspect::{Pathway, Region};

const OUTLINE_KEY: &str = "solid: wrong in itself (what), dashed: wrong in its place (where)";

/// One line for each listed region with its note, if there is one, and how to read the outlines.
pub(super) fn list(canvas: &mut Canvas, layout: &Layout, regions: &[Region], notes: &[String]) {
    let style = Style::regular(layout.small, INK);
    let step = style.line() + style.line() / 4;
    let room = layout.width - 4 * layout.pad;
    for (number, region) in (1..).zip(regions.iter().take(LISTED)) {
        let y = layout.list_top + (number as u32 - 1) * step;
        let [width, height] = chip_size(layout, number);
        draw_chip(
            canvas,
            layout,
            [layout.pad as f32, y as f32, width, height],
            number,
        );
        let text = style.fit(&describe(region, notes.get(number - 1)), room);
        canvas.text(layout.pad * 3, y, &text, style);
    }
    if regions.is_empty() {
        return;
    }
    let muted = Style::regular(layout.small, MUTED);
    let mut y = layout.list_top + regions.len().min(LISTED) as u32 * step;
    if regions.len() > LISTED {
        let text = format!("and {} more with lower scores", regions.len() - LISTED);
        canvas.text(layout.pad * 3, y, &text, muted);
        y += step;
    }
    let key = muted.fit(OUTLINE_KEY, room);
    canvas.text(layout.pad * 3, y, &key, muted);
}

fn describe(region: &Region, note: Option<&String>) -> String {
    let [x, y, width, height] = region.bbox;
    let (pathway, share) = match region.pathway {
        Pathway::What => ("what", region.what),
        Pathway::Where => ("where", region.where_),
    };
    let note = note.map(|note| format!("  {note}")).unwrap_or_default();
    format!(
        "{} × limit  {pathway} {:.0} %  {width} × {height} px at {x}, {y}{note}",
        score_text(region.score),
        share * 100.0
    )
}
