//! A sound cable: a good part, a reset in the middle of a part, `kill -9`, a bad part, the button.

use std::time::{Duration, Instant};

use andon_link::Outputs;
use andon_rig::Board;
use anyhow::{Result, ensure};

use crate::bench::{Belt, Bench, PATIENCE, Parts, judge, press, pulse, wait};

const BELT: Belt = Belt {
    delay: 2500,
    width: 120,
    spacing: 200,
};

#[test]
fn the_program_drives_the_light_on_real_images() -> Result<()> {
    let Some(bench) = Bench::set_up()? else {
        return Ok(());
    };
    let Some(mut board) = Board::start_on_terminal(&bench.light())? else {
        return Ok(());
    };
    board.set_button(false)?;
    board.set_trigger(false)?;
    wait(&mut board, "host lost before any host", |o| {
        !o.ok && (o.red || o.amber)
    })?;

    let mut running = bench.start(Parts::Good, BELT)?;
    let shown = judge(&mut board, BELT, "a good part is OK", |o| o.ok)?;
    ensure!(shown.green && !shown.error, "{shown:?}");

    // A reset in the middle of a part: that part is never OK, and the program sets the light up
    // again by itself.
    pulse(&mut board)?;
    board.reset()?;
    wait(&mut board, "the light begins anew", |o| !o.ok && !o.ready)?;
    let ready = wait(&mut board, "the station is ready after a reset", |o| {
        o.ready
    })?;
    ensure!(!ready.ok, "OK for a part from before the reset: {ready:?}");
    judge(&mut board, BELT, "the next good part is OK", |o| o.ok)?;

    running.kill()?;
    let lost = wait(&mut board, "host lost after kill -9", |o| !o.ok && !o.ready)?;
    ensure!(!lost.green, "{lost:?}");
    wait(&mut board, "amber of host lost", |o| o.amber && !o.red)?;
    wait(&mut board, "red of host lost", |o| o.red && !o.amber)?;

    let _running = bench.start(Parts::Bad, BELT)?;
    wait(&mut board, "the station is ready again", |o| {
        o.ready && !o.reject
    })?;
    board.watch_lines()?;
    let is_ng = |o: &Outputs| o.ng && !o.error;
    let shown = judge(&mut board, BELT, "a bad part is NG", is_ng)?;
    ensure!(!shown.ok && !shown.green, "{shown:?}");
    wait(&mut board, "the reject pulse", |o| o.reject)?;
    wait(&mut board, "the end of the reject pulse", |o| !o.reject)?;
    ensure!(board.rejector_edges()? == [true, false], "one pulse");

    wait(&mut board, "red flashes", |o| !o.red)?;
    press(&mut board)?;
    let until = Instant::now() + PATIENCE;
    let question = ["journal", "show", "--kind", "event", "--json"];
    while !bench.ask(&question, "record-bad")?.contains("acknowledged") {
        ensure!(Instant::now() < until, "the button was not recorded");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
