//! Elementary functions from additions, multiplications and square roots only.
//!
//! The standard `sin`, `cos` and `exp` may differ in the last bit between platforms, and a frame
//! must not. None of these is fast; they are used per part, never per pixel.

use std::f64::consts::{PI, TAU};

/// A point or a vector in a plane.
pub(super) type Point = [f32; 2];

/// `a + b`
pub(super) fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

/// `a - b`
pub(super) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

/// `a` times the number `k`.
pub(super) fn scale(a: Point, k: f32) -> Point {
    [a[0] * k, a[1] * k]
}

/// Length of `a`. Not `hypot`, which is slower and not exact everywhere.
pub(super) fn length(a: Point) -> f32 {
    (a[0] * a[0] + a[1] * a[1]).sqrt()
}

/// A direction in the plane, kept as cosine and sine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    /// Cosine of the angle.
    pub(super) cos: f32,
    /// Sine of the angle.
    pub(super) sin: f32,
}

impl Turn {
    /// Turn by `degrees`, clockwise as seen in a frame (y grows downwards).
    pub(super) fn degrees(degrees: f32) -> Self {
        let turns = f64::from(degrees) / 360.0;
        let angle = (turns - turns.round()) * TAU;
        Self {
            cos: sin(PI / 2.0 - angle.abs()) as f32,
            sin: sin(angle) as f32,
        }
    }

    /// The vector `a`, turned.
    pub(super) fn apply(self, a: Point) -> Point {
        [
            self.cos * a[0] - self.sin * a[1],
            self.sin * a[0] + self.cos * a[1],
        ]
    }

    /// The vector `a`, turned back.
    pub(super) fn undo(self, a: Point) -> Point {
        [
            self.cos * a[0] + self.sin * a[1],
            self.cos * a[1] - self.sin * a[0],
        ]
    }
}

/// Sine of an angle in `-PI..=PI`, by its Taylor series after folding into a quarter turn.
fn sin(angle: f64) -> f64 {
    let folded = if angle.abs() > PI / 2.0 {
        PI.copysign(angle) - angle
    } else {
        angle
    };
    let square = folded * folded;
    let mut term = folded;
    let mut sum = folded;
    for step in 1..10 {
        let n = f64::from(2 * step);
        term *= -square / (n * (n + 1.0));
        sum += term;
    }
    sum
}

/// `e` to the power of `-x` for `x >= 0`: a Taylor series of a small part of it, squared up.
pub(super) fn exp_minus(x: f64) -> f64 {
    let small = x.min(700.0) / 1024.0;
    let mut value = 1.0 - small + small * small / 2.0 - small * small * small / 6.0
        + small * small * small * small / 24.0;
    for _ in 0..10 {
        value *= value;
    }
    value
}

/// 0 below `low`, 1 above `high`, a smooth cubic between them.
pub(super) fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// `a` for `t = 0`, `b` for `t = 1`.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_agree_with_the_standard_library() {
        for step in -1000..1000 {
            let degrees = step as f32 * 0.77;
            let turn = Turn::degrees(degrees);
            let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
            assert!((f64::from(turn.sin) - sin).abs() < 1e-6, "sin {degrees}");
            assert!((f64::from(turn.cos) - cos).abs() < 1e-6, "cos {degrees}");
        }
    }

    #[test]
    fn the_exponential_agrees_with_the_standard_library() {
        for step in 0..400 {
            let x = f64::from(step) * 0.05;
            assert!((exp_minus(x) - (-x).exp()).abs() < 1e-6, "exp(-{x})");
        }
    }
}
