//! Which images are shown, and their pictures.

use std::collections::BTreeMap;
use std::path::Path;

use andon_shards::Shard;
use anyhow::{Context, Result};
use image::{ImageError, RgbImage};

use super::Gathered;
use crate::cli::progress;
use crate::group::{Areas, Group, Grouping, PRESENT};
use crate::image::read;
use crate::inspect::Pathway;
use crate::report::{GroupedImage, ListedGroup, ListedPathway, Picture, contact_sheet};
use crate::vit::Grid;

/// Images that are shown with all their groups.
const SHOWN: usize = 12;

/// Images on the contact sheet of a group.
const ON_A_SHEET: usize = 8;

/// Longer side of a contact sheet on the page, px.
const SHEET: u32 = 1280;

/// Pictures of some images, and a contact sheet for each group.
pub struct Pictures {
    shown: Vec<(String, RgbImage)>,
    /// By pathway and group.
    sheets: [Vec<RgbImage>; 2],
}

impl Pictures {
    /// Chooses images, reads each once, and draws.
    pub fn draw(
        grouping: &Grouping,
        gathered: &Gathered,
        areas: &[Areas; 2],
        grid: Grid,
    ) -> Result<Self> {
        let shown = spread(gathered.images.len(), SHOWN);
        let picks = areas.each_ref().map(|areas| {
            let groups = areas.0.first().map_or(0, |image| image.shares.len());
            (0..groups)
                .map(|group| having(areas, group))
                .collect::<Vec<_>>()
        });
        let index: BTreeMap<&str, usize> = gathered
            .images
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.as_str(), index))
            .collect();
        // Areas are sorted by name, images stand in the order given.
        let picks = [0, 1].map(|pathway| {
            let groups = picks[pathway].iter();
            let name = |i: &usize| index.get(areas[pathway].0[*i].image.as_str()).copied();
            groups
                .map(|images| images.iter().filter_map(name).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        });
        let mut wanted: Vec<usize> = picks.iter().flatten().flatten().copied().collect();
        wanted.extend(&shown);
        wanted.sort_unstable();
        wanted.dedup();
        let features = Features::open(gathered)?;
        let bar = progress::bar(wanted.len(), "pictures");
        let mut drawn = BTreeMap::new();
        for image in wanted {
            drawn.insert(image, features.grouped(image, grouping, gathered, grid)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let sheet = |pathway: usize, (group, images): (usize, &Vec<usize>)| {
            let images: Vec<&GroupedImage> = images.iter().filter_map(|i| drawn.get(i)).collect();
            let of = &grouping.pathways[pathway];
            let [title, facts] = words(of.pathway, group, &of.groups[group]);
            contact_sheet(&images, (pathway, group), &title, &facts)
        };
        Ok(Self {
            shown: shown
                .iter()
                .filter_map(|i| Some((gathered.images[*i].0.clone(), drawn.get(i)?.side_by_side())))
                .collect(),
            sheets: [0, 1].map(|pathway| {
                let groups = picks[pathway].iter().enumerate();
                groups.map(|group| sheet(pathway, group)).collect()
            }),
        })
    }

    /// Writes the contact sheets.
    pub fn save(&self, grouping: &Grouping, folder: &Path) -> Result<()> {
        for (groups, sheets) in grouping.pathways.iter().zip(&self.sheets) {
            for (number, sheet) in (1..).zip(sheets) {
                let target = folder.join(format!("{}-{number}.png", groups.pathway.as_str()));
                let saved = sheet.save(&target);
                saved.with_context(|| format!("cannot write {}", target.display()))?;
            }
        }
        Ok(())
    }

    /// The images of the page.
    pub fn images(&self) -> Result<Vec<(String, Picture)>, ImageError> {
        let shown = self.shown.iter();
        shown
            .map(|(name, sheet)| Ok((name.clone(), Picture::thumbnail(sheet, SHEET)?)))
            .collect()
    }

    /// The groups of the page.
    pub fn listed(&self, grouping: &Grouping) -> Result<[ListedPathway; 2], ImageError> {
        let [what, where_] = [0, 1].map(|pathway| {
            let of = &grouping.pathways[pathway];
            let groups = of.groups.iter().zip(&self.sheets[pathway]);
            let listed = groups.map(|(group, sheet)| {
                Ok::<_, ImageError>(ListedGroup {
                    id: group.id.clone(),
                    name: group.name.clone(),
                    mean: group.statistics.mean,
                    spread: group.statistics.spread,
                    images: group.statistics.images,
                    sheet: Picture::thumbnail(sheet, SHEET)?,
                })
            });
            let listed = listed.collect::<Result<Vec<_>, _>>()?;
            Ok::<_, ImageError>(ListedPathway {
                pathway: of.pathway,
                groups: listed,
                values: of.space.values().to_vec(),
            })
        });
        Ok([what?, where_?])
    }
}

/// Up to `most` of `count`, evenly spread.
fn spread(count: usize, most: usize) -> Vec<usize> {
    let taken = most.min(count);
    (0..taken)
        .map(|i| (2 * i + 1) * count / (2 * taken))
        .collect()
}

/// Images that have a group, evenly spread over all that have it; as indices into the areas.
fn having(areas: &Areas, group: usize) -> Vec<usize> {
    let all = areas.0.iter().enumerate();
    let have: Vec<usize> = all
        .filter(|(_, image)| image.shares[group] >= PRESENT)
        .map(|(index, _)| index)
        .collect();
    let few = spread(have.len(), ON_A_SHEET);
    few.into_iter().map(|i| have[i]).collect()
}

fn words(pathway: Pathway, number: usize, group: &Group) -> [String; 2] {
    let named = group.name.as_ref().map(|name| format!(": {name}"));
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let statistics = group.statistics;
    [
        format!(
            "{} {}{}",
            pathway.as_str(),
            number + 1,
            named.unwrap_or_default()
        ),
        format!(
            "{}, covers {} of an image (spread {}), in {} of the images",
            group.id,
            percent(statistics.mean),
            percent(statistics.spread),
            percent(statistics.images)
        ),
    ]
}

/// The shards, opened, with the number of the first image of each.
struct Features(Vec<(usize, Shard)>);

impl Features {
    fn open(gathered: &Gathered) -> Result<Self> {
        let mut first = 0;
        let mut shards = Vec::new();
        for path in &gathered.shards {
            let shard = Shard::open(path)?;
            let images = shard.images();
            shards.push((first, shard));
            first += images;
        }
        Ok(Self(shards))
    }

    fn grouped(
        &self,
        image: usize,
        grouping: &Grouping,
        gathered: &Gathered,
        grid: Grid,
    ) -> Result<GroupedImage> {
        let holding = self.0.iter().rev().find(|(first, _)| *first <= image);
        let (first, shard) = holding.context("an image is in no shard")?;
        let [what, where_] = grouping.pathways.each_ref().map(|groups| {
            let rows = grouping.rows(groups.pathway);
            let features = shard.read(image - first, &rows.columns())?;
            groups.drawn(&rows.of_image(&features, shard.schema().dim), grid)
        });
        let (name, path) = &gathered.images[image];
        Ok(GroupedImage::new(name, &read(path)?, [what?, where_?]))
    }
}
