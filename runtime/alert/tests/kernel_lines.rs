//! Lines and lamps through a real kernel: a GPIO chip whose pins this test can see and drive from
//! outside, and LEDs that hang on the same chip.
//!
//! `boards/vm/test` starts the machine for it: an emulated PL061, whose first pins are lines and
//! whose last are LEDs. `ANDON_WIRES` names the serial port behind which the emulator's test socket
//! answers, `ANDON_CHIP` the chip there. Without them these tests say so and pass.
#![cfg(target_os = "linux")]

mod common;

use andon_alert::{
    Bell, GpioInputs, GpioLines, GpioSettings, Input, InputEvent, InputLine, LedLamps, LedNames,
    Line, OutputLine, Shown, Sink,
};
use andon_link::{Edge, Lamps, Signal, Verdict};
use andon_station::Outputs;
use common::{ERROR, fresh, judged, ms, outputs};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const CHIP: &str = "/dev/gpiochip0";
const LEDS: &str = "/sys/class/leds";
/// The data register of the chip with all eight pins.
const PINS: u32 = 0x0903_03FC;

const OK: u8 = 0;
const NG: u8 = 1;
const ERROR_LINE: u8 = 2;
const ACKNOWLEDGE: u8 = 3;
const TRIGGER: u8 = 4;
const RED: u8 = 5;
const AMBER: u8 = 6;
const GREEN: u8 = 7;

const PATIENCE: Duration = Duration::from_secs(10);

/// The other ends of the pins.
struct Wires {
    port: BufReader<File>,
    chip: String,
}

impl Wires {
    /// One user at a time, as there is one chip. `None`, said, where there is no such machine.
    fn take() -> Option<(Self, MutexGuard<'static, ()>)> {
        static CHIP_IN_USE: Mutex<()> = Mutex::new(());
        let (Some(port), Ok(chip)) = (std::env::var_os("ANDON_WIRES"), std::env::var("ANDON_CHIP"))
        else {
            eprintln!("SKIPPED: no chip with wires: boards/vm/test starts a machine that has one");
            return None;
        };
        let guard = CHIP_IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let port = OpenOptions::new()
            .read(true)
            .write(true)
            .open(port)
            .unwrap();
        let port = BufReader::new(port);
        Some((Self { port, chip }, guard))
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.port.get_mut(), "{question}").unwrap();
        let mut answer = String::new();
        self.port.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("OK"), "{question}: {answer:?}");
        answer.trim_start_matches("OK").trim().to_owned()
    }

    /// The levels of all pins.
    fn pins(&mut self) -> u8 {
        let answer = self.ask(&format!("readl {PINS:#x}"));
        let digits = answer.trim_start_matches("0x");
        u8::try_from(u64::from_str_radix(digits, 16).unwrap()).unwrap()
    }

    fn is_on(&mut self, pin: u8) -> bool {
        self.pins() >> pin & 1 == 1
    }

    /// Drives an input.
    fn drive(&mut self, pin: u8, high: bool) {
        let (chip, level) = (self.chip.clone(), u8::from(high));
        self.ask(&format!("set_irq_in {chip} unnamed-gpio-in {pin} {level}"));
    }

    /// The lamps that are lit: red, amber, green.
    fn lamps(&mut self) -> [bool; 3] {
        let pins = self.pins();
        [RED, AMBER, GREEN].map(|pin| pins >> pin & 1 == 1)
    }
}

fn line(line: u8) -> Line {
    Line {
        chip: CHIP.into(),
        line: line.into(),
        active_low: false,
    }
}

fn settings() -> GpioSettings {
    let lines = [
        (OutputLine::Ok, OK),
        (OutputLine::Ng, NG),
        (OutputLine::Error, ERROR_LINE),
    ];
    GpioSettings {
        outputs: lines.map(|(output, pin)| (output, line(pin))).into(),
    }
}

fn names() -> LedNames {
    LedNames {
        red: Some("andon:red".into()),
        amber: Some("andon:amber".into()),
        green: Some("andon:green".into()),
        blue: None,
    }
}

fn lamps() -> LedLamps {
    LedLamps::open(Path::new(LEDS), &names()).unwrap()
}

/// Whether the kernel drives a line of the chip high, by its own table of lines.
fn kernel_drives(pin: u8) -> bool {
    let table = fs::read_to_string("/sys/kernel/debug/gpio").unwrap();
    let chip = table
        .lines()
        .find(|line| line.starts_with("gpiochip0"))
        .unwrap();
    let first = chip
        .split("GPIOs ")
        .nth(1)
        .and_then(|rest| rest.split('-').next())
        .unwrap();
    let number = first.parse::<u32>().unwrap() + u32::from(pin);
    let row = table
        .lines()
        .find(|line| line.trim_start().starts_with(&format!("gpio-{number} ")))
        .unwrap_or_else(|| panic!("line {pin} is not in\n{table}"));
    assert!(row.contains("andon") && row.contains(" out "), "{row}");
    row.contains(" out hi")
}

