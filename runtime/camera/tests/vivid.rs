//! With the kernel's virtual camera (`modprobe vivid`), which fails on demand: every trap of the
//! driver's side that `andon_camera::v4l2` says it handles.
//!
//! Without vivid the test says so and passes. It must have the camera to itself.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::time::Duration;

use andon_camera::v4l2::{CameraSettings, ControlName, V4l2Source, list};
use andon_camera::{Corruption, FrameError, FrameSource, Recovering, RecoverySettings};
use v4l::control::{Control, Value};

const PATIENCE: Duration = Duration::from_secs(10);

fn vivid() -> Option<CameraSettings> {
    let found = list().into_iter().find(|device| {
        let details = device.details.as_ref();
        details.is_ok_and(|details| details.driver == "vivid")
    });
    if found.is_none() {
        eprintln!("SKIPPED: no virtual camera (modprobe vivid n_devs=1 node_types=1)");
    }
    let settings = CameraSettings {
        width: 320,
        height: 180,
        ..CameraSettings::new(found?.path)
    };
    Some(settings)
}

/// Presses the button whose name has these words, through a second handle.
fn press(settings: &CameraSettings, words: &str) {
    let device = v4l::Device::with_path(&settings.path).unwrap();
    let controls = device.query_controls().unwrap();
    let names: Vec<_> = controls.iter().map(|c| c.name.as_str()).collect();
    let button = controls
        .iter()
        .find(|control| control.name.contains(words))
        .unwrap_or_else(|| panic!("no {words} among {names:?}"));
    let control = Control {
        id: button.id,
        value: Value::None,
    };
    device.set_control(control).unwrap();
}

fn recovering(settings: &CameraSettings) -> Recovering {
    let settings = settings.clone();
    Recovering::new(
        "vivid",
        RecoverySettings::default(),
        Box::new(move || Ok(Box::new(V4l2Source::open(&settings)?))),
    )
}

/// Frames until `count` sound ones came in a row; the errors between.
fn errors_until_sound(source: &mut impl FrameSource, count: u32) -> Vec<FrameError> {
    let (mut errors, mut sound) = (Vec::new(), 0);
    while sound < count {
        match source.next(PATIENCE) {
            Ok(_) => sound += 1,
            Err(error) => {
                eprintln!("  {error}");
                assert!(error.may_pass() && errors.len() < 20, "{error}");
                errors.push(error);
                sound = 0;
            }
        }
    }
    errors
}

/// One test, as a camera has one user at a time.
#[test]
fn each_fault_of_the_driver_is_told_and_survived() {
    let Some(settings) = vivid() else {
        return;
    };
    let mut camera = recovering(&settings);
    assert_eq!(errors_until_sound(&mut camera, 5), []);

    eprintln!("a buffer marked as damaged:");
    press(&settings, "BUF_FLAG_ERROR");
    let errors = errors_until_sound(&mut camera, 8);
    let marked = |error: &FrameError| {
        matches!(
            error,
            FrameError::Corrupt {
                reason: Corruption::Marked,
                ..
            }
        )
    };
    assert!(errors.len() == 1 && marked(&errors[0]), "{errors:?}");
    assert_eq!(camera.watch().counts().failures, 0);

    eprintln!("a queue that breaks:");
    press(&settings, "Fatal Streaming Error");
    let errors = errors_until_sound(&mut camera, 8);
    assert!(!errors.is_empty());
    assert_eq!(camera.watch().counts().restarts, 1);
    drop(camera);

    eprintln!("a camera that does not start:");
    let mut camera = recovering(&settings);
    press(&settings, "STREAMON");
    let errors = errors_until_sound(&mut camera, 3);
    assert!(!errors.is_empty());
    drop(camera);

    eprintln!("no buffers to be had:");
    press(&settings, "REQBUFS");
    let mut camera = recovering(&settings);
    let errors = errors_until_sound(&mut camera, 3);
    assert!(!errors.is_empty());

    drop(camera);

    eprintln!("the same source goes on after its queue broke:");
    let mut camera = V4l2Source::open(&settings).unwrap();
    assert_eq!(errors_until_sound(&mut camera, 3), []);
    press(&settings, "Fatal Streaming Error");
    assert!(!errors_until_sound(&mut camera, 8).is_empty());

    eprintln!("a source is dropped while its queue is broken:");
    press(&settings, "Fatal Streaming Error");
    drop(camera);
    assert_eq!(errors_until_sound(&mut recovering(&settings), 3), []);

    eprintln!("controls are read back, and one that is missing is named:");
    let fixed = CameraSettings {
        gain: Some(77),
        exposure: Some(Duration::from_millis(5)),
        ..settings
    };
    let camera = V4l2Source::open(&fixed).unwrap();
    let taken = camera.taken();
    eprintln!("  {:?}", taken.controls);
    let gain = taken
        .controls
        .iter()
        .find(|c| c.control == ControlName::Gain);
    assert_eq!(gain.unwrap().taken, Ok(77));
    let differing: Vec<_> = taken.differing().map(|c| c.control).collect();
    assert_eq!(differing, [ControlName::Exposure]);
}
