//! The overlay of one image: the original beside the same image with heat and outlined regions,
//! under a strip with the verdict, over a scale that shows the score against the limit.

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::RasterHeight;

use super::draw::{Canvas, Point, Style};
use super::outline::{dashes, outline};
use super::palette::{
    BACKGROUND, EDGE, HEAT_TOP, INK, MUTED, OUTLINE, TRACK, heat, heat_alpha, mix, verdict,
};
use super::words::score_text;
use crate::evaluate::rasterise;
use crate::inspect::{Inspection, Pathway, Region, Verdict};

/// The longer side of each of the two pictures, px: smaller images are enlarged, larger ones
/// reduced.
const PICTURE_PX: [u32; 2] = [560, 1200];
/// Narrower, the header and the scale would not be readable, px.
const LEAST_WIDTH: u32 = 720;
/// Pictures wider than this many times their height stand one above the other.
const STACK_FROM: f32 = 1.7;
/// Regions that get a number and a line of text; all get an outline.
const LISTED: usize = 8;
const OUTLINE_KEY: &str = "solid: wrong in itself (what), dashed: wrong in its place (where)";

/// Draws the overlay of `original`, on which `inspection` was made, named by `title` (usually the
/// file name).
///
/// The longer side of each picture is 560 to 1200 pixels whatever the size of the image. Regions
/// are numbered from the highest score down; solid outlines are wrong in themselves ("what"),
/// dashed ones wrong in their place ("where").
#[must_use]
pub fn overlay(original: &RgbImage, inspection: &Inspection, title: &str) -> RgbImage {
    overlay_with_truth(original, inspection, title, &[])
}

/// As [`overlay`], with brackets on the original around what people marked as defects: `truth`
/// holds `[x, y, width, height]` in pixels of the original image, as
/// [`RegionTruth::boxes`](crate::evaluate::RegionTruth::boxes) gives them.
#[must_use]
pub fn overlay_with_truth(
    original: &RgbImage,
    inspection: &Inspection,
    title: &str,
    truth: &[[u32; 4]],
) -> RgbImage {
    let layout = Layout::new(original, inspection);
    let mut canvas = Canvas::new(layout.width, layout.height, BACKGROUND);
    header(&mut canvas, &layout, inspection, title);
    let picture = scaled(original, layout.picture);
    let hot = heated(&picture, inspection, [original.width(), original.height()]);
    let caption = Style::regular(layout.small, MUTED);
    let first = if truth.is_empty() {
        "original"
    } else {
        "original, defects in brackets"
    };
    for (text, image, at) in [
        (first, &picture, layout.first),
        ("inspected", &hot, layout.second),
    ] {
        let text = caption.fit(text, layout.picture[0]);
        canvas.text(
            at[0],
            at[1] - caption.line() - layout.pad / 4,
            &text,
            caption,
        );
        canvas.paste(image, at[0], at[1]);
    }
    brackets(&mut canvas, &layout, truth);
    regions(&mut canvas, &layout, inspection);
    scale(&mut canvas, &layout, inspection);
    list(&mut canvas, &layout, &inspection.regions);
    canvas.into_image()
}

/// Where everything goes, in pixels of the overlay.
struct Layout {
    width: u32,
    height: u32,
    /// Size of each picture.
    picture: [u32; 2],
    /// Upper left corners of the two pictures.
    first: [u32; 2],
    second: [u32; 2],
    /// Overlay pixels for one pixel of the original, along x and y.
    zoom: [f32; 2],
    pad: u32,
    header: u32,
    scale_top: u32,
    list_top: u32,
    small: RasterHeight,
    large: RasterHeight,
}

