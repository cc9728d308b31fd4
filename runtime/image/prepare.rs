use std::fmt;
use std::ops::Deref;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::{ImageBuffer, Rgb, RgbImage, imageops};
use serde::{Deserialize, Serialize};

use super::{ImageError, Roi, Tiles};

/// Ratio of the sides up to which content is stretched to a square.
const NEARLY_SQUARE: f64 = 1.5;

/// Ratio between neighbouring shapes, where each picture has an input of its own shape: fine enough
/// that nothing is stretched by more than 6 %, coarse enough that a product needs few inputs, as the
/// network has to be prepared for each.
const SHAPE_STEP: f64 = 1.25;

/// Longest shape of an input.
const LONGEST: f64 = 16.0;

/// Whose shape the inputs of one product have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputShape {
    /// One for all pictures; each is stretched to it.
    #[default]
    Common,
    /// Each picture's own, at the same area: for parts that come in many shapes.
    Own,
}

impl InputShape {
    /// What suits pictures of these sizes (width, height): one shape, unless they are further apart
    /// than two neighbouring shapes.
    pub fn for_contents(contents: &[(u32, u32)]) -> Self {
        let aspects = || contents.iter().map(|&content| aspect(content));
        let (least, most) = (aspects().reduce(f64::min), aspects().reduce(f64::max));
        match (least, most) {
            (Some(least), Some(most)) if most > least * SHAPE_STEP => Self::Own,
            _ => Self::Common,
        }
    }
}

/// Width of `content` in heights.
fn aspect(content: (u32, u32)) -> f64 {
    f64::from(content.0.max(1)) / f64::from(content.1.max(1))
}

/// Size of the network's input in pixels; both sides are multiples of the patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSize {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

impl InputSize {
    /// The size whose area is nearest to that of a square of `side` pixels, whose sides are
    /// multiples of `patch`, and whose shape is nearest to that of `content` (width, height).
    /// What is nearly square is stretched to a square, the shape that the network was trained on.
    pub fn for_content(side: usize, patch: usize, content: (u32, u32)) -> Self {
        let aspect = aspect(content);
        let nearly_square = (1.0 / NEARLY_SQUARE..=NEARLY_SQUARE).contains(&aspect);
        Self::of_aspect(side, patch, if nearly_square { 1.0 } else { aspect })
    }

    /// The size of the same area whose shape is, of a few fixed ones, nearest to that of `content`.
    pub fn in_steps(side: usize, patch: usize, content: (u32, u32)) -> Self {
        let aspect = aspect(content).clamp(1.0 / LONGEST, LONGEST);
        let steps = (aspect.ln() / SHAPE_STEP.ln()).round();
        Self::of_aspect(side, patch, SHAPE_STEP.powf(steps))
    }

    fn of_aspect(side: usize, patch: usize, aspect: f64) -> Self {
        let root = aspect.clamp(1.0 / LONGEST, LONGEST).sqrt();
        let fit = |length: f64| (length / patch as f64).round().max(1.0) as usize * patch;
        Self {
            width: fit(side as f64 * root),
            height: fit(side as f64 / root),
        }
    }
}

impl fmt::Display for InputSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} px", self.width, self.height)
    }
}

/// How a picture becomes the network's input. Learning and inspecting use this one path, so that
/// scores cannot drift apart.
#[derive(Debug, Clone)]
pub struct Preparation {
    roi: Option<Roi>,
    size: InputSize,
    /// Side of a patch, when each picture has an input of its own shape.
    own_shape: Option<usize>,
    tiles: Tiles,
    /// Input value of each 8-bit level, by channel.
    levels: Box<[[f32; 256]; 3]>,
}

impl Preparation {
    /// Cuts out `roi` (all of the picture when `None`), stretches it to `size`, and normalises
    /// each channel: `(value / 255 - mean) / std`.
    pub fn new(roi: Option<Roi>, size: InputSize, mean: [f32; 3], std: [f32; 3]) -> Self {
        let level = |c: usize, v: usize| (v as f32 / 255.0 - mean[c]) / std[c];
        let levels = std::array::from_fn(|c| std::array::from_fn(|v| level(c, v)));
        Self {
            roi,
            size,
            own_shape: None,
            tiles: Tiles::ONE,
            levels: Box::new(levels),
        }
    }

    /// Gives each picture an input of its own shape and the area of the size that was given, in
    /// whole patches of `patch` pixels.
    #[must_use]
    pub fn with_own_shape(mut self, patch: usize) -> Self {
        self.own_shape = Some(patch.max(1));
        self
    }

    /// Stretches pictures to a frame of several inputs of the size that was given; not together
    /// with inputs of their own shape.
    #[must_use]
    pub fn with_tiles(mut self, tiles: Tiles) -> Self {
        self.tiles = tiles;
        self
    }

