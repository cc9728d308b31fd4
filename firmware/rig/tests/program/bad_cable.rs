//! `andon run` and the emulated light with a bad cable between them: noise, and a light from another
//! release.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use andon_link::VERSION;
use andon_rig::{Board, Cable, Noise};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::{Belt, Bench, PATIENCE, Parts, judge, pulse, wait};
use crate::line::Watch;

const BELT: Belt = Belt {
    delay: 2500,
    width: 400,
    spacing: 500,
};
const MINUTE: Duration = Duration::from_mins(1);
/// In which both sides understand each other again after the noise, by the board's clock. A state
/// and a status go out each 100 ms.
const RECOVERY_MS: u64 = 1000;
/// Bytes in a thousand that are hit.
const PER_MILLE: u64 = 10;

#[test]
fn a_minute_of_noise_makes_no_bad_part_ok_and_each_is_struck() -> Result<()> {
    noise(Parts::Bad, 1)
}

#[test]
fn a_minute_of_noise_strikes_no_part_that_was_shown_ok() -> Result<()> {
    noise(Parts::Good, 3)
}

fn noise(kind: Parts, seed: u64) -> Result<()> {
    let Some((bench, mut board, cable)) = plug()? else {
        return Ok(());
    };
    let _program = bench.start(kind, BELT)?;
    wait(&mut board, "the station is ready", |o| o.ready && !o.reject)?;
    // A first part, so that the lamps say what the parts are like.
    pulse(&mut board)?;
    wait(&mut board, "the first verdict", |o| o.results_ready)?;
    let first = board.uptime_ms()?;
    while board.uptime_ms()? < first + u64::from(BELT.delay + BELT.width) + 100 {
        std::thread::sleep(Duration::from_millis(20));
    }
    board.watch_lines()?;

    let mut watch = Watch::new(kind, BELT);
    let seeds = (Noise::new(seed, PER_MILLE), Noise::new(seed + 1, PER_MILLE));
    let before = frames(&status(&bench.socket())?, "bad")?;
    ensure!(cable.set_noise(Some(seeds)).is_none(), "noise twice");
    let begun = Instant::now();
    while begun.elapsed() < MINUTE {
        watch.step(&mut board, true)?;
    }
    let noisy = status(&bench.socket())?;
    let (out, back) = cable.set_noise(None).context("the noise")?;
    let calm = (Instant::now(), board.uptime_ms()?);
    let recovered = loop {
        watch.step(&mut board, true)?;
        let now = status(&bench.socket())?;
        if now["light"]["trouble"].is_null()
            && frames(&now, "good")?.reaches(frames(&noisy, "good")?.plus(2))
        {
            break (calm.0.elapsed(), board.uptime_ms()? - calm.1);
        }
        ensure!(calm.0.elapsed() < PATIENCE, "not recovered: {now}");
    };
    let after = frames(&status(&bench.socket())?, "bad")?;
    println!(
        "{kind:?} parts, to the light: {} bytes hit, {} bad frames counted; from it: {} and {}; {} \
         parts, {} shown right, {} struck so far; {} looks at the pins, {} of them at a lost host; \
         recovered {:?} after the noise, {} ms by the board's clock",
        out.flipped(),
        after.1 - before.1,
        back.flipped(),
        after.0 - before.0,
        watch.parts(),
        watch.right(),
        watch.struck(),
        watch.looks,
        watch.lost,
        recovered.0,
        recovered.1,
    );
    // No frame that was hit may be believed. Some are hit twice, but few.
    for (hit, counted) in [
        (out.flipped(), after.1 - before.1),
        (back.flipped(), after.0 - before.0),
    ] {
        ensure!(
            hit > 100 && counted * 10 >= hit * 7,
            "{hit} bytes were hit and {counted} bad frames counted"
        );
    }
    ensure!(recovered.1 < RECOVERY_MS, "recovered late: {recovered:?}");

    let (right, until) = (watch.right(), Instant::now() + PATIENCE);
    while watch.right() < right + 2 {
        watch.step(&mut board, true)?;
        ensure!(Instant::now() < until, "no part is judged after the noise");
    }
    watch.run_out(&mut board)
}

