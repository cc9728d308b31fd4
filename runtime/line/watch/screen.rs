//! The live view as text: state and lamps above, the last part in the middle, drift and what there
//! is to say below.

use std::collections::VecDeque;
use std::time::Duration;

use andon_camera::MailboxCounts;
use andon_link::{Signal, Verdict};
use andon_station::{Counters, DriftStatus, Outputs, PartRecord, Quantity};
use image::RgbImage;

use super::picture;
use super::style::{AMBER, BLINK, BLUE, BOLD, DIM, GREEN, PLAIN, RED, columns, cut, padded};
use super::words::latency;
use crate::line::inspector::RecipeName;

/// Columns of the view.
const WIDTH: usize = 92;

/// Everything that the view shows.
pub(in crate::line) struct Screen<'a> {
    pub name: &'a str,
    pub outputs: &'a Outputs,
    pub counters: &'a Counters,
    pub last: Option<&'a PartRecord>,
    /// The last part that was judged, small.
    pub sketch: Option<&'a RgbImage>,
    pub regions: &'a [String],
    pub recipe: Option<&'a RecipeName>,
    pub drift: Vec<(Quantity, DriftStatus)>,
    pub reasons: &'a [String],
    pub messages: &'a VecDeque<String>,
    pub camera: MailboxCounts,
    pub uptime: Duration,
}

/// The view, about 30 lines.
pub(in crate::line) fn render(screen: &Screen<'_>) -> String {
    let rule = format!("{DIM}{}{PLAIN}", "─".repeat(WIDTH));
    let mut lines = vec![head(screen), rule.clone(), lamps(screen), rule.clone()];
    let left = screen.sketch.map(picture::lines).unwrap_or_default();
    let right = part(screen);
    for row in 0..left.len().max(right.len()) {
        let text = |of: &[String]| of.get(row).cloned().unwrap_or_default();
        let side = padded(&text(&left), picture::COLUMNS as usize);
        lines.push(format!("{side}  {}", text(&right)));
    }
    lines.push(rule.clone());
    lines.extend(screen.drift.iter().map(|(q, status)| drift(*q, status)));
    let note = |reason: &String| format!("{AMBER}note{PLAIN}   {}", cut(reason, WIDTH - 7));
    lines.extend(screen.reasons.iter().map(note));
    lines.push(rule);
    let told = |message: &String| format!("{DIM}{}{PLAIN}", cut(message, WIDTH));
    lines.extend(screen.messages.iter().map(told));
    lines.join("\n") + "\n"
}

