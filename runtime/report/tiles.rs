//! Small pictures of one view of an image: an eigenvector, three at once, or the groups.

use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma, Rgb, RgbImage};
use imageproc::distance_transform::{Norm, distance_transform};
use nalgebra::DMatrix;
use noto_sans_mono_bitmap::RasterHeight;

use super::draw::{Canvas, Style};
use super::field::{group, signed, three};
use super::outline::around_cells;
use super::palette::{EDGE, INK, mix};
use crate::evaluate::rasterise;
use crate::explain::{Groups, Labels};
use crate::inspect::ScoreMap;
use crate::vit::Grid;

/// Share of an eigenvector's values that fall within its colours; the few beyond it look like its
/// ends.
const WITHIN: f64 = 0.98;

/// The photograph at the size of a tile.
pub(super) fn photo(original: &RgbImage, size: [u32; 2]) -> RgbImage {
    resize(original, size[0], size[1], FilterType::Triangle)
}

/// Size of a tile whose longer side is `longest` pixels, in the shape of `picture`.
pub(super) fn tile_size(picture: &RgbImage, longest: u32) -> [u32; 2] {
    let (width, height) = picture.dimensions();
    let zoom = f64::from(longest) / f64::from(width.max(height).max(1));
    [width, height].map(|side| ((f64::from(side) * zoom).round() as u32).max(1))
}

/// Column `index` of `functions` `[patches, k]`.
pub(super) fn eigenvector(
    functions: &DMatrix<f64>,
    index: usize,
    grid: Grid,
    size: [u32; 2],
) -> RgbImage {
    let field = field(functions, index, grid, size);
    picture(size, field.into_iter().map(|v| signed(f64::from(v))))
}

/// The first three columns of `functions` `[patches, 3]` as one colour.
pub(super) fn composite(functions: &DMatrix<f64>, grid: Grid, size: [u32; 2]) -> RgbImage {
    let fields: Vec<Vec<f32>> = (0..3).map(|c| field(functions, c, grid, size)).collect();
    let pixels = (0..fields[0].len()).map(|i| [0, 1, 2].map(|c| f64::from(fields[c][i])));
    picture(size, pixels.map(three))
}

/// The groups over the photograph, which is turned to grey so that only groups have colour.
/// `colours` gives the colour number of each group, and numbers are written if `numbered`.
pub(super) fn groups(
    photo: &RgbImage,
    groups: &Groups,
    colours: &[usize],
    numbered: bool,
) -> RgbImage {
    let (width, height) = photo.dimensions();
    let labels = &groups.labels;
    let mut tinted = photo.clone();
    for (x, y, pixel) in tinted.enumerate_pixels_mut() {
        let label = label_at(labels, [x, y], [width, height]);
        let [r, g, b] = pixel.0.map(u32::from);
        let grey = ((2126 * r + 7152 * g + 722 * b) / 10_000) as u8;
        *pixel = Rgb(mix([grey; 3], group(colours[label]), 0.42));
    }
    let mut canvas = Canvas::new(width, height, EDGE);
    canvas.paste(&tinted, 0, 0);
    let thick = (width.max(height) as f32 / 280.0).max(1.0);
    let lines: Vec<_> = (0..groups.count)
        .flat_map(|number| {
            let cells: Vec<u32> = (0..)
                .zip(&labels.values)
                .filter(|(_, label)| usize::from(**label) == number)
                .map(|(cell, _)| cell)
                .collect();
            around_cells(&cells, [labels.cols, labels.rows], [0, 0, width, height])
        })
        .collect();
    // All the dark edges first: two groups share the line between them.
    for (width, colour) in [(2.2 * thick, EDGE), (thick, INK)] {
        for line in &lines {
            canvas.line(line, width, colour);
        }
    }
    if numbered {
        for number in 0..groups.count {
            number_chip(&mut canvas, labels, number, [width, height]);
        }
    }
    canvas.into_image()
}

/// The number of a group, from 1, where the group is widest.
fn number_chip(canvas: &mut Canvas, labels: &Labels, number: usize, size: [u32; 2]) {
    let inside = |x: u32, y: u32| {
        let in_grid = x > 0 && y > 0 && x as usize <= labels.cols && y as usize <= labels.rows;
        in_grid
            && usize::from(labels.values[(y as usize - 1) * labels.cols + x as usize - 1]) == number
    };
    // A border of one cell, so that the edge of the picture counts as an edge of the group.
    let outside = GrayImage::from_fn(labels.cols as u32 + 2, labels.rows as u32 + 2, |x, y| {
        Luma([if inside(x, y) { 0 } else { 255 }])
    });
    let depth = distance_transform(&outside, Norm::L1);
    let deepest = depth
        .enumerate_pixels()
        .max_by_key(|(x, y, p)| (p.0[0], std::cmp::Reverse((*y, *x))));
    let Some((x, y, _)) = deepest.filter(|(_, _, depth)| depth.0[0] > 0) else {
        return;
    };
    let at = |cell: u32, of: usize, side: u32| (cell as f32 - 0.5) * side as f32 / of as f32;
    let (x, y) = (at(x, labels.cols, size[0]), at(y, labels.rows, size[1]));
    let style = Style::bold(RasterHeight::Size20, INK);
    let text = (number + 1).to_string();
    let half = [style.width(&text) as f32 / 2.0, style.line() as f32 / 2.0];
    let radius = half[1] * 1.15;
    let x = x.clamp(radius, (size[0] as f32 - radius).max(radius));
    let y = y.clamp(radius, (size[1] as f32 - radius).max(radius));
    canvas.disc([x, y], radius, EDGE);
    canvas.text((x - half[0]) as u32, (y - half[1]) as u32, &text, style);
}

fn label_at(labels: &Labels, [x, y]: [u32; 2], [width, height]: [u32; 2]) -> usize {
    let cell = |at: u32, of: usize, side: u32| at as usize * of / side as usize;
    let (col, row) = (cell(x, labels.cols, width), cell(y, labels.rows, height));
    usize::from(labels.values[row * labels.cols + col])
}

/// One column at every pixel, -1..=1 over most of its values.
fn field(functions: &DMatrix<f64>, index: usize, grid: Grid, size: [u32; 2]) -> Vec<f32> {
    if index >= functions.ncols() {
        return vec![0.0; (size[0] * size[1]) as usize];
    }
    let column = functions.column(index);
    let mut magnitudes: Vec<f64> = column.iter().map(|v| v.abs()).collect();
    magnitudes.sort_by(f64::total_cmp);
    let top = magnitudes[((magnitudes.len() - 1) as f64 * WITHIN) as usize].max(f64::MIN_POSITIVE);
    let map = ScoreMap {
        cols: grid.cols,
        rows: grid.rows,
        values: column.iter().map(|v| (v / top) as f32).collect(),
        area: [0, 0, size[0], size[1]],
        kept: None,
    };
    rasterise(&map, size, size)
}

fn picture(size: [u32; 2], colours: impl Iterator<Item = [u8; 3]>) -> RgbImage {
    let mut picture = RgbImage::new(size[0], size[1]);
    for (pixel, colour) in picture.pixels_mut().zip(colours) {
        *pixel = Rgb(colour);
    }
    picture
}
