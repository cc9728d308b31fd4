//! What a person at the terminal sees: a line a result, or the live view of `--watch`.

mod picture;
mod screen;
mod style;
mod words;

use std::io::{IsTerminal, Write};

pub(super) use picture::sketch;
pub(super) use screen::{Screen, render};
pub(super) use words::{event_line, result_line, summary};

/// The live view, on the terminal's second screen so that what was there comes back. Into a file
/// or a pipe go all screens, one after the other, each behind a form feed.
pub(super) struct View {
    is_terminal: bool,
}

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the corner, without clearing: clearing would flicker.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K\n";
const CLEAR_BELOW: &str = "\x1b[J";
const FORM_FEED: &str = "\x0c";

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
        let text = if self.is_terminal {
            format!("{HOME}{}{CLEAR_BELOW}", text.replace('\n', CLEAR_LINE))
        } else {
            format!("{FORM_FEED}{text}")
        };
        let mut out = std::io::stdout().lock();
        // A terminal that is gone must not stop the line.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    pub fn leave(&self) {
        if self.is_terminal {
            print!("{LEAVE}");
        }
    }
}
