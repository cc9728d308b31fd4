//! Rules 4, 5 and 8: the watchdog sees progress only, recovery is automatic, counted and bounded,
//! and every wait has a deadline. Rule 6: counters.

mod common;

use std::time::Duration;

use andon_link::Verdict;
use andon_station::{
    Budget, Cause, Counters, Event, Fault, FrameHealth, FrameSeen, PresenceSettings, Settings,
    State, Station, Threshold,
};
use common::{Bench, RECIPE, frame, judgement, ms, settings};

fn error(cause: Cause) -> Verdict {
    Verdict::Error(cause.code())
}

#[test]
fn the_part_under_way_ends_as_an_error_when_the_camera_goes() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.call(|station| station.handle_fault(ms(1050), Fault::CameraLost));
    assert_eq!(line.last().verdict, error(Cause::CameraLost));
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(
        line.results.len(),
        1,
        "the answer to an ended part is not looked at"
    );
}

#[test]
fn recovery_needs_no_hand_and_is_counted() {
    let mut line = Bench::started(settings());
    for round in 1..=3 {
        let at = 1000 * round;
        line.call(|station| station.handle_fault(ms(at), Fault::CameraLost));
        line.call(|station| station.handle_fault(ms(at + 1), Fault::CameraLost));
        assert_eq!(line.shown.state, State::Error);
        line.call(|station| station.handle_recovery(ms(at + 100), Fault::CameraLost));
        line.call(|station| station.handle_recovery(ms(at + 101), Fault::CameraLost));
        assert_eq!(line.shown.state, State::Ready);
        let status = line.station.fault(Fault::CameraLost);
        assert_eq!((status.raised, status.recovered), (round, round));
    }
    assert!(
        line.shown.error.is_some(),
        "that it was there is told until acknowledged"
    );
}

#[test]
fn a_camera_that_was_opened_again_may_count_frames_from_anew() {
    let mut line = Bench::started(settings());
    line.frame(500, frame(1000, 495));
    line.call(|station| station.handle_fault(ms(600), Fault::CameraLost));
    line.call(|station| station.handle_recovery(ms(900), Fault::CameraLost));
    line.trigger(1000);
    line.frame(1010, frame(0, 400));
    assert!(line.orders.is_empty(), "its time does not begin anew");
    line.frame(1020, frame(1, 1015));
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().verdict, Verdict::Ok);
}

#[test]
fn faults_that_come_back_too_often_wait_for_a_person() {
    let mut line = Bench::started(Settings {
        budget: Budget {
            recoveries: 2,
            within: ms(60_000),
        },
        ..settings()
    });
    let flap = |line: &mut Bench, at: u64| {
        line.call(|station| station.handle_fault(ms(at), Fault::CameraLost));
        line.call(|station| station.handle_recovery(ms(at + 10), Fault::CameraLost));
    };
    flap(&mut line, 1000);
    flap(&mut line, 2000);
    assert_eq!(line.shown.state, State::Ready);
    flap(&mut line, 3000);
    assert_eq!(line.shown.state, State::Error);
    assert!(line.events.contains(&Event::BudgetSpent {
        fault: Fault::CameraLost,
        recoveries: 2
    }));
    line.trigger(4000);
    assert_eq!(line.last().verdict, error(Cause::Flapping));
    line.run_until(10_000_000);
    assert_eq!(line.shown.state, State::Error, "time alone does not help");
    line.ack(10_000_001);
    assert_eq!(line.shown.state, State::Ready);
}

#[test]
fn faults_far_apart_do_not_spend_the_budget() {
    let mut line = Bench::started(Settings {
        budget: Budget {
            recoveries: 2,
            within: ms(60_000),
        },
        ..settings()
    });
    for round in 0..50 {
        let at = 40_000 * round;
        line.call(|station| station.handle_fault(ms(at), Fault::CameraLost));
        line.call(|station| station.handle_recovery(ms(at + 10), Fault::CameraLost));
        assert_eq!(line.shown.state, State::Ready);
    }
}

fn free_running() -> Settings {
    Settings::free_running(
        RECIPE,
        PresenceSettings {
            threshold: Threshold::Given { on: 10.0, off: 5.0 },
            settle: ms(0),
            gap: ms(0),
        },
    )
}

#[test]
fn silence_of_the_camera_is_noticed_and_ends_with_the_next_usable_frame() {
    let mut line = Bench::started(free_running());
    line.frame(100, frame(50, 95));
    assert_eq!(line.shown.state, State::ContinuousExecution);
    line.run_until(1099);
    assert_eq!(line.shown.state, State::ContinuousExecution);
    line.run_until(1100);
    assert_eq!(line.shown.state, State::Error);
    // Black frames and copies are no sign of life; a counter that began anew is.
    let black = FrameSeen {
        health: FrameHealth::Black,
        ..frame(51, 1200)
    };
    line.frame(1200, black);
    line.frame(1210, frame(52, 1200));
    assert_eq!(line.shown.state, State::Error);
    line.run_until(2000);
    line.frame(2000, frame(60, 1990));
    assert_eq!(line.shown.state, State::ContinuousExecution);
    assert_eq!(line.station.fault(Fault::CameraStalled).recovered, 1);
}

#[test]
fn a_source_that_counts_anew_without_a_word_is_believed_after_the_time_out() {
    let mut line = Bench::started(free_running());
    line.frame(100, frame(5000, 95));
    for (sequence, at) in (0..).zip((150..1100).step_by(50)) {
        line.frame(at, frame(sequence, at));
    }
    assert_eq!(line.station.counters().frames.fresh, 1);
    line.run_until(1100);
    line.frame(1150, frame(30, 1150));
    assert_eq!(line.station.counters().frames.fresh, 2);
    assert_eq!(line.shown.state, State::ContinuousExecution);
}

