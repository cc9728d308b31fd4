//! The whole room together: a source with every fault, recovered, read by a thread, checked.

use std::time::Duration;

use andon_camera::health::{Expected, check_frame, check_light};
use andon_camera::{
    Delivery, Fault, FaultPlan, Faulty, Frame, FrameError, FrameSource, Newest, Recovering,
    RecoverySettings, clock, to_rgb,
};
use image::{Rgb, RgbImage};

const FRAMES: u64 = 20_000;
const SIZE: (u32, u32) = (16, 12);
const PATIENCE: Duration = Duration::from_secs(10);

/// A camera that goes on counting when it is opened again, as its parts go on passing by.
struct Camera;

impl FrameSource for Camera {
    fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
        let picture = RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([120, 110, 100]));
        // As if the machine had run for a while: an old stamp is ten seconds older.
        let captured = clock::now() + Duration::from_secs(60);
        Ok(Frame::from_rgb(picture, captured, 0).expect("the size is possible"))
    }

    fn describe(&self) -> String {
        "camera".into()
    }
}

/// Numbers the frames of any source: what a driver does.
struct Numbered<S>(S, u64);

impl<S: FrameSource> FrameSource for Numbered<S> {
    fn next(&mut self, timeout: Duration) -> Result<Frame, FrameError> {
        let frame = self.0.next(timeout)?;
        self.1 += 1;
        let captured = frame.captured();
        Ok(frame.renumbered(captured, self.1))
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[test]
fn through_twenty_thousand_bad_frames_no_faulted_frame_is_taken_for_a_sound_one() {
    let plan = FaultPlan::random(11, 0.3, &Fault::ALL).without_waiting();
    let faults = plan.clone();
    let settings = RecoverySettings {
        first_pause: Duration::from_micros(10),
        longest_pause: Duration::from_micros(100),
        restarts: u32::MAX,
        ..RecoverySettings::default()
    };
    let source = Recovering::new(
        "camera",
        settings,
        Box::new(move || {
            let camera = Faulty::new(Numbered(Camera, 0), faults.clone());
            Ok(Box::new(camera) as Box<dyn FrameSource>)
        }),
    );
    let watch = source.watch();
    let newest = Newest::start(source, PATIENCE, Delivery::Every).expect("a thread is left");
    let expected = Expected {
        size: Some(SIZE),
        max_age: Duration::from_secs(5),
        ..Expected::default()
    };

    let mut last: Option<Frame> = None;
    let (mut sound, mut unhealthy, mut errors) = (0_u64, 0_u64, 0_u64);
    while sound + unhealthy + errors < FRAMES {
        let after = last.as_ref().map(Frame::sequence);
        let frame = match newest.wait(after, PATIENCE) {
            Ok(frame) => frame,
            Err(error) => {
                assert!(error.may_pass(), "{error}");
                errors += 1;
                continue;
            }
        };
        let now = clock::now() + Duration::from_secs(60);
        let checked = check_frame(&frame, now, &expected).and_then(|()| {
            let picture = to_rgb(&frame, None).expect("a raw frame can be converted");
            check_light(&picture, &expected)
        });
        if checked.is_ok() {
            // Sound means: every pixel as the camera made it, newer than any before.
            assert!(frame.data().chunks(3).all(|pixel| pixel == [120, 110, 100]));
            assert!(last.is_none_or(|last| frame.captured() > last.captured()));
            sound += 1;
        } else {
            unhealthy += 1;
        }
        last = Some(frame);
    }

    // The thread is at most one frame ahead, so what was counted here was injected, and all of it.
    let count = |faults: &[Fault]| faults.iter().map(|f| plan.count(*f)).sum::<u64>();
    let seen_as_errors = count(&[
        Fault::Stall,
        Fault::Unplug,
        Fault::Truncated,
        Fault::Corrupt,
    ]);
    let seen_as_unhealthy = count(&[
        Fault::WrongSize,
        Fault::OldStamp,
        Fault::Black,
        Fault::OverExposed,
    ]);
    let stale = newest.counts().stale;
    assert!(seen_as_errors.abs_diff(errors) <= 1, "{errors} errors");
    assert!(seen_as_unhealthy.abs_diff(unhealthy) <= 1, "{unhealthy}");
    assert!(
        plan.count(Fault::Duplicated).abs_diff(stale) <= 1,
        "{stale}"
    );
    assert!(sound > FRAMES / 2, "{sound}");
    newest.stop(PATIENCE).expect("the source answers");
    let counts = watch.counts();
    assert_eq!(counts.failures, count(&[Fault::Stall, Fault::Unplug]));
    assert!(counts.failures - counts.restarts <= 1, "{counts:?}");
}
