//! Colours and widths of the terminal, in the few codes that every terminal knows; the picture
//! alone needs 24-bit colour.

pub(super) const DIM: &str = "\x1b[2m";
pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const PLAIN: &str = "\x1b[0m";
pub(super) const RED: &str = "\x1b[31m";
pub(super) const GREEN: &str = "\x1b[32m";
pub(super) const AMBER: &str = "\x1b[33m";
pub(super) const BLUE: &str = "\x1b[34m";
pub(super) const BLINK: &str = "\x1b[5m";

/// Columns of a terminal that take room; codes take none.
pub(super) fn columns(text: &str) -> usize {
    let mut code = false;
    text.chars()
        .filter(|sign| match (code, sign) {
            (false, '\x1b') => {
                code = true;
                false
            }
            (true, 'm') => {
                code = false;
                false
            }
            _ => !code,
        })
        .count()
}

/// The text with blanks behind it, `width` columns in all.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text cut to so many signs, with a mark where it was cut; for texts without codes.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