/// Station and recipe on the left, state and time on the right.
fn head(screen: &Screen<'_>) -> String {
    let seconds = screen.uptime.as_secs();
    let recipe = screen
        .recipe
        .map_or_else(String::new, |r| format!("recipe {} {}", r.index, r.name));
    let left = format!(
        "{BOLD}{}{PLAIN}   {}",
        cut(screen.name, 32),
        cut(&recipe, 28)
    );
    let right = format!(
        "{:?}   up {}:{:02}:{:02}",
        screen.outputs.state,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    let room = WIDTH.saturating_sub(columns(&right));
    format!("{}{right}", padded(&left, room))
}

fn lamps(screen: &Screen<'_>) -> String {
    let lamps = screen.outputs.lamps;
    let lamp = |name: &str, colour: &str, signal: Signal| match signal {
        Signal::Dark => format!("{DIM}○ {name}{PLAIN}"),
        Signal::Steady => format!("{colour}●{PLAIN} {BOLD}{name}{PLAIN} steady"),
        Signal::Flashing => format!("{colour}{BLINK}◉{PLAIN} {BOLD}{name}{PLAIN} flashing"),
    };
    [
        lamp("red", RED, lamps.red()),
        lamp("amber", AMBER, lamps.amber()),
        lamp("green", GREEN, lamps.green()),
        lamp("blue", BLUE, lamps.blue()),
    ]
    .map(|lamp| padded(&lamp, WIDTH / 4))
    .concat()
    .trim_end()
    .into()
}

/// The last part and the counters, beside the picture.
fn part(screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let room = WIDTH - picture::COLUMNS as usize - 2;
    if let Some(last) = screen.last {
        let verdict = match last.verdict {
            Verdict::Ok => format!("{BOLD}{GREEN}OK{PLAIN}"),
            Verdict::Ng => format!("{BOLD}{RED}NG{PLAIN}"),
            Verdict::Error(code) => format!("{BOLD}{RED}ERROR {}{PLAIN}", code.0),
        };
        let time = last.latency.as_secs_f64() * 1e3;
        lines.push(format!("{verdict}   part {}   {time:.0} ms", last.number));
        if let Some(score) = last.score {
            lines.push(format!("{}  {score:.2}", bar(score.into())));
            lines.push(format!("{DIM}{:>20}{PLAIN}", "limit 1.00 ┘"));
        }
        let reasons = last.cause.map(|cause| cause.to_string());
        let reasons = reasons.into_iter().chain(last.reason.clone());
        lines.extend(reasons.map(|reason| cut(&reason, room)));
        let regions = screen.regions.iter().take(4);
        lines.extend(regions.map(|region| format!("{RED}▪{PLAIN} {}", cut(region, room - 2))));
        if let Some(more @ 1..) = screen.regions.len().checked_sub(4) {
            lines.push(format!("{DIM}  and {more} more{PLAIN}"));
        }
    } else {
        lines.push(format!("{DIM}no part yet{PLAIN}"));
    }
    // Counters stand at the bottom, whatever there is to say about the part.
    let counters = screen.counters;
    let numbers = [
        ("parts", counters.triggers),
        ("OK", counters.ok),
        ("NG", counters.ng),
        ("errors", counters.errors),
        ("skipped", counters.skipped),
    ];
    let width = picture::ROWS as usize - 4;
    lines.resize(lines.len().max(width), String::new());
    let name = |(name, _): (&str, u64)| format!("{name:>9}");
    let number = |(_, number): (&str, u64)| format!("{number:>9}");
    lines.push(format!("{DIM}{}{PLAIN}", numbers.map(name).concat()));
    lines.push(format!("{BOLD}{}{PLAIN}", numbers.map(number).concat()));
    lines.push(format!("{DIM}latency{PLAIN} {}", latency(counters)));
    lines.push(format!(
        "{DIM}frames{PLAIN}  {} captured, {} passed over, {} errors",
        screen.camera.captured, screen.camera.skipped, screen.camera.errors
    ));
    lines
}

/// How one quantity stands: deviation, band, and a needle in it.
fn drift(quantity: Quantity, status: &DriftStatus) -> String {
    let name = short(quantity);
    match status {
        DriftStatus::Learning { parts, of } => {
            format!("drift  {name:<9}{DIM}learning, {parts} of {of} good parts{PLAIN}")
        }
        DriftStatus::Watching {
            deviation,
            limit,
            outside,
        } => {
            let (colour, words) = if *outside {
                (AMBER, cut(&quantity.to_string(), 32))
            } else {
                (GREEN, String::new())
            };
            let needle = needle(deviation / limit, colour);
            format!(
                "drift  {name:<9}{needle}  {deviation:+7.3} of ±{limit:<6.3} {colour}{words}{PLAIN}"
            )
        }
    }
}

/// A band of 21 signs with a mark where `at` lies, -1 and 1 being its ends.
fn needle(at: f64, colour: &str) -> String {
    const HALF: f64 = 10.0;
    let place = ((at.clamp(-1.0, 1.0) + 1.0) * HALF).round() as usize;
    let sign = |n: usize| match n {
        n if n == place => format!("{colour}●{PLAIN}"),
        10 => format!("{DIM}┼{PLAIN}"),
        _ => format!("{DIM}─{PLAIN}"),
    };
    format!("├{}┤", (0..=20).map(sign).collect::<String>())
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

/// Score against the limit: 38 signs up to twice the limit, which stands in the middle.
fn bar(score: f64) -> String {
    const SIGNS: usize = 38;
    let filled = ((score / 2.0).clamp(0.0, 1.0) * SIGNS as f64).round() as usize;
    let colour = if score < 1.0 { GREEN } else { RED };
    let sign = |at: usize| match at {
        at if at == SIGNS / 2 => '│',
        at if at < filled => '█',
        _ => '·',
    };
    let signs: String = (0..SIGNS).map(sign).collect();
    format!("{colour}{signs}{PLAIN}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use andon_station::{Settings, Station};

    #[test]
    fn the_view_names_state_lamps_counters_and_what_drifts_and_keeps_its_width() {
        let station =
            Station::new(Settings::triggered(andon_link::RecipeIndex(3))).expect("sound settings");
        let drift = DriftStatus::Watching {
            deviation: -0.3,
            limit: 0.1,
            outside: true,
        };
        let part = RgbImage::from_pixel(64, 48, image::Rgb([90; 3]));
        let text = render(&Screen {
            name: "press 4",
            outputs: &station.outputs(),
            counters: station.counters(),
            last: None,
            sketch: Some(&picture::sketch(&part, None)),
            regions: &[],
            recipe: None,
            drift: vec![(Quantity::Lighting, drift)],
            reasons: &["the stack light is not heard".into()],
            messages: &VecDeque::from(["started".to_string(), "x".repeat(300)]),
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
            "▀",
        ] {
            assert!(text.contains(words), "{words} is missing in {text}");
        }
        assert!(text.lines().all(|line| columns(line) <= WIDTH), "{text}");
    }

    #[test]
    fn the_bar_is_full_at_twice_the_limit_and_red_from_the_limit_on() {
        assert_eq!(bar(5.0).matches('█').count(), 37);
        assert!(bar(1.0).contains(RED) && bar(0.99).contains(GREEN));
    }

    #[test]
    fn the_needle_stays_inside_the_band() {
        for at in [-9.0, -1.0, 0.0, 0.3, 1.0, 9.0, f64::NAN] {
            assert_eq!(columns(&needle(at, GREEN)), 23, "{at}");
        }
        assert!(needle(9.0, AMBER).ends_with(&format!("{AMBER}●{PLAIN}┤")));
    }
}
