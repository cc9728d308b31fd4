//! The board's own binary on an emulated STM32L475, talked to over its serial port. Levels are read
//! from the emulated pins. Times that the firmware must keep are checked by its own clock, so a
//! busy machine makes these tests slow and never wrong.

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use andon_link::{
    Answer, BAUD, Buzzer, Configuration, Edge, HostMessage, HostState, Identity, Lamps, McuMessage,
    Mode, Outcome, Outputs, PartResult, Receiver, RecipeIndex, Rejector, ResetCause,
    STATE_PERIOD_MS, Sequence, Signal, Status, Transmitter, TriggerEdge, TriggerId, TriggerInput,
    Triggering, Unit, VERSION, ValidFor, Verdict, encode,
};
use andon_rig::{Board, Noise, Station, of_version};
use anyhow::{Context, Result, ensure};

const DELAY: u32 = 400;
const WIDTH: u32 = 120;
const SPACING: u32 = 150;
/// Real waits are far shorter; on a machine with six jobs a core they were not.
const PATIENCE: Duration = Duration::from_secs(60);
/// On and off once.
const FLASH: Duration = Duration::from_millis(500);

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

fn with_rejector() -> Result<Configuration> {
    Ok(Configuration {
        triggering: Triggering::Input {
            input: TriggerInput {
                edge: Edge::Rising,
                debounce_ms: 2,
            },
            rejector: Some(Rejector::new(Unit::Milliseconds, DELAY, WIDTH, SPACING)?),
        },
    })
}

const FREE_RUNNING: Configuration = Configuration {
    triggering: Triggering::FreeRunning,
};

fn state(seen: Option<TriggerId>, outcome: Outcome) -> HostState {
    HostState {
        lamps: Lamps::GREEN,
        buzzer: Buzzer::Silent,
        ready: true,
        seen,
        outcome,
        valid_for: ValidFor::THREE_PERIODS,
    }
}

const fn stream(verdict: Verdict) -> Outcome {
    Outcome::Stream {
        verdict,
        recipe: RecipeIndex(0),
    }
}

const fn result(part: TriggerId, verdict: Verdict) -> PartResult {
    PartResult {
        part,
        verdict,
        recipe: RecipeIndex(0),
    }
}

/// A board whose host is there and ready, whose belt is trusted, and whose rejector is watched.
fn line() -> Result<Option<(Board, Station)>> {
    let Some((mut board, mut station)) = met()? else {
        return Ok(None);
    };
    station.configure(with_rejector()?)?;
    station.say(state(None, Outcome::Nothing))?;
    settle(&mut station, "the belt is trusted", |status| {
        status.outputs.ready && !status.outputs.reject
    })?;
    board.watch_lines()?;
    Ok(Some((board, station)))
}

/// A board whose host has made sure that it is there.
fn met() -> Result<Option<(Board, Station)>> {
    let Some(mut board) = Board::start()? else {
        return Ok(None);
    };
    board.set_button(false)?;
    let mut station = Station::connect(&board.port())?;
    identity(&mut station)?;
    Ok(Some((board, station)))
}

/// Asks who is there until somebody answers: QEMU takes its time to start.
fn identity(station: &mut Station) -> Result<Identity> {
    let (mut asked, end) = (Vec::new(), Instant::now() + PATIENCE);
    loop {
        asked.push(station.send(&HostMessage::Ping)?);
        let answer = station.wait("an identity", milliseconds(200), |message| match message {
            McuMessage::Identity(identity) => identity
                .answers
                .is_some_and(|answers| asked.contains(&answers))
                .then(|| identity.clone()),
            _ => None,
        });
        match answer {
            Ok(identity) => return Ok(identity),
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => {}
        }
    }
}

fn reply(station: &mut Station, asked: Sequence) -> Result<Answer> {
    station.wait("a reply", PATIENCE, |message| match message {
        McuMessage::Reply(reply) if reply.to == asked => Some(reply.answer),
        _ => None,
    })
}

fn settle(
    station: &mut Station,
    what: &str,
    mut settled: impl FnMut(&Status) -> bool,
) -> Result<Status> {
    station.wait(what, PATIENCE, |message| match message {
        McuMessage::Status(status) if settled(status) => Some(status.clone()),
        _ => None,
    })
}

