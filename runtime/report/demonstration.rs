//! The page that `demo` writes: a rendered line was learned, watched and judged; what came of it.

use maud::{Markup, html};

use super::judged::{JudgedImage, Judgement, Picture, rate, scores};
use super::page::{
    badge, card, facts, galleries, interval_text, kinds, page, picture, plot, section, table,
};
use super::plots::{self, SequencePoint};
use super::words::score_text;
use crate::evaluate::auroc;

/// Everything the page shows. The caller gives date and seconds; the page reads no clock.
#[derive(Debug, Clone)]
pub struct DemonstrationReport {
    /// The heading.
    pub title: String,
    /// When, as it shall be printed.
    pub date: String,
    /// How the line was set: product, light, camera, seed, in the order to print them.
    pub line: Vec<(String, String)>,
    /// Good parts that were learned from: all of them, or some to show.
    pub learned_pictures: Vec<Picture>,
    /// How many good parts were learned from.
    pub learned: usize,
    /// Recipe and model: names, hashes, settings, in the order to print them.
    pub identity: Vec<(String, String)>,
    /// The parts in the order they passed the camera; those to show carry their overlay.
    pub parts: Vec<JudgedImage>,
    /// Time from the first part learned to the last part judged, s.
    pub seconds: f64,
}

impl DemonstrationReport {
    /// The page, one self-contained file.
    #[must_use]
    pub fn html(&self) -> String {
        let body = html! {
            (self.headline())
            (section("The line", &html! {
                p { "The parts are drawn by the program, not photographed: a part with four screws, a \
                     label and a sticker on a belt, with drifting light, vibration and camera noise. So \
                     every defect is known exactly, and the same seed gives the same line again." }
                (facts(&self.line))
            }))
            (section("What was learned", &self.learned_parts()))
            (section("What passed the camera", &self.passed()))
            @if let Some(kinds) = kinds(&self.parts) {
                (section("Catches by kind of defect", &html! {
                    p { "A part is caught when it is rejected. A defect is found in place when a flagged \
                         region hits it: a part can be rejected for the wrong reason." }
                    (kinds)
                }))
            }
            (section("Pictures", &html! {
                p { "First the part as the camera saw it, with the true defects in brackets, then what was found. Click to enlarge." }
                (galleries(&self.parts))
            }))
            (section("All parts", &table(&self.parts)))
            (section("Recipe and model", &facts(&self.identity)))
        };
        page(&self.title, &format!("Demonstration, {}", self.date), &body)
    }

    fn headline(&self) -> Markup {
        let catches = rate(&self.parts, true, Judgement::Catch);
        let miss = rate(&self.parts, true, Judgement::Miss);
        let reject = rate(&self.parts, false, Judgement::FalseReject);
        let (good, bad) = scores(&self.parts);
        html! {
            div.cards {
                (card(&self.learned.to_string(), "good parts learned", "no defect was ever shown"))
                (card(&format!("{} of {}", catches.count, catches.of), "bad parts caught", ""))
                (card(&format!("{} of {}", reject.count, reject.of), "good parts rejected", ""))
                @if let Some(auroc) = auroc(&good, &bad) {
                    (card(&format!("{auroc:.3}"), "image AUROC", "1 is perfect, 0.5 is chance"))
                }
                (card(&format!("{:.1} s", self.seconds), "learn and judge", "on this machine"))
            }
            p { "Misses: " (interval_text(miss)) "." }
            p { "False rejects: " (interval_text(reject)) "." }
        }
    }

    fn learned_parts(&self) -> Markup {
        html! {
            p { (self.learned) " good parts"
                @if self.learned_pictures.len() < self.learned {
                    ", " (self.learned_pictures.len()) " of them shown"
                }
                ". The limit was set from these alone." }
            div."gallery small" {
                @for (one, number) in self.learned_pictures.iter().zip(1..) {
                    figure { (picture(one, &format!("learned part {number}"))) }
                }
            }
        }
    }

    fn passed(&self) -> Markup {
        let points: Vec<SequencePoint> = self
            .parts
            .iter()
            .filter_map(|part| {
                Some(SequencePoint {
                    score: f64::from(part.score()?),
                    bad: part.bad,
                })
            })
            .collect();
        html! {
            ol.strip {
                @for part in &self.parts {
                    @let (class, symbol, words) = part
                        .judgement()
                        .map_or(("failed", "!", "error"), |j| (j.class(), j.symbol(), j.words()));
                    li class=(class) title={ (part.name) ": " (words)
                        @if let Some(kind) = &part.kind { ", " (kind) } } {
                        b { (symbol) }
                        @if let Some(score) = part.score() { (score_text(score)) }
                    }
                }
            }
            div.legend {
                @for j in [Judgement::Pass, Judgement::Catch, Judgement::Miss, Judgement::FalseReject] {
                    span { (badge(Some(j))) " " (meaning(j)) }
                }
            }
            (plot(
                plots::sequence(&points),
                "The score of each part in the order they came. Discs are good parts, triangles bad ones; \
                 above the line is rejected.",
            ))
        }
    }
}

const fn meaning(judgement: Judgement) -> &'static str {
    match judgement {
        Judgement::Pass => "good, passed",
        Judgement::Catch => "bad, rejected",
        Judgement::Miss => "bad, passed",
        Judgement::FalseReject => "good, rejected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::RegionTally;
    use crate::inspect::Verdict;
    use crate::report::Outcome;

    fn part(number: usize, kind: Option<&str>, score: f32, found: usize) -> JudgedImage {
        JudgedImage {
            name: format!("part {number}"),
            bad: kind.is_some(),
            kind: kind.map(str::to_owned),
            outcome: Outcome::Judged {
                verdict: if score < 1.0 {
                    Verdict::Ok
                } else {
                    Verdict::Ng
                },
                score,
                regions: found,
                hits: kind.map(|_| RegionTally {
                    truths: 1,
                    found,
                    predicted: found,
                    right: found,
                }),
            },
            picture: None,
        }
    }

    fn report(parts: Vec<JudgedImage>) -> String {
        DemonstrationReport {
            title: "Demo".into(),
            date: "1 March 2026".into(),
            line: vec![("Seed".into(), "7".into())],
            learned_pictures: Vec::new(),
            learned: 12,
            identity: Vec::new(),
            parts,
            seconds: 21.4,
        }
        .html()
    }

    #[test]
    fn a_miss_is_said_in_the_headline_and_by_kind() {
        let page = report(vec![
            part(1, None, 0.4, 0),
            part(2, Some("scratch"), 1.8, 1),
            part(3, Some("scratch"), 0.9, 0),
        ]);
        assert!(page.contains("1 of 2") && page.contains("scratch"));
        assert!(page.contains("part 3: miss, scratch"));
        assert!(page.contains("Misses, the quietest first"));
    }

    #[test]
    fn a_catch_for_the_wrong_reason_shows_in_the_table_of_kinds() {
        let page = report(vec![part(1, Some("dent"), 1.8, 0)]);
        let row = page.split("<td>dent</td>").nth(1).unwrap();
        assert!(row.contains("1 of 1") && row.contains("0 of 1"));
    }

    #[test]
    fn a_line_without_parts_still_gives_a_page() {
        assert!(report(Vec::new()).contains("no images"));
    }
}
