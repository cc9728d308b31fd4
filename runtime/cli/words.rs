//! Values of JSON in words, for records and answers whose fields are not known here.

use serde_json::Value;

/// `name value, name value` of an object, without the fields in `but`; other values as they are.
pub(super) fn fields(value: &Value, but: &[&str]) -> String {
    let Value::Object(map) = value else {
        return plain(value);
    };
    let words: Vec<String> = map
        .iter()
        .filter(|(name, value)| !but.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| format!("{} {}", spaced(name), plain(value)))
        .collect();
    words.join(", ")
}

/// A text without quotes, anything else on one line.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => spaced(text),
        Value::Object(_) => format!("({})", fields(value, &[])),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(plain).collect();
            items.join(" ")
        }
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            format!("{number:.3}")
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::Null => "none".into(),
    }
}

/// `camera_lost` as `camera lost`.
pub(super) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}