    /// Size of the input, or of the frame of inputs, for a picture of which `area` is seen.
    fn size(&self, area: Roi) -> InputSize {
        let InputSize { width, height } = self.size;
        match self.own_shape {
            Some(patch) => {
                let side = (width * height).isqrt();
                InputSize::in_steps(side, patch, (area.width, area.height))
            }
            None => self.tiles.frame(self.size),
        }
    }

    /// How many inputs a picture holds that is a frame already, or a part of one.
    pub fn tiles(&self, crop: &RgbImage) -> Tiles {
        if self.tiles.is_one() {
            return Tiles::ONE;
        }
        let inputs = |length: u32, of: usize| (length as usize / of.max(1)).max(1);
        Tiles {
            columns: inputs(crop.width(), self.size.width),
            rows: inputs(crop.height(), self.size.height),
        }
    }

    /// The rectangle of a picture of this size that the input shows.
    ///
    /// # Errors
    /// [`ImageError::RoiOutside`] when the region of interest does not fit.
    pub fn area(&self, width: u32, height: u32) -> Result<Roi, ImageError> {
        match self.roi {
            Some(roi) if roi.fits(width, height) => Ok(roi),
            Some(roi) => Err(ImageError::RoiOutside { roi, width, height }),
            None => Ok(Roi::whole(width, height)),
        }
    }

    /// Refuses what is larger than [`Self::crop`] would have given: networks are prepared for inputs
    /// of this product, and parts of them, only. A part of several tiles is whole tiles.
    ///
    /// # Errors
    /// [`ImageError::NoInput`].
    pub fn check(&self, crop: &RgbImage) -> Result<(), ImageError> {
        let (width, height) = crop.dimensions();
        let expected = self.size(Roi::whole(width, height));
        let (w, h) = (width as usize, height as usize);
        let whole = self.tiles.is_one()
            || w.is_multiple_of(self.size.width) && h.is_multiple_of(self.size.height);
        if w <= expected.width && h <= expected.height && whole {
            return Ok(());
        }
        Err(ImageError::NoInput {
            width,
            height,
            expected,
        })
    }

    /// The picture as the network sees it, before normalisation: cut out and stretched, 8 bits.
    ///
    /// # Errors
    /// [`ImageError::RoiOutside`], [`ImageError::Resize`].
    pub fn crop(&self, picture: &RgbImage) -> Result<RgbImage, ImageError> {
        let (width, height) = picture.dimensions();
        let area = self.area(width, height)?;
        if area == Roi::whole(width, height) {
            return self.stretch(picture);
        }
        // A copy of the region, not a window: the resizer would read beyond a window's edge.
        let Roi { x, y, .. } = area;
        self.stretch(&imageops::crop_imm(picture, x, y, area.width, area.height).to_image())
    }

    /// The same of a region of interest that was cut out before.
    ///
    /// # Errors
    /// [`ImageError::Resize`].
    pub fn stretch<C>(&self, inside: &ImageBuffer<Rgb<u8>, C>) -> Result<RgbImage, ImageError>
    where
        C: Deref<Target = [u8]>,
    {
        let (width, height) = inside.dimensions();
        let size = self.size(Roi::whole(width, height));
        let (to_width, to_height) = (size.width as u32, size.height as u32);
        let failed = |reason: String| ImageError::Resize {
            width,
            height,
            reason,
        };
        // Of one type of pixels, as the program would else carry the code for all of them.
        let source = TypedImageRef::<U8x3>::from_buffer(width, height, inside)
            .map_err(|e| failed(e.to_string()))?;
        let mut picture = RgbImage::new(to_width, to_height);
        let mut target = TypedImage::<U8x3>::from_buffer(to_width, to_height, &mut picture)
            .map_err(|e| failed(e.to_string()))?;
        // Bicubic with a = -0.5 and, when shrinking, a wider kernel: no aliasing on fine print.
        let options =
            ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
        Resizer::new()
            .resize_typed(&source, &mut target, &options)
            .map_err(|e| failed(e.to_string()))?;
        Ok(picture)
    }