/// A part passes the trigger.
fn part_comes(board: &mut Board, station: &mut Station) -> Result<TriggerEdge> {
    board.set_trigger(true)?;
    let edge = station.wait("the trigger", PATIENCE, |message| match message {
        McuMessage::Trigger(edge) => Some(*edge),
        _ => None,
    })?;
    board.set_trigger(false)?;
    Ok(edge)
}

/// Watches the pins until they show `wanted`.
fn pins(
    board: &mut Board,
    what: &str,
    limit: Duration,
    mut wanted: impl FnMut(&Outputs) -> bool,
) -> Result<(Outputs, Duration)> {
    let start = Instant::now();
    loop {
        let outputs = board.outputs()?;
        if wanted(&outputs) {
            return Ok((outputs, start.elapsed()));
        }
        ensure!(
            start.elapsed() < limit,
            "{what} not within {limit:?}: {outputs:?}"
        );
    }
}

/// The pattern of a light that has no host.
fn is_host_lost(o: &Outputs) -> bool {
    (o.red ^ o.amber) && !o.green && !o.blue && !o.ok && o.ng && o.error && !o.ready
}

#[test]
fn a_light_says_who_it_is_and_waits_in_the_pattern_of_a_lost_host() -> Result<()> {
    let Some((mut board, mut station)) = met()? else {
        return Ok(());
    };
    let identity = identity(&mut station)?;
    assert_eq!(identity.board.as_str(), "b-l475e-iot01a");
    assert_eq!(identity.reset, ResetCause::PowerOn);
    pins(&mut board, "red alone", PATIENCE, |o| {
        is_host_lost(o) && o.red
    })?;
    pins(&mut board, "amber alone", PATIENCE, |o| {
        is_host_lost(o) && o.amber
    })?;
    assert!(
        board.outputs()?.reject,
        "not configured, so nothing may pass"
    );
    Ok(())
}

/// The port as a station opens it: a terminal device, by the crate that opens real ones.
#[test]
fn a_serial_port_of_the_system_reaches_the_light() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let link = folder.path().join("light");
    let Some(_board) = Board::start_on_terminal(&link)? else {
        return Ok(());
    };
    let name = link.to_str().context("a name for the port")?;
    let mut port = serialport::new(name, BAUD)
        .timeout(milliseconds(100))
        .open()?;
    let mut transmitter = Transmitter::new();
    let mut receiver = Receiver::<McuMessage>::new();
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let (asked, frame) = transmitter.frame(&HostMessage::Ping);
        port.write_all(frame.as_bytes())?;
        let mut some = [0; 256];
        let count = match port.read(&mut some) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::TimedOut => 0,
            Err(error) => return Err(error.into()),
        };
        let messages = some[..count].iter().filter_map(|&byte| receiver.push(byte));
        for received in messages.flatten() {
            if let McuMessage::Identity(identity) = received.message
                && identity.answers.is_some_and(|answers| answers.0 <= asked.0)
            {
                return Ok(());
            }
        }
    }
    anyhow::bail!("nobody answers a ping: {:?}", receiver.counters())
}

#[test]
fn a_good_part_is_ok_and_is_let_past() -> Result<()> {
    let Some((mut board, mut station)) = line()? else {
        return Ok(());
    };
    let edge = part_comes(&mut board, &mut station)?;
    station.say(state(Some(edge.part), Outcome::Nothing))?;
    assert!(!station.status()?.outputs.ok);
    let asked = station.send(&HostMessage::Result(result(edge.part, Verdict::Ok)))?;
    assert_eq!(reply(&mut station, asked)?, Answer::Taken);
    let good = Outcome::Part(result(edge.part, Verdict::Ok));
    station.say(state(Some(edge.part), good))?;
    settle(&mut station, "OK", |status| status.outputs.ok)?;
    let outputs = board.outputs()?;
    assert!(outputs.ok && outputs.results_ready && outputs.green && !outputs.ng && !outputs.error);
    settle(&mut station, "the part past", |status| {
        status.line.passed == 1
    })?;
    settle(&mut station, "the belt empty", |status| status.pending == 0)?;
    assert!(board.rejector_edges()?.is_empty(), "the rejector moved");
    assert!(board.outputs()?.ok, "OK stays until the next trigger");
    Ok(())
}

