//! Exposure, gain and white balance: fixed, and read back.

use std::time::Duration;

use v4l::control::{Control, Value};
use v4l::v4l_sys as sys;

use super::device::CameraSettings;
use super::guard::Guarded;

/// A control that a station can fix, or one that has to be off for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlName {
    /// `V4L2_CID_EXPOSURE_AUTO`: 1 is manual.
    AutoExposure,
    /// `V4L2_CID_EXPOSURE_AUTO_PRIORITY`: 0 forbids a longer frame interval in the dark.
    DynamicFrameRate,
    /// `V4L2_CID_EXPOSURE_ABSOLUTE`, in units of 100 µs.
    Exposure,
    /// `V4L2_CID_AUTOGAIN`.
    AutoGain,
    /// `V4L2_CID_GAIN`, in units of the camera.
    Gain,
    /// `V4L2_CID_AUTO_WHITE_BALANCE`.
    AutoWhiteBalance,
    /// `V4L2_CID_WHITE_BALANCE_TEMPERATURE`, in kelvin.
    WhiteBalance,
}

impl ControlName {
    const fn id(self) -> u32 {
        match self {
            Self::AutoExposure => sys::V4L2_CID_EXPOSURE_AUTO,
            Self::DynamicFrameRate => sys::V4L2_CID_EXPOSURE_AUTO_PRIORITY,
            Self::Exposure => sys::V4L2_CID_EXPOSURE_ABSOLUTE,
            Self::AutoGain => sys::V4L2_CID_AUTOGAIN,
            Self::Gain => sys::V4L2_CID_GAIN,
            Self::AutoWhiteBalance => sys::V4L2_CID_AUTO_WHITE_BALANCE,
            Self::WhiteBalance => sys::V4L2_CID_WHITE_BALANCE_TEMPERATURE,
        }
    }

    const fn is_switch(self) -> bool {
        matches!(
            self,
            Self::DynamicFrameRate | Self::AutoGain | Self::AutoWhiteBalance
        )
    }

    /// Whether a camera without this control does no harm: what it does not have is not on.
    const fn may_be_missing(self) -> bool {
        matches!(
            self,
            Self::AutoExposure | Self::DynamicFrameRate | Self::AutoGain | Self::AutoWhiteBalance
        )
    }
}

/// What a camera made of one control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlTaken {
    /// Which control.
    pub control: ControlName,
    /// The value that was set.
    pub asked: i64,
    /// The value that was read back, or why there is none.
    pub taken: Result<i64, String>,
}

impl ControlTaken {
    /// Whether the camera does what it was asked to.
    pub fn is_as_asked(&self) -> bool {
        match self.taken {
            Ok(value) => value == self.asked,
            Err(_) => self.control.may_be_missing(),
        }
    }
}

/// The controls to set for these settings, in order: an automatism is switched off before the
/// value that it would overwrite is set.
pub(super) fn wanted(settings: &CameraSettings) -> Vec<(ControlName, i64)> {
    let mut wanted = Vec::new();
    if let Some(exposure) = settings.exposure {
        wanted.extend([
            (ControlName::AutoExposure, EXPOSURE_MANUAL),
            (ControlName::DynamicFrameRate, 0),
            (ControlName::Exposure, exposure_units(exposure)),
        ]);
    }
    if let Some(gain) = settings.gain {
        wanted.extend([(ControlName::AutoGain, 0), (ControlName::Gain, gain)]);
    }
    if let Some(kelvin) = settings.white_balance_kelvin {
        wanted.extend([
            (ControlName::AutoWhiteBalance, 0),
            (ControlName::WhiteBalance, i64::from(kelvin)),
        ]);
    }
    wanted
}

/// `V4L2_EXPOSURE_MANUAL`.
const EXPOSURE_MANUAL: i64 = 1;

/// Exposure in units of 100 µs, to the nearest, at least one.
fn exposure_units(exposure: Duration) -> i64 {
    let units = (exposure.as_micros() + 50) / 100;
    i64::try_from(units).unwrap_or(i64::MAX).max(1)
}

/// Sets one control and reads it back. Each is set by itself: in one call the first that the
/// camera does not have would undo the others.
pub(super) fn fix(device: &Guarded, control: ControlName, asked: i64) -> ControlTaken {
    let id = control.id();
    let value = if control.is_switch() {
        Value::Boolean(asked != 0)
    } else {
        Value::Integer(asked)
    };
    let set = device.call(|device| device.set_control(Control { id, value }));
    let read = device
        .call(|device| device.control(id))
        .map_err(|error| error.to_string());
    let taken = read.and_then(|read| match (set, read.value) {
        (_, Value::Integer(value)) => Ok(value),
        (_, Value::Boolean(on)) => Ok(i64::from(on)),
        (Err(error), _) => Err(error.to_string()),
        (Ok(()), _) => Err("it has no number".into()),
    });
    ControlTaken {
        control,
        asked,
        taken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatisms_are_switched_off_before_their_values_are_set() {
        let settings = CameraSettings {
            exposure: Some(Duration::from_micros(4_960)),
            gain: Some(12),
            white_balance_kelvin: Some(4600),
            ..CameraSettings::new("/dev/video0")
        };
        let wanted = wanted(&settings);
        let at = |name| wanted.iter().position(|(n, _)| *n == name).unwrap();
        assert!(at(ControlName::AutoExposure) < at(ControlName::Exposure));
        assert!(at(ControlName::AutoGain) < at(ControlName::Gain));
        assert!(at(ControlName::AutoWhiteBalance) < at(ControlName::WhiteBalance));
        assert_eq!(wanted[at(ControlName::Exposure)].1, 50);
    }

    #[test]
    fn what_is_not_set_is_left_alone() {
        assert_eq!(wanted(&CameraSettings::new("/dev/video0")), []);
    }

    #[test]
    fn an_exposure_is_at_least_one_unit() {
        assert_eq!(exposure_units(Duration::ZERO), 1);
        assert_eq!(exposure_units(Duration::from_micros(149)), 1);
        assert_eq!(exposure_units(Duration::from_micros(150)), 2);
        assert_eq!(exposure_units(Duration::MAX), i64::MAX);
    }

    #[test]
    fn a_missing_automatism_is_fine_and_a_missing_or_other_value_is_not() {
        let taken = |control, taken| ControlTaken {
            control,
            asked: 0,
            taken,
        };
        let missing = || Err("inappropriate ioctl".to_string());
        assert!(taken(ControlName::AutoGain, missing()).is_as_asked());
        assert!(!taken(ControlName::AutoGain, Ok(1)).is_as_asked());
        assert!(!taken(ControlName::Gain, missing()).is_as_asked());
        assert!(taken(ControlName::Gain, Ok(0)).is_as_asked());
    }
}
