//! Progress on stderr: a bar where a person looks, nothing where a file or a pipe listens.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `length` steps under a title. It hides itself when stderr is no terminal.
pub fn bar(length: usize, title: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_prefix(title.into());
    let look = "{prefix:>10} {bar:32.green/dim} {pos:>4}/{len} {elapsed:>4} {eta:>4} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(look) {
        bar.set_style(style.progress_chars("━━╌"));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A note for a step whose length nobody knows.
pub fn spinner(title: impl Into<Cow<'static, str>>) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_prefix(title.into());
    if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {spinner} {msg} {elapsed}") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
