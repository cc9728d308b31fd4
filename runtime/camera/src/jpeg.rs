//! Whether a JPEG is all there. Decoders fill what is missing with grey and do not say so, and
//! half a picture of a part must never be judged.

const START: [u8; 2] = [0xff, 0xd8];
const RESTART_0: u8 = 0xd0;
const RESTART_7: u8 = 0xd7;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

/// What the markers of a whole JPEG say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Where the end-of-image marker begins.
    pub(crate) end: usize,
    /// Scans of entropy-coded data.
    pub(crate) scans: usize,
    /// Whether the restart markers of each scan count 0, 1, .. 7, 0 without a gap: one that is
    /// missing went with the data around it.
    pub(crate) restarts_in_order: bool,
}

/// Whether the bytes open with the start of a JPEG and reach its end-of-image marker (ITU-T T.81,
/// annex B). Bytes behind that are allowed: cameras pad their frames and append previews.
pub fn is_complete(bytes: &[u8]) -> bool {
    outline(bytes).is_some()
}

/// Walks over the markers up to the end of the image; `None` when it is not reached.
pub(crate) fn outline(bytes: &[u8]) -> Option<Outline> {
    let mut rest = bytes.strip_prefix(&START)?;
    let mut scans = 0;
    let mut restarts = 0_u8;
    let mut restarts_in_order = true;
    loop {
        // Passes over entropy-coded data (0xff 0x00 stands for 0xff there) and padding.
        let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xff);
        let at = rest.windows(2).position(is_marker)?;
        let marker = rest[at + 1];
        // Every marker but two kinds opens a segment that begins with its own length.
        let segment = &rest[at + 2..];
        match marker {
            END => {
                return Some(Outline {
                    end: bytes.len() - rest.len() + at,
                    scans,
                    restarts_in_order,
                });
            }
            RESTART_0..=RESTART_7 => {
                restarts_in_order &= marker - RESTART_0 == restarts % 8;
                restarts = restarts.wrapping_add(1);
                rest = segment;
                continue;
            }
            SCAN => {
                scans += 1;
                restarts = 0;
            }
            _ => {}
        }
        let length = u16::from_be_bytes(*segment.first_chunk()?);
        rest = segment.get(usize::from(length)..)?;
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

    #[test]
    fn the_end_of_a_preview_inside_a_segment_is_not_the_end_of_the_file() {
        let file = noisy();
        let preview = [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, END];
        let with_preview = [&file[..2], &preview, &file[2..]].concat();
        assert!(is_complete(&with_preview));
        assert!(!is_complete(&with_preview[..with_preview.len() - 1]));
    }

    #[test]
    fn the_outline_says_where_the_end_is_and_whether_a_restart_is_missing() {
        let file = noisy();
        let found = outline(&file).unwrap();
        assert_eq!((found.end, found.scans), (file.len() - 2, 1));
        let scan = b"\xff\xd8\xff\xda\x00\x02";
        let all = [&scan[..], b"a\xff\xd0b\xff\xd1c\xff\xd9"].concat();
        assert!(outline(&all).unwrap().restarts_in_order);
        let lost = [&scan[..], b"a\xff\xd1c\xff\xd9"].concat();
        assert!(!outline(&lost).unwrap().restarts_in_order);
    }
}
