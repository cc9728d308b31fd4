//! Masks and boxes say where a part differs from its good twin.

use super::super::{DefectKind, LineConfig, RenderedPart};
use super::{for_every_kind, line, small};

/// Largest difference of two frames where the mask is 0, in grey levels of one channel.
fn difference_outside(mask: &RenderedPart, twin: &RenderedPart) -> u8 {
    let pixels = mask.image.pixels().zip(twin.image.pixels());
    pixels
        .zip(mask.mask.iter())
        .filter(|(_, inside)| **inside == 0)
        .flat_map(|((a, b), _)| (0..3).map(|c| a[c].abs_diff(b[c])))
        .max()
        .unwrap_or(0)
}

#[test]
fn good_parts_have_empty_masks() {
    for part in line(small().good_only()).parts().take(10) {
        assert!(part.is_good());
        assert!(part.mask.iter().all(|&m| m == 0));
    }
}

#[test]
fn every_kind_of_defect_is_seen_from_the_least_to_the_greatest_severity() {
    for severity in [0.0, 1.0] {
        let config = LineConfig {
            width: 320,
            height: 240,
            severity: [severity; 2],
            ..LineConfig::default()
        };
        for_every_kind(&config, |line, kind| {
            for index in 0..4 {
                let part = line.part(index, Some(kind));
                let marked = part.mask.iter().filter(|&&m| m == 255).count();
                let named = part.defects.iter().all(|defect| defect.kind == kind);
                assert!(named && !part.is_good(), "{kind} {severity} {index}");
                assert!(marked >= 6, "{kind} {severity} {index}: {marked} px");
                assert!(part.mask.iter().all(|&m| m == 0 || m == 255));
            }
        });
    }
}

#[test]
fn a_greater_severity_changes_more() {
    let change = |kind, severity: f32| {
        let config = LineConfig {
            severity: [severity; 2],
            ..small().still()
        };
        let line = line(config);
        let per_part = |index| {
            let [bad, good] = [Some(kind), None].map(|defect| line.part(index, defect).image);
            let pairs = bad.iter().zip(good.iter());
            pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
        };
        (0..12).map(per_part).sum::<u64>()
    };
    for kind in [
        DefectKind::WrongScrew,
        DefectKind::Scratch,
        DefectKind::Stain,
        DefectKind::Dent,
        DefectKind::Chip,
        DefectKind::MovedLabel,
        DefectKind::ForeignObject,
    ] {
        let (least, greatest) = (change(kind, 0.0), change(kind, 1.0));
        // A label that moved far changes little more than one that moved a bar's width.
        assert!(3 * greatest > 4 * least, "{kind}: {least} to {greatest}");
    }
}

#[test]
fn outside_the_mask_a_part_is_its_good_twin() {
    let noisy = LineConfig {
        noise_levels: 3.0,
        ..small()
    };
    // Rounding can make one level of a difference below the threshold, noise one more.
    for (config, most) in [(small().still(), 1), (noisy, 2)] {
        for_every_kind(&config, |line, kind| {
            for index in 0..6 {
                let (bad, good) = (line.part(index, Some(kind)), line.part(index, None));
                let difference = difference_outside(&bad, &good);
                assert!(difference <= most, "{kind} {index}: {difference} levels");
                assert_ne!(bad.image, good.image, "{kind} {index}");
            }
        });
    }
}

#[test]
fn boxes_enclose_the_mask_and_stay_in_the_frame() {
    for_every_kind(&small(), |line, kind| {
        for index in 10..16 {
            let part = line.part(index, Some(kind));
            for (x, y, mask) in part.mask.enumerate_pixels() {
                let inside = part.defects.iter().any(|defect| {
                    let [left, top, width, height] = defect.bbox;
                    (left..left + width).contains(&x) && (top..top + height).contains(&y)
                });
                assert!(inside || mask[0] == 0, "{kind} {index}: {x}, {y}");
            }
            for defect in &part.defects {
                let [left, top, width, height] = defect.bbox;
                assert!(width > 0 && height > 0, "{kind} {index}");
                assert!(left + width <= 160 && top + height <= 120, "{kind} {index}");
            }
        }
    });
}

#[test]
fn swapped_parts_are_two_places_and_a_moved_label_is_one() {
    let line = line(small());
    let places = |kind| line.part(2, Some(kind)).defects.len();
    assert_eq!(places(DefectKind::SwappedParts), 2);
    assert_eq!(places(DefectKind::MovedLabel), 1);
}

#[test]
fn all_of_a_missing_screw_counts() {
    let line = line(LineConfig {
        width: 640,
        height: 480,
        ..small().still()
    });
    let part = line.part(0, Some(DefectKind::MissingScrew));
    let marked = part.mask.iter().filter(|&&m| m == 255).count() as f32;
    // The counterbore has a radius of 24 px.
    let area = std::f32::consts::PI * 24.0 * 24.0;
    assert!((marked / area - 1.0).abs() < 0.05, "{marked} of {area}");
}