#[test]
fn a_bad_part_is_struck_on_time_and_once() -> Result<()> {
    let Some((mut board, mut station)) = line()? else {
        return Ok(());
    };
    let edge = part_comes(&mut board, &mut station)?;
    let bad = Outcome::Part(result(edge.part, Verdict::Ng));
    // Each state is answered by a status, which is so often that the pulse is seen in steps of a
    // few milliseconds by the firmware's own clock.
    station.set_period(milliseconds(4));
    station.say(state(Some(edge.part), bad))?;
    let due = edge.at_ms + u64::from(DELAY);
    let over = due + u64::from(WIDTH);
    settle(&mut station, "the strike", |status| status.outputs.reject)?;
    assert!(board.outputs()?.ng, "the NG line of the pin itself");
    let mut seen = Vec::new();
    station.wait("the end of the strike", PATIENCE, |message| match message {
        McuMessage::Status(status) => {
            seen.push((status.uptime_ms, status.outputs.reject));
            (status.uptime_ms > over + 50).then_some(())
        }
        _ => None,
    })?;
    for (at, reject) in &seen {
        assert_eq!(
            *reject,
            (due..over).contains(at),
            "at {at} ms, where the strike is due from {due} to {over}: {seen:?}"
        );
    }
    let edges = board.rejector_edges()?;
    assert_eq!(edges, [true, false], "the pin itself");
    println!(
        "trigger to strike {DELAY} ms and width {WIDTH} ms by the firmware's clock, checked at {} \
         moments",
        seen.len()
    );
    Ok(())
}

#[test]
fn a_press_is_told_and_the_host_turns_flashing_into_steady() -> Result<()> {
    let Some((mut board, mut station)) = line()? else {
        return Ok(());
    };
    let flashing = HostState {
        lamps: Lamps::RED_FLASHING,
        ..state(None, Outcome::Nothing)
    };
    station.say(flashing)?;
    station.status()?;
    board.set_button(true)?;
    let press = station.wait("the press", PATIENCE, |message| match message {
        McuMessage::Acknowledge(press) => Some(*press),
        _ => None,
    })?;
    board.set_button(false)?;
    assert_eq!(press.number, 1);
    station.say(HostState {
        lamps: Lamps::new(Signal::Steady, Signal::Dark, Signal::Dark, Signal::Dark)?,
        ..flashing
    })?;
    // The status that answers the new state.
    station.status()?;
    let end = Instant::now() + 3 * FLASH;
    while Instant::now() < end {
        station.listen(milliseconds(10))?;
        let outputs = board.outputs()?;
        assert!(outputs.red && !outputs.amber, "{outputs:?}");
    }
    assert_eq!(station.status()?.acknowledgements, 1);
    Ok(())
}

#[test]
fn a_host_that_is_killed_is_lost_in_time_and_its_successor_is_followed() -> Result<()> {
    let Some(mut board) = Board::start()? else {
        return Ok(());
    };
    board.set_button(false)?;
    let mut host = Command::new(env!("CARGO_BIN_EXE_steady-host"))
        .arg(board.port())
        .stderr(Stdio::null())
        .spawn()?;
    let good = pins(&mut board, "OK", PATIENCE, |o| o.ok && o.green);
    // Signal 9: no chance to say good-bye.
    host.kill()?;
    host.wait()?;
    good?;
    let killed = board.uptime_ms()?;
    let (_, outside) = pins(&mut board, "the lost host", PATIENCE, is_host_lost)?;
    let after = milliseconds(u32::try_from(board.uptime_ms()? - killed)?);
    let allowed = milliseconds(ValidFor::THREE_PERIODS.as_ms().into()) + FLASH;
    println!(
        "host lost {after:?} after kill -9 by the firmware's clock, {outside:?} by ours; \
         {allowed:?} allowed"
    );
    assert!(
        after < allowed,
        "{after:?} after the kill, {allowed:?} allowed"
    );
    pins(&mut board, "red alone", PATIENCE, |o| {
        is_host_lost(o) && o.red
    })?;
    pins(&mut board, "amber alone", PATIENCE, |o| {
        is_host_lost(o) && o.amber
    })?;

    let mut station = Station::connect(&board.port())?;
    station.say(state(None, stream(Verdict::Ok)))?;
    settle(&mut station, "the new host", |status| {
        status.mode == Mode::Running
    })?;
    assert!(board.outputs()?.ok);
    Ok(())
}

