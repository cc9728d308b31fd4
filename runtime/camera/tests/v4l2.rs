//! With a real or virtual camera: what `andon_camera::v4l2` does with a driver.
//!
//! The camera is the one named by `ANDON_TEST_CAMERA`, or else the first that is listed. Without
//! one these tests say so and pass: the machine has no camera to fail with. Order and identity are
//! asserted, never rates, and time-outs are long, as the camera may live in an emulated machine.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::path::PathBuf;
use std::time::Duration;

use andon_camera::v4l2::{CameraSettings, SizeInfo, V4l2Source, list};
use andon_camera::{FrameError, FrameSource, Recovering, RecoverySettings, clock, to_rgb};

const PATIENCE: Duration = Duration::from_secs(10);

/// Settings that the camera offers by its own list, with the smallest size of each format.
fn offered() -> Vec<CameraSettings> {
    let named = std::env::var_os("ANDON_TEST_CAMERA").map(PathBuf::from);
    let device = list().into_iter().find(|device| match &named {
        Some(path) => &device.path == path,
        None => device.details.is_ok(),
    });
    let Some(device) = device else {
        assert_eq!(named, None, "ANDON_TEST_CAMERA names no camera");
        eprintln!("SKIPPED: this machine has no camera (load vivid, or plug one in)");
        return Vec::new();
    };
    let details = device.details.expect("the camera was opened a moment ago");
    details
        .formats
        .iter()
        .filter_map(|offer| Some((offer.format?, smallest(&offer.sizes)?)))
        .map(|(format, (width, height))| CameraSettings {
            format,
            width,
            height,
            ..CameraSettings::new(&device.path)
        })
        .collect()
}

fn smallest(sizes: &[SizeInfo]) -> Option<(u32, u32)> {
    let sizes = sizes.iter().map(|size| match *size {
        SizeInfo::Exact(width, height) => (width, height),
        SizeInfo::Range { least, .. } => least,
    });
    sizes.min_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// One test, as a camera has one user at a time.
#[test]
fn a_camera_gives_frames_in_order_survives_a_short_time_out_and_opens_again() {
    for settings in offered() {
        frames_come_in_order(&settings);
        a_short_time_out_does_no_harm(&settings);
        it_opens_again_and_again(&settings);
        recovery_gives_frames(&settings);
    }
}

fn frames_come_in_order(settings: &CameraSettings) {
    let mut camera = V4l2Source::open(settings).unwrap();
    eprintln!("  {}", camera.describe());
    let mut last = None;
    for _ in 0..10 {
        let asked = clock::now();
        let frame = camera.next(PATIENCE).unwrap();
        assert!(Some(frame.sequence()) > last, "{last:?}");
        last = Some(frame.sequence());
        // Stamped by the monotonic clock: a frame may have waited in a buffer, but not for long.
        assert!(frame.captured() <= clock::now());
        assert!(frame.captured() + PATIENCE > asked);
        let picture = to_rgb(&frame, None).unwrap();
        assert_eq!(picture.dimensions(), (settings.width, settings.height));
    }
}

fn a_short_time_out_does_no_harm(settings: &CameraSettings) {
    let mut camera = V4l2Source::open(settings).unwrap();
    let mut timed_out = 0;
    for _ in 0..20 {
        match camera.next(Duration::from_micros(1)) {
            Ok(_) => {}
            Err(FrameError::TimedOut { .. }) => timed_out += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(timed_out > 0, "twenty frames within a microsecond each");
    for _ in 0..3 {
        camera.next(PATIENCE).unwrap();
    }
}

fn it_opens_again_and_again(settings: &CameraSettings) {
    for _ in 0..5 {
        V4l2Source::open(settings).unwrap().next(PATIENCE).unwrap();
    }
}

fn recovery_gives_frames(settings: &CameraSettings) {
    let chosen = settings.clone();
    let mut camera = Recovering::new(
        "camera",
        RecoverySettings::default(),
        Box::new(move || Ok(Box::new(V4l2Source::open(&chosen)?))),
    );
    camera.next(PATIENCE).unwrap();
    assert_eq!(camera.watch().counts().failures, 0);
}

#[test]
fn a_size_that_no_camera_has_is_refused_with_what_is_offered() {
    for settings in offered() {
        let odd = CameraSettings {
            width: 31_337,
            height: 3,
            ..settings
        };
        // Another test may have the camera at this moment.
        match V4l2Source::open(&odd).err() {
            Some(FrameError::Refused { reason, .. }) => {
                assert!(reason.contains("31337"), "{reason}")
            }
            Some(FrameError::Unplugged { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Start it, pull the plug (or unbind the driver) once frames are counted, and plug it in again.
#[test]
#[ignore = "somebody must unplug the camera and plug it in again within two minutes"]
fn an_unplugged_camera_is_told_and_comes_back_by_itself() {
    let Some(settings) = offered().into_iter().next() else {
        return;
    };
    let mut camera = Recovering::new(
        "camera",
        RecoverySettings::default(),
        Box::new(move || Ok(Box::new(V4l2Source::open(&settings)?))),
    );
    let watch = camera.watch();
    let deadline = clock::now() + Duration::from_secs(120);
    let (mut last, mut told) = (None, false);
    loop {
        assert!(
            clock::now() < deadline,
            "unplugged: {told}, {:?}",
            watch.counts()
        );
        match camera.next(Duration::from_secs(3)) {
            Ok(frame) => {
                assert!(Some(frame.sequence()) > last, "{last:?}");
                last = Some(frame.sequence());
                if watch.counts().restarts > 0 {
                    break;
                }
            }
            Err(error) => {
                eprintln!("{error}");
                assert!(error.may_pass(), "{error}");
                told |= matches!(error, FrameError::Unplugged { .. });
            }
        }
    }
    assert!(told, "a camera came back that was never said to be gone");
    eprintln!("back after {:?}", watch.counts());
}
