//! What the tests of the whole program share: the program, a recipe that it learned once for all
//! tests, and stations that see only good or only bad parts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use andon_link::Outputs;
use andon_rig::Board;
use anyhow::{Context, Result, anyhow, ensure};
use tempfile::TempDir;

/// Real waits are far shorter; a busy machine must not fail a test.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// The rejector: from the trigger to the pulse, how long that is, and the least time between parts;
/// all in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Belt {
    pub delay: u32,
    pub width: u32,
    pub spacing: u32,
}

/// What all parts of a station are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    Good,
    Bad,
}

impl Parts {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }

    const fn verdict(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "ng",
        }
    }
}

/// A program, what it has learned, and a folder for one test.
#[derive(Debug)]
pub struct Bench {
    program: PathBuf,
    learned: &'static Path,
    folder: TempDir,
}

impl Bench {
    /// `None`, said loudly, where there is no program or are no images.
    pub fn set_up() -> Result<Option<Self>> {
        static LEARNED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let Some(program) = std::env::var_os("ANDON_PROGRAM").map(PathBuf::from) else {
            andon_rig::skip("ANDON_PROGRAM names no program: run ./test, which builds one");
            return Ok(None);
        };
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/screws");
        if !images.is_dir() {
            andon_rig::skip(&format!("no real images at {}", images.display()));
            return Ok(None);
        }
        let learned = LEARNED
            .get_or_init(|| learn(&program, &images).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!("{error}"))?;
        Ok(Some(Self {
            program,
            learned,
            folder: tempfile::tempdir()?,
        }))
    }

    /// Where the station expects its light.
    pub fn light(&self) -> PathBuf {
        self.folder.path().join("light")
    }

    /// Where the station listens for questions.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// What the latest program said.
    pub fn said(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("said"))?)
    }

    /// Starts `andon run` for such parts.
    pub fn start(&self, parts: Parts, belt: Belt) -> Result<Program> {
        let station = self.folder.path().join("station.toml");
        let name = parts.name();
        let Belt {
            delay,
            width,
            spacing,
        } = belt;
        let text = format!(
            "name = \"rig\"\n[camera]\nsource = \"replay\"\nfolder = {:?}\nendless = true\n\
             interval_ms = 100\n[trigger]\nfrom = \"input\"\n[[recipe]]\nindex = 3\n\
             file = {:?}\n[judging]\ndeadline_ms = 2000\n[outputs]\nsocket = {:?}\n\
             [outputs.light]\nport = {:?}\ntrigger = {{ edge = \"rising\", debounce_ms = 2 }}\n\
             rejector = {{ unit = \"milliseconds\", delay = {delay}, width = {width}, \
             spacing = {spacing} }}\n[record]\nfolder = \"record-{name}\"\nleave_free_mb = 1\n",
            self.learned.join(name),
            self.learned.join("screws.andon"),
            self.socket(),
            self.light()
        );
        fs::write(&station, text)?;
        let child = Command::new(&self.program)
            .args(["run", "--station"])
            .arg(&station)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.folder.path().join("said"))?)
            .spawn()?;
        Ok(Program(child))
    }

    /// What the program prints to a question on `folder`, a path below this test's own.
    pub fn ask(&self, arguments: &[&str], path: &str) -> Result<String> {
        let told = Command::new(&self.program)
            .args(arguments)
            .arg(self.folder.path().join(path))
            .stderr(Stdio::null())
            .output()?;
        Ok(String::from_utf8(told.stdout)?)
    }
}

/// A recipe of eight good parts, and two folders with one image each: `good` is judged OK, `bad`
/// NG. They lie in the folder that Cargo gives to tests, anew in each run.
fn learn(program: &Path, images: &Path) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("learned");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let recipe = folder.join("screws.andon");
    let learned = Command::new(program)
        .args(["learn", "--take", "8", "--seed", "1", "--good"])
        .arg(images.join("good"))
        .arg("-o")
        .arg(&recipe)
        .stderr(Stdio::null())
        .status()?;
    ensure!(learned.success(), "learning failed");
    for parts in [Parts::Good, Parts::Bad] {
        let (name, verdict) = (parts.name(), parts.verdict());
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
    }
    Ok(folder)
}

/// The running program; killed when the test ends early.
#[derive(Debug)]
pub struct Program(Child);

impl Program {
    /// As the kernel does when memory runs out.
    pub fn kill(&mut self) -> Result<()> {
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
pub fn wait(
    board: &mut Board,
    what: &str,
    mut wanted: impl FnMut(&Outputs) -> bool,
) -> Result<Outputs> {
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
            "not within {PATIENCE:?}: {what}; {outputs:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A part passes the trigger: long enough for the board to see it by its own clock.
pub fn pulse(board: &mut Board) -> Result<()> {
    board.set_trigger(true)?;
    let begun = board.uptime_ms()?;
    while board.uptime_ms()? < begun + 20 {
        std::thread::sleep(Duration::from_millis(5));
    }
    board.set_trigger(false)
}

/// A part passes the trigger and is judged; its verdict on the pins. A part that a busy machine judges
/// too late is an error, as it should be, and struck; then another one comes, on an empty belt.
pub fn judge(
    board: &mut Board,
    belt: Belt,
    what: &str,
    right: impl Fn(&Outputs) -> bool,
) -> Result<Outputs> {
    let until = Instant::now() + PATIENCE;
    loop {
        wait(board, "the station is ready", |o| o.ready && !o.reject)?;
        // Of the parts before.
        board.rejector_edges()?;
        pulse(board)?;
        let shown = wait(board, what, |o| o.results_ready)?;
        if right(&shown) {
            return Ok(shown);
        }
        ensure!(
            shown.error && Instant::now() < until,
            "not {what}: {shown:?}"
        );
        let over = board.uptime_ms()? + u64::from(belt.delay + belt.width) + 100;
        while board.uptime_ms()? < over {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Somebody presses the button and lets go.
pub fn press(board: &mut Board) -> Result<()> {
    board.set_button(true)?;
    let begun = board.uptime_ms()?;
    while board.uptime_ms()? < begun + 100 {
        std::thread::sleep(Duration::from_millis(10));
    }
    board.set_button(false)
}
