//! What people marked in the images, read from folders beside them.

use std::io;
use std::path::{Path, PathBuf};

use image::GrayImage;

use super::pixels::MASK_WHITE;

/// Extensions that a mask may have, tried in this order.
const MASK_EXTENSIONS: [&str; 6] = ["png", "bmp", "tif", "tiff", "jpg", "jpeg"];

/// One marked defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthBox {
    /// `[x, y, width, height]` in pixels of the original image.
    pub bbox: [u32; 4],
    /// Kind of the defect, a number of the data set's own.
    pub kind: u32,
}

/// What is known about one image.
#[derive(Debug, Clone, Default)]
pub struct GroundTruth {
    /// White (128 or above) where the defect is, as large as the image.
    pub mask: Option<GrayImage>,
    /// Boxes around the defects.
    pub boxes: Option<Vec<TruthBox>>,
}

/// Why ground truth cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TruthError {
    /// No mask has the image's stem.
    #[error(
        "no mask for {image} in {folder}: expected {stem}.png (or .bmp, .tif, .tiff, .jpg, .jpeg)"
    )]
    NoMask {
        /// Name of the image.
        image: String,
        /// Folder that was searched.
        folder: String,
        /// Name without extension.
        stem: String,
    },
    /// The mask cannot be decoded.
    #[error("mask {file} cannot be read as an image: {source}")]
    Decode {
        /// The mask.
        file: String,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// The mask does not fit the image.
    #[error(
        "mask {file} is {mask_width} x {mask_height} pixels, its image {width} x {height}: \
         a mask must be as large as its image"
    )]
    Size {
        /// The mask.
        file: String,
        /// Width of the mask in pixels.
        mask_width: u32,
        /// Height of the mask in pixels.
        mask_height: u32,
        /// Width of the image in pixels.
        width: u32,
        /// Height of the image in pixels.
        height: u32,
    },
    /// Nothing is marked.
    #[error(
        "{file} marks no defect: a bad image needs one (masks: 128 or above where the defect is); \
         if the part is good, move the image to the good ones"
    )]
    Empty {
        /// The mask or box file.
        file: String,
    },
    /// The box file cannot be read.
    #[error("boxes {file}: {source}")]
    Read {
        /// The box file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not a box.
    #[error(
        "{file}:{line}: {found:?} is not a box: expected \"x1 y1 x2 y2 type\", five whole numbers in pixels"
    )]
    Syntax {
        /// The box file.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A box is empty or leaves the image.
    #[error(
        "{file}:{line}: the box from ({x1}, {y1}) to ({x2}, {y2}) is not inside the image of \
         {width} x {height} pixels or is empty: x1 < x2 <= width and y1 < y2 <= height must hold"
    )]
    Outside {
        /// The box file.
        file: String,
        /// Line, 1-based.
        line: usize,
        /// Left edge.
        x1: u32,
        /// Top edge.
        y1: u32,
        /// Right edge, exclusive.
        x2: u32,
        /// Bottom edge, exclusive.
        y2: u32,
        /// Width of the image in pixels.
        width: u32,
        /// Height of the image in pixels.
        height: u32,
    },
}

/// The folders that hold ground truth; files are found by the stem of the image's name.
#[derive(Debug, Clone, Default)]
pub struct TruthFolders {
    /// Images, white where the defect is.
    pub masks: Option<PathBuf>,
    /// Text files, one line `x1 y1 x2 y2 type` for each defect.
    pub boxes: Option<PathBuf>,
}

impl TruthFolders {
    /// Reads what the folders say about the bad image at path `image`, which has `size` =
    /// `[width, height]` pixels. Without folders nothing is known and that is no error.
    ///
    /// # Errors
    /// When a folder was given but its file for this image is missing, unreadable, of another
    /// size, malformed, or marks nothing.
    pub fn load(&self, image: &Path, size: [u32; 2]) -> Result<GroundTruth, TruthError> {
        let mask = self.masks.as_deref().map(|dir| load_mask(dir, image, size));
        let boxes = self
            .boxes
            .as_deref()
            .map(|dir| load_boxes(dir, image, size));
        Ok(GroundTruth {
            mask: mask.transpose()?,
            boxes: boxes.transpose()?,
        })
    }
}

fn load_mask(folder: &Path, image: &Path, size: [u32; 2]) -> Result<GrayImage, TruthError> {
    let stem = stem(image);
    // The stem may hold dots, which `with_extension` would cut off.
    let path = MASK_EXTENSIONS
        .iter()
        .flat_map(|ext| [ext.to_string(), ext.to_uppercase()])
        .map(|ext| folder.join(format!("{stem}.{ext}")))
        .find(|path| path.is_file())
        .ok_or_else(|| TruthError::NoMask {
            image: image.display().to_string(),
            folder: folder.display().to_string(),
            stem,
        })?;
    let file = path.display().to_string();
    let mask = image::open(&path)
        .map_err(|source| TruthError::Decode {
            file: file.clone(),
            source,
        })?
        .into_luma8();
    if mask.dimensions() != (size[0], size[1]) {
        return Err(TruthError::Size {
            file,
            mask_width: mask.width(),
            mask_height: mask.height(),
            width: size[0],
            height: size[1],
        });
    }
    if mask.pixels().all(|p| p.0[0] < MASK_WHITE) {
        return Err(TruthError::Empty { file });
    }
    Ok(mask)
}

