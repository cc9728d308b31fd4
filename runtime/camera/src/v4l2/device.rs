//! Opening a camera and setting it up.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use v4l::capability::Flags;
use v4l::format::{Colorspace, FieldOrder, Quantization};
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Format, FourCC};

use super::controls::{ControlTaken, fix, wanted};
use super::decide::failure;
use super::guard::Guarded;
use crate::error::FrameError;
use crate::frame::{Layout, PixelFormat, YuvRange};

/// How a camera is to be set up. `None` leaves a control as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraSettings {
    /// The device. Names below `/dev/v4l/by-id` survive another order of plugging in.
    pub path: PathBuf,
    /// Format of the frames.
    pub format: PixelFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames in a second. The camera may choose another rate; [`Taken`] says which.
    pub frames_per_second: u32,
    /// Fixed time of exposure, in steps of 100 µs. It also forbids the camera to lower its frame
    /// rate in the dark.
    pub exposure: Option<Duration>,
    /// Fixed gain, in units of the camera.
    pub gain: Option<i64>,
    /// Fixed white balance in kelvin.
    pub white_balance_kelvin: Option<u32>,
}

impl CameraSettings {
    /// 640 x 480 in YUYV at 30 frames a second, with all controls as they are.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            format: PixelFormat::Yuyv,
            width: 640,
            height: 480,
            frames_per_second: 30,
            exposure: None,
            gain: None,
            white_balance_kelvin: None,
        }
    }

    /// How errors call the camera.
    pub(super) fn name(&self) -> String {
        format!("camera {}", self.path.display())
    }
}

/// What a camera made of its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Name of the camera.
    pub card: String,
    /// Name of its driver.
    pub driver: String,
    /// Format, size and stride of its frames. Format and size are as they were asked for.
    pub layout: Layout,
    /// Time from frame to frame, when the camera says it.
    pub interval: Option<Duration>,
    /// Controls in the order in which they were set.
    pub controls: Vec<ControlTaken>,
}

impl Taken {
    /// The controls that are not as they were asked for: worth a warning, as frames will not look
    /// as they did when the recipe was learned.
    pub fn differing(&self) -> impl Iterator<Item = &ControlTaken> {
        self.controls.iter().filter(|taken| !taken.is_as_asked())
    }
}

/// Opens the camera and sets it up.
pub(super) fn open(settings: &CameraSettings) -> Result<(Guarded, Taken), FrameError> {
    let name = settings.name();
    let failed = |doing: &'static str| {
        let name = name.clone();
        move |error: io::Error| failure(&name, doing, &error, Duration::ZERO)
    };
    let refused = |reason: String| FrameError::Refused {
        name: name.clone(),
        reason,
    };

    let device = Guarded::open(&settings.path).map_err(failed("opening"))?;
    let caps = device
        .call(|device| device.query_caps())
        .map_err(failed("asking what it is"))?;
    capable(caps.capabilities).map_err(&refused)?;

    let asked = Format {
        field_order: FieldOrder::Progressive,
        // A stride of 0 lets the driver choose: some keep what the last program set.
        ..Format::new(
            settings.width,
            settings.height,
            FourCC::new(&settings.format.fourcc()),
        )
    };
    let format = device
        .call(|device| device.set_format(&asked))
        .map_err(failed("setting the format"))?;
    let layout = agreed(settings, &format).map_err(refused)?;

    let rate = settings.frames_per_second.max(1);
    let parameters = device.call(|device| device.set_params(&Parameters::with_fps(rate)));
    // Not every camera can be asked for a rate; the frames come at its own, then.
    let interval = parameters
        .ok()
        .and_then(|p| interval(p.interval.numerator, p.interval.denominator));

    let controls = wanted(settings)
        .into_iter()
        .map(|(control, value)| fix(&device, control, value))
        .collect();
    let taken = Taken {
        card: caps.card,
        driver: caps.driver,
        layout,
        interval,
        controls,
    };
    Ok((device, taken))
}

/// Whether a device can capture as this room does it; the error says what it is instead.
fn capable(flags: Flags) -> Result<(), String> {
    if flags.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) {
        return Ok(());
    }
    Err(if flags.contains(Flags::VIDEO_CAPTURE_MPLANE) {
        "it captures in several planes only, as sensors on a board do: use a USB camera".into()
    } else {
        "it is no capture device (a camera has a second node for metadata): choose one that \
         andon doctor lists"
            .into()
    })
}

