//! What a person at the terminal sees: a line a result, or the live view of `--watch`.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use andon_camera::MailboxCounts;
use andon_link::{Signal, Verdict};
use andon_station::{Counters, DriftStatus, Outputs, PartRecord, Quantity};

use super::inspector::RecipeName;

/// Everything that the view shows.
pub(super) struct Screen<'a> {
    pub name: &'a str,
    pub outputs: &'a Outputs,
    pub counters: &'a Counters,
    pub last: Option<&'a PartRecord>,
    pub regions: &'a [String],
    pub recipe: Option<&'a RecipeName>,
    pub drift: Vec<(Quantity, DriftStatus)>,
    pub reasons: &'a [String],
    pub messages: &'a VecDeque<String>,
    pub camera: MailboxCounts,
    pub uptime: Duration,
}

/// The live view, on the terminal's second screen so that what was there comes back.
pub(super) struct View {
    is_terminal: bool,
}

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H\x1b[2J";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

impl View {
    pub fn new() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        if is_terminal {
            print!("{ENTER}");
        }
        Self { is_terminal }
    }

    pub fn draw(&self, screen: &Screen<'_>) {
        let text = render(screen);
        let mut out = std::io::stdout().lock();
        let home = if self.is_terminal { HOME } else { "" };
        // A terminal that is gone must not stop the line.
        let _ = write!(out, "{home}{text}").and_then(|()| out.flush());
    }

    pub fn leave(&self) {
        if self.is_terminal {
            print!("{LEAVE}");
        }
    }
}

fn lamp(name: &str, colour: u8, signal: Signal) -> String {
    match signal {
        Signal::Dark => format!("{DIM}○ {name:<6}{PLAIN}         "),
        Signal::Steady => format!("\x1b[{colour}m● {name:<6}{PLAIN} steady  "),
        Signal::Flashing => format!("\x1b[{colour};5m◉ {name:<6}{PLAIN} flashing"),
    }
}

