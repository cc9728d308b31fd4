//! Rule 7: production is blocked until a known-bad part was found bad and a known-good part good.

mod common;

use andon_link::{Signal, Verdict};
use andon_station::{Cause, ChallengeSettings, ChallengeStep, Event, Recipe, Settings, State};
use common::{Bench, RECIPE, frame, is_ok, judgement, ms, settings};

fn at_start() -> Settings {
    Settings {
        challenge: ChallengeSettings {
            at_start: true,
            ..ChallengeSettings::default()
        },
        ..settings()
    }
}

#[test]
fn a_shift_begins_with_bad_found_bad_and_good_found_good() {
    let mut line = Bench::started(at_start());
    assert_eq!(line.shown.state, State::Halted);
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowBad));
    assert_eq!(
        line.lamps(),
        [Signal::Dark, Signal::Dark, Signal::Dark, Signal::Flashing]
    );
    line.part(1000, false);
    assert_eq!(line.last().challenge, Some(ChallengeStep::ShowBad));
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowGood));
    assert_eq!(line.shown.state, State::Halted);
    line.part(2000, true);
    assert_eq!(line.shown.state, State::Ready);
    let Some(Event::ChallengePassed {
        by,
        recipe,
        margin_bad,
        margin_good,
    }) = line.events.last()
    else {
        panic!("not passed: {:?}", line.events);
    };
    assert_eq!((by.as_str(), *recipe), ("start of the station", RECIPE));
    assert!((margin_bad - 0.75).abs() < 1e-6 && (margin_good - 0.6).abs() < 1e-6);
    let counters = line.station.counters();
    assert_eq!((counters.challenges, counters.ok, counters.ng), (2, 0, 0));
}

#[test]
fn a_bad_part_that_is_not_recognised_is_rejected_all_the_same_and_blocks() {
    let mut line = Bench::started(at_start());
    line.part(1000, true);
    assert_eq!(
        line.last().verdict,
        Verdict::Error(Cause::ChallengeMissed.code())
    );
    assert!(!is_ok(&line.shown));
    assert_eq!(line.lamps()[0], Signal::Flashing);
    assert!(matches!(
        line.events.last(),
        Some(Event::ChallengeFailed {
            step: ChallengeStep::ShowBad,
            ..
        })
    ));
    for round in 2..20 {
        line.part(1000 * round, true);
        assert_eq!(line.shown.state, State::Halted);
    }
}

#[test]
fn a_good_part_that_is_refused_begins_the_challenge_again() {
    let mut line = Bench::started(at_start());
    line.part(1000, false);
    line.part(2000, false);
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowBad));
    line.part(3000, true);
    assert_eq!(line.shown.state, State::Halted);
    line.part(4000, false);
    line.part(5000, true);
    assert_eq!(line.shown.state, State::Ready);
}

#[test]
fn a_challenge_part_that_could_not_be_judged_is_shown_once_more() {
    let mut line = Bench::started(at_start());
    line.part(1000, false);
    line.trigger(2000);
    line.run_until(2500);
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowGood));
    line.part(3000, true);
    assert_ne!(line.shown.state, State::Halted);
}

#[test]
fn a_challenge_on_demand_waits_for_the_part_under_way() {
    let mut line = Bench::started(settings());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    line.call(|station| station.handle_challenge(ms(1020), "inspector 7"));
    assert_eq!(line.station.challenge(), None);
    line.answer(1100, Ok(judgement(true)));
    assert_eq!(line.last().challenge, None);
    assert_eq!(line.station.counters().ok, 1);
    assert_eq!(line.shown.state, State::Halted);
    assert_eq!(
        line.events.last(),
        Some(&Event::ChallengeBegun {
            by: "inspector 7".to_owned(),
            recipe: RECIPE
        })
    );
}

#[test]
fn challenges_fall_due_by_themselves() {
    let mut line = Bench::started(Settings {
        challenge: ChallengeSettings {
            every: Some(ms(3_600_000)),
            ..ChallengeSettings::default()
        },
        ..settings()
    });
    line.run_until(3_599_999);
    assert_eq!(line.shown.state, State::Ready);
    line.run_until(3_600_000);
    assert_eq!(line.shown.state, State::Halted);
    line.part(3_601_000, false);
    line.part(3_602_000, true);
    assert_eq!(line.shown.state, State::Ready);
    line.run_until(7_202_099);
    assert_eq!(line.shown.state, State::Ready);
    line.run_until(7_202_100);
    assert_eq!(line.shown.state, State::Halted);
}

#[test]
fn a_new_recipe_has_to_pass_the_challenge_from_the_beginning() {
    let mut line = Bench::started(at_start());
    line.part(1000, false);
    let other = Recipe::new(andon_link::RecipeIndex(2));
    line.call(|station| station.handle_recipe_switch(ms(1500), other));
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowBad));
    line.part(2000, false);
    line.part(3000, true);
    assert_eq!(line.shown.state, State::Ready);
}

#[test]
fn what_was_shown_to_one_recipe_does_not_count_for_another() {
    let mut line = Bench::started(at_start());
    line.trigger(1000);
    line.frame(1010, frame(1, 1010));
    let other = Recipe::new(andon_link::RecipeIndex(2));
    line.call(|station| station.handle_recipe_switch(ms(1050), other));
    line.answer(1100, Ok(judgement(false)));
    assert_eq!(line.station.challenge(), Some(ChallengeStep::ShowBad));
}
