//! The page that `explain` writes: the eigenvectors of each image as pictures, *what* beside
//! *where*, block by block and all together.

use image::{ImageError, RgbImage};
use maud::{Markup, html};

use super::judged::Picture;
use super::page::{facts, page, picture, section};
use super::sheets::{eigenvector_sheet, group_sheet};
use super::tiles::{composite, groups, photo, tile_size};
use crate::explain::{Layer, Layers};

/// Longer side of the pictures of groups, of eigenvectors, and of single blocks, in pixels.
const GROUP_TILE: u32 = 400;
const EIGENVECTOR_TILE: u32 = 220;
const LAYER_TILE: u32 = 230;

/// One image of the page. It holds small pictures only, so that many images fit in memory.
#[derive(Debug, Clone)]
pub struct ExplainedImage {
    name: String,
    groups: Picture,
    eigenvectors: Picture,
    /// All blocks together, then each alone.
    layers: Vec<LayerPictures>,
}

/// What one position of the slider shows, *what* and *where*.
#[derive(Debug, Clone)]
struct LayerPictures {
    name: String,
    pathways: [PathwayPictures; 2],
}

#[derive(Debug, Clone)]
struct PathwayPictures {
    pathway: &'static str,
    composite: Picture,
    groups: Picture,
    count: usize,
    place: f64,
    values: Vec<f64>,
    residual: f64,
    converged: bool,
}

impl ExplainedImage {
    /// Draws the pictures of `original`, named `name`, explained by *what* and *where*.
    ///
    /// # Errors
    /// When the image is empty or the encoder refuses it.
    pub fn new(name: &str, original: &RgbImage, layers: [&Layers; 2]) -> Result<Self, ImageError> {
        let whole = |sheet: &RgbImage| Picture::thumbnail(sheet, u32::MAX);
        let size = tile_size(original, LAYER_TILE);
        let small = photo(original, size);
        let view = |name: String, chosen: [&Layer; 2]| {
            let [what, where_] = [0, 1].map(|i| pathway(&small, layers[i], chosen[i]));
            Ok::<_, ImageError>(LayerPictures {
                name,
                pathways: [what?, where_?],
            })
        };
        let mut views = vec![view("all blocks".into(), layers.map(|l| &l.together))?];
        for ((block, what), (_, where_)) in layers[0].blocks.iter().zip(&layers[1].blocks) {
            views.push(view(format!("block {block}"), [what, where_])?);
        }
        Ok(Self {
            name: name.into(),
            groups: whole(&group_sheet(original, layers, "image", GROUP_TILE))?,
            eigenvectors: whole(&eigenvector_sheet(
                original,
                layers,
                "image",
                EIGENVECTOR_TILE,
            ))?,
            layers: views,
        })
    }
}

fn pathway(
    small: &RgbImage,
    layers: &Layers,
    layer: &Layer,
) -> Result<PathwayPictures, ImageError> {
    let size = [small.width(), small.height()];
    let together = &layers.together;
    let turned = layer
        .spectrum
        .first_three_turned_to(&together.spectrum.functions());
    let colours = layer.groups.matched_to(&together.groups);
    let tile = groups(small, &layer.groups, &colours, false);
    let residuals = layer.spectrum.residuals.iter();
    Ok(PathwayPictures {
        pathway: layers.pathway.as_str(),
        composite: Picture::thumbnail(&composite(&turned, layers.grid, size), u32::MAX)?,
        groups: Picture::thumbnail(&tile, u32::MAX)?,
        count: layer.groups.count,
        place: layer.spectrum.place(layers.grid),
        values: layer.spectrum.values.clone(),
        residual: residuals.copied().fold(0.0, f64::max),
        converged: layer.spectrum.converged,
    })
}

/// Everything the page shows. The caller gives the date; the page reads no clock.
#[derive(Debug, Clone)]
pub struct ExplanationReport {
    /// The heading.
    pub title: String,
    /// When, as it shall be printed.
    pub date: String,
    /// The images, in the order to show them.
    pub images: Vec<ExplainedImage>,
    /// Images that could not be explained, and why.
    pub failed: Vec<(String, String)>,
    /// Model, settings, times, in the order to print them.
    pub identity: Vec<(String, String)>,
}

impl ExplanationReport {
    /// The page, one self-contained file.
    #[must_use]
    pub fn html(&self) -> String {
        let body = html! {
            (section("How to read it", &how_to_read()))
            @for image in &self.images { (section(&image.name, &explained(image))) }
            @if !self.failed.is_empty() {
                (section("Not explained", &facts(&self.failed)))
            }
            (section("Model and settings", &facts(&self.identity)))
        };
        page(
            &self.title,
            &format!("What and where, {}", self.date),
            &body,
        )
    }
}