impl Layout {
    fn new(original: &RgbImage, inspection: &Inspection) -> Self {
        let size = [original.width().max(1), original.height().max(1)];
        let longer = size[0].max(size[1]);
        let zoom = longer.clamp(PICTURE_PX[0], PICTURE_PX[1]) as f32 / longer as f32;
        let picture = size.map(|side| ((side as f32 * zoom).round() as u32).max(1));
        let roomy = picture[0].max(picture[1]) > 800;
        let (small, large) = if roomy {
            (RasterHeight::Size20, RasterHeight::Size32)
        } else {
            (RasterHeight::Size16, RasterHeight::Size24)
        };
        let line = small.val() as u32;
        let pad = line;
        let header = large.val() as u32 + pad * 3 / 2;
        let stacked = picture[0] as f32 > STACK_FROM * picture[1] as f32;
        let across = if stacked {
            picture[0]
        } else {
            picture[0] * 2 + pad
        };
        let width = (across + 2 * pad).max(LEAST_WIDTH);
        let left = (width - across) / 2;
        let top = header + pad + line;
        let first = [left, top];
        let second = if stacked {
            [left, top + picture[1] + pad + line]
        } else {
            [left + picture[0] + pad, top]
        };
        let scale_top = second[1] + picture[1] + pad;
        let list_top = scale_top + 3 * line + pad;
        let listed = inspection.regions.len().min(LISTED) as u32
            + u32::from(inspection.regions.len() > LISTED)
            + u32::from(!inspection.regions.is_empty());
        let list_height = if listed == 0 {
            0
        } else {
            listed * (line + line / 4) + pad / 2
        };
        Self {
            width,
            height: list_top + list_height + pad / 2,
            picture,
            first,
            second,
            zoom: [
                picture[0] as f32 / size[0] as f32,
                picture[1] as f32 / size[1] as f32,
            ],
            pad,
            header,
            scale_top,
            list_top,
            small,
            large,
        }
    }

    /// A point of the original image on the second picture.
    fn on_second(&self, p: Point) -> Point {
        std::array::from_fn(|i| self.second[i] as f32 + p[i] * self.zoom[i])
    }

    /// A point of the original image on the first picture.
    fn on_first(&self, p: Point) -> Point {
        std::array::from_fn(|i| self.first[i] as f32 + p[i] * self.zoom[i])
    }

    /// The nearest point on the first picture.
    fn clamp_to_first(&self, p: Point) -> Point {
        std::array::from_fn(|i| {
            let start = self.first[i] as f32;
            p[i].clamp(start, start + self.picture[i] as f32)
        })
    }

    /// Thickness of an outline, px.
    fn stroke(&self) -> f32 {
        (self.picture[0].max(self.picture[1]) as f32 / 400.0).clamp(1.75, 3.0)
    }
}

fn scaled(original: &RgbImage, size: [u32; 2]) -> RgbImage {
    if [original.width(), original.height()] == size {
        return original.clone();
    }
    let filter = if size[0] > original.width() {
        FilterType::CatmullRom
    } else {
        // Widened to the whole pixel when reducing, so it averages and does not alias.
        FilterType::Triangle
    };
    resize(original, size[0], size[1], filter)
}

/// The picture in grey, so that only heat has colour, under the heat of the map. What was not
/// inspected is darker.
fn heated(picture: &RgbImage, inspection: &Inspection, image: [u32; 2]) -> RgbImage {
    let size = [picture.width(), picture.height()];
    let scores = rasterise(&inspection.map, image, size);
    let [left, top, width, height] = inspection.map.area.map(f64::from);
    let inspected = |x: u32, y: u32| {
        let x = (f64::from(x) + 0.5) * f64::from(image[0]) / f64::from(size[0]);
        let y = (f64::from(y) + 0.5) * f64::from(image[1]) / f64::from(size[1]);
        x >= left && x < left + width && y >= top && y < top + height
    };
    let mut hot = picture.clone();
    for ((x, y, pixel), score) in hot.enumerate_pixels_mut().zip(scores) {
        let [r, g, b] = pixel.0.map(u32::from);
        let grey = ((2126 * r + 7152 * g + 722 * b) / 10_000) as u8;
        let base = mix(pixel.0, [grey; 3], 0.85);
        *pixel = Rgb(if inspected(x, y) {
            mix(base, heat(score), heat_alpha(score))
        } else {
            mix(base, EDGE, 0.65)
        });
    }
    hot
}

