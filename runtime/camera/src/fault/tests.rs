use std::time::Duration;

use super::*;
use crate::clock;
use crate::error::LayoutError;
use crate::frame::{Layout, PixelFormat};
use crate::health::{Expected, Unhealthy, check_frame, check_light};

const WAIT: Duration = Duration::from_millis(1);

/// Grey frames of 8 x 6 px, captured now.
struct Camera(u64);

impl FrameSource for Camera {
    fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
        let layout = Layout::packed(PixelFormat::Grey, 8, 6);
        let sequence = self.0;
        self.0 += 1;
        // Ten seconds are taken off a stamp, and the machine may have been started just now.
        let captured = clock::now() + OLD;
        Ok(Frame::new(vec![90; 48], layout, captured, sequence).unwrap())
    }

    fn describe(&self) -> String {
        "camera".into()
    }
}

/// What the frame after a sound one is like when it has this fault.
fn second(fault: Fault) -> (Frame, Result<Frame, FrameError>, FaultPlan) {
    let plan = FaultPlan::script(&[(1, fault)]).without_waiting();
    let mut source = Faulty::new(Camera(5), plan.clone());
    let first = source.next(WAIT).unwrap();
    let second = source.next(WAIT);
    assert_eq!(plan.count(fault), 1);
    (first, second, plan)
}

fn health(frame: &Frame) -> Option<Unhealthy> {
    let expected = Expected {
        size: Some((8, 6)),
        max_age: Duration::from_secs(5),
        ..Expected::default()
    };
    check_frame(frame, clock::now() + OLD, &expected)
        .and_then(|()| check_light(&to_rgb(frame, None).unwrap(), &expected))
        .err()
}

#[test]
fn a_stall_is_a_time_out_and_the_next_frame_comes() {
    let plan = FaultPlan::script(&[(0, Fault::Stall)]);
    let mut source = Faulty::new(Camera(0), plan);
    let before = clock::now();
    assert!(matches!(
        source.next(WAIT * 20),
        Err(FrameError::TimedOut { .. })
    ));
    assert!(clock::now() - before >= WAIT * 20);
    assert_eq!(source.next(WAIT).unwrap().sequence(), 0);
}

#[test]
fn an_unplugged_source_stays_away_until_it_is_built_again() {
    let plan = FaultPlan::script(&[(0, Fault::Unplug)]);
    let mut source = Faulty::new(Camera(0), plan.clone());
    for _ in 0..3 {
        assert!(matches!(
            source.next(WAIT),
            Err(FrameError::Unplugged { .. })
        ));
    }
    assert!(Faulty::new(Camera(0), plan).next(WAIT).is_ok());
}

#[test]
fn damaged_frames_are_errors_that_say_how() {
    let (_, truncated, _) = second(Fault::Truncated);
    let Err(FrameError::Corrupt {
        reason: Corruption::Layout(LayoutError::Short { needed, got, .. }),
        ..
    }) = truncated
    else {
        panic!("{truncated:?}");
    };
    assert_eq!((needed, got), (48, 24));
    let (_, corrupt, _) = second(Fault::Corrupt);
    assert!(matches!(
        corrupt,
        Err(FrameError::Corrupt {
            sequence: 6,
            reason: Corruption::Marked,
            ..
        })
    ));
}

#[test]
fn the_checks_of_health_find_every_fault_that_still_gives_a_frame() {
    for (fault, name) in [
        (Fault::WrongSize, "WrongSize"),
        (Fault::OldStamp, "Stale"),
        (Fault::Black, "Black"),
        (Fault::OverExposed, "OverExposed"),
    ] {
        let (first, given, plan) = second(fault);
        assert_eq!(health(&first), None);
        let frame = given.unwrap();
        let found = format!("{:?}", health(&frame));
        assert!(found.contains(name), "{fault:?} was taken for {found}");
        assert_eq!(frame.sequence(), 6);
        assert_eq!(plan.fault_of(6), Some(fault));
        assert_eq!(plan.fault_of(5), None);
    }
}

#[test]
fn a_duplicate_is_the_same_frame_and_a_slow_source_leaves_a_gap() {
    let (first, second_frame, _) = second(Fault::Duplicated);
    assert_eq!(second_frame.unwrap(), first);
    let (_, slow, _) = second(Fault::Slow);
    let slow = slow.unwrap();
    assert_eq!(slow.sequence(), 5 + 1 + 3);
    assert_eq!(health(&slow), None);
}
