//! What is printed on the label, the sticker and the plate: bars, a square code and text, drawn
//! once into small pictures of ink and then looked up.

use super::config::Finish;
use super::font::{self, Text};
use super::layout::{Area, LABEL, MARKING, STICKER};
use super::maths::{Point, mix};
use super::noise::scramble;
use super::shape::polyline;

/// Dots of a print per px of the drawing.
const DOTS: f32 = 2.0;

/// The ink of one print, in the coordinates of the piece it is on: the origin is its centre.
#[derive(Debug, Clone)]
pub(super) struct Print {
    half: Point,
    width: usize,
    height: usize,
    /// Share of each dot that is covered, row by row.
    ink: Vec<f32>,
}

impl Print {
    fn blank(area: Area) -> Self {
        let size = area.half.map(|half| (2.0 * half * DOTS) as usize);
        Self {
            half: area.half,
            width: size[0],
            height: size[1],
            ink: vec![0.0; size[0] * size[1]],
        }
    }

    /// Fills a rectangle, px from the upper left corner, with `ink`.
    fn fill(&mut self, left: f32, top: f32, width: f32, height: f32, ink: f32) {
        let dot = |px: f32| (px * DOTS + 0.5) as usize;
        let (x0, x1) = (dot(left), dot(left + width).min(self.width));
        for y in dot(top)..dot(top + height).min(self.height) {
            for x in x0..x1 {
                self.ink[y * self.width + x] = ink;
            }
        }
    }

    /// Prints a line of text, `height` px high, with its upper left corner at `left`, `top`.
    fn text(&mut self, left: f32, top: f32, height: f32, text: &str, ink: f32) {
        let line = Text::new(text);
        let dot = |px: f32| (px * DOTS) as usize;
        let right = dot(left + font::width(text, height)).min(self.width);
        let bottom = dot(top + height).min(self.height);
        let along = |dot: usize, start: f32| ((dot as f32 + 0.5) / DOTS - start) / height;
        for y in dot(top)..bottom {
            for x in dot(left)..right {
                let share = line.ink(along(x, left), along(y, top));
                let under = &mut self.ink[y * self.width + x];
                *under = mix(*under, ink, share);
            }
        }
    }

    /// Share of ink at `p`, px from the centre of the piece; none outside it.
    pub(super) fn ink(&self, p: Point) -> f32 {
        let x = (p[0] + self.half[0]) * DOTS - 0.5;
        let y = (p[1] + self.half[1]) * DOTS - 0.5;
        // Also false for what is not a number.
        let inside =
            x >= 0.0 && y >= 0.0 && x < (self.width - 1) as f32 && y < (self.height - 1) as f32;
        if !inside {
            return 0.0;
        }
        let (column, row) = (x as usize, y as usize);
        let (fx, fy) = (x - column as f32, y - row as f32);
        let at = row * self.width + column;
        let top = self.ink[at] + (self.ink[at + 1] - self.ink[at]) * fx;
        let below = &self.ink[at + self.width..];
        let bottom = below[0] + (below[1] - below[0]) * fx;
        top + (bottom - top) * fy
    }
}

/// All prints of one part.
#[derive(Debug, Clone)]
pub(super) struct Prints {
    /// Black on the label.
    pub(super) label: Print,
    /// White on the sticker.
    pub(super) sticker: Print,
    /// Laser marking in the plate.
    pub(super) marking: Print,
}

impl Prints {
    /// The prints of a part with this finish and this number on its label (the last eight figures
    /// count).
    pub(super) fn new(finish: Finish, serial: u32) -> Self {
        Self {
            label: label(serial),
            sticker: sticker(),
            marking: marking(finish),
        }
    }
}

fn label(serial: u32) -> Print {
    let mut print = Print::blank(LABEL);
    let number = format!("{:08}", serial % 100_000_000);
    print.fill(8.0, 8.0, 184.0, 22.0, 1.0);
    print.text(14.0, 8.5, 20.0, "BRACKET 40-31", 0.0);
    bars(&mut print, 12.0, 37.0, 32.0, &number);
    print.text(12.0, 73.0, 16.0, &format!("SN {number}"), 1.0);
    square_code(&mut print, 142.0, 37.0, 3.0, serial);
    print.text(143.0, 83.0, 15.0, "24V DC", 1.0);
    print.fill(12.0, 92.0, 112.0, 1.0, 1.0);
    print
}

