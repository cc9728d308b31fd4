//! The emulated board: a QEMU process, its pins by name, and its serial port as a socket.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use andon_link::Outputs;
use anyhow::{Context, Result, bail};
use serde_json::json;
use tempfile::TempDir;

use crate::line::Line;
use crate::qmp::Qmp;
use crate::qtest::Qtest;

const GPIOA_ODR: u32 = 0x4800_0014;
const GPIOB_ODR: u32 = 0x4800_0414;
const RAM: u32 = 0x2000_0000;
const RAM_BYTES: u32 = 96 * 1024;
/// What the firmware paints unused memory with.
const PAINT: [u8; 4] = [0xCC; 4];

/// A board in QEMU.
#[derive(Debug)]
pub struct Board {
    process: Child,
    qmp: Qmp,
    qtest: Qtest,
    folder: TempDir,
    /// Where the firmware counts milliseconds.
    clock: u32,
}

impl Board {
    /// Starts the board with the binary that `ANDON_BOARD_ELF` names, which the script
    /// `firmware/test` builds. `None`, said loudly, where there is none or no QEMU.
    ///
    /// # Errors
    /// QEMU does not start, or not within ten seconds.
    pub fn start() -> Result<Option<Self>> {
        Self::start_on(|folder| {
            let path = folder.join("uart").display().to_string();
            format!("socket,id=uart,path={path},server=on,wait=off")
        })
    }

    /// As [`Board::start`], with the serial port as a terminal device, to which `link` is made to
    /// point. QEMU takes up to a second to notice who opens it.
    ///
    /// # Errors
    /// As [`Board::start`], or something is at `link` already.
    pub fn start_on_terminal(link: &Path) -> Result<Option<Self>> {
        Self::start_on(|_| format!("pty,id=uart,path={}", link.display()))
    }

    fn start_on(port: impl Fn(&Path) -> String) -> Result<Option<Self>> {
        let Some(binary) = std::env::var_os("ANDON_BOARD_ELF").map(PathBuf::from) else {
            crate::skip("ANDON_BOARD_ELF names no binary: run firmware/test, which builds one");
            return Ok(None);
        };
        if !binary.is_file() {
            bail!("ANDON_BOARD_ELF is {}, which is no file", binary.display());
        }
        match Self::start_with(&binary, port) {
            Err(error) if is_not_found(&error) => {
                crate::skip(
                    "QEMU or the binutils for arm are not installed: run firmware/test as root",
                );
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    fn start_with(binary: &Path, port: impl Fn(&Path) -> String) -> Result<Self> {
        let clock = address(binary, "stm32::tick::MILLISECONDS")?;
        let folder = tempfile::tempdir()?;
        let socket = |name: &str| folder.path().join(name).display().to_string();
        let mut process = Command::new("qemu-system-arm")
            .args(["-M", "b-l475e-iot01a", "-nographic", "-monitor", "none"])
            .arg("-kernel")
            .arg(binary)
            .args(["-chardev".into(), port(folder.path())])
            .args(["-serial", "chardev:uart"])
            .args([
                "-qmp".into(),
                format!("unix:{},server=on,wait=off", socket("qmp")),
            ])
            .args([
                "-qtest".into(),
                format!("unix:{},server=on,wait=off", socket("qtest")),
            ])
            .args(["-qtest-log", "/dev/null"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let connected = (|| {
            let qmp = Qmp::new(connect(&folder.path().join("qmp"))?)?;
            let qtest = Qtest::new(connect(&folder.path().join("qtest"))?);
            Ok((qmp, qtest))
        })();
        match connected {
            Ok((qmp, qtest)) => Ok(Self {
                process,
                qmp,
                qtest,
                folder,
                clock,
            }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(error)
            }
        }
    }

    /// Where the serial port of [`Board::start`] is: a socket that takes one host at a time.
    #[must_use]
    pub fn port(&self) -> PathBuf {
        self.folder.path().join("uart")
    }

    /// The levels of all output pins. The two ports are read one after the other.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn outputs(&mut self) -> Result<Outputs> {
        let a = self.qmp.word(GPIOA_ODR)?;
        let b = self.qmp.word(GPIOB_ODR)?;
        let on = |port: u32, pin: u8| port >> pin & 1 == 1;
        Ok(Outputs {
            red: on(a, 2),
            amber: on(a, 3),
            green: on(a, 4),
            blue: on(a, 5),
            buzzer: on(a, 6),
            ready: on(a, 7),
            results_ready: on(a, 15),
            ok: on(b, Line::Ok.pin()),
            ng: on(b, Line::Ng.pin()),
            error: on(b, Line::Error.pin()),
            reject: on(b, Line::Reject.pin()),
        })
    }

    /// Milliseconds since reset, read from the firmware's memory. On a busy machine they pass more
    /// slowly than outside.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn uptime_ms(&mut self) -> Result<u64> {
        // The upper half stays 0 for 49 days.
        Ok(self.qmp.word(self.clock)?.into())
    }

    /// Begins to note each change of the lines OK, NG, Error and reject.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn watch_lines(&mut self) -> Result<()> {
        self.qtest.command("irq_intercept_out /machine/soc/gpiob")
    }

    /// The changes since the last call, in their order: `true` is a change to on. None is missed,
    /// however short.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn line_edges(&mut self) -> Result<Vec<(Line, bool)>> {
        let changes = self.qtest.changes()?.into_iter();
        Ok(changes
            .filter_map(|(pin, on)| Some((Line::at(pin)?, on)))
            .collect())
    }

    /// As [`Board::line_edges`], of the reject output alone.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn rejector_edges(&mut self) -> Result<Vec<bool>> {
        let edges = self.line_edges()?.into_iter();
        Ok(edges
            .filter(|(line, _)| *line == Line::Reject)
            .map(|(_, on)| on)
            .collect())
    }