/// The layout that the driver agreed to, if it is the one that was asked for.
fn agreed(settings: &CameraSettings, format: &Format) -> Result<Layout, String> {
    let same = format.fourcc.repr == settings.format.fourcc()
        || PixelFormat::from_fourcc(format.fourcc.repr) == Some(settings.format);
    if !same || (format.width, format.height) != (settings.width, settings.height) {
        return Err(format!(
            "it was asked for {} x {} in {} and offers {} x {} in {}: choose a format and size \
             that andon doctor lists",
            settings.width,
            settings.height,
            settings.format,
            format.width,
            format.height,
            String::from_utf8_lossy(&format.fourcc.repr),
        ));
    }
    if !matches!(
        format.field_order,
        FieldOrder::Progressive | FieldOrder::Any
    ) {
        return Err(format!(
            "its frames are interlaced ({}): use a progressive camera or mode",
            format.field_order
        ));
    }
    let full = matches!(format.quantization, Quantization::FullRange)
        || (matches!(format.quantization, Quantization::Default)
            && matches!(format.colorspace, Colorspace::JPEG));
    Layout {
        format: settings.format,
        width: format.width,
        height: format.height,
        stride: format.stride,
        range: if full {
            YuvRange::Full
        } else {
            YuvRange::Limited
        },
    }
    .check()
    .map_err(|error| format!("its driver agreed to the impossible: {error}"))
}

/// A fraction of seconds, if it is one.
fn interval(numerator: u32, denominator: u32) -> Option<Duration> {
    (numerator > 0 && denominator > 0)
        .then(|| Duration::from_secs_f64(f64::from(numerator) / f64::from(denominator)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(change: impl FnOnce(&mut Format)) -> Result<Layout, String> {
        let mut format = Format {
            field_order: FieldOrder::Progressive,
            stride: 1280,
            ..Format::new(640, 480, FourCC::new(b"YUYV"))
        };
        change(&mut format);
        agreed(&CameraSettings::new("/dev/video0"), &format)
    }

    #[test]
    fn a_driver_that_agrees_gives_its_stride_and_range() {
        let layout = offered(|f| f.stride = 1344).unwrap();
        assert_eq!((layout.stride, layout.range), (1344, YuvRange::Limited));
        let full = offered(|f| f.quantization = Quantization::FullRange).unwrap();
        assert_eq!(full.range, YuvRange::Full);
        let jpeg = offered(|f| f.colorspace = Colorspace::JPEG).unwrap();
        assert_eq!(jpeg.range, YuvRange::Full);
    }

    #[test]
    fn another_format_size_field_order_or_a_short_stride_is_refused_with_what_is_offered() {
        let error = offered(|f| f.fourcc = FourCC::new(b"MJPG")).unwrap_err();
        assert!(error.contains("MJPG"), "{error}");
        let error = offered(|f| f.width = 800).unwrap_err();
        assert!(error.contains("800 x 480"), "{error}");
        assert!(offered(|f| f.field_order = FieldOrder::Interlaced).is_err());
        assert!(offered(|f| f.stride = 640).is_err());
    }

    #[test]
    fn a_metadata_node_and_a_board_sensor_are_told_apart() {
        assert!(capable(Flags::VIDEO_CAPTURE | Flags::STREAMING).is_ok());
        let error = capable(Flags::META_CAPTURE | Flags::STREAMING).unwrap_err();
        assert!(error.contains("metadata"), "{error}");
        let error = capable(Flags::VIDEO_CAPTURE_MPLANE | Flags::STREAMING).unwrap_err();
        assert!(error.contains("planes"), "{error}");
    }

    #[test]
    fn a_rate_of_zero_is_no_rate() {
        assert_eq!(interval(1, 25), Some(Duration::from_millis(40)));
        assert_eq!(interval(0, 30), None);
        assert_eq!(interval(1, 0), None);
    }

    #[test]
    fn a_camera_that_is_not_there_is_waited_for_and_a_file_that_is_no_camera_is_refused() {
        let open = |path: &str| open(&CameraSettings::new(path)).err().unwrap();
        let absent = open("/dev/video-that-is-not-there");
        assert!(matches!(absent, FrameError::Unplugged { .. }), "{absent}");
        let other = open("/dev/null");
        assert!(matches!(other, FrameError::Refused { .. }), "{other}");
    }
}
