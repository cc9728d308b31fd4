//! From a frame's bytes to 8-bit RGB, whole or a region of interest only.
//!
//! Raw formats are read once and only inside the region, row by row. A JPEG has to be decoded
//! whole and is cut afterwards.
//!
//! The loops over pixels are plain Rust that the compiler vectorises. Programs for x86-64 are built
//! for its first processors, so there the loops exist once more with AVX2, and `pulp` chooses at
//! run time. The results are the same to the last bit.
//!
//! YUV follows ITU-R BT.601, which V4L2 means (`V4L2_YCBCR_ENC_601`) for the sRGB and SMPTE 170M
//! colour spaces of webcams, in the range that [`crate::YuvRange`] says. Chroma is not
//! interpolated: both pixels of a pair take the pair's U and V, as libv4l does.

mod decode;
mod region;
mod yuv;

use image::{ImageBuffer, Rgb, RgbImage};

pub use region::Region;

use crate::frame::{Frame, PixelFormat};
use yuv::Matrix;

/// A picture in 8-bit RGB whose pixels are somebody else's.
pub type RgbView<'a> = ImageBuffer<Rgb<u8>, &'a [u8]>;

/// Why a frame cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The region does not lie in the frame.
    #[error(
        "region {region} does not lie inside the frame of {width} x {height} px: \
         correct the region or the camera's size in the station file"
    )]
    Region {
        /// What was asked for.
        region: Region,
        /// Width of the frame in pixels.
        width: u32,
        /// Height of the frame in pixels.
        height: u32,
    },
    /// The bytes of a JPEG are damaged.
    #[error("the JPEG is damaged: {reason}: look at the USB cable and bandwidth")]
    Jpeg {
        /// What the decoder said.
        reason: String,
    },
    /// A JPEG is of another size than the camera agreed to.
    #[error(
        "the JPEG is {width} x {height} px, but the camera agreed to {agreed_width} x \
         {agreed_height}: choose a size that the camera lists"
    )]
    JpegSize {
        /// Width of the picture in pixels.
        width: u32,
        /// Height of the picture in pixels.
        height: u32,
        /// Width of the frame's layout.
        agreed_width: u32,
        /// Height of the frame's layout.
        agreed_height: u32,
    },
}

/// The pixels of a frame, or of a region of it, as 8-bit RGB.
///
/// # Errors
/// See [`ConvertError`]. Raw formats fail for a region outside the frame only.
pub fn to_rgb(frame: &Frame, region: Option<Region>) -> Result<RgbImage, ConvertError> {
    let layout = frame.layout();
    let region = region.unwrap_or(Region::whole(layout.width, layout.height));
    if !region.fits(layout.width, layout.height) {
        return Err(ConvertError::Region {
            region,
            width: layout.width,
            height: layout.height,
        });
    }
    if layout.format == PixelFormat::Mjpg {
        return decode::decode(frame, region);
    }
    let mut picture = RgbImage::new(region.width, region.height);
    pulp::Arch::new().dispatch(Rows {
        frame,
        region,
        picture: &mut picture,
    });
    Ok(picture)
}

/// The pixels of a frame that are RGB already, without a gap between rows: no copy is needed to read
/// them. `None` of any other frame.
pub fn as_rgb(frame: &Frame) -> Option<RgbView<'_>> {
    let layout = frame.layout();
    let row = layout.format.least_stride(layout.width)?;
    if layout.format != PixelFormat::Rgb3 || u64::from(layout.stride) != row {
        return None;
    }
    let length = layout.stride as usize * layout.height as usize;
    ImageBuffer::from_raw(layout.width, layout.height, frame.data().get(..length)?)
}

/// The rows of a raw frame that a region needs, and where they go.
struct Rows<'a> {
    frame: &'a Frame,
    region: Region,
    picture: &'a mut RgbImage,
}

impl pulp::WithSimd for Rows<'_> {
    type Output = ();

    // Whatever is not inlined here is not compiled for the processor that was found.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self {
            frame,
            region,
            picture,
        } = self;
        let layout = frame.layout();
        let stride = layout.stride as usize;
        let matrix = Matrix::bt601(layout.range);
        let (left, width) = (region.x as usize, region.width as usize);
        let row_bytes = width * 3;
        for (y, out) in (region.y as usize..).zip(picture.chunks_exact_mut(row_bytes)) {
            let row = &frame.data()[y * stride..];
            match layout.format {
                PixelFormat::Rgb3 => out.copy_from_slice(&row[left * 3..][..row_bytes]),
                PixelFormat::Bgr3 => swap(&row[left * 3..][..row_bytes], out),
                PixelFormat::Grey => spread(&row[left..][..width], out),
                PixelFormat::Yuyv => yuv::yuyv_row(&matrix, row, left, out),
                PixelFormat::Nv12 => {
                    let plane = layout.height as usize * stride;
                    let chroma = &frame.data()[plane + y / 2 * stride..];
                    yuv::nv12_row(&matrix, row, chroma, left, out);
                }
                // Has no rows.
                PixelFormat::Mjpg => {}
            }
        }
    }
}

#[inline(always)]
fn swap(row: &[u8], out: &mut [u8]) {
    for (from, to) in row
        .as_chunks::<3>()
        .0
        .iter()
        .zip(out.as_chunks_mut::<3>().0)
    {
        *to = [from[2], from[1], from[0]];
    }
}

#[inline(always)]
fn spread(row: &[u8], out: &mut [u8]) {
    // The compiler makes shuffles of whole blocks only.
    let (blocks, rest) = row.as_chunks::<16>();
    let (out_blocks, out) = out.as_chunks_mut::<48>();
    for (levels, to) in blocks.iter().zip(out_blocks) {
        *to = std::array::from_fn(|i| levels[i / 3]);
    }
    for (level, to) in rest.iter().zip(out.as_chunks_mut::<3>().0) {
        *to = [*level; 3];
    }
}

#[cfg(test)]
mod tests;