#[test]
fn a_hanging_inspector_is_a_fault_and_its_return_a_recovery() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.run_until(3499);
    assert_eq!(line.last().verdict, error(Cause::Deadline));
    assert_ne!(line.shown.state, State::Error);
    line.run_until(3500);
    assert_eq!(line.shown.state, State::Error);
    assert_eq!(line.station.fault(Fault::InspectorStuck).raised, 1);
    line.answer(9000, Ok(judgement(true)));
    assert_eq!((line.shown.state, line.results.len()), (State::Ready, 1));
}

#[test]
fn an_inspector_that_died_and_was_restarted_judges_again() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.call(|station| station.handle_fault(ms(1020), Fault::InspectorDied));
    assert_eq!(line.last().verdict, error(Cause::InspectorDied));
    line.call(|station| station.handle_recovery(ms(2000), Fault::InspectorDied));
    line.part(3000, true);
    assert_eq!(line.last().verdict, Verdict::Ok);
}

#[test]
fn a_refused_recipe_stops_judging_until_a_good_one_is_there() {
    let mut line = Bench::started(settings());
    line.call(|station| station.handle_fault(ms(1000), Fault::RecipeRefused));
    line.trigger(1500);
    assert_eq!(line.last().verdict, error(Cause::RecipeRefused));
    let other = andon_station::Recipe::new(andon_link::RecipeIndex(2));
    line.call(|station| station.handle_recipe_switch(ms(2000), other));
    line.part(3000, true);
    assert_eq!(line.last().verdict, Verdict::Ok);
}

#[test]
fn the_watchdog_sees_progress_and_not_that_time_passes() {
    let mut line = Bench::started(settings());
    let grew = |line: &mut Bench, at: u64| {
        let before = line.station.progress();
        line.tick(at);
        line.station.progress() > before
    };
    assert!(grew(&mut line, 100), "waiting for a trigger is no hang");
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.run_until(1500);
    for at in 1501..1600 {
        line.frame(at, frame(at, at));
        line.trigger(at);
        assert!(!grew(&mut line, at), "the inspector hangs");
    }
    line.answer(1700, Ok(judgement(true)));
    assert!(grew(&mut line, 1800));
}

#[test]
fn every_wait_has_a_deadline() {
    let mut line = Bench::started(free_running());
    assert_eq!(
        line.station.poll_deadline(),
        Some(ms(1000)),
        "the first frame"
    );
    line.frame(100, frame(1, 95));
    assert_eq!(
        line.station.poll_deadline(),
        Some(ms(1100)),
        "the next frame"
    );
    let mut line = Bench::started(settings());
    assert_eq!(line.station.poll_deadline(), None, "nothing is waited for");
    line.trigger(1000);
    assert_eq!(
        line.station.poll_deadline(),
        Some(ms(1500)),
        "a frame of the part"
    );
    line.frame(1010, frame(1, 1010));
    assert_eq!(
        line.station.poll_deadline(),
        Some(ms(1500)),
        "the inspector"
    );
    line.tick(1500);
    assert_eq!(
        line.station.poll_deadline(),
        Some(ms(3500)),
        "an inspector that is late"
    );
    line.tick(3500);
    assert_eq!(line.station.poll_deadline(), None, "a person");
}

#[test]
fn time_that_goes_back_does_no_harm() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.tick(10);
    line.frame(900, frame(1, 990));
    assert!(line.orders.is_empty());
    line.tick(1500);
    assert_eq!(line.last().latency, ms(500));
}

#[test]
fn counters_add_up_and_go_back_only_by_a_named_event() {
    let mut line = Bench::started(settings());
    line.part(1000, true);
    line.part(2000, false);
    line.trigger(3000);
    line.trigger(3100);
    line.run_until(3500);
    line.ack(4000);
    let counters = line.station.counters().clone();
    assert_eq!(
        (counters.ok, counters.ng, counters.errors, counters.skipped),
        (1, 1, 1, 1)
    );
    assert_eq!((counters.triggers, counters.answered()), (4, 4));
    assert_eq!(
        (counters.latency.min_us, counters.latency.max_us),
        (100_000, 500_000)
    );
    let third = Duration::from_micros(700_000 / 3);
    assert_eq!(counters.latency.average(), Some(third));

    line.trigger(5000);
    line.call(|station| station.handle_counters_reset(ms(5001), "day shift"));
    let Some(Event::CountersReset { by, before }) = line.events.last() else {
        panic!("the reset is no event: {:?}", line.events);
    };
    assert_eq!((by.as_str(), before.triggers), ("day shift", 5));
    assert_eq!(line.station.counters().triggers, 1, "the part under way");
    line.run_until(6000);
    assert_eq!(line.station.counters().answered(), 1);
}

#[test]
fn counters_survive_a_restart_even_in_the_middle_of_a_part() {
    let mut line = Bench::started(settings());
    line.part(1000, true);
    line.trigger(2000);
    let stored = serde_json::to_string(line.station.counters()).expect("numbers");
    let restored: Counters = serde_json::from_str(&stored).expect("just written");
    let station = Station::resume(settings(), restored).expect("the same settings");
    assert_eq!(
        station.counters().triggers,
        1,
        "the lost part has no result"
    );
    assert_eq!(station.counters().ok, 1);
    assert_eq!(station.counters().latency, line.station.counters().latency);
}
