//! Colours of eigenvectors and groups. Eigenvectors are mixed in OKLab (Ottosson 2020), where equal
//! steps look equally far apart.

use super::palette::Colour;

/// Colours of groups: those of Okabe and Ito, told apart with every common kind of colour blindness.
/// Groups carry a number beside their colour.
const GROUPS: [Colour; 8] = [
    [86, 180, 233],
    [230, 159, 0],
    [0, 158, 115],
    [204, 121, 167],
    [240, 228, 66],
    [213, 94, 0],
    [0, 114, 178],
    [170, 170, 170],
];

/// Colour of a group, from 0.
pub(super) fn group(number: usize) -> Colour {
    GROUPS[number % GROUPS.len()]
}

/// Colour of an eigenvector's value in -1..=1, where the sign has no meaning but the difference
/// does: blue below 0, light at 0, orange above.
pub(super) fn signed(value: f64) -> Colour {
    const LOW: [f64; 3] = [0.42, -0.03, -0.15];
    const ZERO: [f64; 3] = [0.95, 0.0, 0.0];
    const HIGH: [f64; 3] = [0.56, 0.11, 0.11];
    let end = if value < 0.0 { LOW } else { HIGH };
    let part = value.abs().min(1.0);
    oklab(std::array::from_fn(|i| ZERO[i] + (end[i] - ZERO[i]) * part))
}

/// One colour for three eigenvectors at once, each about -1..=1: the first is lightness, the others
/// are the two axes of hue.
pub(super) fn three([first, second, third]: [f64; 3]) -> Colour {
    let bound = |v: f64| v.clamp(-1.0, 1.0);
    oklab([
        0.64 + 0.28 * bound(first),
        0.14 * bound(second),
        0.14 * bound(third),
    ])
}

fn oklab([lightness, a, b]: [f64; 3]) -> Colour {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
    .map(|linear| {
        let linear = linear.clamp(0.0, 1.0);
        let encoded = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_black_and_red_of_oklab_are_those_of_srgb() {
        assert_eq!(oklab([1.0, 0.0, 0.0]), [255; 3]);
        assert_eq!(oklab([0.0; 3]), [0; 3]);
        let [r, g, b] = oklab([0.627_955, 0.224_863, 0.125_846]);
        assert!(r >= 254 && g <= 1 && b <= 1, "{r} {g} {b}");
    }

    #[test]
    fn farther_from_zero_is_darker_on_both_sides() {
        let light = |v: f64| signed(v).iter().map(|c| u32::from(*c)).sum::<u32>();
        for step in 0..20 {
            let (near, far) = (f64::from(step) * 0.05, f64::from(step + 1) * 0.05);
            assert!(light(far) < light(near) && light(-far) < light(-near));
        }
    }
}
