//! Pictures of one explained image: *what* beside *where*.

use image::RgbImage;
use noto_sans_mono_bitmap::RasterHeight;

use super::draw::{Canvas, Style};
use super::palette::{BACKGROUND, INK, MUTED};
use super::tiles::{composite, eigenvector, groups, photo, tile_size};
use crate::explain::{Layers, Spectrum};

/// Eigenvectors that are drawn.
pub(super) const SHOWN: usize = 6;

pub(super) const PAD: u32 = 12;

/// The photograph, its groups by *what*, its groups by *where*, side by side; all blocks together.
/// The longer side of each is `longest` pixels.
#[must_use]
pub fn group_sheet(
    original: &RgbImage,
    [what, where_]: [&Layers; 2],
    title: &str,
    longest: u32,
) -> RgbImage {
    let size = tile_size(original, longest);
    let photo = photo(original, size);
    let tile = |layers: &Layers| {
        let own: Vec<usize> = (0..layers.together.groups.count).collect();
        groups(&photo, &layers.together.groups, &own, true)
    };
    let caption = |layers: &Layers| {
        let count = layers.together.groups.count;
        format!("{}: {count} groups", layers.pathway.as_str())
    };
    let row = [
        (title.to_owned(), photo.clone()),
        (caption(what), tile(what)),
        (caption(where_), tile(where_)),
    ];
    sheet(&[row.into()], size)
}

/// The leading eigenvectors, *what* above *where*, after the photograph; all blocks together. The
/// longer side of each is `longest` pixels.
#[must_use]
pub fn eigenvector_sheet(
    original: &RgbImage,
    layers: [&Layers; 2],
    title: &str,
    longest: u32,
) -> RgbImage {
    let size = tile_size(original, longest);
    let photo = photo(original, size);
    let rows = layers.map(|layers| {
        let spectrum = &layers.together.spectrum;
        let functions = spectrum.functions();
        let mut row = vec![(title.to_owned(), photo.clone())];
        row.extend(
            spectrum
                .values
                .iter()
                .take(SHOWN)
                .enumerate()
                .map(|(i, value)| {
                    let caption = format!("{} {}: {value:.3}", layers.pathway.as_str(), i + 1);
                    (caption, eigenvector(&functions, i, layers.grid, size))
                }),
        );
        row
    });
    sheet(&rows, size)
}

/// Three eigenvectors at once as one colour, of all blocks together and of each alone, *what* above
/// *where*. The colours of the blocks are turned to agree with those of all together.
#[must_use]
pub fn block_sheet(
    original: &RgbImage,
    layers: [&Layers; 2],
    title: &str,
    longest: u32,
) -> RgbImage {
    let size = tile_size(original, longest);
    let photo = photo(original, size);
    let rows = layers.map(|layers| {
        let word = layers.pathway.as_str();
        let to = layers.together.spectrum.functions();
        let tile = |spectrum: &Spectrum| {
            composite(&spectrum.first_three_turned_to(&to), layers.grid, size)
        };
        let mut row = vec![(title.to_owned(), photo.clone())];
        row.push((format!("{word}, all"), tile(&layers.together.spectrum)));
        let blocks = layers.blocks.iter();
        row.extend(blocks.map(|(block, layer)| (format!("block {block}"), tile(&layer.spectrum))));
        row
    });
    sheet(&rows, size)
}

/// Rows of captioned tiles of one size.
pub(super) fn sheet(rows: &[Vec<(String, RgbImage)>], [width, height]: [u32; 2]) -> RgbImage {
    let style = Style::regular(RasterHeight::Size16, INK);
    let first = Style::regular(RasterHeight::Size16, MUTED);
    let step = [width + PAD, height + style.line() + PAD + PAD / 2];
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let mut canvas = Canvas::new(
        columns * step[0] + PAD,
        rows.len() as u32 * step[1] + PAD,
        BACKGROUND,
    );
    for (row, y) in rows.iter().zip((0..).map(|r| r * step[1] + PAD)) {
        for ((caption, tile), column) in row.iter().zip(0..) {
            let x = column * step[0] + PAD;
            let style = if column == 0 { first } else { style };
            canvas.text(x, y, &style.fit(caption, width), style);
            canvas.paste(tile, x, y + style.line() + PAD / 2);
        }
    }
    canvas.into_image()
}
