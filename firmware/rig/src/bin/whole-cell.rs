//! A whole cell on one bench: a computer in QEMU with camera and station, and the emulated board as
//! its stack light.
//!
//! `whole-cell PICTURE.svg PROGRAM ARGUMENTS...` starts the program, which is the computer, with
//! `@light@` in its arguments replaced by a terminal device, the light's serial port, and `@console@` by a
//! socket for the computer's console. It orders what is to happen, prints what the pins of the light did, and
//! ends with 1 as soon as they do something else than they should.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use andon_link::Outputs;
use andon_rig::{Board, Cable, Timeline};
use anyhow::{Context, Result, bail, ensure};

/// A part on an emulated processor, and a start of the station with its recipe, on a busy computer.
const PATIENCE: Duration = Duration::from_secs(180);
/// A lamp that flashes changes within this time.
const FLASH: Duration = Duration::from_millis(1500);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: whole-cell PICTURE.svg PROGRAM ARGUMENTS...";
    let picture = PathBuf::from(arguments.next().context(usage)?);
    let program = arguments.next().context(usage)?;
    let Some(mut board) = Board::start()? else {
        bail!("the board does not run");
    };
    board.set_button(false)?;
    board.set_trigger(false)?;
    let folder = tempfile::tempdir()?;
    let console = folder.path().join("console");
    let listener = UnixListener::bind(&console)?;
    // A computer that does not read must lose bytes; with the bare socket it would hold up the board.
    let light = folder.path().join("light");
    let _cable = Cable::plug(&board.port(), &light)?;
    let computer = Command::new(program)
        .args(arguments.map(|text| {
            text.replace("@light@", &light.display().to_string())
                .replace("@console@", &console.display().to_string())
        }))
        .stdin(Stdio::null())
        .spawn()
        .context("the computer")?;
    let mut computer = Running(computer);
    let orders = listener.accept()?.0;
    let (sender, said) = channel();
    let lines = BufReader::new(orders.try_clone()?);
    thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut cell = Cell {
        board,
        orders,
        said,
        heard: String::new(),
        start: Instant::now(),
        timeline: Timeline::default(),
    };
    let outcome = shift(&mut cell);
    std::fs::write(&picture, cell.timeline.svg())
        .with_context(|| format!("cannot write {}", picture.display()))?;
    if outcome.is_ok() {
        cell.order("off")?;
        let deadline = Instant::now() + PATIENCE;
        while computer.0.try_wait()?.is_none() && Instant::now() < deadline {
            cell.look()?;
        }
    }
    println!(
        "{:8.2} s  the end; picture: {}",
        cell.now(),
        picture.display()
    );
    outcome
}

/// What happens, and what has to come of it.
fn shift(cell: &mut Cell) -> Result<()> {
    cell.mark("switched on");
    cell.until("host lost before any host", |o| (o.red || o.amber) && !o.ok)?;
    cell.until("ready for parts", |o| o.ready)?;

    cell.part("good 20", "good part")?;
    let shown = cell.until("OK", |o| o.results_ready)?;
    ensure!(shown.ok && !shown.ng && !shown.error, "{shown:?}");
    cell.until("green", |o| o.green && !o.red)?;

    cell.part("bad 21", "bad part")?;
    let shown = cell.until("NG", |o| o.results_ready)?;
    ensure!(shown.ng && !shown.ok && !shown.error, "{shown:?}");
    cell.until("red flashes: lit", |o| o.red && !o.green)?;
    cell.until("red flashes: dark", |o| !o.red && !o.green)?;

    cell.mark("acknowledge");
    cell.press()?;
    cell.steadily("red is steady", |o| o.red && !o.green)?;

    cell.mark("camera unplugged");
    cell.order("unplug")?;
    cell.until("not ready", |o| !o.ready)?;
    let shown = cell.until("a lamp says so", |o| o.red || o.blue)?;
    ensure!(!shown.green, "{shown:?}");
    cell.wait(Duration::from_secs(2))?;
    cell.mark("camera plugged in");
    cell.order("plug")?;
    cell.until("ready for parts", |o| o.ready)?;
    cell.mark("acknowledge");
    cell.press()?;

    cell.part("good 24", "good part")?;
    let shown = cell.until("OK", |o| o.results_ready)?;
    ensure!(shown.ok && !shown.ng && !shown.error, "{shown:?}");

    cell.mark("kill -9");
    cell.order("kill")?;
    let shown = cell.until("neither OK nor ready", |o| !o.ok && !o.ready)?;
    ensure!(!shown.green, "{shown:?}");
    cell.until("host lost: amber", |o| o.amber && !o.red && !o.green)?;
    cell.until("host lost: red", |o| o.red && !o.amber && !o.green)?;
    cell.until("ready for parts, started again", |o| o.ready)?;
    cell.part("good 20", "good part")?;
    let shown = cell.until("OK", |o| o.results_ready)?;
    ensure!(shown.ok && !shown.ng && !shown.error, "{shown:?}");

    cell.mark("light reset");
    cell.board.reset()?;
    let shown = cell.until("neither OK nor ready", |o| !o.ok && !o.ready)?;
    ensure!(!shown.green, "{shown:?}");
    cell.until("ready for parts, set up again", |o| o.ready)?;
    cell.part("good 24", "good part")?;
    let shown = cell.until("OK", |o| o.results_ready)?;
    ensure!(shown.ok && !shown.ng && !shown.error, "{shown:?}");
    Ok(())
}

