//! Pictures of groups over many images: what one group covers in several of them, and how it looks
//! from near.

use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};
use noto_sans_mono_bitmap::RasterHeight;

use super::draw::{Canvas, Style};
use super::field::group as group_colour;
use super::outline::around_cells;
use super::palette::{BACKGROUND, EDGE, INK, MUTED, mix};
use super::sheets::{PAD, sheet};
use super::tiles::{groups, photo, tile_size};
use crate::explain::Groups;

/// Longer side of the pictures of whole images, px.
const WHOLE: u32 = 300;

/// Side of the pictures from near, px.
const NEAR: u32 = 144;

/// Share of an image above which a group has no picture from near: it is the background.
const TOO_LARGE: f64 = 0.3;

/// An image at the size of a tile with its groups by *what* and by *where*, and what is near.
#[derive(Debug, Clone)]
pub struct GroupedImage {
    name: String,
    photo: RgbImage,
    groups: [Groups; 2],
    /// For each pathway and group, its largest part from near, if it is small enough.
    near: [Vec<Option<RgbImage>>; 2],
}

impl GroupedImage {
    /// Takes what pictures need of `original`.
    #[must_use]
    pub fn new(name: &str, original: &RgbImage, groups: [Groups; 2]) -> Self {
        let near = groups.each_ref().map(|groups| {
            let areas = groups.areas(original.dimensions());
            let near = |area: &crate::explain::GroupArea| {
                let part = area.parts.first().filter(|_| area.share < TOO_LARGE)?;
                Some(from_near(original, part.bbox))
            };
            areas.iter().map(near).collect()
        });
        Self {
            name: name.into(),
            photo: photo(original, tile_size(original, WHOLE)),
            groups,
            near,
        }
    }

    /// The image, its groups by *what* and by *where*, side by side. Colours and numbers are those
    /// of the groups in all images.
    #[must_use]
    pub fn side_by_side(&self) -> RgbImage {
        let tile = |groups_of: &Groups| {
            let colours: Vec<usize> = (0..groups_of.count).collect();
            groups(&self.photo, groups_of, &colours, true)
        };
        let [what, where_] = self.groups.each_ref().map(tile);
        let row = vec![
            (self.name.clone(), self.photo.clone()),
            ("what".to_owned(), what),
            ("where".to_owned(), where_),
        ];
        sheet(&[row], [self.photo.width(), self.photo.height()])
    }

    /// One group in its own colours and outlined, everything else dark.
    fn lit(&self, pathway: usize, group: usize) -> RgbImage {
        let (width, height) = self.photo.dimensions();
        let labels = &self.groups[pathway].labels;
        let mut lit = self.photo.clone();
        for (x, y, pixel) in lit.enumerate_pixels_mut() {
            let cell = |at: u32, of: usize, side: u32| at as usize * of / side as usize;
            let at = cell(y, labels.rows, height) * labels.cols + cell(x, labels.cols, width);
            if usize::from(labels.values[at]) != group {
                let [r, g, b] = pixel.0.map(u32::from);
                let grey = ((2126 * r + 7152 * g + 722 * b) / 10_000) as u8;
                *pixel = Rgb(mix([grey; 3], EDGE, 0.72));
            }
        }
        let cells: Vec<u32> = (0..)
            .zip(&labels.values)
            .filter(|(_, label)| usize::from(**label) == group)
            .map(|(cell, _)| cell)
            .collect();
        let mut canvas = Canvas::new(width, height, EDGE);
        canvas.paste(&lit, 0, 0);
        for line in around_cells(&cells, [labels.cols, labels.rows], [0, 0, width, height]) {
            canvas.line(&line, 1.6, group_colour(group));
        }
        canvas.into_image()
    }
}

/// A square around a box, a little larger, as far as the image reaches.
fn from_near(original: &RgbImage, [x, y, width, height]: [u32; 4]) -> RgbImage {
    let shorter = original.width().min(original.height());
    let side = (width.max(height) * 5 / 4).clamp(1, shorter.max(1));
    let start = |at: u32, length: u32, whole: u32| {
        (at + length / 2)
            .saturating_sub(side / 2)
            .min(whole.saturating_sub(side))
    };
    let (left, top) = (
        start(x, width, original.width()),
        start(y, height, original.height()),
    );
    let square = crop_imm(original, left, top, side, side).to_image();
    resize(&square, NEAR, NEAR, FilterType::Triangle)
}

/// One group, from 0, of pathway 0 (*what*) or 1 (*where*) in several images: what it covers of each,
/// above its parts from near. `title` and `facts` stand on top.
#[must_use]
pub fn contact_sheet(
    images: &[&GroupedImage],
    (pathway, group): (usize, usize),
    title: &str,
    facts: &str,
) -> RgbImage {
    const COLUMNS: u32 = 4;
    let heading = Style::bold(RasterHeight::Size20, INK);
    let small = Style::regular(RasterHeight::Size16, MUTED);
    let widest = |side: fn(&RgbImage) -> u32| images.iter().map(|i| side(&i.photo)).max();
    let step = [
        widest(RgbImage::width).unwrap_or(WHOLE) + PAD,
        widest(RgbImage::height).unwrap_or(WHOLE) + small.line() + PAD,
    ];
    let near: Vec<&RgbImage> = images
        .iter()
        .filter_map(|image| image.near[pathway].get(group)?.as_ref())
        .collect();
    let columns = (images.len() as u32).clamp(3, COLUMNS);
    let width = columns * step[0] + PAD;
    let near_columns = ((width - PAD) / (NEAR + PAD)).max(1);
    let top = PAD + heading.line() + small.line() + 2 * PAD;
    let near_top = top + (images.len() as u32).div_ceil(columns) * step[1];
    let near_rows = (near.len() as u32).div_ceil(near_columns);
    let mut canvas = Canvas::new(width, near_top + near_rows * (NEAR + PAD) + PAD, BACKGROUND);
    let swatch = heading.line() as f32;
    let pad = PAD as f32;
    canvas.fill(
        [pad, pad, swatch, swatch],
        swatch / 5.0,
        group_colour(group),
    );
    let left = 2 * PAD + heading.line();
    canvas.text(left, PAD, &heading.fit(title, width - left - PAD), heading);
    canvas.text(
        PAD,
        PAD + heading.line() + PAD / 2,
        &small.fit(facts, width - 2 * PAD),
        small,
    );
    for (image, number) in images.iter().zip(0..) {
        let (x, y) = (
            number % columns * step[0] + PAD,
            number / columns * step[1] + top,
        );
        canvas.text(x, y, &small.fit(&image.name, step[0] - PAD), small);
        canvas.paste(&image.lit(pathway, group), x, y + small.line() + 2);
    }
    for (picture, number) in near.iter().zip(0..) {
        let x = number % near_columns * (NEAR + PAD) + PAD;
        canvas.paste(picture, x, number / near_columns * (NEAR + PAD) + near_top);
    }
    canvas.into_image()
}
