//! A station that sees parts by itself: one result a part, on a frame that shows it in place.

mod common;

use andon_link::{Outcome, Verdict};
use andon_station::{
    Cause, Event, FrameSeen, Place, PresenceSettings, Settings, Source, Threshold,
};
use common::{Bench, RECIPE, frame, judgement, ms};

fn free_running(threshold: Threshold, settle: u64) -> Bench {
    let presence = PresenceSettings {
        threshold,
        settle: ms(settle),
        gap: ms(30),
    };
    Bench::started(Settings::free_running(RECIPE, presence))
}

const GIVEN: Threshold = Threshold::Given { on: 10.0, off: 5.0 };

/// Change while a part of a second comes by, `at` ms after the empty place.
fn passing(at: u64) -> f32 {
    match at {
        200..300 => (at - 200) as f32 * 0.3,
        300..600 => 30.0 + (at % 3) as f32 * 0.2,
        600..700 => (700 - at) as f32 * 0.3,
        _ => 1.0 + (at % 7) as f32 * 0.1,
    }
}

/// Runs parts of a second by the camera; the inspector answers at the next frame.
fn run(line: &mut Bench, from: u64, parts: u64, period: u64) {
    for at in (from..from + parts * 1000).step_by(period as usize) {
        let seen = FrameSeen {
            presence: Some(passing((at - from) % 1000)),
            ..frame(at, at)
        };
        let asked = line.orders.len();
        line.frame(at, seen);
        if line.orders.len() > asked {
            line.answer(at + 5, Ok(judgement(true)));
        }
    }
}

#[test]
fn each_part_has_one_result_whatever_the_frame_rate() {
    for period in [8, 16, 33, 50] {
        let mut line = free_running(GIVEN, 0);
        run(&mut line, 100, 20, period);
        assert_eq!(line.results.len(), 20, "a frame each {period} ms");
        assert!(line.results.iter().all(|r| r.verdict == Verdict::Ok));
        assert!(line.results.iter().all(|r| r.source == Source::Presence));
    }
}

#[test]
fn a_part_is_judged_on_the_frame_that_shows_it_in_place() {
    let mut line = free_running(GIVEN, 60);
    run(&mut line, 100, 1, 20);
    let frame = line.last().frame.expect("it was judged");
    let at = frame - 100;
    assert!(
        (300..600).contains(&at),
        "judged at {at} ms, while it moved"
    );
    assert_eq!(
        line.last().triggered,
        ms(frame),
        "it was captured with its trigger"
    );
}

#[test]
fn the_result_of_a_part_stays_shown_until_the_next_is_in_place() {
    let mut line = free_running(GIVEN, 0);
    run(&mut line, 100, 1, 20);
    let stream = Outcome::Stream {
        verdict: Verdict::Ok,
        recipe: RECIPE,
    };
    assert_eq!(
        (line.shown.outcome, line.shown.results_ready),
        (stream, true)
    );
}

#[test]
fn a_part_that_comes_while_the_last_is_still_judged_is_skipped_in_sight() {
    let mut line = free_running(GIVEN, 0);
    for at in (100..2100).step_by(20) {
        let seen = FrameSeen {
            presence: Some(passing((at - 100) % 700 + 100)),
            ..frame(at, at)
        };
        line.frame(at, seen);
    }
    let skipped = line.results.iter().filter(|r| r.skipped).count();
    assert!(
        skipped > 0,
        "an inspector that never answers keeps the station busy"
    );
    assert_eq!(
        line.station.counters().answered() + 1,
        line.station.counters().triggers + 1
    );
}

#[test]
fn a_part_that_rushes_through_is_rejected_as_never_seen() {
    let mut line = free_running(GIVEN, 500);
    for (at, presence) in [(100, 0.0), (120, 20.0), (140, 25.0), (160, 0.0)] {
        let seen = FrameSeen {
            presence: Some(presence),
            ..frame(at, at)
        };
        line.frame(at, seen);
    }
    assert_eq!(
        line.last().verdict,
        Verdict::Error(Cause::PartMissed.code())
    );
    assert!(line.last().skipped);
}

#[test]
fn the_threshold_is_learned_from_parts_that_come_and_go() {
    let mut line = free_running(Threshold::Learned { during: ms(5000) }, 0);
    run(&mut line, 100, 6, 20);
    let learned = line.events.iter().find_map(|event| match event {
        Event::PresenceLearned { on, off } => Some((*on, *off)),
        _ => None,
    });
    let (on, off) = learned.expect("six parts came by");
    assert!(1.7 < off && off < on && on < 30.0, "on {on}, off {off}");
    let before = line.results.len();
    run(&mut line, 6100, 10, 20);
    assert_eq!(line.results.len() - before, 10);
    assert_eq!(line.station.place(), Some(Place::Empty));
}
