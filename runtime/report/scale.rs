//! The scale under the pictures.

use super::draw::{Canvas, Style};
use super::layout::Layout;
use super::palette::{BACKGROUND, HEAT_TOP, INK, MUTED, TRACK, heat, heat_alpha, mix, verdict};
use crate::inspect::Inspection;

/// The heat scale and, on the same axis, the score of the image against the limit.
pub(super) fn scale(canvas: &mut Canvas, layout: &Layout, inspection: &Inspection) {
    let label = Style::regular(layout.small, MUTED);
    let line = label.line() as f32;
    let left = (layout.pad + label.width("score ")) as f32;
    let right = (layout.width - layout.pad - label.width("2.0+") / 2) as f32;
    let x_of = |score: f32| left + (right - left) * (score / HEAT_TOP).clamp(0.0, 1.0);
    let bar = line * 0.6;
    let heat_top = layout.scale_top as f32 + (line - bar) / 2.0;
    let score_top = heat_top + line * 1.1;

    canvas.text(layout.pad, layout.scale_top, "heat", label);
    for x in left as u32..right as u32 {
        let score = (x as f32 - left) / (right - left) * HEAT_TOP;
        // Over a middle grey, as it lies over a picture, but never too faint to see.
        let colour = mix(
            [112; 3],
            heat(score),
            heat_alpha(score) / heat_alpha(HEAT_TOP),
        );
        canvas.fill([x as f32, heat_top, 1.0, bar], 0.0, colour);
    }
    let score_line = (score_top - (line - bar) / 2.0) as u32;
    canvas.text(layout.pad, score_line, "score", label);
    canvas.fill([left, score_top, right - left, bar], bar / 2.0, TRACK);
    let end = x_of(inspection.score).max(left + bar);
    canvas.fill(
        [left, score_top, end - left, bar],
        bar / 2.0,
        verdict(inspection.verdict),
    );

    let ticks_top = (score_top + bar + line * 0.3) as u32;
    for (score, text) in [
        (0.0, "0"),
        (0.5, "0.5"),
        (1.0, "1.0 limit"),
        (1.5, "1.5"),
        (2.0, "2.0+"),
    ] {
        let x = x_of(score);
        let is_limit = score == 1.0;
        let style = if is_limit {
            Style::bold(layout.small, INK)
        } else {
            label
        };
        if is_limit {
            let ends = [
                [x, heat_top - line * 0.2],
                [x, score_top + bar + line * 0.25],
            ];
            canvas.line(&ends, 5.0, BACKGROUND);
            canvas.line(&ends, 2.0, INK);
        }
        // The number itself, not the whole text, stands under the tick.
        let number = text.split(' ').next().unwrap_or(text);
        let start = x - style.width(number) as f32 / 2.0;
        canvas.text(start.max(0.0) as u32, ticks_top, text, style);
    }
}
