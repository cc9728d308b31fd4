//! The outline of a region: the border of its cells, smoothed.

use std::collections::BTreeMap;

use crate::inspect::{Region, ScoreMap};

use super::draw::Point;

type Corner = [i64; 2];

/// Closed lines around the cells of `region`, in pixels of the original image; the last point of
/// each repeats the first. Holes have lines of their own. A region without cells gets its box.
pub(super) fn outline(region: &Region, map: &ScoreMap) -> Vec<Vec<Point>> {
    let lines = around_cells(&region.cells, [map.cols, map.rows], map.area);
    if lines.is_empty() {
        let [x, y, width, height] = region.bbox.map(|v| v as f32);
        let corners = [
            [x, y],
            [x + width, y],
            [x + width, y + height],
            [x, y + height],
        ];
        return vec![close(corners.to_vec())];
    }
    lines
}

/// Closed lines around cells of a grid of `[cols, rows]` that covers `area`, `[x, y, width, height]`.
///
/// Border edges are replaced by their midpoints, which turns the stairs of a diagonal into a
/// straight line, then corners are cut twice (Chaikin, 1974).
pub(super) fn around_cells(
    cells: &[u32],
    [cols, rows]: [usize; 2],
    area: [u32; 4],
) -> Vec<Vec<Point>> {
    let cell = [area[2] as f32 / cols as f32, area[3] as f32 / rows as f32];
    trace(cells, cols, rows)
        .iter()
        .map(|corners| {
            let midpoints: Vec<Point> = around(corners)
                .map(|(a, b)| [(a[0] + b[0]) as f32 / 2.0, (a[1] + b[1]) as f32 / 2.0])
                .collect();
            let smooth = cut_corners(&cut_corners(&midpoints));
            let in_image = smooth
                .iter()
                .map(|p| {
                    [
                        area[0] as f32 + p[0] * cell[0],
                        area[1] as f32 + p[1] * cell[1],
                    ]
                })
                .collect();
            close(in_image)
        })
        .collect()
}

/// Cuts a closed line into dashes of `dash` with gaps of `gap`, both in its own unit.
pub(super) fn dashes(line: &[Point], dash: f32, gap: f32) -> Vec<Vec<Point>> {
    let mut dashes = Vec::new();
    let mut current: Vec<Point> = line.first().copied().into_iter().collect();
    let (mut drawing, mut left) = (true, dash);
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let part = done / length;
            let here = [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
            if drawing {
                current.push(here);
                dashes.push(std::mem::take(&mut current));
            } else {
                current = vec![here];
            }
            drawing = !drawing;
            left = if drawing { dash } else { gap }.max(f32::EPSILON * length + 1e-3);
        }
        left -= length - done;
        if drawing {
            current.push(b);
        }
    }
    if drawing && current.len() > 1 {
        dashes.push(current);
    }
    dashes
}

/// Loops of grid corners around the cells, the cells on the right-hand side. Where two cells touch
/// at a corner only, the loop passes between the outer sides, so that they stay joined.
fn trace(cells: &[u32], cols: usize, rows: usize) -> Vec<Vec<Corner>> {
    let mut inside = vec![false; cols * rows];
    for &cell in cells {
        if let Some(inside) = inside.get_mut(cell as usize) {
            *inside = true;
        }
    }
    let is_inside = |c: i64, r: i64| {
        (0..cols as i64).contains(&c)
            && (0..rows as i64).contains(&r)
            && inside[r as usize * cols + c as usize]
    };
    let mut next: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for r in 0..rows as i64 {
        for c in (0..cols as i64).filter(|&c| is_inside(c, r)) {
            let sides = [
                (is_inside(c, r - 1), [c, r], [c + 1, r]),
                (is_inside(c + 1, r), [c + 1, r], [c + 1, r + 1]),
                (is_inside(c, r + 1), [c + 1, r + 1], [c, r + 1]),
                (is_inside(c - 1, r), [c, r + 1], [c, r]),
            ];
            for (_, from, to) in sides.iter().filter(|(joined, ..)| !joined) {
                next.entry(*from).or_default().push(*to);
            }
        }
    }
    let mut loops = Vec::new();
    while let Some((&start, _)) = next.first_key_value() {
        let mut corners = Vec::new();
        let (mut at, mut from) = (start, None);
        while let Some(step) = take_leftmost(&mut next, at, from) {
            corners.push(at);
            from = Some(at);
            at = step;
        }
        loops.push(corners);
    }
    loops
}