fn how_to_read() -> Markup {
    html! {
        p { "The network describes each small square patch of an image in every block. Two patches \
             are near each other by " b { "what" } " when their values are alike: same material, same \
             kind of thing. They are near by " b { "where" } " when one asks for the other: queries \
             against keys, which follow the layout. Each eigenvector is the next best way to \
             split all patches so that near ones stay together; groups are cut from the first few." }
        p { "An eigenvector has no sign of its own: blue against orange matters, which side is \
             which does not. The number beside it is its eigenvalue: the larger, the more the patches \
             hang together within the two sides. In the views by block one colour stands for three \
             eigenvectors at once, turned to agree with the view of all blocks." }
        p { b { "Place" } " says how well row and column of a patch can be read from the eigenvectors \
             by a linear function (R\u{b2}): 0 not at all, 1 exactly. It shows how far " i { "what" }
             " is from being free of " i { "where" } "." }
    }
}

fn explained(image: &ExplainedImage) -> Markup {
    html! {
        figure.sheet { (picture(&image.groups, &format!("groups of {}", image.name)))
            figcaption { "Groups by what and by where, all blocks together. Numbers go from the \
                largest group down." } }
        figure.sheet { (picture(&image.eigenvectors, &format!("eigenvectors of {}", image.name)))
            figcaption { "The leading eigenvectors with their eigenvalues: what above, where below." } }
        h3 { @if image.layers.len() > 1 { "Block by block" } @else { "All blocks" } }
        div.layers {
            @for layer in &image.layers { (view(layer)) }
        }
        details { summary { "Numbers" } (numbers(&image.layers)) }
    }
}

fn view(layer: &LayerPictures) -> Markup {
    html! {
        div.layer data-name=(layer.name) {
            h4 { (layer.name) }
            div.views {
                @for one in &layer.pathways {
                    figure {
                        div.pair {
                            (picture(&one.composite, &format!("{} eigenvectors, {}", one.pathway, layer.name)))
                            (picture(&one.groups, &format!("{} groups, {}", one.pathway, layer.name)))
                        }
                        figcaption { b { (one.pathway) } ", " (one.count) " groups, place "
                            (format!("{:.2}", one.place)) }
                    }
                }
            }
        }
    }
}

fn numbers(layers: &[LayerPictures]) -> Markup {
    html! {
        div.scroll { table.sortable {
            thead { tr { th { "Blocks" } th { "Pathway" } th.number { "Groups" } th.number { "Place" }
                th.number { "Residual" } th { "Eigenvalues" } } }
            tbody {
                @for (number, layer) in layers.iter().enumerate() { @for one in &layer.pathways { tr {
                    td data-sort=(number) { (layer.name) }
                    td { (one.pathway) }
                    td.number { (one.count) }
                    td.number { (format!("{:.2}", one.place)) }
                    td.number { (format!("{:.0e}", one.residual)) @if !one.converged { " !" } }
                    td { @for value in &one.values { (format!("{value:.3} ")) } }
                } } }
            }
        } }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use nalgebra::{DMatrix, DVector};

    use super::*;
    use crate::explain::{Spectra, Spectrum};
    use crate::inspect::Pathway;
    use crate::vit::Grid;

    fn spectrum(grid: Grid) -> Spectrum {
        let patches = grid.patches();
        let vectors = DMatrix::from_fn(patches, 3, |i, c| (i as f64 * 0.7 + c as f64).sin());
        Spectrum {
            values: vec![0.3, 0.2, 0.1],
            vectors,
            degrees: DVector::from_element(patches, 2.0),
            residuals: vec![1e-4; 3],
            iterations: 3,
            products: 9,
            converged: true,
        }
    }

    fn page(blocks: &[usize]) -> String {
        let grid = Grid { rows: 4, cols: 6 };
        let layers = |pathway| {
            let spectra = Spectra {
                together: spectrum(grid),
                blocks: blocks.iter().map(|&b| (b, spectrum(grid))).collect(),
            };
            Layers::new(pathway, spectra, grid, Some(3))
        };
        let both = [layers(Pathway::What), layers(Pathway::Where)];
        let photo = RgbImage::from_pixel(60, 40, Rgb([90; 3]));
        let image = ExplainedImage::new("a<b>.png", &photo, both.each_ref()).unwrap();
        ExplanationReport {
            title: "What and where".into(),
            date: "1 March 2026".into(),
            images: vec![image],
            failed: vec![("c.png".into(), "truncated".into())],
            identity: Vec::new(),
        }
        .html()
    }

    #[test]
    fn the_page_holds_one_layer_for_all_blocks_and_one_for_each_and_loads_nothing() {
        let page = page(&[5, 6]);
        assert_eq!(page.matches("class=\"layer\"").count(), 3);
        assert!(page.contains("data-name=\"block 6\""));
        assert!(page.contains("a&lt;b&gt;.png") && page.contains("truncated"));
        assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    }

    #[test]
    fn without_single_blocks_the_page_says_all_blocks() {
        let page = page(&[]);
        assert_eq!(page.matches("class=\"layer\"").count(), 1);
        assert!(!page.contains("<h3>Block by block</h3>"));
    }
}