fn led_file(name: &str, file: &str) -> String {
    let text = fs::read_to_string(Path::new(LEDS).join(format!("andon:{name}/{file}"))).unwrap();
    text.trim().to_owned()
}

#[test]
fn output_lines_are_what_the_kernel_drives_and_what_the_pins_show() {
    let Some((mut wires, _guard)) = Wires::take() else {
        return;
    };
    let mut lines = GpioLines::open(&settings()).unwrap();
    let mut check = |what: &str, expected: [bool; 3]| {
        let all = [OK, NG, ERROR_LINE];
        assert_eq!(all.map(kernel_drives), expected, "{what}, by the kernel");
        assert_eq!(
            all.map(|pin| wires.is_on(pin)),
            expected,
            "{what}, at the pins"
        );
    };
    check("at the start", [false, true, true]);
    let cases = [
        ("a good part", Verdict::Ok, [true, false, false]),
        ("a bad part", Verdict::Ng, [false, true, false]),
        ("an error", ERROR, [false, true, true]),
        ("a good part again", Verdict::Ok, [true, false, false]),
    ];
    for (what, verdict, expected) in cases {
        lines.show(&fresh(&judged(verdict), ms(0))).unwrap();
        check(what, expected);
    }
    lines.leave().unwrap();
    check("left", [false, true, true]);
    let error = GpioLines::open(&settings()).unwrap_err().to_string();
    assert!(error.contains("nothing else uses the line"), "{error}");
}

fn inputs(debounce_ms: u16) -> (GpioInputs, Receiver<InputEvent>) {
    let (give, take) = sync_channel(64);
    let input = |pin, edge| InputLine {
        at: line(pin),
        edge,
        debounce_ms,
    };
    let wanted = [
        (Input::Trigger, input(TRIGGER, Edge::Rising)),
        (Input::Acknowledge, input(ACKNOWLEDGE, Edge::Falling)),
    ];
    let inputs = GpioInputs::open(&wanted, &give, &Bell::silent()).unwrap();
    let (pass, events) = sync_channel(64);
    thread::spawn(move || take.iter().try_for_each(|event| pass.send(event.unwrap())));
    (inputs, events)
}

#[test]
fn each_edge_of_trigger_and_button_comes_once_with_its_age() {
    let Some((mut wires, _guard)) = Wires::take() else {
        return;
    };
    wires.drive(TRIGGER, false);
    wires.drive(ACKNOWLEDGE, true);
    let (inputs, events) = inputs(0);
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let begun = Instant::now();
        wires.drive(TRIGGER, true);
        let event = events.recv_timeout(PATIENCE).unwrap();
        longest = longest.max(begun.elapsed());
        assert_eq!(event.input, Input::Trigger);
        assert!(event.age <= begun.elapsed(), "{event:?}");
        wires.drive(TRIGGER, false);
        wires.drive(ACKNOWLEDGE, false);
        assert_eq!(
            events.recv_timeout(PATIENCE).unwrap().input,
            Input::Acknowledge
        );
        wires.drive(ACKNOWLEDGE, true);
    }
    // The other edges, which do not count, would have come by now.
    assert!(
        events.recv_timeout(ms(300)).is_err(),
        "more edges than were made"
    );
    assert_eq!(inputs.dropped(), 0);
    println!("  50 triggers and 50 presses, each once; wire to station at most {longest:.1?}");
}

#[test]
fn a_bounce_shorter_than_the_debounce_time_is_no_edge() {
    let Some((mut wires, _guard)) = Wires::take() else {
        return;
    };
    wires.drive(TRIGGER, false);
    wires.drive(ACKNOWLEDGE, true);
    let (_inputs, events) = inputs(200);
    for _ in 0..5 {
        wires.drive(TRIGGER, true);
        wires.drive(TRIGGER, false);
    }
    assert!(
        events.recv_timeout(ms(600)).is_err(),
        "a bounce is a trigger"
    );
    wires.drive(TRIGGER, true);
    let event = events.recv_timeout(PATIENCE).unwrap();
    assert_eq!(event.input, Input::Trigger);
    wires.drive(TRIGGER, false);
    assert!(
        events.recv_timeout(ms(600)).is_err(),
        "its end is a trigger"
    );
}

fn with_lamps(lamps: Lamps) -> Outputs {
    Outputs { lamps, ..outputs() }
}

