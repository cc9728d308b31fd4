//! What the light does, told as timelines: at this millisecond this comes in, at that one this is
//! seen. Distances: the rejector is 500 ms behind the trigger and strikes for 40 ms; parts come at
//! least 100 ms apart.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper cannot unwrap fails the test"
)]

mod bench;

use andon_link::{
    Admission, Answer, Buzzer, Configuration, HostMessage, HostState, Lamps, McuMessage, Mode,
    Outcome, Refusal, ResetCause, Signal, TriggerId, Triggering, Unit, Verdict,
};
use andon_stacklight::{FLASH_HALF_PERIOD_MS, FOREIGN_SHOWN_MS, STUCK_MS, UNTAKEN_SHOWN_MS};
use bench::{
    Bench, DELAY, ERROR, PLACES, SPACING, WIDTH, part, result, state, stretches, with_rejector,
    with_trigger,
};

const HALF: u64 = FLASH_HALF_PERIOD_MS as u64;

fn line() -> Bench {
    Bench::running(with_rejector(Unit::Milliseconds))
}

fn admissions(bench: &Bench) -> Vec<Admission> {
    bench
        .messages
        .iter()
        .filter_map(|message| match message {
            McuMessage::Trigger(edge) => Some(edge.admission),
            _ => None,
        })
        .collect()
}

fn answers(bench: &Bench) -> Vec<Answer> {
    bench
        .messages
        .iter()
        .filter_map(|message| match message {
            McuMessage::Reply(reply) => Some(reply.answer),
            _ => None,
        })
        .collect()
}

#[test]
fn after_a_reset_red_and_amber_alternate_and_nothing_is_ok() {
    let mut bench = Bench::new(ResetCause::PowerOn);
    let seen = bench.until(4 * HALF - 1);
    assert_eq!(
        stretches(&seen, |o| o.red),
        [(1, HALF - 1), (2 * HALF, 3 * HALF - 1)]
    );
    assert_eq!(
        stretches(&seen, |o| o.amber),
        [(HALF, 2 * HALF - 1), (3 * HALF, 4 * HALF - 1)]
    );
    for (_, outputs) in seen {
        assert!(outputs.ng && outputs.error && outputs.reject);
        assert!(!outputs.ok && !outputs.ready && !outputs.green && !outputs.blue);
    }
    assert!(matches!(bench.messages[0], McuMessage::Identity(_)));
}

#[test]
fn a_good_part_is_ok_until_the_next_trigger_and_is_let_past() {
    let mut bench = line();
    bench.part_comes(); // at 700
    assert!(!bench.outputs().ready, "busy with part 1");
    bench.until(900);
    assert!(!bench.outputs().ok, "not judged yet");
    bench.judges(1, Verdict::Ok);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ok))));
    assert!(bench.outputs().ok && bench.outputs().results_ready && bench.outputs().ready);
    let seen = bench.until(1400);
    assert_eq!(stretches(&seen, |o| o.reject), []);
    assert_eq!(stretches(&seen, |o| !o.ok || o.ng || o.error), []);
    bench.part_comes(); // at 1400
    let outputs = bench.outputs();
    assert!(!outputs.ok && !outputs.results_ready && !outputs.ng);
    let counters = bench.status().line;
    assert_eq!((counters.passed, counters.rejected), (1, 0));
}

#[test]
fn a_bad_part_is_struck_exactly_when_it_is_at_the_rejector() {
    let mut bench = line();
    bench.part_comes(); // at 700
    bench.until(850);
    bench.judges(1, Verdict::Ng);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ng))));
    assert!(bench.outputs().ng && !bench.outputs().ok && !bench.outputs().error);
    let seen = bench.until(1500);
    assert_eq!(stretches(&seen, |o| o.reject), [(1200, 1239)]);
    assert_eq!(bench.status().line.rejected, 1);
}

#[test]
fn a_part_that_could_not_be_judged_raises_error_and_ng_and_is_struck() {
    let mut bench = line();
    bench.part_comes();
    bench.says(state(1, Outcome::Part(result(1, ERROR))));
    let outputs = bench.outputs();
    assert!(outputs.results_ready && outputs.error && outputs.ng && !outputs.ok);
    assert_eq!(stretches(&bench.until(1500), |o| o.reject), [(1200, 1239)]);
}

