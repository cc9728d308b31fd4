//! A host that sees good parts for ever, as a process of its own so that it can be killed:
//! `steady-host SOCKET`.

use std::path::Path;
use std::time::Duration;

use andon_link::{
    Buzzer, Configuration, HostState, Lamps, Outcome, RecipeIndex, Triggering, ValidFor, Verdict,
};
use andon_rig::Station;
use anyhow::{Context, Result};

fn main() -> Result<()> {
    let port = std::env::args_os()
        .nth(1)
        .context("usage: steady-host SOCKET")?;
    let mut station = Station::connect(Path::new(&port))?;
    station.configure(Configuration {
        triggering: Triggering::FreeRunning,
    })?;
    station.say(HostState {
        lamps: Lamps::GREEN,
        buzzer: Buzzer::Silent,
        ready: true,
        seen: None,
        outcome: Outcome::Stream {
            verdict: Verdict::Ok,
            recipe: RecipeIndex(0),
        },
        valid_for: ValidFor::THREE_PERIODS,
    })?;
    loop {
        station.listen(Duration::from_secs(1))?;
        station.heard();
    }
}
