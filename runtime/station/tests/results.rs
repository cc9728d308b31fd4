//! Rule 1: a trigger that was taken always ends in one result within its deadline, on a frame that
//! is not older than itself; and what a station does with triggers that it cannot take.

mod common;

use andon_link::{Admission, Epoch, Outcome, TriggerEdge, TriggerId, Verdict};
use andon_station::{
    Cause, Event, FrameHealth, FrameSeen, Hold, InspectionDone, JobId, Judgement, OnError,
    Settings, Source, State, Trigger,
};
use common::{Bench, RECIPE, frame, id, is_ok, judgement, ms, settings};

fn error(cause: Cause) -> Verdict {
    Verdict::Error(cause.code())
}

#[test]
fn a_part_is_judged_on_the_first_frame_captured_after_its_trigger() {
    let mut line = Bench::started(settings());
    line.frame(990, frame(1, 985));
    line.numbered(1000, 1);
    assert_eq!(line.shown.state, State::SingleExecution);
    assert!(
        line.orders.is_empty(),
        "the frame at 985 is older than the trigger"
    );
    // Captured before the trigger, delivered after it.
    line.frame(1005, frame(2, 995));
    assert!(line.orders.is_empty());
    line.frame(1040, frame(3, 1033));
    assert_eq!(line.orders[0].frame, 3);
    line.answer(1150, Ok(judgement(true)));
    let record = line.last();
    assert_eq!((record.verdict, record.frame), (Verdict::Ok, Some(3)));
    assert_eq!(record.latency, ms(150));
    assert_eq!(
        line.shown.outcome,
        Outcome::Part(record.for_link().expect("it is numbered"))
    );
    assert_eq!(line.results.len(), 1);
}

#[test]
fn a_frame_that_came_before_the_word_of_its_trigger_is_judged_if_it_shows_the_part() {
    let mut line = Bench::started(settings());
    line.frame(1020, frame(1, 1000));
    let edge = Trigger {
        at: Some(ms(995)),
        ..Trigger::new(Source::Input)
    };
    line.call(|station| station.handle_trigger(ms(1025), edge));
    assert_eq!(line.orders[0].frame, 1);
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().latency, ms(105));
}

#[test]
fn repeated_old_and_future_frames_are_never_judged_as_new() {
    let mut line = Bench::started(settings());
    line.frame(900, frame(10, 890));
    line.trigger(1000);
    line.frame(1010, frame(10, 1005)); // the number again
    line.frame(1020, frame(9, 1015)); // a number from before
    line.frame(1030, frame(11, 890)); // the time again
    line.frame(1040, frame(12, 2000)); // a time to come
    assert!(line.orders.is_empty());
    assert_eq!(line.station.counters().frames.stale, 4);
    line.run_until(1500);
    assert_eq!(line.last().verdict, error(Cause::NoFrame));
}

#[test]
fn damaged_frames_are_never_judged_and_named_when_nothing_else_came() {
    let healths = [
        FrameHealth::Corrupt,
        FrameHealth::WrongSize,
        FrameHealth::Black,
        FrameHealth::Overexposed,
    ];
    let mut line = Bench::started(settings());
    line.trigger(1000);
    for (k, health) in (1..).zip(healths) {
        let at = 1000 + 10 * k;
        let damaged = FrameSeen {
            health,
            ..frame(k, at)
        };
        line.frame(at, damaged);
    }
    assert!(line.orders.is_empty());
    line.run_until(1500);
    assert_eq!(line.last().verdict, error(Cause::FrameDamaged));
    assert_eq!(line.station.counters().frames.damaged, 4);
}

#[test]
fn a_sound_frame_after_damaged_ones_still_saves_the_part() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    let damaged = FrameSeen {
        health: FrameHealth::Corrupt,
        ..frame(1, 1010)
    };
    line.frame(1010, damaged);
    line.frame(1040, frame(2, 1040));
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().verdict, Verdict::Ok);
}

#[test]
fn a_part_without_a_frame_is_an_error_at_its_deadline_and_not_before() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    assert_eq!(line.station.poll_deadline(), Some(ms(1500)));
    line.tick(1499);
    assert!(line.results.is_empty());
    line.tick(1500);
    assert_eq!(line.last().verdict, error(Cause::NoFrame));
    assert_eq!(line.last().latency, ms(500));
}

#[test]
fn a_word_of_a_trigger_that_comes_after_its_deadline_is_answered_at_once() {
    let mut line = Bench::started(settings());
    line.frame(1000, frame(1, 1000));
    let edge = Trigger {
        at: Some(ms(400)),
        ..Trigger::new(Source::Input)
    };
    line.call(|station| station.handle_trigger(ms(1000), edge));
    assert!(line.orders.is_empty());
    assert_eq!(line.last().verdict, error(Cause::NoFrame));
    assert!(line.shown.ready);
}