#[test]
fn of_three_parts_in_flight_only_the_bad_one_is_struck() {
    let mut bench = line();
    for number in 1..=3 {
        bench.until(600 + 100 * u64::from(number)); // triggers at 700, 800, 900
        bench.part_comes();
        bench.says(state(number, Outcome::Nothing));
    }
    // Out of order, as a host with two workers would answer.
    bench.judges(3, Verdict::Ok);
    bench.judges(2, Verdict::Ng);
    bench.judges(1, Verdict::Ok);
    assert_eq!(bench.status().pending, 3);
    let seen = bench.until(2000);
    assert_eq!(stretches(&seen, |o| o.reject), [(1300, 1339)]);
    let counters = bench.status().line;
    assert_eq!((counters.passed, counters.rejected), (2, 1));
}

#[test]
fn a_part_whose_result_is_late_or_missing_is_struck() {
    let mut bench = line();
    bench.part_comes(); // at 700
    bench.says(state(1, Outcome::Nothing));
    let before = bench.until(1200);
    assert_eq!(stretches(&before, |o| o.reject), [(1200, 1200)]);
    bench.judges(1, Verdict::Ok);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ok))));
    assert!(!bench.outputs().ok, "an OK that came too late is no OK");
    assert!(bench.outputs().ng && bench.outputs().error);
    assert_eq!(stretches(&bench.until(1500), |o| o.reject), [(1201, 1239)]);
    assert_eq!(answers(&bench).last(), Some(&Answer::TooLate));
    assert_eq!(bench.status().line.missing, 1);
}

#[test]
fn an_ng_is_never_taken_back() {
    let mut bench = line();
    bench.part_comes();
    bench.judges(1, Verdict::Ok);
    bench.judges(1, Verdict::Ng);
    bench.judges(1, Verdict::Ok);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ok))));
    assert!(!bench.outputs().ok && bench.outputs().ng);
    assert_eq!(stretches(&bench.until(1500), |o| o.reject), [(1200, 1239)]);
    let expected = [
        Answer::Taken,
        Answer::Taken,
        Answer::Taken,
        Answer::AlreadyRejected,
    ];
    assert_eq!(
        answers(&bench),
        expected,
        "the first answers the configuration"
    );
}

#[test]
fn a_result_for_another_part_or_another_life_makes_nothing_ok() {
    let mut bench = line();
    bench.part_comes();
    bench.judges(2, Verdict::Ok);
    let stale = TriggerId {
        epoch: andon_link::Epoch(6),
        number: 1,
    };
    let of_the_life_before = andon_link::PartResult {
        part: stale,
        ..result(1, Verdict::Ok)
    };
    bench.host(HostMessage::Result(of_the_life_before));
    bench.says(HostState {
        seen: Some(stale),
        ..state(1, Outcome::Part(of_the_life_before))
    });
    assert!(!bench.outputs().ok && !bench.outputs().ready);
    assert_eq!(stretches(&bench.until(1500), |o| o.reject), [(1200, 1239)]);
    assert_eq!(
        answers(&bench)[1..],
        [Answer::UnknownPart, Answer::UnknownPart]
    );
}

#[test]
fn a_host_that_falls_silent_is_lost_when_its_word_expires() {
    let mut bench = line();
    bench.part_comes(); // at 700
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ok)))); // at 710, valid for 300 ms
    bench.alive = None;
    let seen = bench.until(1300);
    assert_eq!(stretches(&seen, |o| o.ok), [(711, 1009)]);
    assert_eq!(stretches(&seen, |o| o.ng && o.error), [(1010, 1300)]);
    assert_eq!(
        stretches(&seen, |o| o.red && !o.amber),
        [(1010, 1010 + HALF - 1)]
    );
    assert_eq!(
        stretches(&seen, |o| o.amber && !o.red),
        [(1010 + HALF, 1300)]
    );
    assert_eq!(bench.light.mode(), Mode::HostLost);
    // The part was judged good in time: it passes, though nobody is there any more.
    assert_eq!(stretches(&seen, |o| o.reject), []);
}

#[test]
fn a_host_that_comes_back_is_followed_at_once() {
    let mut bench = line();
    bench.alive = None;
    bench.until(2000);
    assert_eq!(bench.light.mode(), Mode::HostLost);
    bench.says(state(0, Outcome::Nothing));
    assert_eq!(bench.light.mode(), Mode::Running);
    assert!(bench.outputs().green && bench.outputs().ready && !bench.outputs().error);
}

