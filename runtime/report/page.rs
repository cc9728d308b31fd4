//! The frame and the parts that all pages share: one file, no address outside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::judged::{Gallery, JudgedImage, Judgement, Outcome, Picture};
use super::words::{percent, score_text};
use crate::evaluate::Rate;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// The browser itself refuses whatever the page might load.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A whole page.
pub(super) fn page(title: &str, subtitle: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { h1 { (title) } p.subtitle { (subtitle) } }
                main { (body) }
                footer { "Made by Andon. This page is one file and loads nothing." }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// A section with a heading.
pub(super) fn section(heading: &str, body: &Markup) -> Markup {
    html! { section { h2 { (heading) } (body) } }
}

/// A plot with its explanation.
pub(super) fn plot(svg: String, caption: &str) -> Markup {
    html! { figure.plot { (PreEscaped(svg)) figcaption { (caption) } } }
}

/// Names and values, one a line.
pub(super) fn facts(facts: &[(String, String)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in facts { dt { (name) } dd { (value) } }
        }
    }
}

/// A large number with its name.
pub(super) fn card(value: &str, name: &str, note: &str) -> Markup {
    html! {
        div.card {
            span.value { (value) }
            span.name { (name) }
            @if !note.is_empty() { span.note { (note) } }
        }
    }
}

pub(super) fn picture(picture: &Picture, description: &str) -> Markup {
    let source = format!("data:image/jpeg;base64,{}", STANDARD.encode(&picture.jpeg));
    html! {
        img src=(source) width=(picture.width) height=(picture.height) alt=(description)
            loading="lazy";
    }
}

/// Symbol and words for truth against verdict.
pub(super) fn badge(judgement: Option<Judgement>) -> Markup {
    html! {
        @match judgement {
            Some(j) => span class={ "badge " (j.class()) } { (j.symbol()) " " (j.words()) },
            None => span class="badge failed" { "! error" },
        }
    }
}

/// Misses, false rejects and catches with their overlays.
pub(super) fn galleries(images: &[JudgedImage]) -> Markup {
    let all = Gallery::pick(images, usize::MAX);
    let group = |heading: &str, none: &str, picked: &[usize]| {
        let shown: Vec<_> = picked
            .iter()
            .filter_map(|&i| images.get(i))
            .filter_map(|image| Some((image, image.picture.as_ref()?)))
            .collect();
        html! {
            h3 { (heading) " (" (picked.len()) ")" }
            @if picked.is_empty() {
                p.none { (none) }
            } @else if shown.len() < picked.len() {
                p.none { (shown.len()) " of " (picked.len()) " shown." }
            }
            div.gallery {
                @for (image, overlay) in shown {
                    figure {
                        (picture(overlay, &format!("overlay of {}", image.name)))
                        figcaption {
                            (badge(image.judgement())) " " b { (image.name) } " "
                            @if let Some(kind) = &image.kind { (kind) ", " }
                            @if let Some(score) = image.score() { "score " (score_text(score)) }
                        }
                    }
                }
            }
        }
    };
    html! {
        (group("Misses, the quietest first", "No bad part was passed.", &all.misses))
        (group("False rejects, the loudest first", "No good part was rejected.", &all.false_rejects))
        (group("Catches, the loudest first", "No bad part was caught.", &all.catches))
    }
}

/// How many of each kind of defect were caught, and found in the right place.
pub(super) fn kinds(images: &[JudgedImage]) -> Option<Markup> {
    let mut kinds: Vec<&str> = images
        .iter()
        .filter(|image| image.bad)
        .filter_map(|image| image.kind.as_deref())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return None;
    }
    let rows = kinds.iter().map(|kind| {
        let of_kind: Vec<_> = images
            .iter()
            .filter(|image| image.bad && image.kind.as_deref() == Some(kind))
            .collect();
        let judged = of_kind
            .iter()
            .filter(|image| image.judgement().is_some())
            .count();
        let caught = Rate {
            count: of_kind
                .iter()
                .filter(|image| image.judgement() == Some(Judgement::Catch))
                .count(),
            of: judged,
        };
        let mut found = Rate::default();
        for image in &of_kind {
            if let Outcome::Judged {
                hits: Some(hits), ..
            } = &image.outcome
            {
                found.count += hits.found;
                found.of += hits.truths;
            }
        }
        (kind, caught, found)
    });
    Some(html! {
        div.scroll { table {
            thead { tr { th { "Kind of defect" } th.number { "Parts caught" } th {}
                th.number { "Defects found in place" } } }
            tbody {
                @for (kind, caught, found) in rows {
                    tr {
                        td { (kind) }
                        td.number { (caught.count) " of " (caught.of) }
                        td { (meter(caught)) }
                        td.number {
                            @if found.of > 0 { (found.count) " of " (found.of) } @else { "not known" }
                        }
                    }
                }
            }
        } }
    })
}

fn meter(rate: Rate) -> Markup {
    let share = rate.share().unwrap_or(0.0) * 100.0;
    html! { div.meter aria-hidden="true" { div style={ "width:" (format!("{share:.1}")) "%" } {} } }
}

/// Every image in one sortable table.
pub(super) fn table(images: &[JudgedImage]) -> Markup {
    let with_kinds = images.iter().any(|image| image.kind.is_some());
    html! {
        div.scroll { table.sortable {
            thead { tr {
                th { "Image" } th { "Truth" }
                @if with_kinds { th { "Kind" } }
                th { "Judgement" } th.number { "Score / limit" } th.number { "Regions" }
                th.number { "Defects found" }
            } }
            tbody {
                @for image in images {
                    tr {
                        td { (image.name) }
                        td { @if image.bad { "bad" } @else { "good" } }
                        @if with_kinds { td { (image.kind.as_deref().unwrap_or("")) } }
                        td { (badge(image.judgement()))
                            @if let Outcome::Failed(reason) = &image.outcome { " " (reason) } }
                        @match &image.outcome {
                            Outcome::Judged { score, regions, hits, .. } => {
                                td.number data-sort=(score) { (score_text(*score)) }
                                td.number { (regions) }
                                td.number {
                                    @if let Some(hits) = hits { (hits.found) " of " (hits.truths) }
                                }
                            }
                            Outcome::Failed(_) => { td {} td {} td {} }
                        }
                    }
                }
            }
        } }
    }
}

/// A rate with its confidence interval in words.
pub(super) fn interval_text(rate: Rate) -> String {
    match rate.interval() {
        Some([low, high]) => format!(
            "{} of {}; with this many images the true rate lies between {} and {} (95\u{a0}% confidence)",
            rate.count,
            rate.of,
            percent(low),
            percent(high)
        ),
        None => "no images".to_owned(),
    }
}
