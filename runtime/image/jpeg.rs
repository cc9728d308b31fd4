//! Whether a JPEG file is all there. The decoder fills what is missing with grey and does not
//! say so, and half a picture of a part must never be judged.

/// Marker of the end of the image; others with a fixed meaning stand where they are matched.
const END: u8 = 0xd9;

/// Whether the file reaches its end-of-image marker (ITU-T T.81, annex B). Bytes behind that are
/// allowed: cameras pad their files and append previews.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    // Behind the start of the image, which has no length.
    let mut rest = bytes.get(2..).unwrap_or_default();
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
    fn a_file_is_complete_with_its_last_byte_and_not_before() {
        let file = noisy();
        assert!(is_complete(&file));
        for length in 0..file.len() {
            assert!(!is_complete(&file[..length]), "{length} of {}", file.len());
        }
    }

    #[test]
    fn padding_behind_the_end_is_allowed() {
        let mut file = noisy();
        file.extend([0; 512]);
        assert!(is_complete(&file));
    }

    #[test]
    fn the_end_of_a_preview_inside_a_segment_is_not_the_end_of_the_file() {
        let file = noisy();
        let preview = [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, END];
        let with_preview = [&file[..2], &preview, &file[2..]].concat();
        assert!(is_complete(&with_preview));
        assert!(!is_complete(&with_preview[..with_preview.len() - 1]));
    }
}