/// One byte in a hundred is hit, both ways, for a minute; the host changes its mind every two
/// seconds. At each look the pins show what the host wants, what it wanted just before, or that the
/// host is lost.
#[test]
fn a_minute_of_noise_shows_no_wrong_lamp_and_the_line_recovers() -> Result<()> {
    let Some((mut board, mut station)) = met()? else {
        return Ok(());
    };
    station.configure(FREE_RUNNING)?;
    let red = Lamps::new(Signal::Steady, Signal::Dark, Signal::Dark, Signal::Dark)?;
    let wishes = [
        state(None, stream(Verdict::Ok)),
        HostState {
            lamps: red,
            ..state(None, stream(Verdict::Ng))
        },
    ];
    let shows = |wish: usize, o: &Outputs| match wish {
        0 => o.green && o.ok && !o.red && !o.amber && !o.blue && !o.ng && !o.error,
        _ => o.red && o.ng && !o.green && !o.amber && !o.blue && !o.ok && !o.error,
    };
    station.say(wishes[0])?;
    settle(&mut station, "the first wish", |status| status.outputs.ok)?;
    station.set_noise(Some((Noise::new(1, 10), Noise::new(2, 10))));

    let minute = Instant::now();
    let (mut wish, mut looks, mut lost) = (0, 0_u32, 0_u32);
    let (mut changed, mut changed_ms) = (Instant::now(), board.uptime_ms()?);
    while minute.elapsed() < Duration::from_mins(1) {
        if changed.elapsed() > Duration::from_secs(2) {
            wish = 1 - wish;
            station.say(wishes[wish])?;
            (changed, changed_ms) = (Instant::now(), board.uptime_ms()?);
        }
        station.listen(milliseconds(20))?;
        station.heard();
        let looked_ms = board.uptime_ms()?;
        let outputs = board.outputs()?;
        looks += 1;
        // The old wish may show while the frames with the new one fall to the noise, and no longer
        // than it was valid for, by the board's clock.
        let valid = u64::from(ValidFor::THREE_PERIODS.as_ms());
        let old_is_valid = looked_ms < changed_ms + valid + 200;
        let fine = shows(wish, &outputs) || old_is_valid && shows(1 - wish, &outputs);
        // The ports are read one after the other, so a look can fall into a change; a look right
        // after it cannot.
        let fine = fine || is_host_lost(&outputs) || {
            let again = board.outputs()?;
            shows(0, &again) || shows(1, &again) || is_host_lost(&again)
        };
        assert!(fine, "{outputs:?} while the host wants number {wish}");
        lost += u32::from(is_host_lost(&outputs));
    }

    let (out, back) = station.set_noise(None).context("the noise")?;
    let calm = Instant::now();
    let status = station.status()?;
    let recovered = calm.elapsed();
    assert_eq!(status.mode, Mode::Running);
    assert!(status.link.bad > 10, "{:?}", status.link);
    assert!(station.counters().bad > 10, "{:?}", station.counters());
    station.listen(milliseconds(STATE_PERIOD_MS))?;
    assert!(shows(wish, &board.outputs()?));
    println!(
        "{} + {} bytes hit, {looks} looks at the pins, {lost} of them at a lost host; light {:?}; \
         host {:?}; line recovered {recovered:?} after the noise",
        out.flipped(),
        back.flipped(),
        status.link,
        station.counters()
    );
    Ok(())
}

