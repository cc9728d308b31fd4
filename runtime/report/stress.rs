//! The table of an evaluation under stress.

use maud::{Markup, html};

use super::words::percent;
use crate::evaluate::Rate;
use crate::stress::StressFigures;

/// One row a stress and level; the first row is the images as they came.
pub(super) fn table(rows: &[StressFigures]) -> Markup {
    html! {
        p { "The test images were altered and judged again by the same recipe at the same limit. The \
             recipe learned nothing of it. A row is steady when it looks like the first one." }
        div.scroll { table.narrow {
            thead { tr {
                th { "Stress" } th { "Level" } th.number { "AUROC" }
                th.number { "False rejects" } th.number { "Misses" } th {}
            } }
            tbody {
                @for row in rows {
                    @let (name, level) = row.words();
                    tr.here[row.stress.is_none()] {
                        td { @if row.stress.is_none() { "as they came" } @else { (name) } }
                        td { (level) }
                        td.number { (row.image_auroc.map_or_else(String::new, |v| format!("{v:.3}"))) }
                        td.number { (count(row.false_reject)) }
                        td.number { (count(row.miss)) }
                        td { @if row.errors > 0 { (row.errors) " not judged" } }
                    }
                }
            }
        } }
    }
}

fn count(rate: Rate) -> String {
    match rate.share() {
        Some(share) => format!("{} of {} ({})", rate.count, rate.of, percent(share)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stress::Kind;

    #[test]
    fn every_stress_has_a_row_with_its_level_and_its_counts() {
        let row = |stress: Option<Kind>, count| StressFigures {
            stress,
            level: stress.map(|_| -30.0),
            unit: "%",
            image_auroc: Some(0.9),
            false_reject: Rate { count, of: 8 },
            miss: Rate { count: 0, of: 5 },
            errors: 0,
        };
        let page = table(&[row(None, 1), row(Some(Kind::Brightness), 3)]).into_string();
        for text in [
            "as they came",
            "brightness",
            "-30 %",
            "1 of 8",
            "3 of 8",
            "0 of 5",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("not judged"));
    }
}