/// The lamps as they are seen within two seconds: how many of a hundred looks each combination has,
/// and how often red changed.
fn watch(wires: &mut Wires) -> (BTreeMap<[bool; 3], usize>, u32) {
    let begun = Instant::now();
    let (mut seen, mut changes) = (Vec::new(), 0);
    let mut last = wires.lamps();
    while begun.elapsed() < ms(2000) {
        let lit = wires.lamps();
        changes += u32::from(lit[0] != last[0]);
        seen.push(lit);
        last = lit;
    }
    let share =
        |lit: &[bool; 3]| seen.iter().filter(|seen| *seen == lit).count() * 100 / seen.len();
    (seen.iter().map(|lit| (*lit, share(lit))).collect(), changes)
}

/// Red and amber take turns at 2 Hz, but for the tick or two between the two timers.
fn check_host_lost(wires: &mut Wires) {
    let (seen, changes) = watch(wires);
    assert!(
        (6..=10).contains(&changes),
        "{changes} changes in 2 s of 2 Hz"
    );
    let share = |lit: [bool; 3]| seen.get(&lit).copied().unwrap_or(0);
    let turns = [share([true, false, false]), share([false, true, false])];
    assert!(
        turns.iter().all(|share| *share > 35),
        "red or amber alone: {seen:?}"
    );
    assert!(turns[0] + turns[1] >= 90, "{seen:?}");
    println!(
        "  host lost: red alone {} %, amber alone {} % of the time",
        turns[0], turns[1]
    );
}

#[test]
fn lamps_of_the_led_class_light_and_flash_at_the_pins() {
    let Some((mut wires, _guard)) = Wires::take() else {
        return;
    };
    let mut stack = lamps();
    stack.show(&fresh(&outputs(), ms(0))).unwrap();
    assert_eq!(wires.lamps(), [false, false, true], "green");
    assert_ne!(led_file("green", "brightness"), "0");
    assert_eq!(led_file("red", "brightness"), "0");

    let amber = Lamps::new(Signal::Dark, Signal::Steady, Signal::Dark, Signal::Dark).unwrap();
    stack.show(&fresh(&with_lamps(amber), ms(0))).unwrap();
    assert_eq!(wires.lamps(), [false, true, false], "amber");

    // From here on the kernel flashes alone.
    stack
        .show(&fresh(&with_lamps(Lamps::RED_FLASHING), ms(0)))
        .unwrap();
    assert!(led_file("red", "trigger").contains("[timer]"));
    let (seen, changes) = watch(&mut wires);
    let seen: Vec<_> = seen.into_keys().collect();
    assert_eq!(seen, [[false; 3], [true, false, false]], "red flashes");
    assert!(
        (6..=10).contains(&changes),
        "{changes} changes in 2 s of 2 Hz"
    );

    stack.leave().unwrap();
    check_host_lost(&mut wires);
    // While the station lives and is stuck, it is the same.
    let stuck = outputs();
    stack.show(&fresh(&stuck, ms(0))).unwrap();
    let stale = Shown {
        progress_age: Duration::from_secs(5),
        ..fresh(&stuck, ms(0))
    };
    stack.show(&stale).unwrap();
    check_host_lost(&mut wires);
}

/// The part of a station that is killed: shows a good part for ever.
#[test]
#[ignore = "runs as the child of the next test"]
fn holds_a_good_part_until_it_is_killed() {
    let mut stack = lamps();
    let mut lines = GpioLines::open(&settings()).unwrap();
    loop {
        let good = judged(Verdict::Ok);
        stack.show(&fresh(&good, ms(0))).unwrap();
        lines.show(&fresh(&good, ms(0))).unwrap();
        thread::sleep(ms(50));
    }
}

#[test]
fn after_kill_nine_the_step_of_the_service_manager_leaves_host_lost() {
    let Some((mut wires, _guard)) = Wires::take() else {
        return;
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "holds_a_good_part_until_it_is_killed",
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !(wires.is_on(OK) && wires.is_on(GREEN)) {
        assert!(begun.elapsed() < PATIENCE, "the child shows nothing");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = (wires.is_on(OK), wires.is_on(GREEN));
    println!(
        "  killed: this kernel leaves OK on: {}, green on: {}",
        kept.0, kept.1
    );

    // What `ExecStopPost` runs.
    let mut lines = GpioLines::open(&settings()).unwrap();
    let mut stack = lamps();
    let begun = Instant::now();
    lines.leave().unwrap();
    stack.leave().unwrap();
    let took = begun.elapsed();
    assert_eq!(
        [OK, NG, ERROR_LINE].map(|pin| wires.is_on(pin)),
        [false, true, true]
    );
    check_host_lost(&mut wires);
    println!("  host lost at all pins {took:.1?} after that step began");
}
