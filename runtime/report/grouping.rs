//! The page that `group` writes: tables and contact sheets of the groups, and images with their
//! groups by *what* beside those by *where*.

use maud::{Markup, html};

use super::field::group as group_colour;
use super::judged::Picture;
use super::page::{facts, page, picture, section};
use super::words::percent;
use crate::inspect::Pathway;

/// A group of the page.
#[derive(Debug, Clone)]
pub struct ListedGroup {
    /// Its id.
    pub id: String,
    /// What the engineer calls it.
    pub name: Option<String>,
    /// Mean share of an image, its standard deviation, and the share of images that have it.
    pub mean: f64,
    /// Standard deviation of the share over the images.
    pub spread: f64,
    /// Share of the images that have it.
    pub images: f64,
    /// Its contact sheet.
    pub sheet: Picture,
}

/// The groups of one pathway.
#[derive(Debug, Clone)]
pub struct ListedPathway {
    /// Which.
    pub pathway: Pathway,
    /// Its groups, the largest first.
    pub groups: Vec<ListedGroup>,
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
}

/// Everything the page shows. The caller gives the date; the page reads no clock.
#[derive(Debug, Clone)]
pub struct GroupingReport {
    /// The heading.
    pub title: String,
    /// When, as it shall be printed.
    pub date: String,
    /// By what, and by where.
    pub pathways: [ListedPathway; 2],
    /// Images with their groups side by side, in the order to show them.
    pub images: Vec<(String, Picture)>,
    /// Images that could not be looked at, and why.
    pub failed: Vec<(String, String)>,
    /// Model, settings, times, in the order to print them.
    pub identity: Vec<(String, String)>,
}

impl GroupingReport {
    /// The page, one self-contained file.
    #[must_use]
    pub fn html(&self) -> String {
        let body = html! {
            (section("How to read it", &how_to_read()))
            (section("Images", &images(&self.images)))
            @for ListedPathway { pathway, groups, values } in &self.pathways {
                (section(&format!("Groups by {}", pathway.as_str()), &listed(groups, values)))
            }
            @if !self.failed.is_empty() {
                (section("Not looked at", &facts(&self.failed)))
            }
            (section("Model and settings", &facts(&self.identity)))
        };
        page(
            &self.title,
            &format!("Groups over many images, {}", self.date),
            &body,
        )
    }
}

fn how_to_read() -> Markup {
    html! {
        p { "All patches of all images were compared with each other at once. So a group is the same \
             in every image: same number, same colour, same id. By " b { "what" } " patches go \
             together that are the same kind of thing; by " b { "where" } " those that ask for the \
             same surroundings, which follows the layout." }
        p { "Give a group a name with " code { "andon group name groups.safetensors 3 \"screw head\"" }
             ", and " code { "andon inspect --groups groups.safetensors" } " says on what a flagged \
             region lies. A group is no verdict: a patch goes to the group it is nearest to, however \
             far that is." }
    }
}

fn images(images: &[(String, Picture)]) -> Markup {
    html! {
        @for (name, sheet) in images {
            figure.sheet { (picture(sheet, &format!("groups of {name}"))) }
        }
    }
}

fn listed(groups: &[ListedGroup], values: &[f64]) -> Markup {
    html! {
        div.scroll { table.sortable {
            thead { tr { th { "Group" } th { "Name" } th { "Id" } th.number { "Area, mean" }
                th.number { "Area, spread" } th.number { "In images" } } }
            tbody {
                @for (number, group) in groups.iter().enumerate() { tr {
                    td data-sort=(number) { (swatch(number)) " " (number + 1) }
                    td { (group.name.as_deref().unwrap_or("")) }
                    td { code { (group.id) } }
                    td.number data-sort=(group.mean) { (percent(group.mean)) }
                    td.number data-sort=(group.spread) { (percent(group.spread)) }
                    td.number data-sort=(group.images) { (percent(group.images)) }
                } }
            }
        } }
        p.none { "Eigenvalues: " @for value in values { (format!("{value:.4} ")) } }
        @for group in groups {
            figure.sheet { (picture(&group.sheet, &format!("group {}", group.id))) }
        }
    }
}

fn swatch(group: usize) -> Markup {
    let [r, g, b] = group_colour(group);
    let style = format!("fill:rgb({r},{g},{b})");
    html! {
        svg width="12" height="12" aria-hidden="true" { rect width="12" height="12" rx="3" style=(style); }
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    #[test]
    fn the_page_lists_every_group_once_a_pathway_and_loads_nothing() {
        let small = Picture::thumbnail(&RgbImage::new(8, 8), 8).unwrap();
        let group = |id: &str| ListedGroup {
            id: id.into(),
            name: Some("screw <head>".into()),
            mean: 0.25,
            spread: 0.01,
            images: 1.0,
            sheet: small.clone(),
        };
        let page = GroupingReport {
            title: "Groups".into(),
            date: "1 March 2026".into(),
            pathways: [
                ListedPathway {
                    pathway: Pathway::What,
                    groups: vec![group("what-1"), group("what-2")],
                    values: vec![0.5],
                },
                ListedPathway {
                    pathway: Pathway::Where,
                    groups: vec![group("where-1")],
                    values: vec![0.4],
                },
            ],
            images: vec![("a<b>.png".into(), small.clone())],
            failed: vec![("c.png".into(), "truncated".into())],
            identity: Vec::new(),
        }
        .html();
        for id in ["what-1", "what-2", "where-1"] {
            assert_eq!(page.matches(&format!("<code>{id}</code>")).count(), 1);
        }
        assert!(page.contains("screw &lt;head&gt;") && page.contains("a&lt;b&gt;.png"));
        assert!(page.contains("truncated"));
        assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    }
}