fn header(canvas: &mut Canvas, layout: &Layout, inspection: &Inspection, title: &str) {
    let word = match inspection.verdict {
        Verdict::Ok => "OK",
        Verdict::Ng => "NG",
    };
    let (height, pad) = (layout.header as f32, layout.pad);
    let style = Style::bold(layout.large, INK);
    let symbol = style.line() as f32 * 0.8;
    let badge = symbol + style.width(word) as f32 + 2.5 * pad as f32;
    let colour = verdict(inspection.verdict);
    canvas.fill([0.0, 0.0, layout.width as f32, height], 0.0, TRACK);
    canvas.fill([0.0, 0.0, badge, height], 0.0, colour);
    let centre = [pad as f32 + symbol / 2.0, height / 2.0];
    canvas.disc(centre, symbol / 2.0, INK);
    let at = |x: f32, y: f32| [centre[0] + x * symbol, centre[1] + y * symbol];
    let thick = symbol / 8.0;
    match inspection.verdict {
        Verdict::Ok => {
            let tick = [at(-0.24, 0.02), at(-0.06, 0.2), at(0.25, -0.17)];
            canvas.line(&tick, thick, colour);
        }
        Verdict::Ng => {
            canvas.line(&[at(-0.19, -0.19), at(0.19, 0.19)], thick, colour);
            canvas.line(&[at(-0.19, 0.19), at(0.19, -0.19)], thick, colour);
        }
    }
    let top = (layout.header - style.line()) / 2;
    canvas.text((pad as f32 * 1.5 + symbol) as u32, top, word, style);

    let score = format!("{} × limit", score_text(inspection.score));
    let right = layout.width - pad - style.width(&score);
    canvas.text(right, top, &score, style);
    let name = Style::regular(layout.large, INK);
    let left = badge as u32 + pad;
    let title = name.fit(title, right.saturating_sub(left + pad));
    canvas.text(left, top, &title, name);
}