fn load_boxes(folder: &Path, image: &Path, size: [u32; 2]) -> Result<Vec<TruthBox>, TruthError> {
    let path = folder.join(format!("{}.txt", stem(image)));
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|source| TruthError::Read {
        file: file.clone(),
        source,
    })?;
    let boxes = parse_boxes(&text, &file, size)?;
    if boxes.is_empty() {
        return Err(TruthError::Empty { file });
    }
    Ok(boxes)
}

/// Parses lines of `x1 y1 x2 y2 type` separated by blanks or commas; blank lines are allowed.
fn parse_boxes(text: &str, file: &str, size: [u32; 2]) -> Result<Vec<TruthBox>, TruthError> {
    let mut boxes = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let line = index + 1;
        if content.trim().is_empty() {
            continue;
        }
        let numbers: Vec<Option<u32>> = content
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty())
            .map(|word| word.parse().ok())
            .collect();
        let &[Some(x1), Some(y1), Some(x2), Some(y2), Some(kind)] = numbers.as_slice() else {
            return Err(TruthError::Syntax {
                file: file.to_owned(),
                line,
                found: content.chars().take(60).collect(),
            });
        };
        let [width, height] = size;
        if x1 >= x2 || y1 >= y2 || x2 > width || y2 > height {
            return Err(TruthError::Outside {
                file: file.to_owned(),
                line,
                x1,
                y1,
                x2,
                y2,
                width,
                height,
            });
        }
        boxes.push(TruthBox {
            bbox: [x1, y1, x2 - x1, y2 - y1],
            kind,
        });
    }
    Ok(boxes)
}

fn stem(image: &Path) -> String {
    image
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Luma;
    use std::fs;

    fn folders() -> (tempfile::TempDir, TruthFolders) {
        let dir = tempfile::tempdir().unwrap();
        let folders = TruthFolders {
            masks: Some(dir.path().to_owned()),
            boxes: None,
        };
        (dir, folders)
    }

    fn white(width: u32, height: u32) -> GrayImage {
        GrayImage::from_pixel(width, height, Luma([255]))
    }

    #[test]
    fn a_mask_is_found_by_the_stem_whatever_the_extensions() {
        let (dir, folders) = folders();
        white(4, 3).save(dir.path().join("part.07.BMP")).unwrap();
        let truth = folders.load(Path::new("bad/part.07.jpg"), [4, 3]).unwrap();
        assert_eq!(truth.mask.unwrap().dimensions(), (4, 3));
        assert!(truth.boxes.is_none());
    }

    #[test]
    fn a_mask_that_is_missing_small_black_or_broken_is_named() {
        let (dir, folders) = folders();
        let load = |size| {
            folders
                .load(Path::new("bad/a.jpg"), size)
                .unwrap_err()
                .to_string()
        };
        assert!(
            load([4, 4]).contains("no mask for bad/a.jpg"),
            "{}",
            load([4, 4])
        );
        white(2, 2).save(dir.path().join("a.png")).unwrap();
        assert!(load([4, 4]).contains("is 2 x 2 pixels, its image 4 x 4"));
        GrayImage::new(4, 4).save(dir.path().join("a.png")).unwrap();
        assert!(load([4, 4]).contains("a.png marks no defect"));
        fs::write(dir.path().join("a.png"), b"not a picture").unwrap();
        assert!(load([4, 4]).contains("a.png cannot be read as an image"));
    }

    #[test]
    fn boxes_are_corners_in_the_file_and_sizes_afterwards() {
        let boxes = parse_boxes("466 441 493 470 3\n\n1,2,3,4,6\r\n", "f", [640, 640]).unwrap();
        assert_eq!(
            boxes[0],
            TruthBox {
                bbox: [466, 441, 27, 29],
                kind: 3
            }
        );
        assert_eq!(
            boxes[1],
            TruthBox {
                bbox: [1, 2, 2, 2],
                kind: 6
            }
        );
    }

    #[test]
    fn a_wrong_line_is_named_by_file_and_line() {
        let error = |text| {
            parse_boxes(text, "a.txt", [100, 100])
                .unwrap_err()
                .to_string()
        };
        assert!(error("1 1 5 5 1\n1 1 5\n").starts_with("a.txt:2: \"1 1 5\" is not a box"));
        assert!(error("1 1 5 five 1").starts_with("a.txt:1:"));
        assert!(error("1 1 -5 5 1").starts_with("a.txt:1:"));
        assert!(error("1 1 5 5 1 9").starts_with("a.txt:1:"));
        assert!(error("\n\n5 1 5 9 1").starts_with("a.txt:3: the box from (5, 1) to (5, 9)"));
        assert!(error("90 90 101 95 1").contains("100 x 100"));
    }

    #[test]
    fn a_box_file_that_is_missing_or_empty_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let folders = TruthFolders {
            masks: None,
            boxes: Some(dir.path().to_owned()),
        };
        let load = || {
            folders
                .load(Path::new("b.png"), [9, 9])
                .unwrap_err()
                .to_string()
        };
        assert!(load().contains("b.txt"));
        fs::write(dir.path().join("b.txt"), "\n").unwrap();
        assert!(load().contains("b.txt marks no defect"));
    }

    #[test]
    fn without_folders_nothing_is_known() {
        let truth = TruthFolders::default()
            .load(Path::new("c.png"), [9, 9])
            .unwrap();
        assert!(truth.mask.is_none() && truth.boxes.is_none());
    }
}
