use image::{Rgb, RgbImage};

use super::{Kind, Levels, Stress, Sweep};

/// A bright square on a dark ground, with colour.
fn picture() -> RgbImage {
    RgbImage::from_fn(400, 320, |x, y| {
        let inside = (160..240).contains(&x) && (120..200).contains(&y);
        Rgb(if inside {
            [200, 150, 100]
        } else {
            [40, 50, 60]
        })
    })
}

fn apply(kind: Kind, level: f32) -> RgbImage {
    Stress { kind, level }.apply(&picture()).unwrap()
}

/// Mean absolute difference in grey levels.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a
        .iter()
        .zip(b.iter())
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.as_raw().len() as f64
}

/// Centre of the bright square, px.
fn centre(picture: &RgbImage) -> [f64; 2] {
    let mut sums = [0.0; 3];
    for (x, y, pixel) in picture.enumerate_pixels() {
        let weight = f64::from(pixel.0[0]) - 40.0;
        sums[0] += weight * (f64::from(x) + 0.5);
        sums[1] += weight * (f64::from(y) + 0.5);
        sums[2] += weight;
    }
    [sums[0] / sums[2], sums[1] / sums[2]]
}

#[test]
fn every_stress_keeps_the_size_repeats_itself_and_grows_with_its_level() {
    for kind in Kind::ALL {
        let mut seen = Vec::new();
        for &level in kind.levels() {
            let view = apply(kind, level);
            assert_eq!(view.dimensions(), (400, 320), "{kind} {level}");
            assert_eq!(view, apply(kind, level), "{kind} {level}");
            seen.push((level, difference(&view, &picture())));
        }
        // By distance from the level that changes nothing.
        let nothing = match kind {
            Kind::Gamma => 1.0,
            Kind::Jpeg => 100.0,
            _ => 0.0,
        };
        for side in [-1.0, 1.0] {
            let mut on_side: Vec<_> = seen
                .iter()
                .filter(|(level, _)| (level - nothing) * side > 0.0)
                .collect();
            on_side.sort_by(|a, b| (a.0 - nothing).abs().total_cmp(&(b.0 - nothing).abs()));
            assert!(on_side.is_sorted_by_key(|(_, d)| *d), "{kind}: {seen:?}");
        }
        assert!(seen.iter().any(|(_, d)| *d > 0.05), "{kind}: {seen:?}");
    }
}

#[test]
fn a_level_of_nothing_leaves_the_picture_as_it_was() {
    for kind in Kind::ALL {
        let (level, most) = match kind {
            Kind::Gamma => (1.0, 0.0),
            Kind::Jpeg => (100.0, 1.5),
            _ => (0.0, 0.0),
        };
        let left = difference(&apply(kind, level), &picture());
        assert!(left <= most, "{kind}: {left}");
    }
}

#[test]
fn light_does_what_its_level_says() {
    assert_eq!(
        apply(Kind::Brightness, 30.0).get_pixel(200, 160).0,
        [255, 195, 130]
    );
    assert_eq!(
        apply(Kind::Brightness, -50.0).get_pixel(200, 160).0,
        [100, 75, 50]
    );
    assert_eq!(
        apply(Kind::Temperature, 20.0).get_pixel(200, 160).0,
        [240, 150, 80]
    );
    // 255 (100 / 255)^2 = 39.2
    assert_eq!(apply(Kind::Gamma, 2.0).get_pixel(200, 160).0[2], 39);
}

#[test]
fn a_shift_is_a_part_of_the_shorter_side() {
    let [x, y] = centre(&picture());
    let [moved_x, moved_y] = centre(&apply(Kind::Shift, 10.0));
    assert!((moved_x - x - 32.0).abs() < 0.1, "{x} {moved_x}");
    assert!((moved_y - y - 16.0).abs() < 0.1, "{y} {moved_y}");
}

#[test]
fn smearing_spreads_along_rows_and_keeps_the_light() {
    let view = apply(Kind::MotionBlur, 12.5);
    let red = |x, y| i32::from(view.get_pixel(x, y).0[0]);
    // 40 pixels long: half of it sees the square at its edge.
    assert!((red(160, 160) - 120).abs() <= 10, "{}", red(160, 160));
    assert_eq!(red(200, 100), 40);
    let sum = |p: &RgbImage| p.iter().map(|&v| f64::from(v)).sum::<f64>();
    // Fractions are cut off, so up to one level is lost.
    assert!((sum(&view) / sum(&picture()) - 1.0).abs() < 0.02);
}

#[test]
fn noise_has_the_deviation_that_is_asked_for() {
    let grey = RgbImage::from_pixel(100, 100, Rgb([128; 3]));
    let view = Stress {
        kind: Kind::Noise,
        level: 8.0,
    }
    .apply(&grey)
    .unwrap();
    let values: Vec<f64> = view.iter().map(|&v| f64::from(v)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    assert!((mean - 128.0).abs() < 0.3 && (variance.sqrt() - 8.0).abs() < 0.3);
}

#[test]
fn levels_are_read_from_words_and_nonsense_is_refused_by_name() {
    let levels: Levels = "motion-blur=0.5, 2".parse().unwrap();
    assert_eq!(
        (levels.kind, levels.levels),
        (Kind::MotionBlur, vec![0.5, 2.0])
    );
    let usual: Levels = "noise".parse().unwrap();
    assert_eq!(usual.levels, Kind::Noise.levels());
    for (text, word) in [
        ("dust", "motion-blur"),
        ("noise=loud", "\"loud\""),
        ("noise=", "\"\""),
        ("jpeg=0", "from 1 to 100"),
        ("blur=NaN", "NaN"),
    ] {
        let error = text.parse::<Levels>().unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_sweep_begins_with_the_pictures_as_they_came() {
    let sweep = Sweep::new(&["noise=4,8".parse().unwrap(), "jpeg=50".parse().unwrap()]);
    let stresses = sweep.stresses();
    assert_eq!(stresses.len(), 4);
    assert_eq!(stresses[0], None);
    assert_eq!(
        stresses[3],
        Some(Stress {
            kind: Kind::Jpeg,
            level: 50.0
        })
    );
    let usual: usize = Kind::ALL.iter().map(|kind| kind.levels().len()).sum();
    assert_eq!(Sweep::new(&[]).stresses().len(), 1 + usual);
}
