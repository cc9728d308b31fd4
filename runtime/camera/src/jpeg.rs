//! Whether a JPEG is all there. Decoders fill what is missing with grey and do not say so, and
//! half a picture of a part must never be judged.

/// Marker of the end of the image; others with a fixed meaning stand where they are matched.
const END: u8 = 0xd9;

/// Whether the bytes open with the start of a JPEG and reach its end-of-image marker (ITU-T T.81,
/// annex B). Bytes behind that are allowed: cameras pad their frames and append previews.
pub fn is_complete(bytes: &[u8]) -> bool {
    // The start of the image has no length.
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else {
        return false;
    };
    loop {
        // Passes over entropy-coded data (0xff 0x00 stands for 0xff there), restarts and padding.
        let is_marker =
            |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
        let Some(at) = rest.windows(2).position(is_marker) else {
            return false;
        };
        if rest[at + 1] == END {
            return true;
        }
        // Every other marker opens a segment that begins with its own length.
        let segment = &rest[at + 2..];
        let length = segment
            .first_chunk()
            .map(|length| usize::from(u16::from_be_bytes(*length)));
        match length.and_then(|length| segment.get(length..)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbImage};

    fn noisy() -> Vec<u8> {
        let picture = RgbImage::from_fn(40, 30, |x, y| image::Rgb([(x * y * 37) as u8; 3]));
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, ImageFormat::Jpeg).unwrap();
        file.into_inner()
    }

    #[test]
    fn a_jpeg_is_complete_with_its_last_byte_and_not_before() {
        let file = noisy();
        assert!(is_complete(&file));
        for length in 0..file.len() {
            assert!(!is_complete(&file[..length]), "{length} of {}", file.len());
        }
    }

    #[test]
    fn padding_behind_the_end_is_allowed_and_other_bytes_are_no_jpeg() {
        let mut file = noisy();
        file.extend([0; 512]);
        assert!(is_complete(&file));
        assert!(!is_complete(b"GIF89a\xff\xd9"));
    }
}
