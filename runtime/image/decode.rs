use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::ImageError;

/// File name extensions that are taken for pictures when a folder is searched, lower case.
pub const EXTENSIONS: [&str; 11] = [
    "bmp", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm", "tif", "tiff", "webp",
];

/// Longest accepted side in pixels: longer than any sensor's, short enough that a hostile header
/// cannot ask for all memory.
const MAX_SIDE: u32 = 32_768;

/// Most memory that decoding one picture may take, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a picture from a file; see the room's table for what becomes of its pixels.
///
/// # Errors
/// [`ImageError::Read`] and [`ImageError::Decode`].
pub fn read(path: &Path) -> Result<RgbImage, ImageError> {
    decode(&bytes(path)?, &path.display().to_string())
}

/// Width and height of a picture in a file, upright, without decoding its pixels.
///
/// # Errors
/// [`ImageError::Read`] and [`ImageError::Decode`].
pub fn read_dimensions(path: &Path) -> Result<(u32, u32), ImageError> {
    dimensions(&bytes(path)?, &path.display().to_string())
}

/// Decodes a picture; `name` stands in errors.
///
/// # Errors
/// [`ImageError::Decode`] when the bytes are no picture, are cut off, or are far too large.
pub fn decode(bytes: &[u8], name: &str) -> Result<RgbImage, ImageError> {
    let (decoder, orientation) = open(bytes, name)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| failed(name, &e))?;
    picture.apply_orientation(orientation);
    Ok(over_black(picture))
}

/// Width and height of a picture, upright.
///
/// # Errors
/// [`ImageError::Decode`] when the header cannot be read.
pub fn dimensions(bytes: &[u8], name: &str) -> Result<(u32, u32), ImageError> {
    use image::metadata::Orientation as O;
    let (decoder, orientation) = open(bytes, name)?;
    let (width, height) = decoder.dimensions();
    Ok(match orientation {
        O::Rotate90 | O::Rotate270 | O::Rotate90FlipH | O::Rotate270FlipH => (height, width),
        O::NoTransforms | O::Rotate180 | O::FlipHorizontal | O::FlipVertical => (width, height),
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, ImageError> {
    std::fs::read(path).map_err(|source| ImageError::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn failed(name: &str, error: &image::ImageError) -> ImageError {
    ImageError::Decode {
        name: name.into(),
        reason: error.to_string(),
    }
}

/// The decoder that the first bytes ask for (the file name may lie), and how the picture is turned.
fn open<'a>(
    bytes: &'a [u8],
    name: &str,
) -> Result<(impl ImageDecoder + 'a, image::metadata::Orientation), ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Decode {
            name: name.into(),
            reason: "the file is empty".into(),
        });
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| failed(name, &image::ImageError::IoError(e)))?;
    if reader.format() == Some(ImageFormat::Jpeg) && !andon_camera::jpeg::is_complete(bytes) {
        return Err(ImageError::Decode {
            name: name.into(),
            reason: "the file is cut off: the marker of its end is missing".into(),
        });
    }
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|e| failed(name, &e))?;
    let orientation = decoder.orientation().map_err(|e| failed(name, &e))?;
    Ok((decoder, orientation))
}

/// 8-bit RGB; transparent pixels show black, not whatever colour an editor left in them.
fn over_black(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, alpha] = rgba.get_pixel(x, y).0;
        let laid = |v: u8| ((u32::from(v) * u32::from(alpha) + 127) / 255) as u8;
        image::Rgb([laid(r), laid(g), laid(b)])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, ImageFormat, Luma, Rgba};

    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A JPEG with an EXIF block that holds nothing but the orientation.
    fn turned_jpeg(picture: &DynamicImage, orientation: u8) -> Vec<u8> {
        let plain = encoded(picture, ImageFormat::Jpeg);
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let length = (exif.len() + 2) as u16;
        let mut bytes = plain[..2].to_vec();
        bytes.extend([0xff, 0xe1]);
        bytes.extend(length.to_be_bytes());
        bytes.extend(exif);
        bytes.extend(&plain[2..]);
        bytes
    }

    #[test]
    fn sixteen_bit_grey_becomes_eight_bit_rgb_over_the_full_range() {
        let grey = ImageBuffer::<Luma<u16>, _>::from_fn(2, 1, |x, _| Luma([x as u16 * u16::MAX]));
        let bytes = encoded(&DynamicImage::ImageLuma16(grey), ImageFormat::Png);
        let picture = decode(&bytes, "grey").unwrap();
        assert_eq!(picture.get_pixel(0, 0).0, [0; 3]);
        assert_eq!(picture.get_pixel(1, 0).0, [255; 3]);
    }

    #[test]
    fn transparent_pixels_are_black_whatever_colour_hides_in_them() {
        let rgba = image::RgbaImage::from_fn(2, 1, |x, _| Rgba([200, 100, 50, x as u8 * 255]));
        let bytes = encoded(&DynamicImage::ImageRgba8(rgba), ImageFormat::Png);
        let picture = decode(&bytes, "alpha").unwrap();
        assert_eq!(picture.get_pixel(0, 0).0, [0; 3]);
        assert_eq!(picture.get_pixel(1, 0).0, [200, 100, 50]);
    }

    #[test]
    fn an_exif_orientation_turns_the_picture_upright() {
        let wide = RgbImage::from_fn(16, 8, |x, _| image::Rgb([x as u8 * 15; 3]));
        let bytes = turned_jpeg(&DynamicImage::ImageRgb8(wide), 6);
        assert_eq!(dimensions(&bytes, "turned").unwrap(), (8, 16));
        let upright = decode(&bytes, "turned").unwrap();
        assert_eq!(upright.dimensions(), (8, 16));
        assert!(upright.get_pixel(4, 0).0[0] < 40 && upright.get_pixel(4, 15).0[0] > 200);
    }

    #[test]
    fn a_picture_that_was_cut_off_is_refused_and_never_a_panic() {
        let noisy = RgbImage::from_fn(24, 24, |x, y| image::Rgb([(x * y) as u8, x as u8, y as u8]));
        let picture = DynamicImage::ImageRgb8(noisy);
        for format in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::WebP,
            ImageFormat::Pnm,
        ] {
            let bytes = encoded(&picture, format);
            for end in 0..bytes.len() {
                let cut = decode(&bytes[..end], "cut");
                // Behind its pixels a PNG or TIFF holds a few bytes that it can do without.
                assert!(
                    cut.is_err() || (format != ImageFormat::Jpeg && end + 64 > bytes.len()),
                    "{format:?}: {end} of {} bytes",
                    bytes.len()
                );
            }
        }
    }

    #[test]
    fn a_text_file_named_like_a_picture_is_refused_by_name() {
        let error = decode(b"not a picture", "part.png")
            .unwrap_err()
            .to_string();
        assert!(error.contains("part.png"), "{error}");
    }
}
