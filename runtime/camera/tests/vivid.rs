//! With the kernel's virtual camera (`modprobe vivid`), which fails on demand: every trap of the
//! driver's side that `andon_camera::v4l2` says it handles.
//!
//! Without vivid the test says so and passes. It must have the camera to itself.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use andon_camera::v4l2::{CameraSettings, ControlName, ControlTaken, V4l2Source, list};
use andon_camera::{
    Corruption, FrameError, FrameSource, PixelFormat, Recovering, RecoverySettings, to_rgb,
};
use v4l::control::{Control, Value};

const PATIENCE: Duration = Duration::from_secs(10);

/// Where the driver is unbound, which is as good as a pulled plug, and bound again.
const DRIVER: &str = "/sys/bus/platform/drivers/vivid";
const DEVICE: &str = "vivid.0";

/// The camera, for one test at a time.
fn vivid() -> Option<(CameraSettings, MutexGuard<'static, ()>)> {
    static IN_USE: Mutex<()> = Mutex::new(());
    let guard = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
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
    Some((settings, guard))
}

/// Presses the button whose name has these words, through a second handle.
fn press(settings: &CameraSettings, words: &str) {
    set(settings, words, Value::None);
}

/// Sets the control whose name has these words, through a second handle.
fn set(settings: &CameraSettings, words: &str, value: Value) {
    let device = v4l::Device::with_path(&settings.path).unwrap();
    let controls = device.query_controls().unwrap();
    let names: Vec<_> = controls.iter().map(|c| c.name.as_str()).collect();
    let button = controls
        .iter()
        .find(|control| control.name.contains(words))
        .unwrap_or_else(|| panic!("no {words} among {names:?}"));
    let control = Control {
        id: button.id,
        value,
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
                eprintln!("    {error}");
                assert!(error.may_pass() && errors.len() < 20, "{error}");
                errors.push(error);
                sound = 0;
            }
        }
    }
    errors
}

#[test]
fn each_fault_of_the_driver_is_told_and_survived() {
    let Some((settings, _guard)) = vivid() else {
        return;
    };
    let mut camera = recovering(&settings);
    assert_eq!(errors_until_sound(&mut camera, 5), []);

    eprintln!("  a buffer marked as damaged:");
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

    eprintln!("  a queue that breaks:");
    press(&settings, "Fatal Streaming Error");
    let errors = errors_until_sound(&mut camera, 8);
    assert!(!errors.is_empty());
    assert_eq!(camera.watch().counts().restarts, 1);
    drop(camera);

    eprintln!("  a camera that does not start:");
    let mut camera = recovering(&settings);
    press(&settings, "STREAMON");
    let errors = errors_until_sound(&mut camera, 3);
    assert!(!errors.is_empty());
    drop(camera);

    eprintln!("  no buffers to be had:");
    press(&settings, "REQBUFS");
    let mut camera = recovering(&settings);
    let errors = errors_until_sound(&mut camera, 3);
    assert!(!errors.is_empty());

    drop(camera);

    eprintln!("  the same source goes on after its queue broke:");
    let mut camera = V4l2Source::open(&settings).unwrap();
    assert_eq!(errors_until_sound(&mut camera, 3), []);
    press(&settings, "Fatal Streaming Error");
    assert!(!errors_until_sound(&mut camera, 8).is_empty());

    eprintln!("  a source is dropped while its queue is broken:");
    press(&settings, "Fatal Streaming Error");
    drop(camera);
    assert_eq!(errors_until_sound(&mut recovering(&settings), 3), []);

    eprintln!("  controls are read back, and one that is missing is named:");
    let fixed = CameraSettings {
        gain: Some(77),
        exposure: Some(Duration::from_millis(5)),
        ..settings
    };
    let camera = V4l2Source::open(&fixed).unwrap();
    let taken = camera.taken();
    for control in &taken.controls {
        let ControlTaken {
            control,
            asked,
            taken,
        } = control;
        eprintln!("    {control:?}: {asked} asked, {taken:?}");
    }
    let gain = taken
        .controls
        .iter()
        .find(|c| c.control == ControlName::Gain);
    assert_eq!(gain.unwrap().taken, Ok(77));
    let differing: Vec<_> = taken.differing().map(|c| c.control).collect();
    assert_eq!(differing, [ControlName::Exposure]);
}

/// The mean colour of a spot of eight by eight pixels.
fn spot(picture: &image::RgbImage, x: u32, y: u32) -> [i32; 3] {
    let mut sum = [0_i32; 3];
    for (dx, dy) in (0..8).flat_map(|dx| (0..8).map(move |dy| (dx, dy))) {
        let pixel = picture.get_pixel(x + dx, y + dy).0;
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += i32::from(value);
        }
    }
    sum.map(|sum| sum / 64)
}

