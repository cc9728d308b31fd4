//! JPEG frames.
//!
//! The decoder is `zune-jpeg`, which the `image` crate uses too. In three runs of
//! `cargo bench -p andon-camera` on a busy server it took 5.6, 5.8 and 8.8 ms for a frame of
//! 1920 x 1080 (218 kB), and `jpeg-decoder` 2.1, 1.9 and 1.8 times that.
//!
//! It runs in strict mode: otherwise it fills what is damaged with grey and says so in a log only.
//! In the two quieter runs that was as fast as lenient mode, within 3 %. Frames without Huffman
//! tables, as some webcams send them, get those of the standard.
//!
//! The commonest damage has an end marker: a packet is lost on the USB bus, and the pieces around
//! it arrive joined. The decoder then runs out of data early, and fills up with zeros also in
//! strict mode. So the end marker is replaced by a [`TRAP`]: sound data never reaches it, while
//! data that ran out falls into it, and that is an error. What this cannot see is a loss of a few
//! blocks, or one between two restart markers that are both there.

use image::RgbImage;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::{ConvertError, Region};
use crate::frame::Frame;
use crate::jpeg;

/// Zeros, which count as data, and a marker that means nothing. The zeros are more than the
/// decoder reads ahead (8 bytes) and fewer than a missing block takes from them (24 bytes with
/// the standard's tables: one bit for each of 63 coefficients, behind a code of two).
const TRAP: [u8; 18] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x02];

pub(super) fn decode(frame: &Frame, region: Region) -> Result<RgbImage, ConvertError> {
    let damaged = |reason: String| ConvertError::Jpeg { reason };
    let (agreed_width, agreed_height) = (frame.width(), frame.height());
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(agreed_width as usize)
        .set_max_height(agreed_height as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let outline = jpeg::outline(frame.data()).ok_or_else(|| damaged("it is cut off".into()))?;
    if !outline.restarts_in_order {
        return Err(damaged("data between restart markers is missing".into()));
    }
    let mut data = frame.data()[..outline.end].to_vec();
    // With several scans (progressive files, no webcam's) a marker behind each is expected.
    data.extend(if outline.scans == 1 {
        &TRAP[..]
    } else {
        &[0xff, 0xd9]
    });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&data), options);
    let pixels = decoder.decode().map_err(|e| damaged(e.to_string()))?;
    let (width, height) = decoder
        .info()
        .map(|info| (u32::from(info.width), u32::from(info.height)))
        .ok_or_else(|| damaged("no header".into()))?;
    if (width, height) != (agreed_width, agreed_height) {
        return Err(ConvertError::JpegSize {
            width,
            height,
            agreed_width,
            agreed_height,
        });
    }
    let whole = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| damaged("fewer pixels than its header says".into()))?;
    if region == Region::whole(width, height) {
        return Ok(whole);
    }
    let Region {
        x,
        y,
        width,
        height,
    } = region;
    Ok(image::imageops::crop_imm(&whole, x, y, width, height).to_image())
}
