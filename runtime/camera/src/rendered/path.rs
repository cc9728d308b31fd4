//! Lines that scratches, threads and swarf follow: points at even distances, each in the direction
//! of a heading that changes on the way.

use super::dice::Dice;
use super::maths::{Point, Turn, add, mix};

/// A path from `start` in a random direction whose heading changes by up to `bend` degrees a step,
/// itself changing slowly.
pub(super) fn wander(
    start: Point,
    length: f32,
    steps: usize,
    bend: f32,
    dice: &mut Dice,
) -> Vec<Point> {
    let mut heading = dice.between(0.0, 360.0);
    let mut turn = bend * dice.play();
    path(start, length, steps, || {
        turn = (turn + 0.5 * bend * dice.play()).clamp(-bend, bend);
        heading += turn;
        heading
    })
}

/// A path that winds up: `turn` degrees a step at its start, twice that at its end.
pub(super) fn curl(length: f32, steps: usize, turn: f32, dice: &mut Dice) -> Vec<Point> {
    let mut heading = dice.between(0.0, 360.0);
    let mut step = 0;
    path([0.0, 0.0], length, steps, || {
        heading += turn * mix(0.5, 2.0, step as f32 / steps as f32) + 4.0 * dice.play();
        step += 1;
        heading
    })
}

fn path(start: Point, length: f32, steps: usize, mut heading: impl FnMut() -> f32) -> Vec<Point> {
    let stride = [length / steps as f32, 0.0];
    std::iter::successors(Some(start), |&at| {
        Some(add(at, Turn::degrees(heading()).apply(stride)))
    })
    .take(steps + 1)
    .collect()
}
