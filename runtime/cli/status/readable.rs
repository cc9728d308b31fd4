//! The status of a station as lines for a person.

use serde_json::Value;

use crate::cli::words::{fields, plain, spaced};

/// The status for a person. What an older or newer station does not tell is left out.
pub(super) fn readable(status: &Value) -> String {
    let mut text = String::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<11}{value}\n"));
        }
    };
    let get = |name: &str| status.get(name).filter(|value| !value.is_null());
    row("station", get("station").map(text_of).unwrap_or_default());
    row("state", get("state").map(plain).unwrap_or_default());
    row(
        "up",
        get("uptime_s")
            .and_then(Value::as_u64)
            .map(span)
            .unwrap_or_default(),
    );
    row("lamps", get("lamps").map(lamps).unwrap_or_default());
    row("recipe", get("recipe").map(recipe).unwrap_or_default());
    row("last part", get("last").map_or("none yet".into(), last));
    if let Some(counters) = get("counters") {
        row("parts", fields(counters, &["latency", "frames"]));
        row("latency", latency(counters).unwrap_or_default());
    }
    row(
        "frames",
        get("frames")
            .map(|frames| fields(frames, &[]))
            .unwrap_or_default(),
    );
    for (n, line) in entries(get("drift"), drift).iter().enumerate() {
        row(if n == 0 { "drift" } else { "" }, line.clone());
    }
    for (n, line) in faults(get("faults")).iter().enumerate() {
        row(if n == 0 { "faults" } else { "" }, line.clone());
    }
    for (n, line) in light(get("light")).iter().enumerate() {
        row(if n == 0 { "light" } else { "" }, line.clone());
    }
    for (n, line) in temperatures(get("temperatures")).iter().enumerate() {
        row(if n == 0 { "heat" } else { "" }, line.clone());
    }
    row(
        "journal",
        get("journal")
            .map(|journal| fields(journal, &[]))
            .unwrap_or_default(),
    );
    text
}

/// A name as it is: `plain` would take its underscores away.
fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn span(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        (..24, _) => format!("{hours} h {minutes} min"),
        _ => format!("{} days {} h", hours / 24, hours % 24),
    }
}

fn lamps(lamps: &Value) -> String {
    let lit = entries(Some(lamps), |lamp, signal| {
        let signal = plain(signal);
        if signal == "dark" {
            String::new()
        } else {
            format!("{lamp} {signal}")
        }
    });
    lit.join(", ")
}

fn recipe(recipe: &Value) -> String {
    let field = |name: &str| recipe.get(name).map(text_of).unwrap_or_default();
    format!(
        "{} {}, sha256 {}",
        field("index"),
        field("name"),
        field("sha256")
    )
}

fn last(last: &Value) -> String {
    let verdict = match last.get("verdict") {
        Some(Value::String(word)) => word.to_uppercase(),
        Some(error) => error
            .get("error")
            .map_or("ERROR".into(), |code| format!("ERROR {code}")),
        None => String::new(),
    };
    let mut words = vec![format!(
        "{} {verdict}",
        last.get("number").map(plain).unwrap_or_default()
    )];
    let mut add = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{name} {value}")));
    };
    let field = |name: &str| last.get(name).filter(|value| !value.is_null());
    add("score", field("score").map(plain));
    add("regions", field("regions").map(plain));
    add("recipe", field("recipe").map(plain));
    let latency = field("latency_us").and_then(Value::as_f64);
    add("after", latency.map(|us| format!("{:.0} ms", us / 1000.0)));
    add("because:", field("reason").or(field("cause")).map(plain));
    words.join(", ")
}

fn latency(counters: &Value) -> Option<String> {
    let latency = counters.get("latency")?;
    let ms = |name: &str| Some(latency.get(name)?.as_f64()? / 1000.0);
    let parts = latency
        .get("parts")?
        .as_f64()
        .filter(|parts| *parts > 0.0)?;
    Some(format!(
        "{:.0} ms on average, {:.0} to {:.0} ms",
        ms("sum_us")? / parts,
        ms("min_us")?,
        ms("max_us")?,
    ))
}

