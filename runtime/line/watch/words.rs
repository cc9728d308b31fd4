//! Results and counters as lines of text.

use std::fmt::Write as _;

use andon_link::Verdict;
use andon_station::{Counters, Event, PartRecord};
use serde_json::Value;

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

/// An event in words: its name, and what it carries.
pub(in crate::line) fn event_line(event: &Event) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(event) else {
        return String::new();
    };
    let spoken = |value: &Value| match value {
        Value::String(text) => text.replace('_', " "),
        // Three digits are enough for a person.
        Value::Number(number) if number.is_f64() => {
            format!("{:.3}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    };
    let name = fields.get("event").map(spoken).unwrap_or_default();
    let carried: Vec<String> = fields
        .iter()
        .filter(|(key, value)| *key != "event" && !value.is_object())
        .map(|(key, value)| format!("{} {}", key.replace('_', " "), spoken(value)))
        .collect();
    if carried.is_empty() {
        name
    } else {
        format!("{name}: {}", carried.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use andon_station::{Fault, Quantity};

    #[test]
    fn an_event_is_told_in_words() {
        let raised = Event::FaultRaised {
            fault: Fault::CameraRetrying,
            count: 2,
        };
        assert_eq!(event_line(&Event::Started), "started");
        let line = event_line(&raised);
        assert!(line.starts_with("fault raised: "), "{line}");
        assert!(
            line.contains("fault camera retrying") && line.contains("count 2"),
            "{line}"
        );
        let drift = Event::DriftEntered {
            quantity: Quantity::Focus,
            deviation: -0.40001,
            limit: 0.3,
        };
        assert!(event_line(&drift).contains("deviation -0.400"));
    }
}