#[test]
fn a_part_that_comes_while_the_host_is_lost_is_struck() {
    let mut bench = line();
    bench.alive = None;
    bench.until(2000);
    bench.part_comes(); // at 2000
    assert_eq!(admissions(&bench), [Admission::HostLost]);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ok))));
    assert!(
        !bench.outputs().ok && bench.outputs().error,
        "an OK cannot be meant for it"
    );
    assert_eq!(stretches(&bench.until(3000), |o| o.reject), [(2500, 2539)]);
}

#[test]
fn a_trigger_faster_than_the_line_can_judge_is_shown_and_struck() {
    let mut bench = line();
    bench.part_comes(); // at 700; the host is busy with it
    bench.until(850);
    bench.part_comes(); // at 850
    assert_eq!(admissions(&bench), [Admission::Taken, Admission::NotReady]);
    assert!(bench.alarms().trigger_untaken);
    assert!(bench.outputs().ng && bench.outputs().error && bench.outputs().amber);
    bench.judges(1, Verdict::Ok);
    let seen = bench.until(850 + u64::from(UNTAKEN_SHOWN_MS));
    assert_eq!(stretches(&seen, |o| o.reject), [(1350, 1389)]);
    assert!(
        !bench.alarms().trigger_untaken,
        "the warning ends by itself"
    );
}

#[test]
fn a_part_too_close_to_the_one_before_is_struck_and_the_one_before_is_not() {
    let mut bench = line();
    bench.part_comes(); // at 700
    bench.says(state(1, Outcome::Nothing));
    bench.judges(1, Verdict::Ok);
    bench.until(760);
    assert!(!bench.outputs().ready, "60 ms are less than the spacing");
    bench.part_comes(); // at 760
    bench.says(state(2, Outcome::Part(result(2, Verdict::Ok))));
    assert_eq!(admissions(&bench), [Admission::Taken, Admission::TooClose]);
    assert!(!bench.outputs().ok);
    assert_eq!(stretches(&bench.until(1500), |o| o.reject), [(1260, 1299)]);
}

#[test]
fn trigger_ready_rises_with_the_spacing_and_not_before_the_host_has_seen_the_part() {
    let mut bench = line();
    bench.part_comes(); // at 700
    let seen = bench.until(1000);
    assert_eq!(
        stretches(&seen, |o| o.ready),
        [],
        "the host repeats a state from before"
    );
    bench.says(state(1, Outcome::Nothing));
    assert!(bench.outputs().ready);
    bench.part_comes(); // at 1000
    bench.says(state(2, Outcome::Nothing)); // at 1010
    let seen = bench.until(1200);
    assert_eq!(
        stretches(&seen, |o| o.ready),
        [(1000 + u64::from(SPACING), 1200)]
    );
}

#[test]
fn parts_too_many_to_keep_apart_are_struck_as_one_stretch_and_the_line_recovers() {
    let mut bench = line();
    let places = u32::try_from(PLACES).unwrap();
    // A delay of 500 ms holds five parts of 100 ms; a longer belt holds more than there are places.
    let rejector = andon_link::Rejector::new(Unit::Milliseconds, 2000, WIDTH, SPACING).unwrap();
    bench.host(HostMessage::Configure(with_trigger(Some(rejector)))); // at 700
    bench.until(2800);
    for number in 1..=places + 4 {
        bench.until(2700 + 100 * u64::from(number)); // triggers at 2800, 2900, ...
        bench.part_comes();
        bench.says(state(number, Outcome::Nothing));
        bench.judges(number, Verdict::Ok);
    }
    let admitted = admissions(&bench);
    let first_too_many = PLACES - 1;
    assert!(
        admitted[..first_too_many]
            .iter()
            .all(|a| *a == Admission::Taken)
    );
    assert!(
        admitted[first_too_many..]
            .iter()
            .all(|a| *a == Admission::TooMany)
    );
    let seen = bench.until(7000);
    let first = 2800 + 100 * u64::try_from(first_too_many).unwrap() + 2000;
    let last = 2800 + 100 * u64::from(places + 3) + 2000;
    assert_eq!(
        stretches(&seen, |o| o.reject),
        [(first, last + u64::from(WIDTH) - 1)]
    );
    assert!(bench.outputs().ready);
    let counters = bench.status().line;
    assert_eq!((counters.passed, counters.rejected), (places - 1, 5));
}

