//! What the pins did over time, as one picture.

use std::fmt::Write as _;

use andon_link::Outputs;

/// What is drawn of the outputs: name, colour, and whether it is on.
type Row = (&'static str, &'static str, fn(&Outputs) -> bool);

const ROWS: [Row; 9] = [
    ("red", "#d43a2f", |o| o.red),
    ("amber", "#e8a317", |o| o.amber),
    ("green", "#2e9e4f", |o| o.green),
    ("blue", "#2f6fd4", |o| o.blue),
    ("Ready", "#606060", |o| o.ready),
    ("Results", "#606060", |o| o.results_ready),
    ("OK", "#2e9e4f", |o| o.ok),
    ("NG", "#d43a2f", |o| o.ng),
    ("Error", "#a03ad4", |o| o.error),
];

const LEFT: f64 = 70.0;
const WIDTH: f64 = 1100.0;
/// Lines of marks above the rows, which take turns so that their texts do not meet.
const LINES: usize = 6;
const LINE: f64 = 15.0;
const ROW: f64 = 24.0;
const BAR: f64 = 16.0;

/// States and marks, in the order of their times.
#[derive(Debug, Default)]
pub struct Timeline {
    states: Vec<(f64, Outputs)>,
    marks: Vec<(f64, String)>,
    end: f64,
}

impl Timeline {
    /// What the pins show at `time`, in seconds; kept if it is new. Says whether it is.
    pub fn see(&mut self, time: f64, outputs: Outputs) -> bool {
        self.end = self.end.max(time);
        let is_new = self.states.last().is_none_or(|(_, last)| *last != outputs);
        if is_new {
            self.states.push((time, outputs));
        }
        is_new
    }

    /// Something that was done at `time`, in seconds.
    pub fn mark(&mut self, time: f64, what: &str) {
        self.end = self.end.max(time);
        self.marks.push((time, what.to_owned()));
    }

    /// The picture, as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let top = LINES as f64 * LINE + 30.0;
        let bottom = top + ROWS.len() as f64 * ROW;
        let x = |time: f64| LEFT + time / self.end.max(1.0) * WIDTH;
        let mut svg = String::new();
        // Writing into a string cannot fail.
        let _ = writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0} {:.0}" font-family="sans-serif" font-size="12">"#,
            LEFT + WIDTH + 130.0,
            bottom + 40.0
        );
        let _ = writeln!(
            svg,
            r##"<rect width="100%" height="100%" fill="#ffffff"/>"##
        );
        for (n, (name, colour, is_on)) in ROWS.iter().enumerate() {
            let y = top + n as f64 * ROW;
            let _ = writeln!(
                svg,
                r##"<text x="{:.0}" y="{:.1}" text-anchor="end">{name}</text><rect x="{LEFT}" y="{y:.1}" width="{WIDTH}" height="{BAR}" fill="#f0f0f0"/>"##,
                LEFT - 8.0,
                y + 13.0
            );
            for (from, to) in self.spans(*is_on) {
                let _ = writeln!(
                    svg,
                    r#"<rect x="{:.2}" y="{y:.1}" width="{:.2}" height="{BAR}" fill="{colour}"/>"#,
                    x(from),
                    (x(to) - x(from)).max(0.3)
                );
            }
        }
        for (n, (time, what)) in self.marks.iter().enumerate() {
            let (x, y) = (x(*time), 20.0 + (n % LINES) as f64 * LINE);
            let _ = writeln!(
                svg,
                r##"<path d="M{x:.1} {:.1}V{bottom:.1}" stroke="#000000" stroke-width="0.6" stroke-dasharray="3 2"/><text x="{:.1}" y="{y:.1}">{}</text>"##,
                y - 8.0,
                x + 3.0,
                escaped(what)
            );
        }
        let mut second = 0.0;
        while second <= self.end {
            let _ = writeln!(
                svg,
                r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{second:.0} s</text>"#,
                x(second),
                bottom + 18.0
            );
            second += 10.0 * (self.end / 120.0).ceil().max(1.0);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// From when to when it was on.
    fn spans(&self, is_on: fn(&Outputs) -> bool) -> Vec<(f64, f64)> {
        let mut spans = Vec::new();
        let mut since = None;
        for (time, outputs) in &self.states {
            match (since, is_on(outputs)) {
                (None, true) => since = Some(*time),
                (Some(from), false) => {
                    spans.push((from, *time));
                    since = None;
                }
                _ => {}
            }
        }
        spans.extend(since.map(|from| (from, self.end)));
        spans
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(green: bool) -> Outputs {
        Outputs {
            green,
            ..Outputs::default()
        }
    }

    #[test]
    fn a_lamp_is_drawn_from_when_it_goes_on_until_it_goes_off_or_the_end() {
        let mut timeline = Timeline::default();
        let seen = [
            (0.0, false),
            (1.0, true),
            (1.5, true),
            (2.0, false),
            (4.0, true),
        ];
        let new: Vec<bool> = seen
            .into_iter()
            .map(|(time, green)| timeline.see(time, outputs(green)))
            .collect();
        assert_eq!(new, [true, true, false, true, true]);
        timeline.mark(5.0, "a < b");
        assert_eq!(timeline.spans(|o| o.green), [(1.0, 2.0), (4.0, 5.0)]);
        let svg = timeline.svg();
        assert_eq!(svg.matches("<rect").count(), 1 + ROWS.len() + 2);
        assert!(svg.contains("a &lt; b"));
    }
}
