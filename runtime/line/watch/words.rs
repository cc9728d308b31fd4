//! Results and counters as lines of text.

use std::fmt::Write as _;

use andon_link::Verdict;
use andon_station::{Counters, PartRecord};

/// Least, mean and most time from trigger to result.
pub(in crate::line) fn latency(counters: &Counters) -> String {
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
pub(in crate::line) fn result_line(
    record: &PartRecord,
    file: Option<&str>,
    regions: &[String],
) -> String {
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
pub(in crate::line) fn summary(counters: &Counters) -> String {
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
