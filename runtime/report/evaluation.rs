//! The page that `eval` writes: how well a recipe tells good parts from bad ones, on which images,
//! and where it fails.

use maud::{Markup, html};

use super::judged::{JudgedImage, Judgement, rate, scores};
use super::page::{card, facts, galleries, interval_text, kinds, page, plot, section, table};
use super::plots;
use super::stress;
use super::words::percent;
use crate::evaluate::{Figures, HitRule, PRO_LIMIT, ProPoint, Rate, roc, what_if};
use crate::stress::StressFigures;

/// Limits of the what-if table, in units of the limit in use.
const WHAT_IF: [f64; 9] = [0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0];

/// Everything the page shows. The caller gives the date; the page reads no clock.
#[derive(Debug, Clone)]
pub struct EvaluationReport {
    /// What was evaluated, for the heading.
    pub title: String,
    /// When, as it shall be printed.
    pub date: String,
    /// Recipe and model: names, hashes, settings, in the order to print them.
    pub identity: Vec<(String, String)>,
    /// The figures of [`Evaluation::figures`](crate::evaluate::Evaluation::figures).
    pub figures: Figures,
    /// When a region counts as found.
    pub rule: HitRule,
    /// Upper bound of the counting error of the pixel AUROC.
    pub pixel_auroc_error: Option<f64>,
    /// Upper bound of the counting error of AU-PRO.
    pub pro_error: Option<f64>,
    /// The PRO curve; empty without masks.
    pub pro_curve: Vec<ProPoint>,
    /// What became of the verdicts under stress, the unstressed images first; empty when nothing
    /// was stressed.
    pub stress: Vec<StressFigures>,
    /// Median time for one image, ms.
    pub ms_median: Option<f64>,
    /// Peak resident memory, MB.
    pub rss_mb: Option<f64>,
    /// All images, good and bad; those that [`Gallery::pick`](super::Gallery::pick) chose carry
    /// their overlay.
    pub images: Vec<JudgedImage>,
}

impl EvaluationReport {
    /// The page, one self-contained file.
    #[must_use]
    pub fn html(&self) -> String {
        let (good, bad) = scores(&self.images);
        let failed = self
            .images
            .iter()
            .filter(|i| i.judgement().is_none())
            .count();
        let body = html! {
            (self.headline(failed))
            (section("Figures", &self.figures_table()))
            (section("Scores", &plot(
                plots::histogram(&good, &bad),
                "Each bar counts images: good parts upwards, bad parts downwards. What lies right of the \
                 limit is rejected. Scores beyond the axis count into the last bar.",
            )))
            (section("Curves", &self.curves(&good, &bad)))
            (section("If the limit were another", &limits(&good, &bad)))
            @if !self.stress.is_empty() { (section("Under stress", &stress::table(&self.stress))) }
            @if let Some(kinds) = kinds(&self.images) { (section("Kinds of defect", &kinds)) }
            (section("Pictures", &html! {
                p { "First the image as it came, with the true defects in brackets where they are known, then what was found. Click to enlarge." }
                (galleries(&self.images))
            }))
            (section("All images", &table(&self.images)))
            (section("Recipe and model", &facts(&self.identity)))
        };
        page(&self.title, &format!("Evaluation, {}", self.date), &body)
    }

    fn headline(&self, failed: usize) -> Markup {
        let miss = rate(&self.images, true, Judgement::Miss);
        let reject = rate(&self.images, false, Judgement::FalseReject);
        let of = |rate: Rate| format!("{} of {}", rate.count, rate.of);
        html! {
            div.cards {
                (card(&of(miss), "missed", "bad parts that passed"))
                (card(&of(reject), "falsely rejected", "good parts that did not pass"))
                (card(&three(self.figures.image_auroc), "image AUROC", "1 is perfect, 0.5 is chance"))
                @if self.figures.pro.is_some() {
                    (card(&three(self.figures.pro), "AU-PRO", "defects outlined, 1 is perfect"))
                }
                @if self.figures.region_recall.is_some() {
                    (card(&self.figures.region_recall.map_or_else(String::new, percent),
                        "defects found", "in the right place"))
                }
            }
            @if failed > 0 {
                p { b { "! " (failed) @if failed == 1 { " image" } @else { " images" } " could not be inspected" }
                    "; no figure includes "
                    @if failed == 1 { "it" } @else { "them" } ". The table of all images says why." }
            }
        }
    }