    /// Sets the trigger input.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn set_trigger(&mut self, on: bool) -> Result<()> {
        self.set("gpiod", 14, on)
    }

    /// Presses or releases the acknowledge button, which pulls its pin low.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn set_button(&mut self, pressed: bool) -> Result<()> {
        self.set("gpioc", 13, !pressed)
    }

    fn set(&mut self, port: &str, pin: u8, high: bool) -> Result<()> {
        let level = u8::from(high);
        self.qtest.command(&format!(
            "set_irq_in /machine/soc/{port} unnamed-gpio-in {pin} {level}"
        ))
    }

    /// Resets the chip. Its memory keeps its content, as in a short dip of the supply.
    ///
    /// # Errors
    /// QEMU has ended.
    pub fn reset(&mut self) -> Result<()> {
        self.qmp.command("system_reset", &json!({})).map(drop)
    }

    /// Bytes of memory that were ever in use: statics, and the stack at its deepest.
    ///
    /// # Errors
    /// QEMU has ended, or the memory shows no paint.
    pub fn memory_used(&mut self) -> Result<usize> {
        let file = self.folder.path().join("memory");
        let arguments = json!({"val": RAM, "size": RAM_BYTES, "filename": file});
        self.qmp.command("pmemsave", &arguments)?;
        let memory = fs::read(&file)?;
        let untouched = memory
            .chunks_exact(4)
            .map(|word| word == PAINT)
            .fold((0, 0), |(longest, run), painted| {
                let run = if painted { run + 1 } else { 0 };
                (usize::max(longest, run), run)
            })
            .0;
        if untouched == 0 {
            bail!("the firmware painted no memory: was it built without `ram::noise`?");
        }
        Ok(memory.len() - 4 * untouched)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // Nothing of it is needed any more, so nothing is lost if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address of a static of the firmware.
fn address(binary: &Path, name: &str) -> Result<u32> {
    let symbols = Command::new("arm-none-eabi-nm")
        .arg("-C")
        .arg(binary)
        .output()?;
    let symbols = String::from_utf8_lossy(&symbols.stdout);
    symbols
        .lines()
        .find_map(|line| line.strip_suffix(name)?.get(..8))
        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
        .with_context(|| format!("{} has no symbol {name}", binary.display()))
}

fn connect(path: &Path) -> Result<UnixStream> {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(error) if Instant::now() > limit => {
                return Err(error).context("QEMU opened no socket within ten seconds");
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}