#[test]
fn a_reset_in_the_middle_of_a_part_makes_nothing_good_that_was_before() -> Result<()> {
    let Some((mut board, mut station)) = line()? else {
        return Ok(());
    };
    let old = part_comes(&mut board, &mut station)?.part;
    let good = result(old, Verdict::Ok);
    board.reset()?;
    let identity = station.wait(
        "the identity after the reset",
        PATIENCE,
        |message| match message {
            McuMessage::Identity(identity) if identity.answers.is_none() => Some(identity.clone()),
            _ => None,
        },
    )?;
    assert_ne!(identity.epoch, old.epoch);
    // The memory survived, as it does in a dip.
    assert_eq!(identity.reset, ResetCause::BrownOut);

    // The host has not understood yet: it still calls the old part good.
    station.say(state(Some(old), Outcome::Part(good)))?;
    station.configure(with_rejector()?)?;
    let asked = station.send(&HostMessage::Result(good))?;
    assert_eq!(reply(&mut station, asked)?, Answer::UnknownPart);
    let trusted = settle(&mut station, "the belt is trusted again", |status| {
        assert!(!status.outputs.ok && !status.outputs.ready, "{status:?}");
        !status.outputs.reject
    })?;
    // What was at the trigger when the chip was reset has come to the rejector and past it.
    let past = u64::from(DELAY + WIDTH);
    assert!(trusted.uptime_ms >= past, "trusted too early: {trusted:?}");
    let outputs = board.outputs()?;
    assert!(!outputs.ok && !outputs.ready, "{outputs:?}");

    // Now it has, and the line goes on.
    station.say(state(None, Outcome::Nothing))?;
    let status = settle(&mut station, "ready again", |status| status.outputs.ready)?;
    assert!(status.alarms.unexpected_reset);
    let new = part_comes(&mut board, &mut station)?.part;
    station.say(state(Some(new), Outcome::Part(result(new, Verdict::Ok))))?;
    settle(&mut station, "OK", |status| status.outputs.ok)?;
    assert!(board.outputs()?.ok);
    Ok(())
}

#[test]
fn a_host_of_another_version_is_named_on_the_lamps_and_to_the_host() -> Result<()> {
    let Some((mut board, mut station)) = met()? else {
        return Ok(());
    };
    station.configure(FREE_RUNNING)?;
    let frame = encode(
        Sequence(0),
        &HostMessage::State(state(None, stream(Verdict::Ok))),
    );
    let foreign = of_version(frame.as_bytes(), VERSION + 1)?;
    let (mut red, mut blue) = (0, 0);
    let mut named = 0;
    let begun = board.uptime_ms()?;
    while board.uptime_ms()? < begun + 3000 {
        station.send_bytes(&foreign)?;
        station.listen(milliseconds(100))?;
        let theirs = VERSION + 1;
        named += station
            .heard()
            .iter()
            .filter(|message| {
                matches!(message, McuMessage::Status(status)
                    if status.mode == Mode::VersionMismatch { theirs })
            })
            .count();
        let o = board.outputs()?;
        assert!(!o.ok && o.ng && o.error, "{o:?}");
        red += u32::from(o.red && !o.blue && !o.amber && !o.green);
        blue += u32::from(o.blue && !o.red && !o.amber && !o.green);
    }
    assert!(
        red > 3 && blue > 3,
        "red {red} and blue {blue} times in 3 s"
    );
    assert!(named > 10, "named {named} times");
    Ok(())
}

#[test]
fn the_firmware_stays_within_four_kibibytes_of_memory() -> Result<()> {
    let Some((mut board, mut station)) = line()? else {
        return Ok(());
    };
    // What goes deepest: full frames both ways, parts on the belt, a press, noise, a strike.
    station.set_noise(Some((Noise::new(3, 10), Noise::new(4, 0))));
    board.set_button(true)?;
    for _ in 0..20 {
        board.set_trigger(true)?;
        station.listen(milliseconds(20))?;
        board.set_trigger(false)?;
        station.send(&HostMessage::Ping)?;
        station.send(&HostMessage::Configure(with_rejector()?))?;
        station.listen(milliseconds(60))?;
    }
    station.set_noise(None);
    station.listen(milliseconds(DELAY + WIDTH))?;
    let used = board.memory_used()?;
    println!("{used} bytes of memory used at most, statics and stack");
    assert!(used <= 4096, "{used} bytes");
    Ok(())
}
