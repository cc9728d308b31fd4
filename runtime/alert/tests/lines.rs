//! Lamps and lines that the host drives itself.

mod common;

use andon_alert::{
    Bell, GpioError, GpioInputs, GpioLines, GpioSettings, Input, InputLine, LedLamps, LedNames,
    Line, OutputLine, Shown, Sink, SinkError, changes, levels,
};
use andon_link::{Edge, Lamps, Outcome, Signal, Verdict};
use andon_station::Cause;
use common::{ERROR, fresh, judged, ms, outputs};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::mpsc::sync_channel;

#[test]
fn ok_is_on_only_for_a_fresh_verdict_ok_and_every_error_raises_ng() {
    let on = |outputs: &_| {
        let levels = levels(&fresh(outputs, ms(0)));
        (levels.ok, levels.ng, levels.error)
    };
    assert_eq!(on(&judged(Verdict::Ok)), (true, false, false));
    assert_eq!(on(&judged(Verdict::Ng)), (false, true, false));
    assert_eq!(on(&judged(ERROR)), (false, true, true));
    assert_eq!(on(&outputs()), (false, false, false));
    let mut broken = judged(Verdict::Ok);
    broken.outcome = Outcome::Fault(Cause::CameraLost.code());
    assert_eq!(on(&broken), (false, true, true));
    let good = judged(Verdict::Ok);
    let stale = levels(&Shown {
        outputs: &good,
        now: ms(0),
        progress_age: ms(1001),
    });
    assert!(!stale.ok && !stale.ready && stale.ng && stale.error && !stale.green);
}

#[test]
fn no_moment_of_any_state_is_all_dark_when_stale_or_steady() {
    let good = judged(Verdict::Ok);
    for now in 0..2000 {
        for age in [0, 5000] {
            let shown = Shown {
                outputs: &good,
                now: ms(now),
                progress_age: ms(age),
            };
            let lit = levels(&shown);
            assert!(lit.red || lit.amber || lit.green || lit.blue);
            assert!(age == 0 || lit.red != lit.amber);
        }
    }
}

#[test]
fn on_the_way_from_any_state_to_any_other_ok_never_meets_a_line_that_contradicts_it() {
    let states: Vec<_> = [Verdict::Ok, Verdict::Ng, ERROR]
        .into_iter()
        .map(judged)
        .chain([outputs()])
        .map(|outputs| levels(&fresh(&outputs, ms(0))))
        .collect();
    for from in &states {
        for to in &states {
            let order = changes(from, to);
            let mut now: BTreeMap<_, _> = OutputLine::ALL.map(|line| (line, line.of(from))).into();
            for (line, on) in order {
                now.insert(line, on);
                let half_changed = OutputLine::ALL[..2]
                    .iter()
                    .any(|line| now[line] != line.of(to))
                    || now[&OutputLine::Ok] != to.ok;
                let contradicts = now[&OutputLine::Ng] || now[&OutputLine::Error];
                assert!(!(now[&OutputLine::Ok] && contradicts), "{from:?} -> {to:?}");
                assert!(
                    !(now[&OutputLine::ResultsReady] && half_changed),
                    "{from:?} -> {to:?}"
                );
            }
            assert!(OutputLine::ALL.iter().all(|line| now[line] == line.of(to)));
        }
    }
}

fn led(root: &Path, name: &str, triggers: &str) {
    let folder = root.join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("brightness"), "0").unwrap();
    fs::write(folder.join("max_brightness"), "255\n").unwrap();
    fs::write(folder.join("trigger"), triggers).unwrap();
}

fn leds(triggers: &str) -> (tempfile::TempDir, LedNames) {
    let root = tempfile::tempdir().unwrap();
    let name = |name: &str| {
        led(root.path(), name, triggers);
        Some(name.to_owned())
    };
    let names = LedNames {
        red: name("red:andon"),
        amber: name("amber:andon"),
        green: name("green:andon"),
        blue: None,
    };
    (root, names)
}

fn file(root: &Path, led: &str, file: &str) -> String {
    fs::read_to_string(root.join(format!("{led}:andon/{file}"))).unwrap_or_default()
}