/// Takes an edge that leaves `at`; of two, the one to the left of the way that came from `from`.
fn take_leftmost(
    next: &mut BTreeMap<Corner, Vec<Corner>>,
    at: Corner,
    from: Option<Corner>,
) -> Option<Corner> {
    let ways = next.get_mut(&at)?;
    let left_turn = |to: &Corner| {
        from.is_some_and(|from| {
            let (a, b) = (
                [at[0] - from[0], at[1] - from[1]],
                [to[0] - at[0], to[1] - at[1]],
            );
            // y points down, so a left turn has a negative cross product.
            a[0] * b[1] - a[1] * b[0] < 0
        })
    };
    let choice = ways.iter().position(left_turn).unwrap_or(0);
    let to = ways.swap_remove(choice);
    if ways.is_empty() {
        next.remove(&at);
    }
    Some(to)
}

fn around<T: Copy>(closed: &[T]) -> impl Iterator<Item = (T, T)> {
    closed
        .iter()
        .copied()
        .zip(closed.iter().copied().cycle().skip(1))
}

fn cut_corners(closed: &[Point]) -> Vec<Point> {
    around(closed)
        .flat_map(|(a, b)| {
            let at = |part: f32| [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
            [at(0.25), at(0.75)]
        })
        .collect()
}

fn close(mut line: Vec<Point>) -> Vec<Point> {
    line.extend(line.first().copied());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Pathway;

    fn region(cells: &[u32]) -> Region {
        Region {
            bbox: [10, 20, 30, 40],
            area_px: 1,
            score: 1.0,
            pathway: Pathway::What,
            what: 1.0,
            where_: 0.0,
            blocks: Vec::new(),
            cells: cells.to_vec(),
        }
    }

    fn map(cols: usize, rows: usize) -> ScoreMap {
        ScoreMap {
            cols,
            rows,
            values: vec![0.0; cols * rows],
            area: [100, 0, cols as u32 * 10, rows as u32 * 10],
            kept: None,
        }
    }

    #[test]
    fn one_cell_gives_one_closed_line_within_the_cell() {
        let lines = outline(&region(&[4]), &map(3, 3));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for p in &lines[0] {
            assert!(
                (110.0..=120.0).contains(&p[0]) && (10.0..=20.0).contains(&p[1]),
                "{p:?}"
            );
        }
    }

    #[test]
    fn a_ring_has_an_outer_and_an_inner_line() {
        let ring = [0, 1, 2, 3, 5, 6, 7, 8];
        assert_eq!(outline(&region(&ring), &map(3, 3)).len(), 2);
    }

    #[test]
    fn cells_that_touch_at_a_corner_share_one_line_either_way() {
        assert_eq!(trace(&[0, 3], 2, 2).len(), 1);
        assert_eq!(trace(&[1, 2], 2, 2).len(), 1);
    }

    #[test]
    fn every_border_edge_is_walked_once() {
        // An L of three cells has eight border edges.
        assert_eq!(
            trace(&[0, 2, 3], 2, 2).iter().map(Vec::len).sum::<usize>(),
            8
        );
    }

    #[test]
    fn without_cells_the_box_is_drawn_and_wrong_cells_are_ignored() {
        assert_eq!(outline(&region(&[]), &map(3, 3))[0][2], [40.0, 60.0]);
        assert_eq!(outline(&region(&[99]), &map(3, 3))[0][2], [40.0, 60.0]);
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let square = close(vec![[0.0, 0.0], [30.0, 0.0], [30.0, 30.0], [0.0, 30.0]]);
        let length: f32 = dashes(&square, 6.0, 4.0)
            .iter()
            .flat_map(|d| d.windows(2))
            .map(|p| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1]))
            .sum();
        assert!((length - 72.0).abs() < 0.1, "{length}");
    }
}
