//! Why a line cannot be rendered as configured.

use super::config::LineConfig;

/// A [`LineConfig`] that cannot be rendered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LineConfigError {
    /// A frame without pixels, or one that is far larger than any camera's.
    #[error(
        "frame size {width} x {height} px cannot be rendered: each side must be 1 to {limit} px",
        limit = LineConfig::MAX_SIDE_PX
    )]
    FrameSize {
        /// Asked width in pixels.
        width: u32,
        /// Asked height in pixels.
        height: u32,
    },
    /// A number that is not finite or outside its range.
    #[error("line setting {name} is {value}, but must be {low} to {high}")]
    OutOfRange {
        /// Name of the field.
        name: &'static str,
        /// What it was set to.
        value: f32,
        /// Smallest accepted value.
        low: f32,
        /// Largest accepted value.
        high: f32,
    },
    /// Defects were asked for, but no kind is allowed.
    #[error(
        "line setting defect_rate is {rate}, but defects names no kind: \
         name at least one kind or set the rate to 0"
    )]
    NoKinds {
        /// Asked share of defective parts.
        rate: f32,
    },
}
