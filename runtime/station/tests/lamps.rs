//! The lamp table, the buzzer, and that the whole state is shown at every change.

mod common;

use andon_link::Signal::{Dark, Flashing, Steady};
use andon_link::{Buzzer, Outcome, Verdict};
use andon_station::{
    AlarmState, Debounce, Event, Fault, Hold, Measures, PresenceSettings, Settings, State,
    Threshold,
};
use common::{Bench, RECIPE, frame, judgement, ms, settings};

// Red, amber, green, blue.

#[test]
fn green_is_steady_only_while_inspecting_after_an_ok_part() {
    let mut line = Bench::new(settings());
    assert_eq!(line.lamps(), [Dark, Steady, Dark, Dark], "not started");
    line.call(|station| station.handle_start(ms(0)));
    assert_eq!(line.lamps(), [Dark, Steady, Dark, Dark], "no part yet");
    line.part(1000, true);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
    line.trigger(2000);
    assert_eq!(
        line.lamps(),
        [Dark, Dark, Steady, Dark],
        "the last part is still OK"
    );
    line.run_until(2500);
    assert_eq!(line.lamps()[2], Dark, "the last part is an error");
}

#[test]
fn red_flashes_for_a_bad_part_until_acknowledged_and_then_is_steady_until_a_good_one() {
    let mut line = Bench::started(settings());
    line.part(1000, false);
    assert_eq!(line.lamps(), [Flashing, Dark, Dark, Flashing]);
    line.ack(1500);
    assert_eq!(line.lamps(), [Steady, Dark, Dark, Dark]);
    assert_eq!(line.events.last(), Some(&Event::Acknowledged));
    line.part(2000, true);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

#[test]
fn a_good_part_does_not_hide_an_alarm_that_nobody_saw() {
    let mut line = Bench::started(settings());
    line.part(1000, false);
    line.part(2000, true);
    assert_eq!(line.lamps(), [Flashing, Dark, Dark, Flashing]);
    line.ack(3000);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

#[test]
fn the_next_bad_part_after_an_acknowledgement_flashes_again() {
    let mut line = Bench::started(settings());
    line.part(1000, false);
    line.ack(1500);
    line.part(2000, false);
    assert_eq!(line.lamps()[0], Flashing);
}

#[test]
fn an_alarm_debounced_in_parts_counts_parts_whatever_the_frame_rate() {
    for frames_between in [1, 50] {
        let mut line = Bench::started(Settings {
            alarm: Debounce::Parts(3),
            ..settings()
        });
        for part in 1..=3 {
            let at = 1000 * part;
            line.part(at, false);
            for extra in 0..frames_between {
                let at = at + 200 + extra;
                line.frame(at, frame(at, at));
            }
            let expected = if part < 3 { Steady } else { Flashing };
            assert_eq!(line.lamps()[0], expected, "part {part}");
        }
        assert_eq!(line.last().alarm, AlarmState::Raised);
    }
}

#[test]
fn an_alarm_debounced_in_seconds_needs_no_further_part() {
    let mut line = Bench::started(Settings {
        alarm: Debounce::For(ms(5000)),
        ..settings()
    });
    line.part(1000, false);
    assert_eq!(line.lamps()[0], Steady);
    assert_eq!(line.station.poll_deadline(), Some(ms(6100)));
    line.run_until(6099);
    assert_eq!(line.lamps()[0], Steady);
    line.run_until(6100);
    assert_eq!(line.lamps()[0], Flashing);
}

#[test]
fn a_good_part_in_time_ends_a_debounced_alarm() {
    let mut line = Bench::started(Settings {
        alarm: Debounce::For(ms(5000)),
        ..settings()
    });
    line.part(1000, false);
    line.part(3000, true);
    line.run_until(20_000);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

#[test]
fn what_only_degrades_is_amber_and_judging_goes_on() {
    let degraded = [
        Fault::CameraRetrying,
        Fault::SerialLost,
        Fault::OutputLost,
        Fault::DiskLow,
        Fault::DiskFull,
        Fault::DiskReadOnly,
        Fault::Overheated,
    ];
    for fault in degraded {
        let mut line = Bench::started(settings());
        line.call(|station| station.handle_fault(ms(500), fault));
        line.part(1000, true);
        assert_eq!(line.last().verdict, Verdict::Ok, "{fault:?} stops nothing");
        assert_eq!(line.lamps(), [Dark, Flashing, Steady, Dark], "{fault:?}");
        line.ack(2000);
        assert_eq!(line.lamps(), [Dark, Steady, Steady, Dark], "{fault:?}");
        line.call(|station| station.handle_recovery(ms(3000), fault));
        assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark], "{fault:?}");
    }
}

#[test]
fn what_stops_judging_is_red_and_rejects_whatever_comes() {
    for fault in [
        Fault::CameraLost,
        Fault::CameraStalled,
        Fault::RecipeRefused,
        Fault::InspectorDied,
        Fault::InspectorStuck,
    ] {
        let mut line = Bench::started(settings());
        line.part(1000, true);
        line.call(|station| station.handle_fault(ms(2000), fault));
        assert_eq!(line.shown.state, State::Error);
        assert!(
            matches!(line.shown.outcome, Outcome::Fault(_)),
            "OK goes off at once"
        );
        assert_eq!(line.lamps(), [Flashing, Dark, Dark, Flashing], "{fault:?}");
        line.ack(3000);
        assert_eq!(line.lamps(), [Steady, Dark, Dark, Steady], "{fault:?}");
        line.trigger(4000);
        assert!(matches!(line.last().verdict, Verdict::Error(_)));
        line.call(|station| station.handle_recovery(ms(5000), fault));
        assert_eq!(line.shown.state, State::Ready);
        assert_eq!(line.lamps()[2], Dark, "no part has been OK since");
    }
}

#[test]
fn skipped_parts_are_amber_until_acknowledged() {
    let mut line = Bench::started(settings());
    line.part(1000, true);
    line.trigger(2000);
    line.trigger(2005);
    line.frame(2010, frame(2010, 2010));
    line.answer(2100, Ok(judgement(true)));
    assert_eq!(line.lamps(), [Dark, Flashing, Steady, Dark]);
    line.ack(3000);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

#[test]
fn drift_is_amber_until_it_is_gone() {
    let mut line = Bench::started(settings());
    let mut at = 1000;
    let mut parts = |line: &mut Bench, lighting: f32, count: u32| {
        for k in 0..count {
            line.trigger(at);
            line.frame(at + 10, frame(at, at + 10));
            let measures = Measures {
                lighting: lighting + 0.01 * (k % 3) as f32,
                focus: -2.0,
                shift_x_px: Some(0.0),
                shift_y_px: Some(0.0),
            };
            let judgement = andon_station::Judgement {
                measures: Some(measures),
                ..judgement(true)
            };
            line.answer(at + 50, Ok(judgement));
            at += 100;
        }
    };
    parts(&mut line, 4.0, 60);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
    parts(&mut line, 3.7, 30);
    assert_eq!(line.lamps(), [Dark, Flashing, Steady, Dark]);
    line.ack(50_000);
    assert_eq!(line.lamps(), [Dark, Steady, Steady, Dark]);
    at = 60_000;
    parts_back(&mut line, &mut at);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

fn parts_back(line: &mut Bench, at: &mut u64) {
    for _ in 0..60 {
        line.trigger(*at);
        line.frame(*at + 10, frame(*at, *at + 10));
        let measures = Measures {
            lighting: 4.01,
            focus: -2.0,
            shift_x_px: Some(0.0),
            shift_y_px: Some(0.0),
        };
        let judgement = andon_station::Judgement {
            measures: Some(measures),
            ..judgement(true)
        };
        line.answer(*at + 50, Ok(judgement));
        *at += 100;
    }
}

#[test]
fn blue_calls_while_the_station_waits_to_be_read() {
    let mut line = Bench::started(Settings {
        hold: Hold::UntilAck,
        ..settings()
    });
    line.part(1000, true);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Steady]);
    line.ack(2000);
    assert_eq!(line.lamps(), [Dark, Dark, Steady, Dark]);
}

#[test]
fn a_stopped_station_shows_red_and_amber_like_a_lost_host() {
    let mut line = Bench::started(settings());
    line.part(1000, true);
    line.call(|station| station.handle_stop(ms(2000)));
    assert_eq!(line.lamps(), [Flashing, Flashing, Dark, Dark]);
}

#[test]
fn a_station_that_still_learns_is_amber_and_takes_no_part() {
    let mut line = Bench::started(Settings::free_running(
        RECIPE,
        PresenceSettings {
            threshold: Threshold::Learned { during: ms(1000) },
            settle: ms(0),
            gap: ms(0),
        },
    ));
    line.frame(50, frame(1, 40));
    assert_eq!(
        (line.shown.state, line.shown.ready),
        (State::Initialized, false)
    );
    assert_eq!(line.lamps(), [Dark, Steady, Dark, Dark]);
}

#[test]
fn the_buzzer_sounds_only_until_somebody_acknowledges() {
    let mut line = Bench::started(Settings {
        buzzer: true,
        ..settings()
    });
    line.part(1000, true);
    assert_eq!(line.shown.buzzer, Buzzer::Silent);
    line.part(2000, false);
    assert_eq!(line.shown.buzzer, Buzzer::Pulsed);
    line.ack(3000);
    assert_eq!(line.shown.buzzer, Buzzer::Silent);
}

/// Rule 3: the full state goes out, not edges. [`Bench`] checks after every call that the state
/// that was shown last is the state that is.
#[test]
fn outputs_are_shown_at_every_change_and_only_then() {
    let mut line = Bench::started(settings());
    let before = line.shows;
    for at in 1..100 {
        line.tick(at);
    }
    assert_eq!(line.shows, before);
    line.trigger(1000);
    assert_eq!(line.shows, before + 1);
}
