//! The overlay of one image: the original beside the same image with heat and outlined regions,
//! under a strip with the verdict, over a scale that shows the score against the limit.

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

use super::draw::{Canvas, Style};
use super::layout::Layout;
use super::listing::list;
use super::marks::{brackets, regions};
use super::palette::{BACKGROUND, EDGE, INK, MUTED, TRACK, heat, heat_alpha, mix, verdict};
use super::scale::scale;
use super::words::score_text;
use crate::evaluate::rasterise;
use crate::inspect::{Inspection, Verdict};

/// Draws the overlay of `original`, on which `inspection` was made, named by `title` (usually the
/// file name).
///
/// The longer side of each picture is 560 to 1200 pixels whatever the size of the image. Regions
/// are numbered from the highest score down; solid outlines are wrong in themselves ("what"),
/// dashed ones wrong in their place ("where").
#[must_use]
pub fn overlay(original: &RgbImage, inspection: &Inspection, title: &str) -> RgbImage {
    draw(original, inspection, title, &[], &[])
}

/// As [`overlay`]; `notes` stand behind the regions in the list below, in their order.
#[must_use]
pub fn overlay_with_notes(
    original: &RgbImage,
    inspection: &Inspection,
    title: &str,
    notes: &[String],
) -> RgbImage {
    draw(original, inspection, title, &[], notes)
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
    draw(original, inspection, title, truth, &[])
}

fn draw(
    original: &RgbImage,
    inspection: &Inspection,
    title: &str,
    truth: &[[u32; 4]],
    notes: &[String],
) -> RgbImage {
    let size = [original.width(), original.height()];
    let layout = Layout::new(size, inspection.regions.len());
    let mut canvas = Canvas::new(layout.width, layout.height, BACKGROUND);
    header(&mut canvas, &layout, inspection, title);
    let picture = scaled(original, layout.picture);
    let hot = heated(&picture, inspection, size);
    let caption = Style::regular(layout.small, MUTED);
    let first = if truth.is_empty() {
        "original"
    } else {
        "original, defects in brackets"
    };
    let second = match inspection.layout {
        Some(far) if far >= 1.0 => format!("inspected; layout {far:.2} of its limit"),
        _ => "inspected".into(),
    };
    for (text, image, at) in [
        (first, &picture, layout.first),
        (&second, &hot, layout.second),
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
    list(&mut canvas, &layout, &inspection.regions, notes);
    canvas.into_image()
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
        let inside = x >= left && x < left + width && y >= top && y < top + height;
        let kept = inspection.map.kept.as_ref();
        inside
            && kept.is_none_or(|kept| {
                let grid = kept.grid();
                let row = (y - top) / height * grid.rows as f64;
                let col = (x - left) / width * grid.cols as f64;
                kept.number(row as usize * grid.cols + col as usize)
                    .is_some()
            })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::ScoreMap;
    use crate::inspect::{Pathway, Region};
    use crate::report::layout::LEAST_WIDTH;
    use crate::report::palette::OUTLINE;

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
            layout: None,
            regions: cells.iter().map(region).collect(),
            map: ScoreMap {
                cols: 8,
                rows: 8,
                values,
                area: [0, 0, size[0], size[1]],
                kept: None,
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
    fn the_layout_is_named_only_beyond_its_limit() {
        let size = [600, 600];
        let drawn = |layout| {
            let inspection = Inspection {
                layout,
                ..inspection(0.4, &[], size)
            };
            overlay(&grey(size), &inspection, "good.png")
        };
        assert_eq!(drawn(Some(0.9)), drawn(None));
        assert_ne!(drawn(Some(1.4)), drawn(None));
    }

    #[test]
    fn a_flagged_region_is_outlined_on_the_second_picture_only() {
        let size = [600, 600];
        let image = overlay(&grey(size), &inspection(1.8, &[27, 36], size), "bad.png");
        let layout = Layout::new(size, 2);
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
        let layout = Layout::new(size, 0);
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
    fn what_a_mask_leaves_out_is_darker() {
        let mut one = inspection(0.2, &[], [600, 600]);
        let grid = crate::vit::Grid { rows: 2, cols: 2 };
        one.map.kept = crate::vit::Kept::new(grid, |patch| *patch == 3);
        let hot = heated(&grey([600, 600]), &one, [600, 600]);
        assert!(hot.get_pixel(299, 599).0[0] < 64);
        assert_eq!(hot.get_pixel(300, 300).0, [128; 3]);
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