    fn figures_table(&self) -> Markup {
        let f = &self.figures;
        let bound = |error: Option<f64>| {
            error.map_or_else(String::new, |e| {
                format!(" Counting error at most {:.5}.", (e * 1e5).ceil() / 1e5)
            })
        };
        let rows: [(&str, String, String); 12] = [
            (
                "Image AUROC",
                three(f.image_auroc),
                "The chance that a random bad part scores higher than a random good one. It does not \
                 depend on the limit."
                    .into(),
            ),
            (
                "Layout AUROC",
                three(f.layout_auroc),
                "The same by the layout, which says how things lie all together and decides nothing. \
                 Not known where place does not count."
                    .into(),
            ),
            (
                "False-reject rate",
                f.false_reject.map_or_else(missing, percent),
                format!("Good parts rejected: {}.", interval_text(rate(&self.images, false, Judgement::FalseReject))),
            ),
            (
                "Miss rate",
                f.miss.map_or_else(missing, percent),
                format!("Bad parts passed: {}.", interval_text(rate(&self.images, true, Judgement::Miss))),
            ),
            (
                "Pixel AUROC",
                three(f.pixel_auroc),
                format!(
                    "The same chance for pixels, against the masks. Large defects dominate it.{}",
                    bound(self.pixel_auroc_error)
                ),
            ),
            (
                "AU-PRO",
                three(f.pro),
                format!(
                    "Mean covered share of a defect, over all thresholds that flag at most {PRO_LIMIT} of \
                     the defect-free pixels. Every defect weighs the same.{}",
                    bound(self.pro_error)
                ),
            ),
            (
                "Region recall",
                f.region_recall.map_or_else(missing, percent),
                format!("Share of the true defects that a flagged region hits. {}", rule_words(self.rule)),
            ),
            (
                "Region precision",
                f.region_precision.map_or_else(missing, percent),
                "Share of the flagged regions on bad parts that hit a true defect.".into(),
            ),
            (
                "Region F",
                three(f.region_f),
                "Harmonic mean of region recall and precision.".into(),
            ),
            (
                "False regions",
                f.regions_per_good.map_or_else(missing, |v| format!("{v:.2}")),
                "Flagged regions on an average good part.".into(),
            ),
            (
                "Time",
                self.ms_median.map_or_else(missing, |v| format!("{v:.1} ms")),
                "Median for one image on the machine that made this page.".into(),
            ),
            (
                "Memory",
                self.rss_mb.map_or_else(missing, |v| format!("{v:.0} MB")),
                "Peak resident memory of the process.".into(),
            ),
        ];
        html! {
            p { (f.good) " good and " (f.bad) " bad images were inspected." }
            div.scroll { table {
                thead { tr { th { "Figure" } th.number { "Value" } th { "What it says" } } }
                tbody {
                    @for (name, value, words) in rows {
                        tr { td { b { (name) } } td.number { (value) } td.explain { (words) } }
                    }
                }
            } }
        }
    }

    fn curves(&self, good: &[f64], bad: &[f64]) -> Markup {
        let Some(points) = roc(good, bad) else {
            return html! { p.none { "A curve needs both good and bad images." } };
        };
        let in_use = what_if(good, bad, 1.0);
        let at = (
            in_use.false_reject.share().unwrap_or(0.0),
            1.0 - in_use.miss.share().unwrap_or(0.0),
        );
        html! {
            div.plots {
                (plot(
                    plots::roc(&points, good.len(), bad.len(), at),
                    "ROC: what each limit catches, and what it costs. The ring is the limit in use; the \
                     diagonal is chance.",
                ))
                @if !self.pro_curve.is_empty() {
                    (plot(
                        plots::pro(&self.pro_curve),
                        "PRO: how much of a defect is outlined, against how much of the good surface is \
                         flagged with it.",
                    ))
                }
            }
        }
    }
}

/// The table of other limits, and the two that would have made one kind of error vanish.
fn limits(good: &[f64], bad: &[f64]) -> Markup {
    let least_bad = bad.iter().copied().fold(f64::INFINITY, f64::min);
    let most_good = good.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let share = |rate: Rate| match rate.share() {
        Some(share) => format!("{} ({})", rate.count, percent(share)),
        None => missing(),
    };
    html! {
        p { "Counted afterwards on these very images, so it flatters the best row. A limit that is \
             moved because of this table needs fresh images to prove it." }
        div.scroll { table.narrow {
            thead { tr { th.number { "Limit" } th.number { "False rejects" } th.number { "Misses" } th {} } }
            tbody {
                @for row in WHAT_IF.map(|limit| what_if(good, bad, limit)) {
                    tr.here[row.limit == 1.0] {
                        td.number { (format!("{:.2}", row.limit)) }
                        td.number { (share(row.false_reject)) }
                        td.number { (share(row.miss)) }
                        td { @if row.limit == 1.0 { "the limit in use" } }
                    }
                }
            }
        } }
        @if least_bad.is_finite() && most_good.is_finite() {
            p.note {
                "The highest good part scores " (format!("{most_good:.3}"))
                ", the lowest bad part " (format!("{least_bad:.3}")) ". "
                @if most_good < least_bad {
                    "Any limit between the two separates these images without an error."
                } @else {
                    "No limit separates these images without an error."
                }
            }
        }
    }
}

