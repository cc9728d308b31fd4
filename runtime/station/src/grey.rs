//! A grey image as it is measured, and its reduction to a thumbnail.

use serde::{Deserialize, Serialize};

/// A grey image, rows from top to bottom without padding.
#[derive(Clone, Copy, Debug)]
pub struct Grey<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

/// Why bytes are no image that can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreyError {
    /// Too small.
    #[error("{width} x {height} pixels are too few to measure: at least {least} a side are needed")]
    TooSmall {
        /// Pixels a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Least pixels a side.
        least: usize,
    },
    /// The bytes do not fit the size.
    #[error("{bytes} bytes are no grey image of {width} x {height}: hand in one byte a pixel")]
    Length {
        /// Bytes handed in.
        bytes: usize,
        /// Pixels a row.
        width: usize,
        /// Rows.
        height: usize,
    },
}

impl<'a> Grey<'a> {
    /// Least pixels a side.
    pub const LEAST_SIDE_PX: usize = 32;

    /// An image of `width` times `height` bytes, one a pixel.
    ///
    /// # Errors
    /// [`GreyError`] when it is too small or `pixels` has another length.
    pub fn new(pixels: &'a [u8], width: usize, height: usize) -> Result<Self, GreyError> {
        let least = Self::LEAST_SIDE_PX;
        if width < least || height < least {
            Err(GreyError::TooSmall {
                width,
                height,
                least,
            })
        } else if width.checked_mul(height) != Some(pixels.len()) {
            Err(GreyError::Length {
                bytes: pixels.len(),
                width,
                height,
            })
        } else {
            Ok(Self {
                pixels,
                width,
                height,
            })
        }
    }

    /// Pixels a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Pixels `[left, left + width)` of row `y`; empty outside.
    pub(crate) fn row(&self, y: usize, left: usize, width: usize) -> &'a [u8] {
        let begin = y * self.width + left;
        self.pixels.get(begin..begin + width).unwrap_or_default()
    }
}

/// A small image whose points are means over boxes of a large one; both sides are powers of two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawThumbnail")]
pub struct Thumbnail {
    columns: usize,
    rows: usize,
    levels: Vec<f32>,
}

/// A stored thumbnail whose sides and levels do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored reference image is damaged: learn the recipe again")]
pub struct ThumbnailError;

#[derive(Deserialize)]
struct RawThumbnail {
    columns: usize,
    rows: usize,
    levels: Vec<f32>,
}

impl TryFrom<RawThumbnail> for Thumbnail {
    type Error = ThumbnailError;

    fn try_from(raw: RawThumbnail) -> Result<Self, ThumbnailError> {
        let side = |n: usize| n.is_power_of_two() && (Self::LEAST..=Self::MOST).contains(&n);
        let fits = side(raw.columns)
            && side(raw.rows)
            && raw.levels.len() == raw.columns * raw.rows
            && raw.levels.iter().all(|level| level.is_finite());
        fits.then_some(Self {
            columns: raw.columns,
            rows: raw.rows,
            levels: raw.levels,
        })
        .ok_or(ThumbnailError)
    }
}

impl Thumbnail {
    const LEAST: usize = Grey::LEAST_SIDE_PX;
    const MOST: usize = 128;

    /// Reduces an image, to at most 128 points a side.
    #[must_use]
    pub fn of(image: &Grey) -> Self {
        // The largest power of two that is not above the side.
        let side = |px: usize| (1 << px.ilog2()).min(Self::MOST);
        let (columns, rows) = (side(image.width), side(image.height));
        let edge = |k: usize, px: usize, of: usize| k * px / of;
        let mut levels = Vec::with_capacity(columns * rows);
        // Sums over the rows of a box first: whole rows are added at once.
        let mut sums = vec![0_u32; image.width];
        for row in 0..rows {
            let (top, bottom) = (
                edge(row, image.height, rows),
                edge(row + 1, image.height, rows),
            );
            sums.fill(0);
            for y in top..bottom {
                for (sum, &level) in sums.iter_mut().zip(image.row(y, 0, image.width)) {
                    *sum += u32::from(level);
                }
            }
            levels.extend((0..columns).map(|column| {
                let (left, right) = (
                    edge(column, image.width, columns),
                    edge(column + 1, image.width, columns),
                );
                let sum: u64 = sums[left..right].iter().map(|&s| u64::from(s)).sum();
                sum as f32 / ((right - left) * (bottom - top)) as f32
            }));
        }
        Self {
            columns,
            rows,
            levels,
        }
    }

    /// A thumbnail that was stored, of grey levels `[rows, columns]`.
    ///
    /// # Errors
    /// [`ThumbnailError`] when sides and levels do not agree.
    pub fn from_levels(
        columns: usize,
        rows: usize,
        levels: Vec<f32>,
    ) -> Result<Self, ThumbnailError> {
        RawThumbnail {
            columns,
            rows,
            levels,
        }
        .try_into()
    }

    /// Points a row.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of points.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Grey levels 0 to 255, `[rows, columns]`.
    #[must_use]
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }

    /// Mean grey level.
    #[must_use]
    pub fn mean(&self) -> f32 {
        let sum: f64 = self.levels.iter().map(|&level| f64::from(level)).sum();
        (sum / self.levels.len() as f64) as f32
    }
}

/// How much a place differs from itself when empty, for [`crate::FrameSeen::presence`].
#[derive(Clone, Debug)]
pub struct ChangeMeter {
    empty: Thumbnail,
}

impl ChangeMeter {
    /// A meter for the place that looks like this when no part is there.
    #[must_use]
    pub fn new(empty: &Grey) -> Self {
        Self {
            empty: Thumbnail::of(empty),
        }
    }

    /// Mean absolute difference in grey levels; `None` for an image of another size.
    #[must_use]
    pub fn change(&self, image: &Grey) -> Option<f32> {
        let now = Thumbnail::of(image);
        if (now.columns, now.rows) != (self.empty.columns, self.empty.rows) {
            return None;
        }
        let pairs = now.levels.iter().zip(&self.empty.levels);
        let sum: f32 = pairs.map(|(a, b)| (a - b).abs()).sum();
        Some(sum / now.levels.len() as f32)
    }

    /// Follows slow changes of the light: to be called with frames of the empty place only, such as
    /// while [`crate::Station::place`] says so. Each counts for `weight`, 0 to 1.
    pub fn follow(&mut self, image: &Grey, weight: f32) {
        let now = Thumbnail::of(image);
        if (now.columns, now.rows) == (self.empty.columns, self.empty.rows) {
            for (old, new) in self.empty.levels.iter_mut().zip(now.levels) {
                *old += weight.clamp(0.0, 1.0) * (new - *old);
            }
        }
    }
}