#[test]
fn with_an_encoder_a_belt_that_stops_strikes_no_one_else() {
    let mut bench = Bench::running(with_rejector(Unit::EncoderTicks));
    bench.part_comes(); // part 1, bad
    bench.says(state(1, Outcome::Nothing));
    bench.judges(1, Verdict::Ng);
    bench.moves(300);
    bench.part_comes(); // part 2, good, 300 ticks behind
    bench.says(state(2, Outcome::Nothing));
    bench.judges(2, Verdict::Ok);
    let seen = bench.until(60_000);
    assert_eq!(
        stretches(&seen, |o| o.reject),
        [],
        "the belt stands for a minute"
    );
    bench.moves(199);
    assert!(!bench.outputs().reject);
    bench.moves(1);
    assert!(
        bench.outputs().reject,
        "part 1 is 500 ticks behind the trigger"
    );
    bench.moves(39);
    assert!(bench.outputs().reject);
    bench.moves(1);
    assert!(!bench.outputs().reject);
    for _ in 0..1000 {
        bench.moves(1);
        assert!(!bench.outputs().reject);
    }
}

#[test]
fn an_encoder_that_wraps_around_changes_nothing() {
    let mut bench = Bench::running(with_rejector(Unit::EncoderTicks));
    bench.moves(i32::MAX - 600);
    bench.moves(500); // less than 500 ticks before the wrap
    bench.part_comes();
    bench.says(state(1, Outcome::Nothing));
    let mut struck = Vec::new();
    for tick in 1..=600 {
        bench.moves(1);
        if bench.outputs().reject {
            struck.push(tick);
        }
    }
    assert_eq!(struck, (500..540).collect::<Vec<_>>());
}

#[test]
fn a_restart_in_the_middle_of_a_part_strikes_all_that_may_be_on_the_belt() {
    let mut bench = Bench::new(ResetCause::Watchdog);
    bench.until(100);
    assert!(bench.outputs().reject, "not configured yet");
    bench.host(HostMessage::Configure(with_rejector(Unit::Milliseconds))); // at 100
    // The host does not know of the reset yet, and still calls the part of the old life good.
    let old = andon_link::PartResult {
        part: TriggerId {
            epoch: andon_link::Epoch(6),
            number: 9,
        },
        ..result(9, Verdict::Ok)
    };
    bench.says(state(0, Outcome::Part(old)));
    assert!(!bench.outputs().ok, "no part of this life was called good");
    let seen = bench.until(1000);
    assert_eq!(stretches(&seen, |o| o.ok), []);
    assert_eq!(
        stretches(&seen, |o| o.reject),
        [(101, 100 + u64::from(DELAY + WIDTH) - 1)]
    );
}

#[test]
fn a_restart_that_nobody_asked_for_flashes_amber_until_acknowledged() {
    for (reset, shown) in [
        (ResetCause::Watchdog, true),
        (ResetCause::BrownOut, true),
        (ResetCause::Software, true),
        (ResetCause::PowerOn, false),
        (ResetCause::Pin, false),
    ] {
        let mut bench = Bench::new(reset);
        bench.says(state(0, Outcome::Nothing));
        bench.host(HostMessage::Configure(with_trigger(None)));
        bench.until(700);
        assert_eq!(bench.alarms().unexpected_reset, shown, "{reset:?}");
        let seen = bench.until(700 + 4 * HALF);
        let lit = seen.iter().filter(|(_, o)| o.amber).count();
        assert_eq!(lit, if shown { 2 * HALF as usize } else { 0 }, "{reset:?}");
        bench.press();
        assert!(!bench.alarms().unexpected_reset, "{reset:?}");
        assert_eq!(bench.status().acknowledgements, 1);
    }
}