fn rule_words(rule: HitRule) -> String {
    match rule {
        HitRule::Centre => {
            "Hit: the centre of one box lies inside the other, and neither is more than \
                            a hundred times as large."
                .into()
        }
        HitRule::Iou(least) => {
            format!("Hit: intersection over union of the boxes at least {least}.")
        }
        HitRule::Cover(least) => {
            format!(
                "Hit: the region covers at least {} of the defect.",
                percent(f64::from(least))
            )
        }
    }
}

fn three(value: Option<f64>) -> String {
    value.map_or_else(missing, |v| format!("{v:.3}"))
}

fn missing() -> String {
    "not known".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Verdict;
    use crate::report::{Outcome, Picture};
    use image::RgbImage;

    fn judged(name: &str, bad: bool, score: f32) -> JudgedImage {
        JudgedImage {
            name: name.into(),
            bad,
            kind: None,
            outcome: Outcome::Judged {
                verdict: if score < 1.0 {
                    Verdict::Ok
                } else {
                    Verdict::Ng
                },
                score,
                regions: 1,
                hits: None,
            },
            picture: Picture::thumbnail(&RgbImage::new(8, 8), 8).ok(),
        }
    }

    fn report(images: Vec<JudgedImage>) -> EvaluationReport {
        EvaluationReport {
            title: "Bracket <A>".into(),
            date: "1 March 2026".into(),
            identity: vec![("Recipe".into(), "3f9a".into())],
            figures: Figures::default(),
            rule: HitRule::Centre,
            pixel_auroc_error: None,
            pro_error: None,
            pro_curve: Vec::new(),
            stress: Vec::new(),
            ms_median: None,
            rss_mb: None,
            images,
        }
    }

    #[test]
    fn the_page_loads_nothing_from_outside() {
        let page = report(vec![
            judged("a.png", false, 0.4),
            judged("b.png", true, 1.4),
        ])
        .html();
        let elsewhere = page
            .replace("http://www.w3.org/2000/svg", "")
            .replace("http-equiv", "");
        assert!(
            !elsewhere.contains("http:") && !elsewhere.contains("https:"),
            "an address"
        );
        assert!(!page.contains(" src=\"/") && !page.contains("<link"));
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn names_from_outside_cannot_become_markup() {
        let page = report(vec![judged("<script>alert(1)</script>.png", true, 0.2)]).html();
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("Bracket &lt;A&gt;"));
    }

    #[test]
    fn misses_and_false_rejects_are_shown_first_and_by_name() {
        let images = vec![
            judged("missed.png", true, 0.4),
            judged("rejected.png", false, 1.2),
            judged("caught.png", true, 2.0),
        ];
        let page = report(images).html();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
        assert!(at("1 of 2") < at("Figures"));
        assert!(at("overlay of missed.png") < at("overlay of rejected.png"));
        assert!(at("overlay of rejected.png") < at("overlay of caught.png"));
    }

    #[test]
    fn a_figure_without_its_ground_truth_is_not_known() {
        let page = report(vec![judged("a.png", false, 0.4)]).html();
        assert!(page.contains("not known") && page.contains("needs both good and bad images"));
    }

    #[test]
    fn an_image_that_failed_is_counted_out_loud() {
        let failed = JudgedImage {
            outcome: Outcome::Failed("the file ends early".into()),
            picture: None,
            ..judged("c.png", true, 0.0)
        };
        let page = report(vec![judged("a.png", false, 0.4), failed]).html();
        assert!(page.contains("1 image could not be inspected"));
        assert!(page.contains("the file ends early"));
    }

    #[test]
    fn the_limits_table_says_whether_a_clean_cut_exists() {
        let clean = limits(&[0.5], &[1.5]).into_string();
        assert!(clean.contains("separates these images without an error"));
        assert!(clean.contains("the limit in use"));
        let mixed = limits(&[0.5, 1.6], &[1.5]).into_string();
        assert!(mixed.contains("No limit separates"));
    }
}
