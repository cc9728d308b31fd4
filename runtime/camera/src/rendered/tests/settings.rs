//! Settings outside their range are refused, those at its ends are drawn.

use super::super::{DefectKind, LineConfig, LineConfigError, RenderedLine};
use super::{for_every_kind, line, small};

type Set = fn(&mut LineConfig, f32);

/// Every number of a line, with its range.
const NUMBERS: [(&str, Set, [f32; 2]); 16] = [
    ("defect_rate", |c, v| c.defect_rate = v, [0.0, 1.0]),
    ("severity[0]", |c, v| c.severity = [v, 1.0], [0.0, 1.0]),
    ("severity[1]", |c, v| c.severity = [0.0, v], [0.0, 1.0]),
    ("vibration_px", |c, v| c.vibration_px = v, [0.0, 10_000.0]),
    ("vibration_deg", |c, v| c.vibration_deg = v, [0.0, 180.0]),
    ("placement_px", |c, v| c.placement_px = v, [0.0, 5.0]),
    ("placement_deg", |c, v| c.placement_deg = v, [0.0, 2.0]),
    (
        "brightness_drift",
        |c, v| c.brightness_drift = v,
        [0.0, 0.5],
    ),
    ("colour_drift", |c, v| c.colour_drift = v, [0.0, 0.3]),
    ("gradient_drift", |c, v| c.gradient_drift = v, [0.0, 0.4]),
    ("drift_parts", |c, v| c.drift_parts = v, [1.0, 1e9]),
    ("flicker", |c, v| c.flicker = v, [0.0, 0.5]),
    ("texture", |c, v| c.texture = v, [0.0, 2.0]),
    ("noise_levels", |c, v| c.noise_levels = v, [0.0, 64.0]),
    ("blur_px", |c, v| c.blur_px = v, [0.0, 5.0]),
    ("vignette", |c, v| c.vignette = v, [0.0, 0.9]),
];

#[test]
fn a_number_outside_its_range_is_refused_by_name() {
    for (name, set, [low, high]) in NUMBERS {
        for value in [low - 0.01, high * 1.01, f32::NAN, f32::INFINITY] {
            let mut config = small();
            set(&mut config, value);
            let error = RenderedLine::new(config).expect_err(name).to_string();
            let expected = format!("line setting {name} is {value}, but must be {low} to {high}");
            assert_eq!(error, expected);
        }
    }
}

#[test]
fn numbers_at_the_ends_of_their_ranges_are_drawn() {
    for (_, set, range) in NUMBERS {
        for value in range {
            let mut config = LineConfig {
                width: 48,
                height: 36,
                ..LineConfig::default()
            };
            set(&mut config, value);
            let line = line(config);
            assert_eq!(line.parts().take(2).count(), 2);
        }
    }
}

#[test]
fn a_severity_range_that_is_upside_down_is_refused() {
    let error = RenderedLine::new(LineConfig {
        severity: [0.6, 0.4],
        ..small()
    });
    let message = error.expect_err("0.6 to 0.4").to_string();
    assert_eq!(
        message,
        "line setting severity[1] is 0.4, but must be 0.6 to 1"
    );
}

#[test]
fn a_frame_without_pixels_or_of_absurd_size_is_refused() {
    for (width, height) in [(0, 480), (640, 0), (8193, 10), (10, u32::MAX)] {
        let error = RenderedLine::new(LineConfig {
            width,
            height,
            ..LineConfig::default()
        });
        let error = error.expect_err("frame size");
        assert_eq!(error, LineConfigError::FrameSize { width, height });
        let text = error.to_string();
        assert!(text.ends_with("each side must be 1 to 8192 px"), "{text}");
    }
}

#[test]
fn defects_of_no_kind_are_refused_unless_none_are_wanted() {
    let none = LineConfig {
        defects: Vec::new(),
        ..small()
    };
    let error = RenderedLine::new(none.clone()).expect_err("no kinds");
    assert_eq!(error, LineConfigError::NoKinds { rate: 0.1 });
    assert!(
        line(none.good_only())
            .parts()
            .take(5)
            .all(|part| part.is_good())
    );
}

#[test]
fn frames_of_any_shape_are_drawn() {
    for (width, height) in [(1, 1), (16, 9), (1, 64), (200, 3), (9, 16)] {
        let config = LineConfig {
            width,
            height,
            ..LineConfig::default()
        };
        for_every_kind(&config, |line, kind| {
            let part = line.part(7, Some(kind));
            assert_eq!(part.image.dimensions(), (width, height));
            assert_eq!(part.mask.dimensions(), (width, height));
        });
    }
}

#[test]
fn a_part_that_left_the_frame_shows_no_defect() {
    let line = line(LineConfig {
        vibration_px: 10_000.0,
        ..small()
    });
    let lost = (0..20).map(|index| line.part(index, Some(DefectKind::MissingLabel)));
    let unseen = lost.filter(|part| part.is_good() && part.mask.iter().all(|&m| m == 0));
    assert!(unseen.count() > 15);
}