/// The view as text, 20 to 30 lines.
pub(super) fn render(screen: &Screen<'_>) -> String {
    let mut text = String::new();
    let rule = "─".repeat(78);
    let lamps = screen.outputs.lamps;
    let counters = screen.counters;
    let seconds = screen.uptime.as_secs();
    let recipe = screen
        .recipe
        .map_or_else(String::new, |r| format!("{} {}", r.index, r.name));
    // Writing into a text cannot fail.
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(format!(
        "{BOLD}{}{PLAIN}   recipe {recipe}   {:?}   up {}:{:02}:{:02}",
        screen.name,
        screen.outputs.state,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    line(rule.clone());
    line(format!(
        "{}  {}  {}  {}",
        lamp("red", 31, lamps.red()),
        lamp("amber", 33, lamps.amber()),
        lamp("green", 32, lamps.green()),
        lamp("blue", 34, lamps.blue())
    ));
    line(rule.clone());
    line(format!(
        "parts {:>7}   OK {:>7}   NG {:>6}   errors {:>5}   skipped {:>5}",
        counters.triggers, counters.ok, counters.ng, counters.errors, counters.skipped
    ));
    line(format!(
        "latency {}   frames {} captured, {} passed over, {} stale, {} errors",
        latency(counters),
        screen.camera.captured,
        screen.camera.skipped,
        screen.camera.stale,
        screen.camera.errors
    ));
    line(String::new());
    if let Some(last) = screen.last {
        line(format!("last   {}", result_line(last, None, &[])));
        let bar = last
            .score
            .map(|score| bar(score.into()))
            .unwrap_or_default();
        line(format!("       {bar}"));
        for region in screen.regions.iter().take(4) {
            line(format!("       {region}"));
        }
    }
    line(String::new());
    for (quantity, status) in &screen.drift {
        let words = match status {
            DriftStatus::Learning { parts, of } => {
                format!("{DIM}learning, {parts} of {of} good parts{PLAIN}")
            }
            DriftStatus::Watching {
                deviation,
                limit,
                outside,
            } => {
                let mark = if *outside {
                    format!("\x1b[33m{quantity}{PLAIN}")
                } else {
                    "inside".into()
                };
                format!("{deviation:+.3} of ±{limit:.3}  {mark}")
            }
        };
        line(format!("drift  {:<9} {words}", short(*quantity)));
    }
    for reason in screen.reasons {
        line(format!("\x1b[33mnote\x1b[0m   {reason}"));
    }
    line(rule);
    for message in screen.messages {
        let short: String = message.chars().take(100).collect();
        line(format!("{DIM}{short}{PLAIN}"));
    }
    text
}

/// What drifts, in one word; [`Quantity`] itself says what to do about it.
const fn short(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Lighting => "light",
        Quantity::Focus => "focus",
        Quantity::ShiftX => "shift x",
        Quantity::ShiftY => "shift y",
        Quantity::Score => "score",
    }
}

/// Score against the limit: 40 signs up to twice the limit.
fn bar(score: f64) -> String {
    const SIGNS: usize = 40;
    let filled = ((score / 2.0).clamp(0.0, 1.0) * SIGNS as f64).round() as usize;
    let colour = if score < 1.0 { 32 } else { 31 };
    let mut signs = String::new();
    for at in 0..SIGNS {
        signs.push(match at {
            at if at == SIGNS / 2 => '│',
            at if at < filled => '█',
            _ => '·',
        });
    }
    format!("\x1b[{colour}m{signs}\x1b[0m limit in the middle")
}

fn latency(counters: &Counters) -> String {
    let latency = &counters.latency;
    let Some(mean) = latency.average() else {
        return "-".into();
    };
    format!(
        "{:.0} / {:.0} / {:.0} ms",
        latency.min_us as f64 / 1e3,
        mean.as_secs_f64() * 1e3,
        latency.max_us as f64 / 1e3
    )
}

/// One result in words.
pub(super) fn result_line(record: &PartRecord, file: Option<&str>, regions: &[String]) -> String {
    let mut text = match record.verdict {
        Verdict::Ok => "OK   ".to_string(),
        Verdict::Ng => "NG   ".to_string(),
        Verdict::Error(code) => format!("ERROR {}", code.0),
    };
    let _ = write!(text, " part {:>6}", record.number);
    if let Some(score) = record.score {
        let _ = write!(text, "  score {score:.3}");
    }
    let _ = write!(text, "  {:.0} ms", record.latency.as_secs_f64() * 1e3);
    if let Some(file) = file {
        let _ = write!(text, "  {file}");
    }
    if let Some(cause) = &record.cause {
        let _ = write!(text, "  {cause}");
    }
    if let Some(reason) = &record.reason {
        let _ = write!(text, ": {reason}");
    }
    for region in regions {
        let _ = write!(text, "\n             {region}");
    }
    text
}

/// The counters in one line.
pub(super) fn summary(counters: &Counters) -> String {
    format!(
        "{} parts: {} OK, {} NG, {} errors, {} skipped; latency {}",
        counters.triggers,
        counters.ok,
        counters.ng,
        counters.errors,
        counters.skipped,
        latency(counters)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use andon_station::{Settings, Station};

    #[test]
    fn the_view_names_state_lamps_counters_and_what_drifts() {
        let station =
            Station::new(Settings::triggered(andon_link::RecipeIndex(3))).expect("sound settings");
        let drift = DriftStatus::Watching {
            deviation: -0.3,
            limit: 0.1,
            outside: true,
        };
        let text = render(&Screen {
            name: "press 4",
            outputs: &station.outputs(),
            counters: station.counters(),
            last: None,
            regions: &[],
            recipe: None,
            drift: vec![(Quantity::Lighting, drift)],
            reasons: &["the stack light is not heard".into()],
            messages: &VecDeque::from(["started".to_string()]),
            camera: MailboxCounts::default(),
            uptime: Duration::from_secs(3725),
        });
        for words in [
            "press 4",
            "up 1:02:05",
            "parts",
            "light",
            "check lamp",
            "not heard",
        ] {
            assert!(text.contains(words), "{words} is missing in {text}");
        }
    }

    #[test]
    fn the_bar_is_full_at_twice_the_limit_and_red_from_the_limit_on() {
        assert_eq!(bar(5.0).matches('█').count(), 39);
        assert!(bar(1.0).contains("\x1b[31m") && bar(0.99).contains("\x1b[32m"));
    }
}