/// The colour bars of the driver, in each format that Andon reads: eight different colours, the same
/// in each format.
#[test]
fn the_same_colours_come_out_of_every_format() {
    let Some((settings, _guard)) = vivid() else {
        return;
    };
    let bars = |format| {
        let settings = CameraSettings {
            format,
            ..settings.clone()
        };
        let mut camera = V4l2Source::open(&settings).unwrap();
        let picture = to_rgb(&camera.next(PATIENCE).unwrap(), None).unwrap();
        // Below the text that the driver writes over the picture.
        [0, 1, 2, 3, 4, 5, 6, 7].map(|bar| spot(&picture, bar * 40 + 16, 150))
    };
    let expected = bars(PixelFormat::Rgb3);
    for (n, bar) in expected.iter().enumerate() {
        assert!(
            expected[..n].iter().all(|other| other != bar),
            "{expected:?}"
        );
    }
    for format in [
        PixelFormat::Bgr3,
        PixelFormat::Yuyv,
        PixelFormat::Nv12,
        PixelFormat::Grey,
    ] {
        let mut worst = 0;
        for (seen, expected) in bars(format).into_iter().zip(expected) {
            let [r, g, b] = expected;
            // The driver makes its grey by Rec. 709 from 0 to 255, and it is taken as it comes.
            let grey = (2126 * r + 7152 * g + 722 * b) / 10_000;
            let wanted = if format == PixelFormat::Grey {
                [grey; 3]
            } else {
                expected
            };
            for (seen, wanted) in seen.into_iter().zip(wanted) {
                worst = worst.max((seen - wanted).abs());
            }
        }
        println!("  {format}: colour bars at most {worst} of 255 from RGB3");
        assert!(worst <= 8, "{format}: {worst} of 255");
    }
}

#[test]
fn a_camera_that_gives_no_frames_times_out_and_goes_on() {
    let Some((settings, _guard)) = vivid() else {
        return;
    };
    let mut camera = recovering(&settings);
    assert_eq!(errors_until_sound(&mut camera, 3), []);
    set(
        &settings,
        "Percentage of Dropped Buffers",
        Value::Integer(100),
    );
    let told = loop {
        // Frames that were under way may still come.
        if let Err(error) = camera.next(Duration::from_secs(1)) {
            break error;
        }
    };
    assert!(matches!(told, FrameError::TimedOut { .. }), "{told}");
    set(
        &settings,
        "Percentage of Dropped Buffers",
        Value::Integer(0),
    );
    let begun = Instant::now();
    errors_until_sound(&mut camera, 1);
    let took = begun.elapsed();
    println!("  frames again {took:.1?} after the camera gives some");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

fn bind(how: &str) -> bool {
    fs::write(format!("{DRIVER}/{how}"), DEVICE).is_ok()
}

/// The control "Disconnect" takes the camera away with its file open; then the driver goes, and
/// comes back.
#[test]
fn a_camera_that_goes_away_is_told_and_comes_back_by_itself() {
    let Some((settings, _guard)) = vivid() else {
        return;
    };
    if fs::metadata(DRIVER).map_or(true, |found| found.permissions().readonly()) {
        eprintln!("SKIPPED: not allowed to unbind the driver");
        return;
    }
    for way in ["disconnected", "unbound"] {
        let mut camera = recovering(&settings);
        assert_eq!(errors_until_sound(&mut camera, 3), []);
        if way == "disconnected" {
            press(&settings, "Disconnect");
        }
        assert!(bind("unbind"), "the driver cannot be unbound");
        let begun = Instant::now();
        let told = loop {
            if let Err(error) = camera.next(PATIENCE) {
                break error;
            }
        };
        let took = begun.elapsed();
        assert!(matches!(told, FrameError::Unplugged { .. }), "{told}");
        println!("  {way}: told within {took:.1?}: {told}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        // For a while there is none, and each try says so.
        for _ in 0..3 {
            let error = camera.next(Duration::from_secs(1)).unwrap_err();
            assert!(error.may_pass(), "{error}");
        }
        assert!(bind("bind"), "the driver cannot be bound");
        let begun = Instant::now();
        while camera.next(PATIENCE).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the camera does not come back");
        }
        let took = begun.elapsed();
        println!("  {way}: frames again {took:.1?} after it is back");
        let allowed = RecoverySettings::default().longest_pause + Duration::from_secs(2);
        assert!(took < allowed, "{took:?} of {allowed:?}");
        assert!(camera.watch().counts().restarts > 0);
    }
}

/// Resident memory in kilobytes, and open files.
fn holdings() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes = resident
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap();
    (kilobytes, fs::read_dir("/proc/self/fd").unwrap().count())
}

#[test]
fn a_thousand_frames_and_fifty_starts_leave_nothing_behind() {
    let Some((settings, _guard)) = vivid() else {
        return;
    };
    let settings = CameraSettings {
        frames_per_second: 60,
        ..settings
    };
    let take = |count| {
        let mut camera = V4l2Source::open(&settings).unwrap();
        for _ in 0..count {
            to_rgb(&camera.next(PATIENCE).unwrap(), None).unwrap();
        }
    };
    take(100);
    let (memory, files) = holdings();
    take(1000);
    let after_frames = holdings();
    (0..50).for_each(|_| take(1));
    let after_starts = holdings();
    println!(
        "  {memory} kB and {files} files at first; {} kB and {} after 1000 frames; {} kB and {} \
         after 50 starts",
        after_frames.0, after_frames.1, after_starts.0, after_starts.1
    );
    for (now, open) in [after_frames, after_starts] {
        assert_eq!(open, files, "open files");
        assert!(now <= memory + 256, "{now} kB of memory, {memory} before");
    }
}
