//! Why there is no frame, and what to do next.

use std::time::Duration;

use crate::frame::{MAX_SIDE_PX, PixelFormat};

/// Why a source gave no frame. Every kind asks for another answer, so the kinds are few.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No frame came in time. Ask again, or rebuild the source: a camera that stalls seldom comes
    /// back by itself.
    #[error("{name}: no frame for {waited:?}: check light barrier, cable and frame rate")]
    TimedOut {
        /// The source.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The device is gone or its stream broke. Rebuild the source until it is back.
    #[error("{name}: {reason}; it is tried again until it answers")]
    Unplugged {
        /// The source.
        name: String,
        /// What the system said.
        reason: String,
    },
    /// One frame is damaged. It must not be judged; the next one may be sound.
    #[error("{name}, frame {sequence}: {reason}")]
    Corrupt {
        /// The source.
        name: String,
        /// Number of the frame.
        sequence: u64,
        /// What is wrong with it.
        reason: Corruption,
    },
    /// The source is finished, and nothing is wrong.
    #[error("{name}: there are no more frames")]
    End {
        /// The source.
        name: String,
    },
    /// The source cannot work as it is set up. Rebuilding it does not help: a person must act.
    #[error("{name}: {reason}")]
    Refused {
        /// The source.
        name: String,
        /// What was refused, and what to change.
        reason: String,
    },
}

impl FrameError {
    /// Whether it is worth asking the same source, or one that was built again, for another frame.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Unplugged { .. } | Self::Corrupt { .. } => true,
            Self::End { .. } | Self::Refused { .. } => false,
        }
    }
}

/// What is wrong with one frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// Bytes and layout do not fit.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The driver marked the buffer as damaged.
    #[error("the driver marked it as damaged: look at the USB cable, hub and bandwidth")]
    Marked,
    /// A JPEG without its end.
    #[error(
        "a JPEG of {bytes} bytes is cut off before its end marker: look at the USB cable and bandwidth"
    )]
    CutOff {
        /// Bytes that came.
        bytes: usize,
    },
    /// A file that is no picture.
    #[error("cannot read {file}: {reason}: replace or remove the file")]
    File {
        /// The file.
        file: String,
        /// What the decoder said.
        reason: String,
    },
}

/// Why a layout is impossible or bytes do not fill it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A side is 0 or longer than any sensor's.
    #[error("a frame of {width} x {height} px is impossible: a side is 1 to {MAX_SIDE_PX} px")]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Rows overlap.
    #[error(
        "a stride of {stride} bytes is too short: {width} px of {format} need at least {least}"
    )]
    Stride {
        /// Format of the frame.
        format: PixelFormat,
        /// Width in pixels.
        width: u32,
        /// Bytes from row to row.
        stride: u32,
        /// Fewest bytes of a row.
        least: u64,
    },
    /// Bytes are missing.
    #[error(
        "the frame is short: {width} x {height} px of {format} need {needed} bytes, {got} came: \
         look at the USB cable and bandwidth"
    )]
    Short {
        /// Format of the frame.
        format: PixelFormat,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes that the layout needs.
        needed: u64,
        /// Bytes that came.
        got: usize,
    },
}