#[test]
fn a_light_of_another_version_is_named_on_both_sides_and_never_misread() -> Result<()> {
    let Some((bench, mut board, cable)) = plug()? else {
        return Ok(());
    };
    cable.set_version(Some(VERSION + 1));
    let _program = bench.start(Parts::Good, BELT)?;
    mismatch(&bench, &mut board)?;
    // The light was never configured, so it holds the rejector out.
    pulse(&mut board)?;
    let shown = board.outputs()?;
    ensure!(shown.reject && !shown.ready, "{shown:?}");
    let said = bench.said()?;
    ensure!(names_both(&said), "the log says {said:?}");

    // The right firmware comes, and neither side is restarted.
    cable.set_version(None);
    wait(&mut board, "the station is ready", |o| o.ready && !o.reject)?;
    ensure!(status(&bench.socket())?["light"]["trouble"].is_null());
    judge(&mut board, BELT, "a good part is OK", |o| o.ok)?;

    // Nothing of a foreign frame keeps that OK alive.
    cable.set_version(Some(VERSION + 1));
    wait(&mut board, "OK ends", |o| !o.ok)?;
    mismatch(&bench, &mut board)
}

fn plug() -> Result<Option<(Bench, Board, Cable)>> {
    let Some(bench) = Bench::set_up()? else {
        return Ok(None);
    };
    let Some(mut board) = Board::start()? else {
        return Ok(None);
    };
    board.set_button(false)?;
    board.set_trigger(false)?;
    let cable = Cable::plug(&board.port(), &bench.light())?;
    Ok(Some((bench, board, cable)))
}

/// Both sides say what is wrong: the light by its pattern for two seconds and more, the program in
/// its status.
fn mismatch(bench: &Bench, board: &mut Board) -> Result<()> {
    wait(board, "red of the pattern", |o| {
        o.red && !o.amber && !o.blue
    })?;
    wait(board, "blue of the pattern", |o| o.blue && !o.red)?;
    let begun = board.uptime_ms()?;
    let (mut red, mut blue) = (0, 0);
    while board.uptime_ms()? < begun + 2000 {
        let o = board.outputs()?;
        ensure!(!o.ok && o.ng && o.error && !o.ready, "{o:?}");
        ensure!((o.red ^ o.blue) && !o.amber && !o.green, "{o:?}");
        red += u32::from(o.red);
        blue += u32::from(o.blue);
        std::thread::sleep(Duration::from_millis(20));
    }
    ensure!(red > 3 && blue > 3, "red {red} and blue {blue} times");
    let until = Instant::now() + PATIENCE;
    loop {
        let told = bench.ask(&["status", "--socket"], "socket")?;
        if names_both(&told) {
            println!(
                "{}",
                told.lines().find(|line| names_both(line)).unwrap_or(&told)
            );
            return Ok(());
        }
        ensure!(Instant::now() < until, "the status says {told:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Both versions, and what to do.
fn names_both(text: &str) -> bool {
    let theirs = format!("the stack light speaks version {}", VERSION + 1);
    let ours = format!("this program version {VERSION}");
    text.contains(&theirs) && text.contains(&ours) && text.contains("update this program")
}

/// What the station answers when it is asked how it does.
fn status(socket: &Path) -> Result<Value> {
    let mut stream = UnixStream::connect(socket).context("the station's socket")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    writeln!(stream, "{{\"request\":\"status\"}}")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str::<Value>(&answer)?["status"].take())
}

/// Frames from the light, and frames to it, each as its receiver counted them.
#[derive(Clone, Copy, Debug)]
struct Both(u64, u64);

impl Both {
    const fn plus(self, more: u64) -> Self {
        Self(self.0 + more, self.1 + more)
    }

    const fn reaches(self, other: Self) -> bool {
        self.0 >= other.0 && self.1 >= other.1
    }
}

fn frames(status: &Value, which: &str) -> Result<Both> {
    let state = &status["light"]["state"];
    let count = |line: &str| {
        state[line][which]
            .as_u64()
            .with_context(|| format!("no count of {which} frames in {status}"))
    };
    Ok(Both(count("line")?, count("line_to_light")?))
}
