//! Names in the order in which people count.

use std::cmp::Ordering;

/// Compares two names so that `part-2` comes before `part-10`: runs of digits by their number,
/// everything else by its characters. Names that differ in leading zeros only are ordered, too.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (digits_left, digits_right) = (digits(left), digits(right));
        let order = if digits_left.is_empty() || digits_right.is_empty() {
            let (first, second) = (left.chars().next(), right.chars().next());
            left = first.map_or(left, |c| &left[c.len_utf8()..]);
            right = second.map_or(right, |c| &right[c.len_utf8()..]);
            if first.is_none() && second.is_none() {
                return a.cmp(b);
            }
            first.cmp(&second)
        } else {
            left = &left[digits_left.len()..];
            right = &right[digits_right.len()..];
            let (number_left, number_right) = (
                digits_left.trim_start_matches('0'),
                digits_right.trim_start_matches('0'),
            );
            // Without leading zeros the longer number is the greater one; it may be of any length.
            let by_length = number_left.len().cmp(&number_right.len());
            by_length.then_with(|| number_left.cmp(number_right))
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value_and_text_by_letter() {
        let mut names = [
            "b1",
            "a10",
            "a2b",
            "a2",
            "a",
            "a02",
            "é1",
            "a123456789012345678901234",
            "a3",
        ];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(
            names,
            [
                "a",
                "a02",
                "a2",
                "a2b",
                "a3",
                "a10",
                "a123456789012345678901234",
                "b1",
                "é1"
            ]
        );
    }
}
