//! With a USB webcam that exists only in this process, found by the kernel's own drivers
//! (`modprobe vhci-hcd uvcvideo`): MJPG, damaged frames, and a pulled plug.
//!
//! Without the drivers, or the right to plug something in, the tests say so and pass.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod usb;

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use andon_camera::v4l2::{CameraSettings, V4l2Source, list};
use andon_camera::{
    Frame, FrameError, FrameSource, PixelFormat, Recovering, RecoverySettings, to_rgb,
};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use usb::{ATTACH, HEIGHT, WIDTH, Webcam};

const PATIENCE: Duration = Duration::from_secs(20);

/// A JPEG of one colour.
fn jpeg(colour: [u8; 3]) -> Vec<u8> {
    let picture = RgbImage::from_pixel(WIDTH.into(), HEIGHT.into(), Rgb(colour));
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.encode_image(&picture).unwrap();
    bytes
}

const RED: [u8; 3] = [200, 30, 40];
const BLUE: [u8; 3] = [20, 60, 210];

fn is_of(frame: &Frame, colour: [u8; 3]) -> bool {
    let Ok(picture) = to_rgb(frame, None) else {
        return false;
    };
    assert_eq!(picture.dimensions(), (WIDTH.into(), HEIGHT.into()));
    let seen = picture
        .get_pixel(u32::from(WIDTH) / 2, u32::from(HEIGHT) / 2)
        .0;
    seen.iter()
        .zip(colour)
        .all(|(seen, wanted)| seen.abs_diff(wanted) <= 4)
}

/// Waits until the kernel has found the camera.
fn found() -> PathBuf {
    let begun = Instant::now();
    loop {
        let device = list().into_iter().find(|device| {
            let details = device.details.as_ref();
            details.is_ok_and(|d| d.driver == "uvcvideo" && !d.formats.is_empty())
        });
        if let Some(device) = device {
            return device.path;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "the kernel does not find the camera"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Frames until one is as wanted; the errors before it.
fn errors_until(
    camera: &mut Recovering,
    mut wanted: impl FnMut(&Frame) -> bool,
) -> Vec<FrameError> {
    let (begun, mut errors) = (Instant::now(), Vec::new());
    loop {
        assert!(begun.elapsed() < PATIENCE, "no such frame: {errors:?}");
        match camera.next(Duration::from_secs(2)) {
            Ok(frame) if wanted(&frame) => return errors,
            Ok(_) => {}
            Err(error) => {
                assert!(error.may_pass(), "{error}");
                errors.push(error);
            }
        }
    }
}

/// One test, as the kernel has one such port.
#[test]
fn a_usb_webcam_gives_mjpg_survives_half_a_frame_and_a_pulled_plug() {
    if OpenOptions::new().write(true).open(ATTACH).is_err() {
        eprintln!("SKIPPED: nothing can be plugged in here (modprobe vhci-hcd uvcvideo, as root)");
        return;
    }
    let webcam = Webcam::plug(jpeg(RED)).unwrap();
    let settings = CameraSettings {
        format: PixelFormat::Mjpg,
        width: WIDTH.into(),
        height: HEIGHT.into(),
        ..CameraSettings::new(found())
    };
    let mut camera = Recovering::new(
        "webcam",
        RecoverySettings::default(),
        Box::new(move || Ok(Box::new(V4l2Source::open(&settings)?))),
    );
    let mut last = None;
    for _ in 0..30 {
        let frame = camera.next(PATIENCE).unwrap();
        assert!(Some(frame.sequence()) > last, "{last:?}");
        assert!(is_of(&frame, RED), "another colour");
        last = Some(frame.sequence());
    }
    println!("  30 frames: {}", camera.describe());

    let whole = jpeg(BLUE);
    webcam.show(whole[..whole.len() / 2].to_vec());
    let error = loop {
        match camera.next(PATIENCE) {
            Ok(frame) => assert!(is_of(&frame, RED), "half a frame came through"),
            Err(error) => break error,
        }
    };
    println!("  half a frame: {error}");
    assert!(matches!(error, FrameError::Corrupt { .. }), "{error}");
    webcam.show(whole);
    errors_until(&mut camera, |frame| is_of(frame, BLUE));
    assert_eq!(camera.watch().counts().failures, 0, "it was opened again");

    drop(webcam);
    let begun = Instant::now();
    let error = loop {
        if let Err(error) = camera.next(PATIENCE) {
            break error;
        }
    };
    println!("  unplugged, told after {:.1?}: {error}", begun.elapsed());
    assert!(matches!(error, FrameError::Unplugged { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "told late");

    let _webcam = Webcam::plug(jpeg(RED)).unwrap();
    let begun = Instant::now();
    errors_until(&mut camera, |frame| is_of(frame, RED));
    let took = begun.elapsed();
    println!("  plugged in again: frames after {took:.1?}");
    let allowed = RecoverySettings::default().longest_pause + Duration::from_secs(3);
    assert!(took < allowed, "{took:?} of {allowed:?}");
}