#[test]
fn a_bouncing_press_counts_once_and_is_told_once() {
    let mut bench = line();
    for _ in 0..20 {
        bench.button = !bench.button;
        bench.until(bench.now() + 3);
    }
    bench.press();
    let presses: Vec<_> = bench
        .messages
        .iter()
        .filter_map(|message| match message {
            McuMessage::Acknowledge(press) => Some((press.number, press.at_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(
        presses,
        [(1, 761)],
        "dated to where the level began to stay"
    );
}

#[test]
fn a_stuck_button_flashes_blue_and_acknowledges_only_once() {
    let mut bench = line();
    bench.button = true;
    let seen = bench.until(12_000);
    assert!(bench.alarms().button_stuck);
    let blue = stretches(&seen, |o| o.blue);
    // Pressed since 701, believed from 731 on.
    assert_eq!(blue[0].0, 731 + u64::from(STUCK_MS));
    assert_eq!(bench.status().acknowledgements, 1);
    bench.button = false;
    bench.until(12_100);
    assert!(!bench.alarms().button_stuck && !bench.outputs().blue);
}

#[test]
fn a_button_that_is_down_at_the_start_acknowledges_nothing() {
    let mut bench = Bench::new(ResetCause::Watchdog);
    bench.button = true;
    bench.says(state(0, Outcome::Nothing));
    bench.until(1000);
    assert!(bench.alarms().unexpected_reset);
    assert_eq!(bench.status().acknowledgements, 0);
}

#[test]
fn a_host_of_another_version_is_named_and_forgotten_when_it_falls_silent() {
    let mut bench = line();
    bench.alive = None;
    bench.until(2000);
    for ms in (2000..3000).step_by(100) {
        bench.until(ms);
        bench.frame(Err(Refusal::Version { theirs: 2 }));
    }
    let started = stretches(&bench.until(3000), |o| o.amber || o.green);
    assert_eq!(started, []);
    assert_eq!(bench.light.mode(), Mode::VersionMismatch { theirs: 2 });
    assert!(bench.outputs().ng && bench.outputs().error && !bench.outputs().ok);
    let seen = bench.until(2900 + u64::from(FOREIGN_SHOWN_MS) + 10);
    assert!(seen.iter().any(|(_, o)| o.blue));
    assert_eq!(bench.light.mode(), Mode::HostLost);
}

#[test]
fn a_host_of_our_version_wins_over_a_foreign_one() {
    let mut bench = line();
    bench.frame(Err(Refusal::Version { theirs: 2 }));
    assert_eq!(bench.light.mode(), Mode::Running);
}

#[test]
fn noise_changes_nothing_that_is_shown() {
    let mut bench = line();
    let before = bench.outputs();
    for refusal in [
        Refusal::Stuffing,
        Refusal::Checksum,
        Refusal::TooLong,
        Refusal::Gap,
        Refusal::Kind { kind: 9 },
    ] {
        bench.frame(Err(refusal));
        assert_eq!(bench.outputs(), before);
    }
}

#[test]
fn a_loop_that_was_held_up_past_a_bad_part_says_so_until_acknowledged() {
    let mut bench = line();
    bench.part_comes(); // at 700
    bench.judges(1, Verdict::Ng);
    bench.jump(1260);
    assert!(bench.alarms().reject_missed);
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ng))));
    let outputs = bench.outputs();
    assert!(!outputs.ready && outputs.ng && outputs.error && !outputs.green && outputs.red);
    bench.press();
    assert!(!bench.alarms().reject_missed && bench.outputs().ready);
    assert_eq!(bench.status().line.missed, 1);
}

#[test]
fn a_free_running_station_shows_its_stream_and_ignores_the_trigger() {
    let mut bench = Bench::new(ResetCause::PowerOn);
    bench.host(HostMessage::Configure(Configuration {
        triggering: Triggering::FreeRunning,
    }));
    let stream = |verdict| {
        state(
            0,
            Outcome::Stream {
                verdict,
                recipe: andon_link::RecipeIndex(0),
            },
        )
    };
    bench.says(stream(Verdict::Ok));
    bench.part_comes();
    let outputs = bench.outputs();
    assert!(outputs.ok && outputs.results_ready && !outputs.ng && !outputs.reject);
    bench.says(stream(Verdict::Ng));
    assert!(!bench.outputs().ok && bench.outputs().ng);
    assert_eq!(admissions(&bench), []);
    // A host that talks of triggered parts was set up for another line.
    bench.says(state(0, Outcome::Part(result(1, Verdict::Ok))));
    assert!(!bench.outputs().ok && bench.outputs().ng && bench.outputs().error);
}

#[test]
fn a_station_that_cannot_judge_raises_error_and_ng() {
    let mut bench = line();
    let Verdict::Error(code) = ERROR else {
        unreachable!("ERROR is an error")
    };
    bench.says(state(0, Outcome::Fault(code)));
    let outputs = bench.outputs();
    assert!(outputs.error && outputs.ng && !outputs.ok && !outputs.results_ready);
}

