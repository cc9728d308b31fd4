use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::error::Corruption;
use crate::frame::{Layout, PixelFormat};

const PATIENCE: Duration = Duration::from_secs(5);

fn frame(sequence: u64) -> Result<Frame, FrameError> {
    let layout = Layout::packed(PixelFormat::Grey, 1, 1);
    Ok(Frame::new(vec![0], layout, Duration::ZERO, sequence).unwrap())
}

fn unplugged() -> Result<Frame, FrameError> {
    Err(FrameError::Unplugged {
        name: "camera".into(),
        reason: "gone".into(),
    })
}

fn timed_out() -> Result<Frame, FrameError> {
    Err(FrameError::TimedOut {
        name: "camera".into(),
        waited: PATIENCE,
    })
}

fn corrupt() -> Result<Frame, FrameError> {
    Err(FrameError::Corrupt {
        name: "camera".into(),
        sequence: 0,
        reason: Corruption::Marked,
    })
}

/// Gives a list of results; counts how many of its kind are open.
struct Listed(VecDeque<Result<Frame, FrameError>>, Arc<AtomicU32>);

impl FrameSource for Listed {
    fn next(&mut self, _: Duration) -> Result<Frame, FrameError> {
        self.0.pop_front().unwrap_or_else(unplugged)
    }

    fn describe(&self) -> String {
        "camera".into()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

type Opening = Result<Vec<Result<Frame, FrameError>>, FrameError>;

fn recovering(restarts: u32, openings: Vec<Opening>) -> Recovering {
    let open = Arc::new(AtomicU32::new(0));
    let mut openings = openings.into_iter();
    let settings = RecoverySettings {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        restarts,
        ..RecoverySettings::default()
    };
    Recovering::new(
        "camera",
        settings,
        Box::new(move || {
            let list = openings.next().unwrap_or_else(|| Ok(Vec::new()))?;
            let before = open.fetch_add(1, Ordering::SeqCst);
            assert_eq!(before, 0, "the failed source was still open");
            Ok(Box::new(Listed(list.into(), Arc::clone(&open))) as Box<dyn FrameSource>)
        }),
    )
}

/// The numbers of the frames and the kinds of the errors of `count` calls.
fn story(source: &mut Recovering, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| match source.next(PATIENCE) {
            Ok(frame) => frame.sequence().to_string(),
            Err(FrameError::TimedOut { .. }) => "timed out".into(),
            Err(FrameError::Unplugged { .. }) => "unplugged".into(),
            Err(FrameError::Corrupt { .. }) => "corrupt".into(),
            Err(FrameError::Refused { .. }) => "refused".into(),
            Err(FrameError::End { .. }) => "end".into(),
        })
        .collect()
}

#[test]
fn time_out_and_unplug_each_end_in_a_new_source_whose_numbers_go_on() {
    let openings = vec![
        Ok(vec![frame(7), frame(8), timed_out()]),
        Err(unplugged().unwrap_err()),
        Ok(vec![frame(0), frame(3), unplugged()]),
        Ok(vec![frame(0)]),
    ];
    let mut source = recovering(10, openings);
    assert_eq!(
        story(&mut source, 8),
        [
            "7",
            "8",
            "timed out",
            "unplugged",
            "10",
            "13",
            "unplugged",
            "15"
        ]
    );
    let counts = source.watch().counts();
    assert_eq!(
        (counts.failures, counts.restarts, counts.failed_openings),
        (2, 2, 1)
    );
}

#[test]
fn a_single_damaged_frame_does_not_restart_the_source_but_thirty_do() {
    let mut list = vec![corrupt(), frame(1)];
    list.extend((0..30).map(|_| corrupt()));
    let mut source = recovering(10, vec![Ok(list), Ok(vec![frame(0)])]);
    assert_eq!(story(&mut source, 2), ["corrupt", "1"]);
    assert_eq!(source.watch().counts().failures, 0);
    story(&mut source, 30);
    assert_eq!(story(&mut source, 1), ["3"]);
    assert_eq!(source.watch().counts().restarts, 1);
}

#[test]
fn a_flapping_source_is_refused_until_a_person_rearms_it() {
    let mut source = recovering(2, (0..9).map(|_| Ok(vec![frame(0)])).collect());
    assert_eq!(
        story(&mut source, 8),
        [
            "0",
            "unplugged",
            "2",
            "unplugged",
            "4",
            "unplugged",
            "refused",
            "refused"
        ]
    );
    source.rearm();
    assert_eq!(story(&mut source, 1), ["6"]);
}

#[test]
fn the_end_of_a_source_and_a_refusal_are_passed_on_without_a_restart() {
    let end = || {
        Err(FrameError::End {
            name: "camera".into(),
        })
    };
    let mut source = recovering(10, vec![Ok(vec![end(), end()])]);
    assert_eq!(story(&mut source, 2), ["end", "end"]);
    assert_eq!(source.watch().counts(), RecoveryCounts::default());
}

#[test]
fn a_short_time_out_is_kept_while_the_source_rests() {
    let settings = RecoverySettings {
        first_pause: Duration::from_secs(3600),
        longest_pause: Duration::from_secs(3600),
        ..RecoverySettings::default()
    };
    let absent = || Box::new(|| Err(unplugged().unwrap_err()));
    let mut source = Recovering::new("camera", settings, absent());
    assert_eq!(story(&mut source, 1), ["unplugged"]);
    let waited = source.next(Duration::from_millis(5));
    assert!(matches!(waited, Err(FrameError::TimedOut { .. })));
}