#[test]
fn leds_flash_by_the_kernel_where_it_can_and_are_left_in_host_lost() {
    let (root, names) = leds("[none] timer heartbeat");
    let root = root.path();
    let mut lamps = LedLamps::open(root, &names).unwrap();
    lamps.show(&fresh(&outputs(), ms(0))).unwrap();
    assert_eq!(file(root, "green", "brightness"), "255");
    assert_eq!(file(root, "red", "brightness"), "0");

    let mut alarm = outputs();
    alarm.lamps = Lamps::RED_FLASHING;
    lamps.show(&fresh(&alarm, ms(10))).unwrap();
    assert_eq!(file(root, "red", "trigger"), "timer");
    assert_eq!(file(root, "red", "delay_on"), "250");
    assert_eq!(file(root, "green", "brightness"), "0");
    // Written once: the timer must not start anew with each call.
    fs::write(root.join("red:andon/trigger"), "untouched").unwrap();
    lamps.show(&fresh(&alarm, ms(300))).unwrap();
    assert_eq!(file(root, "red", "trigger"), "untouched");

    drop(lamps);
    for name in ["red", "amber"] {
        assert_eq!(file(root, name, "trigger"), "timer");
    }
    assert_eq!(file(root, "green", "brightness"), "0");
}

#[test]
fn leds_without_a_timer_flash_by_software_and_are_left_both_on() {
    let (root, names) = leds("[none] heartbeat");
    let root = root.path();
    let mut lamps = LedLamps::open(root, &names).unwrap();
    let mut alarm = outputs();
    alarm.lamps = Lamps::new(Signal::Flashing, Signal::Steady, Signal::Dark, Signal::Dark).unwrap();
    let mut seen = Vec::new();
    for now in [0, 100, 250, 499, 500] {
        lamps.show(&fresh(&alarm, ms(now))).unwrap();
        seen.push(file(root, "red", "brightness"));
    }
    assert_eq!(seen, ["255", "255", "0", "0", "255"]);
    let stale = Shown {
        outputs: &alarm,
        now: ms(250),
        progress_age: ms(2000),
    };
    lamps.show(&stale).unwrap();
    assert_eq!(file(root, "red", "brightness"), "0");
    assert_eq!(file(root, "amber", "brightness"), "255");
    lamps.leave().unwrap();
    let lit = ["red", "amber", "green"].map(|name| file(root, name, "brightness"));
    assert_eq!(lit, ["255", "255", "0"]);
}

#[test]
fn a_led_that_is_not_there_is_named_and_one_that_fails_does_not_stop_the_others() {
    let (root, names) = leds("[none]");
    let wrong = LedNames {
        blue: Some("blue:nowhere".into()),
        ..names.clone()
    };
    let error = LedLamps::open(root.path(), &wrong).unwrap_err();
    assert!(
        matches!(&error, SinkError::Led { name, .. } if name == "blue:nowhere"),
        "{error}"
    );

    let mut lamps = LedLamps::open(root.path(), &names).unwrap();
    fs::remove_dir_all(root.path().join("red:andon")).unwrap();
    assert!(lamps.show(&fresh(&outputs(), ms(0))).is_err());
    assert_eq!(file(root.path(), "green", "brightness"), "255");
    led(root.path(), "red:andon", "[none]");
    lamps.show(&fresh(&outputs(), ms(0))).unwrap();
}

#[test]
fn a_line_that_cannot_be_had_is_named_with_its_chip() {
    let line = Line {
        chip: "/dev/gpiochip-nowhere".into(),
        line: 17,
        active_low: false,
    };
    let settings = GpioSettings {
        outputs: [(OutputLine::Ok, line.clone())].into(),
    };
    let error = GpioLines::open(&settings).unwrap_err();
    assert!(matches!(error, GpioError::Request { line: 17, .. }));
    let text = error.to_string();
    assert!(
        text.contains("/dev/gpiochip-nowhere line 17 for Ok"),
        "{text}"
    );

    let input = InputLine {
        at: line,
        edge: Edge::Rising,
        debounce_ms: 5,
    };
    let wanted = [(Input::Trigger, input)];
    let error = GpioInputs::open(&wanted, &sync_channel(4).0, &Bell::silent()).unwrap_err();
    assert!(error.to_string().contains("line 17 for Trigger"), "{error}");
}