fn regions(canvas: &mut Canvas, layout: &Layout, inspection: &Inspection) {
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
fn brackets(canvas: &mut Canvas, layout: &Layout, truth: &[[u32; 4]]) {
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
fn chip_size(layout: &Layout, number: usize) -> [f32; 2] {
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

fn draw_chip(canvas: &mut Canvas, layout: &Layout, chip: [f32; 4], number: usize) {
    let style = Style::bold(layout.small, OUTLINE);
    let text = number.to_string();
    canvas.fill(chip, chip[3] / 4.0, EDGE);
    let x = chip[0] + (chip[2] - style.width(&text) as f32) / 2.0;
    let y = chip[1] + (chip[3] - style.line() as f32) / 2.0;
    canvas.text(x.round() as u32, y.round() as u32, &text, style);
}

/// The heat scale and, on the same axis, the score of the image against the limit.
fn scale(canvas: &mut Canvas, layout: &Layout, inspection: &Inspection) {
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

fn list(canvas: &mut Canvas, layout: &Layout, regions: &[Region]) {
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
        let text = style.fit(&describe(region), room);
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

fn describe(region: &Region) -> String {
    let [x, y, width, height] = region.bbox;
    let (pathway, share) = match region.pathway {
        Pathway::What => ("what", region.what),
        Pathway::Where => ("where", region.where_),
    };
    format!(
        "{} × limit  {pathway} {:.0} %  {width} × {height} px at {x}, {y}",
        score_text(region.score),
        share * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::ScoreMap;

    fn inspection(score: f32, cells: &[u32], size: [u32; 2]) -> Inspection {
        let mut values = vec![0.1; 64];
        for &cell in cells {
            values[cell as usize] = score;
        }
        let region = |&cell: &u32| Region {
            bbox: [
                cell % 8 * size[0] / 8,
                cell / 8 * size[1] / 8,
                size[0] / 8,
                size[1] / 8,
            ],
            area_px: u64::from(size[0] / 8 * (size[1] / 8)),
            score,
            pathway: if cell % 2 == 0 {
                Pathway::What
            } else {
                Pathway::Where
            },
            what: 0.8,
            where_: 0.2,
            blocks: Vec::new(),
            cells: vec![cell],
        };
        Inspection {
            verdict: if cells.is_empty() {
                Verdict::Ok
            } else {
                Verdict::Ng
            },
            score,
            regions: cells.iter().map(region).collect(),
            map: ScoreMap {
                cols: 8,
                rows: 8,
                values,
                area: [0, 0, size[0], size[1]],
            },
        }
    }

    fn grey(size: [u32; 2]) -> RgbImage {
        RgbImage::from_pixel(size[0], size[1], Rgb([128; 3]))
    }

    fn has(image: &RgbImage, colour: [u8; 3]) -> bool {
        image.pixels().any(|p| p.0 == colour)
    }

    #[test]
    fn any_size_gives_a_picture_that_fits_a_screen() {
        for size in [
            [1, 1],
            [16, 900],
            [4000, 60],
            [200, 200],
            [115, 287],
            [4000, 3000],
        ] {
            let image = overlay(&grey(size), &inspection(1.4, &[9], size), "part.png");
            assert!(image.width() >= LEAST_WIDTH, "{size:?}");
            assert!(image.width() <= 2500 && image.height() <= 2500, "{size:?}");
        }
    }

    #[test]
    fn a_good_part_shows_the_original_twice_and_no_outline() {
        let image = overlay(
            &grey([600, 600]),
            &inspection(0.4, &[], [600, 600]),
            "good.png",
        );
        let untouched = image.pixels().filter(|p| p.0 == [128; 3]).count();
        assert!(untouched >= 2 * 600 * 600, "{untouched}");
        assert!(!has(&image, OUTLINE));
    }

    #[test]
    fn a_flagged_region_is_outlined_on_the_second_picture_only() {
        let size = [600, 600];
        let image = overlay(&grey(size), &inspection(1.8, &[27, 36], size), "bad.png");
        let layout = Layout::new(&grey(size), &inspection(1.8, &[27, 36], size));
        let [x, y] = layout.first;
        let original = image::imageops::crop_imm(&image, x, y, 600, 600).to_image();
        assert!(original.pixels().all(|p| p.0 == [128; 3]));
        let [x, y] = layout.second;
        let inspected = image::imageops::crop_imm(&image, x, y, 600, 600).to_image();
        assert!(has(&inspected, OUTLINE));
    }

    #[test]
    fn marked_defects_are_bracketed_on_the_original_only() {
        let size = [600, 600];
        let one = inspection(0.4, &[], size);
        let with = overlay_with_truth(&grey(size), &one, "missed.png", &[[200, 200, 80, 60]]);
        let without = overlay(&grey(size), &one, "missed.png");
        let layout = Layout::new(&grey(size), &one);
        let part = |image: &RgbImage, at: [u32; 2]| {
            image::imageops::crop_imm(image, at[0], at[1], 600, 600).to_image()
        };
        assert!(has(&part(&with, layout.first), INK));
        assert_eq!(part(&with, layout.second), part(&without, layout.second));
    }

    #[test]
    fn what_was_not_inspected_is_darker() {
        let mut one = inspection(0.2, &[], [600, 600]);
        one.map.area = [300, 0, 300, 600];
        let hot = heated(&grey([600, 600]), &one, [600, 600]);
        assert!(hot.get_pixel(10, 300).0[0] < 64);
        assert_eq!(hot.get_pixel(400, 300).0, [128; 3]);
    }

    #[test]
    fn many_regions_are_all_outlined_and_the_first_are_listed() {
        let size = [600, 600];
        let cells: Vec<u32> = (0..32).map(|i| i * 2).collect();
        let few = overlay(&grey(size), &inspection(1.2, &cells[..3], size), "a");
        let many = overlay(&grey(size), &inspection(1.2, &cells, size), "a");
        assert!(many.height() > few.height());
        assert!(many.height() < few.height() + 300);
    }
}