fn drift(quantity: &str, status: &Value) -> String {
    if let Some(learning) = status.get("learning") {
        let count = |name: &str| learning.get(name).map(plain).unwrap_or_default();
        return format!(
            "{}: learning, {} of {} good parts",
            spaced(quantity),
            count("parts"),
            count("of")
        );
    }
    let watching = status.get("watching").unwrap_or(status);
    let number = |name: &str| watching.get(name).map(plain).unwrap_or_default();
    let outside = watching.get("outside").and_then(Value::as_bool) == Some(true);
    let mark = if outside { "OUTSIDE" } else { "inside" };
    format!(
        "{}: {mark}, deviation {} of {}",
        spaced(quantity),
        number("deviation"),
        number("limit")
    )
}

fn faults(faults: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(faults)) = faults else {
        return Vec::new();
    };
    if faults.is_empty() {
        return vec!["none since start".into()];
    }
    let line = |fault: &Value| {
        let name = fault.get("fault").map(plain).unwrap_or_default();
        let status = fault.get("status").unwrap_or(fault);
        let is = |field: &str| status.get(field).and_then(Value::as_bool) == Some(true);
        let state = match (is("active"), is("acknowledged")) {
            (true, true) => "NOW, acknowledged",
            (true, false) => "NOW",
            (false, _) => "over",
        };
        let raised = status.get("raised").map(plain).unwrap_or_default();
        format!("{name}: {state}, {raised} times since start")
    };
    faults.iter().map(line).collect()
}

/// What is wrong with the stack light, or what it goes by, and how its line does.
fn light(light: Option<&Value>) -> Vec<String> {
    let Some(light) = light else {
        return Vec::new();
    };
    let get = |object: &Value, name: &str| object.get(name).filter(|v| !v.is_null()).cloned();
    let state = get(light, "state").unwrap_or_default();
    let head = get(light, "trouble").map(|trouble| text_of(&trouble));
    let mode = || get(&state, "mode").map_or("not heard yet".into(), |mode| plain(&mode));
    let mut lines = vec![head.unwrap_or_else(mode)];
    for (title, name) in [("line from it", "line"), ("line to it", "line_to_light")] {
        if let Some(counters) = get(&state, name) {
            lines.push(format!("{title}: {}", fields(&counters, &[])));
        }
    }
    lines
}

fn temperatures(value: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(sensors)) = value else {
        return Vec::new();
    };
    let line = |sensor: &Value| {
        let name = sensor.get("sensor").map(text_of).unwrap_or_default();
        let celsius = sensor.get("celsius").and_then(Value::as_f64)?;
        Some(format!("{name} {celsius:.0} °C"))
    };
    sensors.iter().filter_map(line).collect()
}

/// A line for each field of an object; empty ones are left out.
fn entries(object: Option<&Value>, line: impl Fn(&str, &Value) -> String) -> Vec<String> {
    let fields = object.and_then(Value::as_object).into_iter().flatten();
    let lines = fields.map(|(name, value)| line(name, value));
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_reads_as_sentences_and_leaves_out_what_is_not_told() {
        let text = readable(&json!({
            "station": "press_4", "state": "ready", "uptime_s": 7980,
            "lamps": { "red": "dark", "amber": "flashing", "green": "steady", "blue": "dark" },
            "last": { "number": 12, "verdict": { "error": 2 }, "latency_us": 1500, "score": null },
            "drift": { "focus": { "learning": { "parts": 3, "of": 20 } },
                       "score": { "watching": { "deviation": 1.5, "limit": 1.0, "outside": true } } },
            "faults": [{ "fault": "camera_retrying",
                         "status": { "active": true, "acknowledged": false, "raised": 2 } }],
            "light": { "trouble": null, "state": { "mode": "running",
                       "line": { "good": 90, "bad": 3 }, "line_to_light": { "good": 80, "bad": 2 } } },
        }));
        for line in [
            "station    press_4\n",
            "up         2 h 13 min\n",
            "lamps      amber flashing, green steady\n",
            "last part  12 ERROR 2, after 2 ms\n",
            "focus: learning, 3 of 20 good parts\n",
            "score: OUTSIDE, deviation 1.500 of 1.000\n",
            "faults     camera retrying: NOW, 2 times since start\n",
            "light      running\n",
            "line from it: bad 3, good 90\n",
            "line to it: bad 2, good 80\n",
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
        assert!(!text.contains("journal"), "{text}");
    }
}