#[test]
fn a_damaged_frame_from_before_the_trigger_is_not_to_blame() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    let damaged = FrameSeen {
        health: FrameHealth::Corrupt,
        ..frame(1, 990)
    };
    line.frame(1010, damaged);
    line.run_until(1500);
    assert_eq!(line.last().verdict, error(Cause::NoFrame));
}

#[test]
fn an_inspection_that_comes_late_changes_nothing_any_more() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    // Nobody ticked in time: the answer itself is too late.
    line.answer(1500, Ok(judgement(true)));
    assert_eq!(line.results.len(), 1);
    assert_eq!(line.last().verdict, error(Cause::Deadline));
    line.answer(1510, Ok(judgement(true)));
    assert_eq!(line.results.len(), 1);
    assert!(!is_ok(&line.shown));
}

#[test]
fn no_part_is_taken_while_the_inspector_is_still_at_an_abandoned_one() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.run_until(1600);
    assert!(!line.shown.ready);
    line.answer(1700, Ok(judgement(true)));
    assert!(line.shown.ready);
}

#[test]
fn an_answer_to_an_unknown_order_is_passed_over() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    let stray = InspectionDone {
        job: JobId(99),
        frame: 1,
        outcome: Ok(judgement(true)),
    };
    line.call(|station| station.handle_inspection(ms(1050), stray));
    assert!(line.results.is_empty());
}

#[test]
fn answers_that_do_not_fit_their_order_are_errors() {
    let cases: [(Cause, u64, Result<Judgement, String>); 4] = [
        (Cause::InspectionFailed, 1, Err("out of memory".to_owned())),
        (Cause::WrongFrame, 0, Ok(judgement(true))),
        (
            Cause::WrongRecipe,
            1,
            Ok(Judgement {
                recipe: andon_link::RecipeIndex(9),
                ..judgement(true)
            }),
        ),
        (
            Cause::BadScore,
            1,
            Ok(Judgement {
                score: f32::NAN,
                ..judgement(true)
            }),
        ),
    ];
    for (cause, frame_judged, outcome) in cases {
        let mut line = Bench::started(settings());
        line.trigger(1000);
        line.frame(1010, frame(1, 1010));
        let done = InspectionDone {
            job: line.orders[0].job,
            frame: frame_judged,
            outcome,
        };
        line.call(|station| station.handle_inspection(ms(1050), done));
        assert_eq!(line.last().verdict, error(cause));
        assert_eq!(line.station.counters().errors, 1);
    }
}

#[test]
fn a_trigger_while_busy_is_refused_in_sight_of_everybody() {
    let mut line = Bench::started(settings());
    line.numbered(1000, 1);
    assert!(!line.shown.ready);
    line.numbered(1050, 2);
    let refused = line.last().clone();
    assert_eq!((refused.part, refused.skipped), (Some(id(2)), true));
    assert_eq!(
        refused.verdict,
        error(Cause::Busy),
        "a part that nobody looked at is rejected"
    );
    assert_eq!(line.shown.seen, Some(id(2)));
    line.frame(1060, frame(1, 1060));
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().part, Some(id(1)));
    let counters = line.station.counters();
    assert_eq!((counters.triggers, counters.ok), (2, 1));
    assert_eq!((counters.skipped, counters.errors), (1, 0));
}

#[test]
fn a_trigger_that_the_mcu_repeats_is_not_answered_twice() {
    let mut line = Bench::started(settings());
    line.numbered(1000, 5);
    line.frame(1010, frame(1, 1010));
    line.answer(1100, Ok(judgement(true)));
    line.numbered(1200, 5);
    line.numbered(1210, 4);
    assert_eq!(line.results.len(), 1);
    assert!(line.shown.ready);
    assert_eq!(line.station.counters().repeated, 2);
    assert_eq!(line.station.counters().triggers, 1);
}

#[test]
fn numbers_that_are_missing_are_told_and_wrap_around() {
    let mut line = Bench::started(settings());
    line.numbered(1000, u32::MAX - 1);
    line.run_until(1600);
    line.numbered(2000, 1);
    assert!(line.events.contains(&Event::TriggersMissed { count: 2 }));
    // After a reset of the MCU counting begins again.
    line.run_until(2600);
    let reborn = TriggerId {
        epoch: Epoch(8),
        number: 1,
    };
    line.call(|station| station.handle_trigger(ms(3000), Trigger::numbered(reborn)));
    assert_eq!(line.shown.seen, Some(reborn));
    assert_eq!(line.shown.state, State::SingleExecution);
}

