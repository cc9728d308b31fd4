//! Lamps in the kernel's LED class: one folder a lamp under `/sys/class/leds`, with a file for the
//! brightness and, where the kernel has it, a timer that flashes without anyone's help.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use andon_link::Signal;

use crate::levels::{FLASH_HALF_PERIOD, phase};
use crate::sink::{Shown, Sink, SinkError};

/// A started timer has changed its lamp for the first time, at the slowest tick that Linux has.
const FIRST_CHANGE: Duration = Duration::from_millis(30);

/// Steps to bring two timers into turns: two or three, more if the program is held up between them.
const TRIES: u32 = 8;

/// Names of the LEDs under `/sys/class/leds`; `None` where a lamp is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LedNames {
    /// Red lamp.
    pub red: Option<String>,
    /// Amber lamp.
    pub amber: Option<String>,
    /// Green lamp.
    pub green: Option<String>,
    /// Blue lamp.
    pub blue: Option<String>,
}

/// Lamps in the LED class.
///
/// The kernel keeps what was last written when a program is killed, so a green lamp stays green.
/// The service manager therefore runs `andon release` after the station has ended in whatever way: that
/// is [`LedLamps::open`] and [`Sink::leave`] once more.
#[derive(Debug)]
pub struct LedLamps {
    red: Option<Led>,
    amber: Option<Led>,
    green: Option<Led>,
    blue: Option<Led>,
    /// Red and amber take turns by the kernel's timers.
    turning: bool,
    left: bool,
}

impl LedLamps {
    /// Takes the LEDs under `root`, normally `/sys/class/leds`.
    ///
    /// # Errors
    /// One of them is not there; the error names it.
    pub fn open(root: &Path, names: &LedNames) -> Result<Self, SinkError> {
        let open = |name: &Option<String>| {
            name.as_deref()
                .map(|name| Led::open(root, name))
                .transpose()
        };
        Ok(Self {
            red: open(&names.red)?,
            amber: open(&names.amber)?,
            green: open(&names.green)?,
            blue: open(&names.blue)?,
            turning: false,
            left: false,
        })
    }

    /// Sets each lamp, the ones that light up first, so that the stack is never dark in between.
    fn set(&mut self, signals: [Signal; 4], phase: bool) -> Result<(), SinkError> {
        self.turning = false;
        let [red, amber, green, blue] = signals;
        let mut lamps = [
            (&mut self.red, red),
            (&mut self.amber, amber),
            (&mut self.green, green),
            (&mut self.blue, blue),
        ];
        lamps.sort_by_key(|(_, signal)| *signal == Signal::Dark);
        let mut outcome = Ok(());
        for (led, signal) in lamps {
            if let Some(led) = led {
                // The other lamps are shown even if one cannot be.
                outcome = outcome.and(led.show(signal, phase));
            }
        }
        outcome
    }

    fn host_lost(&mut self, phase: bool) -> Result<(), SinkError> {
        if self.turning {
            return Ok(());
        }
        if self.take_turns()? {
            return Ok(());
        }
        let (red, amber) = if phase {
            (Signal::Steady, Signal::Dark)
        } else {
            (Signal::Dark, Signal::Steady)
        };
        self.set([red, amber, Signal::Dark, Signal::Dark], phase)
    }

    /// Starts the timers of red and amber so that one is lit while the other is dark; `false` where
    /// there are no two timers, or they could not be brought into turns.
    ///
    /// A timer that is written to changes its lamp within a tick, and counts from there. Several
    /// ticks may pass between the writes of a start, so first the lamps are brought apart, and then
    /// both are written to at once.
    fn take_turns(&mut self) -> Result<bool, SinkError> {
        let has_timer = |led: &Option<Led>| led.as_ref().is_some_and(|led| led.has_timer);
        if !(has_timer(&self.red) && has_timer(&self.amber)) {
            return Ok(false);
        }
        let (dark, steady) = (Signal::Dark, Signal::Steady);
        self.set([steady, dark, dark, dark], true)?;
        let (Some(red), Some(amber)) = (&mut self.red, &mut self.amber) else {
            return Ok(false);
        };
        red.show(Signal::Flashing, true)?;
        amber.show(Signal::Flashing, true)?;
        let mut in_step = false;
        for _ in 0..TRIES {
            thread::sleep(FIRST_CHANGE);
            let lit = red.is_lit()?;
            let is_apart = lit != amber.is_lit()?;
            if red.is_lit()? != lit {
                // They change right now.
                continue;
            }
            if is_apart && in_step {
                self.turning = true;
                return Ok(true);
            }
            in_step = is_apart;
            amber.restart_timer()?;
            if is_apart {
                red.restart_timer()?;
            }
        }
        Ok(false)
    }
}

