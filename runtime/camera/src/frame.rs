//! One frame as a source delivered it: bytes whose length was checked against their layout.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Corruption, LayoutError};
use crate::jpeg;

/// Longest side of a frame in pixels: longer than any sensor's.
pub const MAX_SIDE_PX: u32 = 32_768;

/// How the bytes of a frame stand for pixels; the names are those of V4L2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Y U Y V: 4:2:2, two pixels in four bytes.
    Yuyv,
    /// One whole JPEG file for each frame.
    Mjpg,
    /// One byte of brightness for each pixel.
    Grey,
    /// R G B, one byte each.
    Rgb3,
    /// B G R, one byte each.
    Bgr3,
    /// 4:2:0 in two planes: all Y, then U V pairs at half width and half height.
    Nv12,
}

impl PixelFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::Yuyv,
        Self::Mjpg,
        Self::Grey,
        Self::Rgb3,
        Self::Bgr3,
        Self::Nv12,
    ];

    /// The four-character code of V4L2.
    pub const fn fourcc(self) -> [u8; 4] {
        match self {
            Self::Yuyv => *b"YUYV",
            Self::Mjpg => *b"MJPG",
            Self::Grey => *b"GREY",
            Self::Rgb3 => *b"RGB3",
            Self::Bgr3 => *b"BGR3",
            Self::Nv12 => *b"NV12",
        }
    }

    /// The format of a four-character code. `JPEG`, which some drivers say for the same bytes, is
    /// taken for `MJPG`.
    pub fn from_fourcc(code: [u8; 4]) -> Option<Self> {
        if &code == b"JPEG" {
            return Some(Self::Mjpg);
        }
        Self::ALL.into_iter().find(|f| f.fourcc() == code)
    }

    /// Fewest bytes from one row to the next, or `None` for JPEG, which has no rows.
    pub const fn least_stride(self, width: u32) -> Option<u64> {
        match self {
            Self::Mjpg => None,
            Self::Grey => Some(width as u64),
            // The chroma plane has whole pairs, also where the width is odd.
            Self::Nv12 => Some((width as u64).next_multiple_of(2)),
            Self::Yuyv => Some((width as u64).next_multiple_of(2) * 2),
            Self::Rgb3 | Self::Bgr3 => Some(width as u64 * 3),
        }
    }
}

impl std::fmt::Display for PixelFormat {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(&String::from_utf8_lossy(&self.fourcc()))
    }
}

/// Which values of Y, U and V a YUV format uses. RGB and grey formats ignore it; a JPEG is always
/// full range (JFIF).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum YuvRange {
    /// Y 16 to 235, U and V 16 to 240: what V4L2 means by default for every YUV format whose
    /// colour space is not JPEG, and so what a webcam's YUYV is.
    #[default]
    Limited,
    /// 0 to 255: when the driver says `V4L2_QUANTIZATION_FULL_RANGE` or `V4L2_COLORSPACE_JPEG`.
    Full,
}

/// Size and arrangement of a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// How bytes stand for pixels.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next; 0 means without padding. JPEG has none and wants 0.
    pub stride: u32,
    /// Range of Y, U and V.
    pub range: YuvRange,
}

impl Layout {
    /// A layout without padding between rows, in limited range.
    pub const fn packed(format: PixelFormat, width: u32, height: u32) -> Self {
        Self {
            format,
            width,
            height,
            stride: 0,
            range: YuvRange::Limited,
        }
    }

    /// Checks the layout by itself, and fills in a stride of 0.
    ///
    /// # Errors
    /// A side of 0 or over [`MAX_SIDE_PX`], or a stride shorter than a row.
    pub fn check(mut self) -> Result<Self, LayoutError> {
        let sides = 1..=MAX_SIDE_PX;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(LayoutError::Size {
                width: self.width,
                height: self.height,
            });
        }
        let Some(least) = self.format.least_stride(self.width) else {
            self.stride = 0;
            return Ok(self);
        };
        if self.stride == 0 {
            // At most 3 * MAX_SIDE_PX.
            self.stride = least as u32;
        }
        if u64::from(self.stride) < least {
            return Err(LayoutError::Stride {
                format: self.format,
                width: self.width,
                stride: self.stride,
                least,
            });
        }
        Ok(self)
    }

    /// Fewest bytes that hold the frame, or `None` for JPEG. Padding behind the last row does not
    /// count: some drivers leave it out. The layout must have passed [`Self::check`].
    pub fn least_bytes(&self) -> Option<u64> {
        let row = self.format.least_stride(self.width)?;
        let rows = match self.format {
            PixelFormat::Nv12 => u64::from(self.height) + u64::from(self.height.div_ceil(2)),
            _ => u64::from(self.height),
        };
        Some(u64::from(self.stride) * (rows - 1) + row)
    }
}

/// One frame. That its bytes fill its layout was checked when it was made, so no reader of it has
/// to check again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    data: Vec<u8>,
    layout: Layout,
    captured: Duration,
    sequence: u64,
    file: Option<PathBuf>,
}

impl Frame {
    /// A frame of these bytes. Bytes behind the end of the picture are allowed and ignored.
    ///
    /// `captured` is the time of capture on the monotonic clock ([`crate::clock::now`]);
    /// `sequence` grows with every frame of a source, and by more than one where frames were lost.
    ///
    /// # Errors
    /// [`Corruption::Layout`] when the layout is impossible or there are fewer bytes than it says;
    /// [`Corruption::CutOff`] when a JPEG does not reach its end marker.
    pub fn new(
        data: Vec<u8>,
        layout: Layout,
        captured: Duration,
        sequence: u64,
    ) -> Result<Self, Corruption> {
        let layout = layout.check()?;
        match layout.least_bytes() {
            Some(needed) if (data.len() as u64) < needed => {
                return Err(LayoutError::Short {
                    format: layout.format,
                    width: layout.width,
                    height: layout.height,
                    needed,
                    got: data.len(),
                }
                .into());
            }
            None if !jpeg::is_complete(&data) => {
                return Err(Corruption::CutOff { bytes: data.len() });
            }
            _ => {}
        }
        Ok(Self {
            data,
            layout,
            captured,
            sequence,
            file: None,
        })
    }

    /// A frame of a decoded picture.
    ///
    /// # Errors
    /// [`Corruption::Layout`] when a side is 0 or over [`MAX_SIDE_PX`].
    pub fn from_rgb(
        picture: image::RgbImage,
        captured: Duration,
        sequence: u64,
    ) -> Result<Self, Corruption> {
        let layout = Layout::packed(PixelFormat::Rgb3, picture.width(), picture.height());
        Self::new(picture.into_raw(), layout, captured, sequence)
    }

    /// The same frame, saying which file it was read from.
    pub fn with_file(self, file: PathBuf) -> Self {
        Self {
            file: Some(file),
            ..self
        }
    }

    /// The same picture with another time of capture and number.
    pub fn renumbered(self, captured: Duration, sequence: u64) -> Self {
        Self {
            captured,
            sequence,
            ..self
        }
    }

    /// The bytes, at least as many as the layout needs.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Size and arrangement of the bytes; its stride is filled in.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.layout.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.layout.height
    }

    /// When the frame was captured, on the monotonic clock ([`crate::clock::now`]).
    pub fn captured(&self) -> Duration {
        self.captured
    }

    /// Number of the frame in its source.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The file that the frame was read from, when it was one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

#[cfg(test)]
mod tests;