#[test]
fn a_new_configuration_distrusts_the_belt_and_the_same_one_again_does_not() {
    let mut bench = line();
    bench.part_comes();
    bench.judges(1, Verdict::Ok);
    bench.host(HostMessage::Configure(with_rejector(Unit::Milliseconds)));
    bench.says(state(1, Outcome::Nothing));
    assert!(!bench.outputs().reject);
    assert_eq!(bench.status().pending, 1);
    let other = andon_link::Rejector::new(Unit::Milliseconds, 300, WIDTH, SPACING).unwrap();
    bench.host(HostMessage::Configure(with_trigger(Some(other)))); // at 710
    let seen = bench.until(2000);
    assert_eq!(stretches(&seen, |o| o.reject), [(711, 1049)]);
}

#[test]
fn without_a_rejector_parts_are_judged_and_nothing_is_struck() {
    let mut bench = Bench::running(with_trigger(None));
    bench.part_comes();
    bench.says(state(1, Outcome::Part(result(1, Verdict::Ng))));
    assert!(bench.outputs().ng);
    assert_eq!(stretches(&bench.until(3000), |o| o.reject), []);
    bench.part_comes();
    bench.says(state(2, Outcome::Part(result(2, Verdict::Ok))));
    assert!(bench.outputs().ok);
}

#[test]
fn flashing_is_two_hertz_and_begins_lit() {
    let mut bench = line();
    let flashing = Lamps::RED_FLASHING;
    bench.says(HostState {
        lamps: flashing,
        buzzer: Buzzer::Pulsed,
        ..state(0, Outcome::Nothing)
    });
    let seen = bench.until(700 + 4 * HALF - 1);
    let expected = [(701, 700 + HALF - 1), (700 + 2 * HALF, 700 + 3 * HALF - 1)];
    assert_eq!(stretches(&seen, |o| o.red), expected);
    assert_eq!(stretches(&seen, |o| o.buzzer), expected);
    let acknowledged = Lamps::new(Signal::Steady, Signal::Dark, Signal::Dark, Signal::Dark);
    bench.says(HostState {
        lamps: acknowledged.unwrap(),
        ..state(0, Outcome::Nothing)
    });
    let seen = bench.until(bench.now() + 1000);
    assert_eq!(stretches(&seen, |o| !o.red), []);
}

#[test]
fn the_full_state_is_told_every_period_and_echoes_the_host_at_once() {
    let mut bench = Bench::new(ResetCause::PowerOn);
    bench.until(1000);
    let count = |bench: &Bench| {
        bench
            .messages
            .iter()
            .filter(|m| matches!(m, McuMessage::Status(_)))
            .count()
    };
    assert_eq!(count(&bench), 10);
    bench.until(1050);
    bench.says(state(0, Outcome::Nothing));
    assert_eq!(count(&bench), 11);
    assert_eq!(bench.status().uptime_ms, 1050);
    assert_eq!(bench.status().echo, Some(andon_link::Sequence(1)));
    assert_eq!(bench.status().outputs, bench.outputs());
}

#[test]
fn between_two_polls_nothing_changes_by_time_alone() {
    // The promise of `poll_at`: whoever sleeps until then misses nothing.
    let mut bench = line();
    bench.part_comes();
    bench.says(HostState {
        lamps: Lamps::RED_FLASHING,
        ..state(1, Outcome::Part(result(1, Verdict::Ng)))
    });
    bench.button = true;
    bench.alive = None;
    bench.until(bench.now() + 1);
    for _ in 0..15_000 {
        let (due, before) = (bench.light.poll_at().as_ms(), bench.outputs());
        let alarms = bench.alarms();
        let told = bench.messages.len();
        bench.until(bench.now() + 1);
        if bench.now() < due {
            assert_eq!(bench.outputs(), before, "at {}", bench.now());
            assert_eq!(bench.alarms(), alarms, "at {}", bench.now());
            assert_eq!(bench.messages.len(), told, "at {}", bench.now());
        }
    }
    assert_eq!(part(1).number, bench.status().line.triggers);
}

#[test]
fn the_trace_keeps_the_last_events_in_order() {
    let mut bench = line();
    bench.part_comes();
    bench.judges(1, Verdict::Ng);
    bench.until(1500);
    let events: Vec<String> = bench
        .light
        .trace()
        .iter()
        .map(|(at, event)| format!("{} {event:?}", at.as_ms()))
        .collect();
    let tail = &events[events.len() - 5..];
    assert_eq!(
        tail,
        [
            "700 Trigger { number: 1, admission: Taken }",
            "710 Verdict { number: 1, good: false, answer: Taken }",
            "710 Fate(Ng)",
            "1200 Strike(true)",
            "1240 Strike(false)",
        ]
    );
}
