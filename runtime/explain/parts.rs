//! Groups as areas and boxes of the picture.

use image::{GrayImage, ImageBuffer, Luma};
use imageproc::region_labelling::{Connectivity, connected_components};

use super::{Groups, MOST_GROUPS};

/// A part smaller than this share of the picture is not listed: a few cells of a boundary.
const LEAST_SHARE: f64 = 0.001;

/// What a group covers.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct GroupArea {
    /// Number of the group, from 1, the largest first.
    pub group: usize,
    /// Share of the image, 0..=1.
    pub share: f64,
    /// Area in pixels of the original image.
    pub area_px: u64,
    /// Connected parts, the largest first.
    pub parts: Vec<Part>,
}

/// One connected part of a group.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Part {
    /// `[x, y, width, height]` in pixels of the original image.
    pub bbox: [u32; 4],
    /// Area in pixels of the original image.
    pub area_px: u64,
}

/// Columns and rows that a component spans, and its cells.
struct Component {
    group: u8,
    from: [u32; 2],
    to: [u32; 2],
    cells: usize,
}

pub(super) fn areas(groups: &Groups, (width, height): (u32, u32)) -> Vec<GroupArea> {
    let labels = &groups.labels;
    let (cols, rows) = (labels.cols as u32, labels.rows as u32);
    let cells = labels.values.len().max(1) as f64;
    let pixels = f64::from(width) * f64::from(height);
    let area_px = |count: usize| (pixels * count as f64 / cells).round() as u64;
    let edge = |at: u32, of: u32, length: u32| {
        (f64::from(at) * f64::from(length) / f64::from(of)).round() as u32
    };
    let components = components(groups, &numbered(groups));
    (0..groups.count)
        .map(|group| {
            let mut mine: Vec<&Component> = components
                .iter()
                .filter(|c| usize::from(c.group) == group)
                .collect();
            mine.sort_by_key(|c| std::cmp::Reverse(c.cells));
            let count: usize = mine.iter().map(|c| c.cells).sum();
            let listed = mine
                .iter()
                .filter(|c| c.cells as f64 / cells >= LEAST_SHARE);
            let parts = listed.map(|c| {
                let (x, y) = (edge(c.from[0], cols, width), edge(c.from[1], rows, height));
                Part {
                    bbox: [
                        x,
                        y,
                        edge(c.to[0] + 1, cols, width) - x,
                        edge(c.to[1] + 1, rows, height) - y,
                    ],
                    area_px: area_px(c.cells),
                }
            });
            GroupArea {
                group: group + 1,
                share: count as f64 / cells,
                area_px: area_px(count),
                parts: parts.collect(),
            }
        })
        .collect()
}

/// Gives every connected part of fewer than `least` cells to the group that most of the cells
/// around it belong to.
pub(super) fn join_specks(groups: &mut Groups, least: usize) {
    let numbered = numbered(groups);
    let components = components(groups, &numbered);
    let mut around: Vec<[usize; MOST_GROUPS]> = vec![[0; MOST_GROUPS]; components.len()];
    let (cols, rows) = numbered.dimensions();
    for (x, y, Luma([number])) in numbered.enumerate_pixels() {
        for (x, y) in [
            (x.wrapping_sub(1), y),
            (x + 1, y),
            (x, y.wrapping_sub(1)),
            (x, y + 1),
        ] {
            if x < cols && y < rows {
                let other = numbered.get_pixel(x, y).0[0];
                if other != *number {
                    let group = components[other as usize - 1].group;
                    around[*number as usize - 1][usize::from(group)] += 1;
                }
            }
        }
    }
    for (label, Luma([number])) in groups.labels.values.iter_mut().zip(numbered.pixels()) {
        let index = *number as usize - 1;
        let most = (0..MOST_GROUPS as u8)
            .zip(&around[index])
            .rev()
            .max_by_key(|(_, cells)| **cells);
        if let Some((group, 1..)) = most.filter(|_| components[index].cells < least) {
            *label = group;
        }
    }
}

/// The number of its connected part, from 1, for each cell.
fn numbered(groups: &Groups) -> ImageBuffer<Luma<u32>, Vec<u32>> {
    let labels = &groups.labels;
    // Groups from 1, because 0 is what the labelling leaves out.
    let picture = GrayImage::from_fn(labels.cols as u32, labels.rows as u32, |x, y| {
        Luma([labels.values[y as usize * labels.cols + x as usize] + 1])
    });
    connected_components(&picture, Connectivity::Four, Luma([0]))
}

fn components(groups: &Groups, numbered: &ImageBuffer<Luma<u32>, Vec<u32>>) -> Vec<Component> {
    let labels = &groups.labels;
    let mut found: Vec<Component> = Vec::new();
    for (x, y, Luma([number])) in numbered.enumerate_pixels() {
        let index = *number as usize - 1;
        if index >= found.len() {
            found.resize_with(index + 1, || Component {
                group: 0,
                from: [u32::MAX; 2],
                to: [0; 2],
                cells: 0,
            });
        }
        let one = &mut found[index];
        one.group = labels.values[y as usize * labels.cols + x as usize];
        one.from = [one.from[0].min(x), one.from[1].min(y)];
        one.to = [one.to[0].max(x), one.to[1].max(y)];
        one.cells += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::Labels;
    use super::*;

    #[test]
    fn a_speck_goes_to_the_group_around_it_and_a_larger_part_stays() {
        // A dot of group 2 and a bar of group 1 on group 0.
        let mut values = vec![0; 60];
        values[11] = 2;
        values[34..38].fill(1);
        let mut groups = Groups {
            count: 3,
            labels: Labels {
                cols: 10,
                rows: 6,
                values: values.clone(),
            },
        };
        join_specks(&mut groups, 4);
        values[11] = 0;
        assert_eq!(groups.labels.values, values);
    }

    #[test]
    fn areas_and_boxes_are_in_pixels_of_the_image_and_add_up() {
        // Two dots of group 1 on group 0, on 20 x 10 cells of 8 px.
        let mut values = vec![0; 200];
        values[0] = 1;
        values[199] = 1;
        let groups = Groups {
            count: 2,
            labels: Labels {
                cols: 20,
                rows: 10,
                values,
            },
        };
        let areas = groups.areas((160, 80));
        assert_eq!(areas.iter().map(|a| a.area_px).sum::<u64>(), 160 * 80);
        assert_eq!(areas[0].parts[0].bbox, [0, 0, 160, 80]);
        let dots: Vec<_> = areas[1].parts.iter().map(|p| (p.bbox, p.area_px)).collect();
        assert_eq!(dots, [([0, 0, 8, 8], 64), ([152, 72, 8, 8], 64)]);
    }
}