    /// The normalised tensor `[3, height, width]`, plane by plane, of what [`Self::crop`] gave.
    pub fn normalise(&self, crop: &RgbImage) -> Vec<f32> {
        let pixels = crop.as_chunks::<3>().0;
        let mut tensor = vec![0.0; 3 * pixels.len()];
        let (red, rest) = tensor.split_at_mut(pixels.len());
        let (green, blue) = rest.split_at_mut(pixels.len());
        let [reds, greens, blues] = &*self.levels;
        let planes = red.iter_mut().zip(green).zip(blue);
        for (&[r, g, b], ((red, green), blue)) in pixels.iter().zip(planes) {
            *red = reds[usize::from(r)];
            *green = greens[usize::from(g)];
            *blue = blues[usize::from(b)];
        }
        tensor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_keeps_the_shape_and_the_area_in_whole_patches() {
        let size = |content| InputSize::for_content(448, 14, content);
        assert_eq!(
            size((640, 640)),
            InputSize {
                width: 448,
                height: 448
            }
        );
        assert_eq!(
            size((1280, 720)),
            InputSize {
                width: 602,
                height: 336
            }
        );
        assert_eq!(
            size((1, 100_000)),
            InputSize {
                width: 112,
                height: 1792
            }
        );
    }

    #[test]
    fn shapes_in_steps_keep_the_area_and_stretch_little() {
        let mut sizes = Vec::new();
        for width in 40..600 {
            let content = (width, 150);
            let size = InputSize::in_steps(448, 14, content);
            let (w, h) = (size.width as f64, size.height as f64);
            assert!((w * h / (448.0 * 448.0) - 1.0).abs() < 0.05, "{size}");
            // Half a step, and what whole patches round away.
            let stretched = (w / h) / aspect(content);
            assert!(
                (1.0 / 1.18..1.18).contains(&stretched),
                "{content:?}: {size}"
            );
            let again = (size.width as u32, size.height as u32);
            assert_eq!(InputSize::in_steps(448, 14, again), size);
            sizes.push((size.width, size.height));
        }
        sizes.dedup();
        assert!(sizes.len() < 16, "{sizes:?}");
    }

    #[test]
    fn pictures_of_one_shape_share_an_input_and_others_do_not() {
        let of = InputShape::for_contents;
        assert_eq!(of(&[]), InputShape::Common);
        assert_eq!(
            of(&[(640, 480), (1280, 960), (650, 480)]),
            InputShape::Common
        );
        assert_eq!(of(&[(640, 480), (480, 640)]), InputShape::Own);
    }

    #[test]
    fn an_input_of_its_own_shape_shows_the_whole_region() {
        let size = InputSize {
            width: 56,
            height: 56,
        };
        let preparation = Preparation::new(None, size, [0.0; 3], [1.0; 3]).with_own_shape(14);
        let crop = |w, h| preparation.crop(&RgbImage::new(w, h)).unwrap().dimensions();
        assert_eq!(crop(300, 300), (56, 56));
        assert_eq!(crop(400, 100), (112, 28));
        assert_eq!(crop(100, 400), (28, 112));
        let check = |w, h| preparation.check(&RgbImage::new(w, h));
        assert!(check(56, 56).is_ok() && check(112, 28).is_ok() && check(28, 28).is_ok());
        for (w, h) in [(112, 112), (2044, 2044), (57, 56), (114, 28)] {
            assert!(check(w, h).is_err(), "{w} x {h}");
        }
        assert!(check(2044, 1).unwrap_err().to_string().contains("2044 x 1"));
    }

    #[test]
    fn a_frame_of_tiles_and_whole_tiles_of_it_are_served_and_nothing_else() {
        let size = InputSize {
            width: 28,
            height: 14,
        };
        let tiles = Tiles {
            columns: 2,
            rows: 3,
        };
        let preparation = Preparation::new(None, size, [0.0; 3], [1.0; 3]).with_tiles(tiles);
        let crop = preparation.crop(&RgbImage::new(300, 200)).unwrap();
        assert_eq!(crop.dimensions(), (56, 42));
        assert_eq!(preparation.tiles(&crop), tiles);
        let check = |w, h| preparation.check(&RgbImage::new(w, h));
        assert!(check(56, 42).is_ok() && check(28, 14).is_ok() && check(28, 42).is_ok());
        for (w, h) in [(14, 14), (42, 14), (56, 56), (84, 14), (28, 28 * 3)] {
            assert!(check(w, h).is_err(), "{w} x {h}");
        }
        let one = Tiles {
            columns: 1,
            rows: 2,
        };
        assert_eq!(preparation.tiles(&RgbImage::new(28, 28)), one);
    }

    #[test]
    fn the_tensor_holds_one_plane_a_channel_normalised_as_told() {
        let size = InputSize {
            width: 2,
            height: 1,
        };
        let preparation = Preparation::new(None, size, [0.5, 0.0, 0.0], [0.5, 1.0, 2.0]);
        let picture = RgbImage::from_raw(2, 1, vec![255, 0, 0, 0, 255, 255]).unwrap();
        let tensor = preparation.normalise(&preparation.crop(&picture).unwrap());
        assert_eq!(tensor, [1.0, -1.0, 0.0, 1.0, 0.0, 0.5]);
    }

    #[test]
    fn only_the_region_of_interest_is_seen() {
        let size = InputSize {
            width: 14,
            height: 14,
        };
        let roi = Some(Roi {
            x: 10,
            y: 20,
            width: 30,
            height: 30,
        });
        let preparation = Preparation::new(roi, size, [0.0; 3], [1.0; 3]);
        let picture = RgbImage::from_fn(64, 64, |x, y| {
            let inside = (10..40).contains(&x) && (20..50).contains(&y);
            image::Rgb([if inside { 255 } else { 0 }; 3])
        });
        let crop = preparation.crop(&picture).unwrap();
        assert!(crop.pixels().all(|p| p.0 == [255; 3]));
        let error = preparation
            .crop(&RgbImage::new(30, 30))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("10,20,30,30") && error.contains("30 x 30"),
            "{error}"
        );
    }
}
