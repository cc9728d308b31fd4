//! Plots as SVG elements for pages.
//!
//! The colours below are those of the light page. The style sheet recolours them for dark pages by
//! selecting on these very values, so each stands for one meaning: [`INK`], [`GOOD`], ...

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::evaluate::{PRO_LIMIT, ProPoint, RocPoint};

pub(super) const INK: RGBColor = RGBColor(0x2b, 0x31, 0x38);
pub(super) const FAINT: RGBColor = RGBColor(0xdf, 0xe3, 0xe8);
pub(super) const GOOD: RGBColor = RGBColor(0x0b, 0x80, 0x66);
pub(super) const BAD: RGBColor = RGBColor(0xcc, 0x3d, 0x15);
pub(super) const CURVE: RGBColor = RGBColor(0x24, 0x5f, 0xb8);

const FONT: &str = "system-ui, sans-serif";
/// Scores are drawn up to here; higher ones count into the last bar.
const HISTOGRAM_TOP: f64 = 4.0;
const BARS_PER_LIMIT: f64 = 20.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// One image in a sequence.
pub(super) struct SequencePoint {
    pub(super) score: f64,
    pub(super) bad: bool,
}

/// Good scores upwards, bad scores downwards, and the limit: sides and words tell them apart, not
/// colour alone.
pub(super) fn histogram(good: &[f64], bad: &[f64]) -> String {
    let highest = good.iter().chain(bad).copied().fold(0.0, f64::max);
    let top = (highest * 1.02).clamp(1.5, HISTOGRAM_TOP);
    let bars = (top * BARS_PER_LIMIT).ceil() as usize;
    let count = |scores: &[f64]| {
        let mut counts = vec![0_i32; bars];
        for score in scores {
            let bar = (score.max(0.0) * BARS_PER_LIMIT) as usize;
            counts[bar.min(bars - 1)] += 1;
        }
        counts
    };
    let (up, down) = (count(good), count(bad));
    let reach = |counts: &[i32]| f64::from(counts.iter().copied().max().unwrap_or(0)) * 1.25 + 0.6;
    let (above, below) = (reach(&up), reach(&down));
    svg((1000, 320), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..bars as f64 / BARS_PER_LIMIT, -below..above)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style((FONT, 14).into_font().color(&INK))
            .x_desc("score / limit")
            .y_desc("images")
            .y_labels(7)
            .y_label_formatter(&|v| format!("{:.0}", v.abs()))
            .draw()?;
        let bar = |index: usize, count: i32, colour: RGBColor| {
            let left = index as f64 / BARS_PER_LIMIT;
            let inset = 0.08 / BARS_PER_LIMIT;
            let right = left + 1.0 / BARS_PER_LIMIT - inset;
            let corners = [(left + inset, 0.0), (right, f64::from(count))];
            Rectangle::new(corners, colour.filled())
        };
        let used = |counts: Vec<i32>| counts.into_iter().enumerate().filter(|(_, n)| *n > 0);
        chart.draw_series(used(up).map(|(i, n)| bar(i, n, GOOD)))?;
        chart.draw_series(used(down).map(|(i, n)| bar(i, -n, BAD)))?;
        chart.draw_series([PathElement::new(
            vec![(0.0, 0.0), (bars as f64 / BARS_PER_LIMIT, 0.0)],
            INK,
        )])?;
        chart.draw_series([PathElement::new(
            vec![(1.0, -below), (1.0, above)],
            INK.stroke_width(2),
        )])?;
        let words = |text: String, at: (f64, f64), colour: RGBColor| {
            Text::new(text, at, (FONT, 15).into_font().color(&colour))
        };
        let inset = 0.012 * top;
        chart.draw_series([
            words(
                format!("good parts ({})", good.len()),
                (inset, above * 0.97),
                GOOD,
            ),
            words(
                format!("bad parts ({})", bad.len()),
                (inset, -below * 0.80),
                BAD,
            ),
            words("limit".to_owned(), (1.0 + inset, above * 0.97), INK),
        ])?;
        Ok(())
    })
}

/// The ROC curve; a ring marks the limit in use.
pub(super) fn roc(points: &[RocPoint], good: usize, bad: usize, in_use: (f64, f64)) -> String {
    let (good, bad) = (good.max(1) as f64, bad.max(1) as f64);
    let line: Vec<(f64, f64)> = points
        .iter()
        .map(|p| (p.false_rejects as f64 / good, p.catches as f64 / bad))
        .collect();
    svg((480, 400), |area| {
        let mut chart = square(
            area,
            1.0,
            "false rejects / good parts",
            "catches / bad parts",
        )?;
        chart.draw_series([PathElement::new(vec![(0.0, 0.0), (1.0, 1.0)], FAINT)])?;
        chart.draw_series(AreaSeries::new(line.iter().copied(), 0.0, CURVE.mix(0.12)))?;
        chart.draw_series([PathElement::new(line, CURVE.stroke_width(2))])?;
        chart.draw_series([Circle::new(in_use, 6, INK.stroke_width(2))])?;
        Ok(())
    })
}