#[test]
fn a_part_that_the_mcu_did_not_take_is_recorded_and_not_judged() {
    let mut line = Bench::started(settings());
    let edge = TriggerEdge {
        part: id(1),
        at_ms: 1,
        admission: Admission::TooClose,
    };
    line.call(|station| station.handle_trigger(ms(1000), Trigger::from_edge(&edge)));
    assert_eq!(line.last().verdict, error(Cause::TooClose));
    assert!(line.last().skipped && line.shown.ready);
}

#[test]
fn every_error_also_rejects() {
    for &cause in Cause::ALL {
        let mut line = Bench::started(settings());
        line.part(1000, true);
        assert!(is_ok(&line.shown));
        line.trigger(2000);
        assert!(!is_ok(&line.shown), "OK goes off with the next trigger");
        line.frame(2010, frame(2010, 2010));
        line.answer(2100, Err(cause.to_string()));
        assert!(matches!(line.last().verdict, Verdict::Error(_)));
        assert!(!is_ok(&line.shown));
        assert!(line.shown.error.is_some());
    }
}

#[test]
fn an_error_code_stays_until_it_is_acknowledged() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.run_until(1500);
    let code = Some(Cause::NoFrame.code());
    assert_eq!(line.shown.error, code);
    line.part(2000, true);
    assert_eq!(line.shown.error, code, "a good part does not wipe it");
    line.ack(3000);
    assert_eq!(line.shown.error, None);
}

#[test]
fn a_station_may_be_told_to_wait_for_somebody_after_an_error() {
    let block = Settings {
        on_error: OnError::Block,
        ..settings()
    };
    let mut line = Bench::started(block);
    line.trigger(1000);
    line.run_until(1500);
    assert_eq!((line.shown.state, line.shown.ready), (State::Error, false));
    line.ack(2000);
    assert_eq!((line.shown.state, line.shown.ready), (State::Ready, true));
}

#[test]
fn a_result_is_held_until_the_next_trigger() {
    let mut line = Bench::started(settings());
    line.part(1000, true);
    line.ack(1500);
    line.run_until(60_000);
    assert!(line.shown.results_ready && is_ok(&line.shown));
    line.trigger(61_000);
    assert!(!line.shown.results_ready);
    assert_eq!(line.shown.outcome, Outcome::Nothing);
}

#[test]
fn a_result_is_held_until_acknowledged_where_that_is_asked_for() {
    let hold = Settings {
        hold: Hold::UntilAck,
        ..settings()
    };
    let mut line = Bench::started(hold);
    line.part(1000, true);
    assert!(line.shown.results_ready && !line.shown.ready);
    line.trigger(1500);
    assert_eq!(line.last().verdict, error(Cause::NotReady));
    assert!(is_ok(&line.shown), "the result that was not read yet stays");
    line.ack(2000);
    assert!(!line.shown.results_ready && line.shown.ready);
    assert_eq!(line.shown.outcome, Outcome::Nothing);
}

#[test]
fn a_recipe_switch_takes_effect_with_the_next_part_and_the_result_says_which() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    let other = andon_station::Recipe::new(andon_link::RecipeIndex(2));
    line.call(|station| station.handle_recipe_switch(ms(1020), other.clone()));
    assert_eq!(
        line.shown.recipe, RECIPE,
        "the part under way keeps its recipe"
    );
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(
        (line.last().verdict, line.last().recipe),
        (Verdict::Ok, RECIPE)
    );
    assert_eq!(line.shown.recipe, other.index);
    line.part(2000, false);
    assert_eq!(
        (line.last().verdict, line.last().recipe),
        (Verdict::Ng, other.index)
    );
    assert_eq!(line.orders[1].recipe, other.index);
}

#[test]
fn while_stopping_the_part_under_way_is_finished_and_no_other_begun() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.call(|station| station.handle_stop(ms(1020)));
    assert!(!line.events.contains(&Event::Stopped));
    line.trigger(1030);
    assert_eq!(line.last().verdict, error(Cause::Stopping));
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().verdict, Verdict::Ok);
    assert_eq!(
        line.oks_shown, 1,
        "its result is shown before the station says that it stopped"
    );
    assert_eq!(line.events.last(), Some(&Event::Stopped));
    assert_eq!(line.shown.state, State::Preoperational);
    assert!(!is_ok(&line.shown));
    assert_eq!(line.station.poll_deadline(), None);
}

#[test]
fn a_station_that_was_not_started_takes_no_part() {
    let mut line = Bench::new(settings());
    assert_eq!(line.shown.state, State::Preoperational);
    line.numbered(10, 1);
    assert_eq!(line.last().verdict, error(Cause::NotReady));
}
