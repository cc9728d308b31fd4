//! The emulated board as a light on the desk: `emulated-light LINK` makes LINK its serial port, and
//! prints each change of its pins until it is interrupted.

use std::path::Path;
use std::time::{Duration, Instant};

use andon_link::Outputs;
use andon_rig::Board;
use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let link = std::env::args_os()
        .nth(1)
        .context("usage: emulated-light LINK, where LINK is the serial port to make")?;
    let Some(mut board) = Board::start_on_terminal(Path::new(&link))? else {
        bail!("the board does not run");
    };
    board.set_button(false)?;
    println!("serial port: {}", link.display());
    let start = Instant::now();
    let mut before = None;
    loop {
        let outputs = board.outputs()?;
        if before != Some(outputs) {
            println!(
                "{:9.3} s  {}",
                start.elapsed().as_secs_f64(),
                names(&outputs)
            );
            before = Some(outputs);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is on, by name.
fn names(outputs: &Outputs) -> String {
    let all = [
        ("red", outputs.red),
        ("amber", outputs.amber),
        ("green", outputs.green),
        ("blue", outputs.blue),
        ("buzzer", outputs.buzzer),
        ("| Ready", outputs.ready),
        ("Results", outputs.results_ready),
        ("OK", outputs.ok),
        ("NG", outputs.ng),
        ("Error", outputs.error),
        ("| reject", outputs.reject),
    ];
    let on: Vec<&str> = all
        .into_iter()
        .filter_map(|(name, on)| on.then_some(name))
        .collect();
    on.join(" ")
}
