//! `andon run` drives the emulated light end to end, on real images: the program that
//! `ANDON_PROGRAM` names, its own serial code, the board's own binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use andon_link::Outputs;
use andon_rig::Board;
use anyhow::{Context, Result, ensure};

/// Real waits are far shorter; a busy machine must not fail this.
const PATIENCE: Duration = Duration::from_secs(60);

/// From the trigger to the reject pulse, and how long it is.
const DELAY_MS: u32 = 2500;
const WIDTH_MS: u32 = 120;

/// The program and the images, or why there is no test.
fn bench() -> Option<(PathBuf, PathBuf)> {
    let Some(program) = std::env::var_os("ANDON_PROGRAM").map(PathBuf::from) else {
        eprintln!("*** SKIPPED: ANDON_PROGRAM names no program: run ./test, which builds one ***");
        return None;
    };
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/screws");
    if !images.is_dir() {
        eprintln!("*** SKIPPED: no real images at {} ***", images.display());
        return None;
    }
    Some((program, images))
}

/// A recipe of eight good parts, and two folders with one image each: `good` is judged OK, `bad`
/// NG.
fn learn(program: &Path, images: &Path, folder: &Path) -> Result<()> {
    let recipe = folder.join("screws.andon");
    let learned = Command::new(program)
        .args(["learn", "--take", "8", "--seed", "1", "--good"])
        .arg(images.join("good"))
        .arg("-o")
        .arg(&recipe)
        .stderr(Stdio::null())
        .status()?;
    ensure!(learned.success(), "learning failed");
    for (name, verdict) in [("good", "ok"), ("bad", "ng")] {
        let told = Command::new(program)
            .args(["inspect", "--json", "-r"])
            .arg(&recipe)
            .arg(images.join(name))
            .output()?;
        let told = String::from_utf8(told.stdout)?;
        let line = told
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find(|line| line["verdict"] == verdict)
            .with_context(|| format!("no image of {name} is judged {verdict}"))?;
        let image = Path::new(line["image"].as_str().context("an image")?);
        fs::create_dir(folder.join(name))?;
        let file = image.file_name().context("a name")?;
        fs::copy(image, folder.join(name).join(file))?;
        let text = format!(
            "name = \"rig\"\n[camera]\nsource = \"replay\"\nfolder = {name:?}\nendless = true\n\
             interval_ms = 100\n[trigger]\nfrom = \"input\"\n[[recipe]]\nindex = 3\n\
             file = \"screws.andon\"\n[judging]\ndeadline_ms = 2000\n[outputs.light]\n\
             port = {:?}\ntrigger = {{ edge = \"rising\", debounce_ms = 2 }}\n\
             rejector = {{ unit = \"milliseconds\", delay = {DELAY_MS}, width = {WIDTH_MS}, \
             spacing = 200 }}\n[record]\nfolder = \"record-{name}\"\nleave_free_mb = 1\n",
            folder.join("light")
        );
        fs::write(folder.join(format!("{name}.toml")), text)?;
    }
    Ok(())
}

/// The running program; killed when the test ends early.
struct Program(Child);

impl Program {
    fn start(program: &Path, station: &Path) -> Result<Self> {
        let child = Command::new(program)
            .args(["run", "--station"])
            .arg(station)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// As the kernel does when memory runs out.
    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Waits until the pins are as wanted.
fn wait(board: &mut Board, what: &str, wanted: impl Fn(&Outputs) -> bool) -> Result<Outputs> {
    let until = Instant::now() + PATIENCE;
    loop {
        let outputs = board.outputs()?;
        ensure!(
            !(outputs.ok && outputs.ng),
            "OK and NG together: {outputs:?}"
        );
        if wanted(&outputs) {
            return Ok(outputs);
        }
        ensure!(
            Instant::now() < until,
            "not within a minute: {what}; {outputs:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pulse(board: &mut Board) -> Result<()> {
    board.set_trigger(true)?;
    std::thread::sleep(Duration::from_millis(30));
    board.set_trigger(false)
}

#[test]
fn the_program_drives_the_light_on_real_images() -> Result<()> {
    let Some((program, images)) = bench() else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let Some(mut board) = Board::start_on_terminal(&folder.path().join("light"))? else {
        return Ok(());
    };
    board.set_button(false)?;
    board.set_trigger(false)?;
    learn(&program, &images, folder.path())?;
    wait(&mut board, "host lost before any host", |o| {
        !o.ok && (o.red || o.amber)
    })?;

    let mut running = Program::start(&program, &folder.path().join("good.toml"))?;
    wait(&mut board, "the station is ready", |o| o.ready)?;
    pulse(&mut board)?;
    let shown = wait(&mut board, "a good part is OK", |o| o.ok && o.results_ready)?;
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
    pulse(&mut board)?;
    wait(&mut board, "the next good part is OK", |o| {
        o.ok && o.results_ready
    })?;

    running.kill()?;
    let lost = wait(&mut board, "host lost after kill -9", |o| !o.ok && !o.ready)?;
    ensure!(!lost.green, "{lost:?}");
    wait(&mut board, "amber of host lost", |o| o.amber && !o.red)?;
    wait(&mut board, "red of host lost", |o| o.red && !o.amber)?;

    let _running = Program::start(&program, &folder.path().join("bad.toml"))?;
    wait(&mut board, "the station is ready again", |o| {
        o.ready && !o.reject
    })?;
    board.watch_rejector()?;
    pulse(&mut board)?;
    let shown = wait(&mut board, "a bad part is NG", |o| o.ng && o.results_ready)?;
    ensure!(!shown.ok && !shown.green, "{shown:?}");
    wait(&mut board, "the reject pulse", |o| o.reject)?;
    wait(&mut board, "the end of the reject pulse", |o| !o.reject)?;
    ensure!(board.rejector_edges()? == [true, false], "one pulse");

    wait(&mut board, "red flashes", |o| !o.red)?;
    board.set_button(true)?;
    std::thread::sleep(Duration::from_millis(200));
    board.set_button(false)?;
    let journal = folder.path().join("record-bad");
    let until = Instant::now() + PATIENCE;
    loop {
        let told = Command::new(&program)
            .args(["journal", "show", "--kind", "event", "--json"])
            .arg(&journal)
            .output()?;
        if String::from_utf8_lossy(&told.stdout).contains("acknowledged") {
            return Ok(());
        }
        ensure!(Instant::now() < until, "the button was not recorded");
        std::thread::sleep(Duration::from_millis(100));
    }
}