/// The PRO curve up to the false-positive rate that counts.
pub(super) fn pro(curve: &[ProPoint]) -> String {
    let line = up_to_limit(curve);
    svg((480, 400), |area| {
        let mut chart = square(
            area,
            PRO_LIMIT,
            "flagged share of defect-free pixels",
            "mean flagged share of a defect",
        )?;
        chart.draw_series(AreaSeries::new(line.iter().copied(), 0.0, CURVE.mix(0.12)))?;
        chart.draw_series([PathElement::new(line, CURVE.stroke_width(2))])?;
        Ok(())
    })
}

/// The part of the curve that AU-PRO integrates, its end interpolated.
fn up_to_limit(curve: &[ProPoint]) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for point in curve {
        let (x, y) = (point.false_positive_rate, point.overlap);
        if x > PRO_LIMIT {
            let (x0, y0) = line.last().copied().unwrap_or((0.0, 0.0));
            let part = (PRO_LIMIT - x0) / (x - x0);
            line.push((PRO_LIMIT, y0 + (y - y0) * part));
            break;
        }
        line.push((x, y));
    }
    line
}

/// Scores one after the other, against the limit: discs are good parts, triangles bad ones.
pub(super) fn sequence(points: &[SequencePoint]) -> String {
    let highest = points.iter().map(|p| p.score).fold(0.0, f64::max);
    let top = (highest * 1.08).clamp(1.5, HISTOGRAM_TOP);
    let end = points.len() as f64 + 1.0;
    svg((1000, 300), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..end, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style((FONT, 14).into_font().color(&INK))
            .x_desc("part")
            .y_desc("score / limit")
            .x_label_formatter(&|v| format!("{v:.0}"))
            .y_label_formatter(&|v| format!("{v:.1}"))
            .draw()?;
        chart.draw_series([PathElement::new(
            vec![(0.0, 1.0), (end, 1.0)],
            INK.stroke_width(2),
        )])?;
        let at = |bad: bool| {
            points
                .iter()
                .zip(1..)
                .filter(move |(p, _)| p.bad == bad)
                .map(move |(p, n)| (f64::from(n), p.score.clamp(0.0, top)))
        };
        chart.draw_series(at(false).map(|p| Circle::new(p, 4, GOOD.filled())))?;
        chart.draw_series(at(true).map(|p| TriangleMarker::new(p, 6, BAD.filled())))?;
        Ok(())
    })
}

type Square<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Axes from 0 to `right` and from 0 to 1.
fn square<'a, 'b>(
    area: &'a Area<'b>,
    right: f64,
    x: &str,
    y: &str,
) -> Result<Square<'a, 'b>, Box<dyn std::error::Error>>
where
    'b: 'a,
{
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..right, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style((FONT, 14).into_font().color(&INK))
        .x_desc(x)
        .y_desc(y)
        .x_labels(6)
        .y_labels(6)
        .draw()?;
    Ok(chart)
}

fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    match drawn {
        Ok(()) => text,
        // A report with a hole that says so is worth more than no report.
        Err(error) => maud::html! { p { "This plot could not be drawn: " (error) } }.into_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate;

    #[test]
    fn the_histogram_names_both_sides_and_the_limit() {
        let plot = histogram(&[0.2, 0.4, 0.4], &[1.5, 9.0]);
        assert!(plot.starts_with("<svg"), "{plot}");
        for words in ["good parts (3)", "bad parts (2)", "limit"] {
            assert!(plot.contains(words), "{words}");
        }
        assert_eq!(plot.matches("#0B8066").count(), 3, "two bars and a label");
    }

    #[test]
    fn odd_input_still_gives_a_plot() {
        for plot in [
            histogram(&[], &[]),
            histogram(&[-1.0], &[f64::INFINITY]),
            roc(&[], 0, 0, (0.0, 0.0)),
            pro(&[]),
            sequence(&[]),
        ] {
            assert!(plot.starts_with("<svg") && !plot.contains("NaN"), "{plot}");
        }
    }

    #[test]
    fn the_pro_curve_ends_where_it_is_integrated_to() {
        let curve = [(0.0, 0.0), (0.2, 0.8), (1.0, 1.0)].map(|(x, y)| ProPoint {
            false_positive_rate: x,
            overlap: y,
        });
        let (x, y) = up_to_limit(&curve)[2];
        assert!(
            (x - 0.3).abs() < 1e-12 && (y - 0.825).abs() < 1e-12,
            "{x} {y}"
        );
    }

    #[test]
    fn the_limit_in_use_is_marked_on_the_roc_curve() {
        let points = evaluate::roc(&[0.1, 0.2], &[0.3, 0.4]).unwrap();
        assert_eq!(roc(&points, 2, 2, (0.0, 1.0)).matches("<circle").count(), 1);
    }
}