/// Light, computer and what was seen.
struct Cell {
    board: Board,
    orders: UnixStream,
    said: Receiver<String>,
    /// The newest line of the console.
    heard: String,
    start: Instant,
    timeline: Timeline,
}

impl Cell {
    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Prints and draws something that is done now.
    fn mark(&mut self, what: &str) {
        println!("{:8.2} s  {what}", self.now());
        self.timeline.mark(self.now(), what);
    }

    /// Waits until the computer says this.
    fn hear(&mut self, wanted: &str) -> Result<()> {
        let begun = Instant::now();
        while self.heard.trim() != wanted {
            self.look()?;
            ensure!(begun.elapsed() < PATIENCE, "never said: {wanted}");
        }
        Ok(())
    }

    /// Gives the computer an order.
    fn order(&mut self, order: &str) -> Result<()> {
        writeln!(self.orders, "{order}").context("the computer's console")
    }

    /// Looks at the pins, and passes on what the computer says of itself.
    fn look(&mut self) -> Result<Outputs> {
        // One line a look, so that none is missed by who waits for it.
        if let Ok(line) = self.said.try_recv() {
            if !line.trim().is_empty() {
                println!("            | {}", line.trim());
            }
            self.heard = line;
        }
        let outputs = self.board.outputs()?;
        let now = self.now();
        self.timeline.see(now, outputs);
        thread::sleep(Duration::from_millis(4));
        Ok(outputs)
    }

    /// Waits until the pins are as wanted, and says how long it took.
    fn until(&mut self, what: &str, wanted: impl Fn(&Outputs) -> bool) -> Result<Outputs> {
        let begun = Instant::now();
        loop {
            let outputs = self.look()?;
            if wanted(&outputs) {
                let took = begun.elapsed().as_secs_f64();
                println!("{:8.2} s    {what} (after {took:.2} s)", self.now());
                return Ok(outputs);
            }
            ensure!(begun.elapsed() < PATIENCE, "{what}: still {outputs:?}");
        }
    }

    /// Waits until the pins stay as wanted for longer than a lamp flashes.
    fn steadily(&mut self, what: &str, wanted: impl Fn(&Outputs) -> bool) -> Result<()> {
        let begun = Instant::now();
        let mut since = Instant::now();
        while since.elapsed() < FLASH {
            let outputs = self.look()?;
            if !wanted(&outputs) {
                since = Instant::now();
            }
            ensure!(begun.elapsed() < PATIENCE, "{what}: still {outputs:?}");
        }
        println!("{:8.2} s    {what}", self.now());
        Ok(())
    }

    /// Looks for so long.
    fn wait(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look()?;
        }
        Ok(())
    }

    /// Puts a part before the camera and announces it.
    fn part(&mut self, order: &str, what: &str) -> Result<()> {
        self.order(order)?;
        self.hear(&format!("{order}: done"))?;
        // Frames that were taken before are on their way.
        self.wait(Duration::from_secs(1))?;
        self.mark(what);
        self.board.set_trigger(true)?;
        self.until("taken", |o| !o.ready)?;
        self.wait(Duration::from_millis(100))?;
        self.board.set_trigger(false)
    }

    fn press(&mut self) -> Result<()> {
        self.board.set_button(true)?;
        self.wait(Duration::from_millis(200))?;
        self.board.set_button(false)
    }
}

/// The computer, which ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // If it has ended already, nothing is lost.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
