//! Numbers as people read them, the same in overlays and pages.

/// A score with two decimals. A score just under the limit gets four and is never rounded up
/// to it: an OK part must not read as 1.00.
pub(super) fn score_text(score: f32) -> String {
    if (0.995..1.0).contains(&score) {
        format!("{:.4}", score.min(0.9999))
    } else {
        format!("{score:.2}")
    }
}

/// A share in per cent, with a space that does not break.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_below_the_limit_never_reads_as_the_limit() {
        assert_eq!(score_text(0.994), "0.99");
        assert_eq!(score_text(0.996), "0.9960");
        assert_eq!(score_text(0.999_999_9), "0.9999");
        assert_eq!(score_text(1.0), "1.00");
    }
}
