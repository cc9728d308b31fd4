//! The colours of overlays, and what they mean. Colour never stands alone: verdicts carry a symbol
//! and a word, the limit a line and a number.

use crate::inspect::Verdict;

pub(super) type Colour = [u8; 3];

pub(super) const BACKGROUND: Colour = [22, 25, 29];
pub(super) const TRACK: Colour = [48, 53, 60];
pub(super) const INK: Colour = [240, 243, 246];
pub(super) const MUTED: Colour = [158, 167, 178];
pub(super) const EDGE: Colour = [8, 10, 12];
/// Far from every colour of the heat scale.
pub(super) const OUTLINE: Colour = [92, 240, 255];

/// Teal and vermilion: told apart with every common kind of colour blindness.
pub(super) const fn verdict(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Ok => [0, 128, 102],
        Verdict::Ng => [204, 60, 20],
    }
}

/// Where the heat scale ends; higher scores look the same. Fixed, so that pictures compare.
pub(super) const HEAT_TOP: f32 = 2.0;

/// Score below which the picture shows through untouched.
const HEAT_FROM: f32 = 0.5;

/// Colour of a score in units of the limit: Matplotlib's perceptually uniform "inferno" (CC0),
/// without its black end, which would look like shadow.
pub(super) fn heat(score: f32) -> Colour {
    const INFERNO: [Colour; 17] = [
        [0, 0, 4],
        [11, 7, 36],
        [33, 12, 74],
        [61, 9, 101],
        [87, 16, 110],
        [113, 25, 110],
        [138, 34, 106],
        [163, 44, 97],
        [188, 55, 84],
        [208, 69, 69],
        [227, 89, 51],
        [241, 113, 31],
        [249, 140, 10],
        [252, 170, 15],
        [249, 201, 50],
        [242, 232, 101],
        [252, 255, 164],
    ];
    const DARKEST: f32 = 3.0;
    let last = (INFERNO.len() - 1) as f32;
    let share = (score / HEAT_TOP).clamp(0.0, 1.0);
    let at = DARKEST + share * (last - DARKEST);
    let low = (at as usize).min(INFERNO.len() - 2);
    mix(INFERNO[low], INFERNO[low + 1], at - low as f32)
}

/// How much heat covers the picture: nothing up to half the limit, then more with the score.
pub(super) fn heat_alpha(score: f32) -> f32 {
    let rise = ((score - HEAT_FROM) / (1.0 - HEAT_FROM)).clamp(0.0, 1.0);
    let smooth = rise * rise * (3.0 - 2.0 * rise);
    let beyond = ((score - 1.0) / (HEAT_TOP - 1.0)).clamp(0.0, 1.0);
    0.55 * smooth + 0.25 * beyond
}

/// `a` at `part` 0, `b` at 1.
pub(super) fn mix(a: Colour, b: Colour, part: f32) -> Colour {
    let part = part.clamp(0.0, 1.0);
    std::array::from_fn(|i| {
        let (a, b) = (f32::from(a[i]), f32::from(b[i]));
        (a + (b - a) * part).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Colour) -> f32 {
        0.2126 * f32::from(c[0]) + 0.7152 * f32::from(c[1]) + 0.0722 * f32::from(c[2])
    }

    #[test]
    fn hotter_is_always_brighter_and_more_opaque() {
        let scores: Vec<f32> = (0..=40).map(|i| i as f32 * 0.05).collect();
        for pair in scores.windows(2) {
            assert!(luminance(heat(pair[0])) < luminance(heat(pair[1])) + 0.5);
            assert!(heat_alpha(pair[0]) <= heat_alpha(pair[1]));
        }
    }

    #[test]
    fn below_half_the_limit_the_picture_is_untouched() {
        assert_eq!(heat_alpha(0.0), 0.0);
        assert_eq!(heat_alpha(0.5), 0.0);
        assert!(heat_alpha(0.9) > 0.3);
    }
}