impl Sink for LedLamps {
    fn show(&mut self, shown: &Shown<'_>) -> Result<(), SinkError> {
        self.left = false;
        let phase = phase(shown.now);
        if !shown.is_fresh() {
            return self.host_lost(phase);
        }
        let lamps = shown.outputs.lamps;
        self.set(
            [lamps.red(), lamps.amber(), lamps.green(), lamps.blue()],
            phase,
        )
    }

    /// Red and amber take turns by the kernel's timers; where that cannot be, both stay on.
    fn leave(&mut self) -> Result<(), SinkError> {
        self.left = true;
        if self.turning || self.take_turns()? {
            return Ok(());
        }
        let (dark, steady) = (Signal::Dark, Signal::Steady);
        self.set([steady, steady, dark, dark], true)
    }
}

impl Drop for LedLamps {
    fn drop(&mut self) {
        if !self.left {
            let _ = self.leave();
        }
    }
}

/// What was last written to an LED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    On,
    Off,
    Timer,
}

#[derive(Debug)]
struct Led {
    name: String,
    folder: PathBuf,
    brightest: String,
    has_timer: bool,
    /// `None` at first and after a failure, so that all is written again.
    written: Option<Written>,
}

impl Led {
    fn open(root: &Path, name: &str) -> Result<Self, SinkError> {
        let mut led = Self {
            name: name.into(),
            folder: root.join(name),
            brightest: "1".into(),
            has_timer: false,
            written: None,
        };
        // It must be there and take brightness; the other two files are a matter of the driver.
        fs::metadata(led.folder.join("brightness"))
            .map_err(|error| led.error("brightness", error))?;
        if let Ok(brightest) = fs::read_to_string(led.folder.join("max_brightness")) {
            led.brightest = brightest.trim().into();
        }
        if let Ok(triggers) = fs::read_to_string(led.folder.join("trigger")) {
            let names = triggers.split_whitespace();
            led.has_timer = names
                .map(|name| name.trim_matches(['[', ']']))
                .any(|n| n == "timer");
        }
        Ok(led)
    }

    fn show(&mut self, signal: Signal, phase: bool) -> Result<(), SinkError> {
        let wanted = match signal {
            Signal::Dark => Written::Off,
            Signal::Steady => Written::On,
            Signal::Flashing if self.has_timer => Written::Timer,
            Signal::Flashing if phase => Written::On,
            Signal::Flashing => Written::Off,
        };
        // Writing the timer again would start its flash anew, each time.
        if self.written == Some(wanted) {
            return Ok(());
        }
        let before = self.written.take();
        match wanted {
            Written::Timer => {
                self.write("trigger", "timer")?;
                self.write("delay_on", &half_period())?;
                self.restart_timer()?;
            }
            Written::On | Written::Off => {
                // Another trigger, such as disk activity, may be set from boot.
                if self.has_timer && matches!(before, None | Some(Written::Timer)) {
                    self.write("trigger", "none")?;
                }
                let on = wanted == Written::On;
                self.write("brightness", if on { &self.brightest } else { "0" })?;
            }
        }
        self.written = Some(wanted);
        Ok(())
    }

    /// The timer begins anew, and changes the lamp at once.
    fn restart_timer(&self) -> Result<(), SinkError> {
        self.write("delay_off", &half_period())
    }

    /// Whether it is lit at this moment, also while it flashes.
    fn is_lit(&self) -> Result<bool, SinkError> {
        let text = fs::read_to_string(self.folder.join("brightness"));
        let text = text.map_err(|error| self.error("brightness", error))?;
        Ok(text.trim() != "0")
    }

    fn write(&self, file: &str, text: &str) -> Result<(), SinkError> {
        fs::write(self.folder.join(file), text).map_err(|error| self.error(file, error))
    }

    fn error(&self, file: &str, source: io::Error) -> SinkError {
        SinkError::Led {
            name: self.name.clone(),
            path: self.folder.join(file),
            source,
        }
    }
}

fn half_period() -> String {
    FLASH_HALF_PERIOD.as_millis().to_string()
}