/// Widths of the four elements (space, bar, space, bar) of a figure in an EAN code, set A.
const FIGURES: [[u8; 4]; 10] = [
    [3, 2, 1, 1],
    [2, 2, 2, 1],
    [2, 1, 2, 2],
    [1, 4, 1, 1],
    [1, 1, 3, 2],
    [1, 2, 3, 1],
    [1, 1, 1, 4],
    [1, 3, 1, 2],
    [1, 2, 1, 3],
    [3, 1, 1, 2],
];

/// Bars as in a shop's code of eight figures. They look right; no reader has been asked.
fn bars(print: &mut Print, left: f32, top: f32, height: f32, number: &str) {
    const MODULE: f32 = 1.75;
    let figure = |c: char| FIGURES[c.to_digit(10).unwrap_or_default() as usize];
    let mut elements: Vec<u8> = vec![0, 1, 1, 1];
    for (at, c) in number.chars().enumerate() {
        elements.extend(figure(c));
        if at == 3 {
            elements.extend([1, 1, 1, 1, 1]);
            // The right half begins with a bar; a space of no width keeps the order.
            elements.push(0);
        }
    }
    elements.extend([1, 1, 1]);
    let mut x = left;
    for (at, &width) in elements.iter().enumerate() {
        let width = f32::from(width) * MODULE;
        if at % 2 == 1 {
            print.fill(x, top, width, height, 1.0);
        }
        x += width;
    }
}

/// A square of random cells with the frame of a data matrix: solid left and below, dotted above
/// and to the right. It carries no message.
fn square_code(print: &mut Print, left: f32, top: f32, cell: f32, serial: u32) {
    const CELLS: u32 = 14;
    for row in 0..CELLS {
        let bits = scramble(u64::from(serial) << 8 | u64::from(row));
        for column in 0..CELLS {
            let black = if column == 0 || row == CELLS - 1 {
                true
            } else if row == 0 {
                column % 2 == 0
            } else if column == CELLS - 1 {
                row % 2 == 1
            } else {
                bits >> column & 1 == 1
            };
            if black {
                let (x, y) = (column as f32 * cell, row as f32 * cell);
                print.fill(left + x, top + y, cell, cell, 1.0);
            }
        }
    }
}

fn sticker() -> Print {
    let mut print = Print::blank(STICKER);
    print.text(7.0, 15.0, 36.0, "QC", 1.0);
    let tick = [[7.0, 2.0], [16.0, 12.0], [33.0, -11.0]];
    for y in 0..print.height {
        for x in 0..print.width {
            let p = [
                (x as f32 + 0.5) / DOTS - print.half[0],
                (y as f32 + 0.5) / DOTS - print.half[1],
            ];
            let edge = polyline(p, &tick).distance - 3.2;
            let at = y * print.width + x;
            print.ink[at] = print.ink[at].max((0.5 - edge * DOTS).clamp(0.0, 1.0));
        }
    }
    print
}

/// The material, marked by a laser.
fn marking(finish: Finish) -> Print {
    let text = match finish {
        Finish::BrushedMetal => "AL 6082 T6",
        Finish::MouldedPolymer => "PA66 GF30",
    };
    let mut print = Print::blank(MARKING);
    let height = 2.0 * MARKING.half[1];
    let left = MARKING.half[0] - 0.5 * font::width(text, height);
    print.text(left, 0.0, height, text, 1.0);
    print
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printed_character_has_ink() {
        for c in "BRACKET 40-31SN0123456789DVQCALTPGF"
            .chars()
            .filter(|c| *c != ' ')
        {
            let text = Text::new(&c.to_string());
            let dots = (0..16).flat_map(|y| (0..8).map(move |x| (x, y)));
            let ink: f32 = dots
                .map(|(x, y)| text.ink(x as f32 / 16.0, y as f32 / 16.0))
                .sum();
            assert!(ink > 3.0, "{c}: {ink}");
        }
    }

    #[test]
    fn another_number_is_another_print() {
        let (a, b) = [1, 2]
            .map(|number| Prints::new(Finish::BrushedMetal, number))
            .into();
        assert_ne!(a.label.ink, b.label.ink);
        let covered = a.label.ink.iter().sum::<f32>() / a.label.ink.len() as f32;
        assert!((0.1..0.6).contains(&covered), "{covered}");
    }
}
