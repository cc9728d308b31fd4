//! The same line makes the same frames, everywhere and in any order.

use std::path::Path;

use super::super::{DefectKind, Finish, LineConfig, RenderedPart, ScrewDrive};
use super::{for_every_kind, line, small};

/// FNV-1a of the frame and its mask: the offset basis and prime of the 64-bit variant.
fn fingerprint(part: &RenderedPart) -> u64 {
    let bytes = part.image.iter().chain(part.mask.iter());
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[test]
fn the_same_seed_and_number_give_the_same_bytes() {
    for_every_kind(&small(), |one, kind| {
        let other = line(one.config().clone());
        // In another order, and after other parts.
        let _ = other.part(99, None);
        for index in [5, 0, 3] {
            assert_eq!(one.part(index, Some(kind)), other.part(index, Some(kind)));
        }
    });
}

#[test]
fn another_seed_or_number_gives_another_frame() {
    let (one, other) = (line(small()), line(LineConfig { seed: 2, ..small() }));
    assert_ne!(one.part(0, None).image, other.part(0, None).image);
    assert_ne!(one.part(0, None).image, one.part(1, None).image);
}

#[test]
fn the_running_line_makes_the_parts_that_it_announces() {
    let line = line(LineConfig {
        defect_rate: 0.5,
        ..small()
    });
    for part in line.parts_from(40).take(12) {
        let announced = line.defect_at(part.index);
        assert_eq!(part, line.part(part.index, announced));
        assert_eq!(part.defects.first().map(|defect| defect.kind), announced);
    }
}

#[test]
fn the_share_of_defective_parts_is_the_one_asked_for() {
    let line = line(LineConfig {
        defect_rate: 0.2,
        ..small()
    });
    let verdicts: Vec<_> = (0..10_000).filter_map(|i| line.defect_at(i)).collect();
    // Five standard deviations of a binomial count.
    assert!((1800..2200).contains(&verdicts.len()), "{}", verdicts.len());
    for kind in DefectKind::ALL {
        let count = verdicts.iter().filter(|&&k| k == kind).count();
        assert!((115..250).contains(&count), "{kind}: {count}");
    }
}

#[test]
fn good_parts_differ_by_pose_light_and_noise_only_as_far_as_asked() {
    let still = line(LineConfig {
        texture: 0.0,
        ..small().still()
    });
    let (a, b) = (still.part(0, None).image, still.part(1, None).image);
    // The belt moves on and screw heads turn, so compare where the plate is plain.
    for (x, y) in [(50, 85), (100, 85), (120, 60), (80, 100)] {
        assert_eq!(a.get_pixel(x, y), b.get_pixel(x, y), "{x}, {y}");
    }
    let moving = line(small());
    assert_ne!(moving.illumination(0), moving.illumination(1));
    assert_eq!(still.illumination(0), still.illumination(1));
}

#[test]
fn serial_numbers_change_the_label_from_part_to_part() {
    let line = line(LineConfig {
        width: 640,
        height: 480,
        serial_numbers: true,
        ..small().still()
    });
    let label = |index| {
        let frame = line.part(index, None).image;
        image::imageops::crop_imm(&frame, 130, 270, 190, 60).to_image()
    };
    let (a, b) = (label(1), label(2));
    let changed = a.iter().zip(b.iter()).filter(|(a, b)| a.abs_diff(**b) > 60);
    assert!(changed.count() > 500);
}

#[test]
fn the_last_part_of_a_line_can_be_drawn() {
    let line = line(small());
    let parts: Vec<_> = line.parts_from(u64::MAX).take(2).collect();
    assert_eq!([parts[0].index, parts[1].index], [u64::MAX, 0]);
}

/// Frames must not depend on the machine. Recorded on x86-64; x86-64 with fused multiply-add
/// allowed, and wasm32, gave the same. This test fails on a platform, or with compiler settings,
/// that computes a single byte differently. After a wanted change of the drawing, take the new
/// values from the message.
#[test]
fn frames_are_those_that_were_recorded() {
    let metal = line(small());
    let polymer = line(LineConfig {
        finish: Finish::MouldedPolymer,
        drive: ScrewDrive::Phillips,
        serial_numbers: true,
        seed: 77,
        ..small()
    });
    let prints = [
        fingerprint(&metal.part(0, None)),
        fingerprint(&metal.part(123_456, Some(DefectKind::ForeignObject))),
        fingerprint(&metal.part(5, Some(DefectKind::Scratch))),
        fingerprint(&metal.part(6, Some(DefectKind::Stain))),
        fingerprint(&polymer.part(1, Some(DefectKind::Chip))),
        fingerprint(&polymer.part(2, Some(DefectKind::RotatedLabel))),
        fingerprint(&polymer.part(3, Some(DefectKind::Dent))),
    ];
    let recorded = [
        0xD0E3_411B_9D03_1BF6,
        0x4C31_592D_D8A0_0BEB,
        0xA7E7_94E9_7A07_2ABC,
        0x9B42_2F78_43EB_365B,
        0xD261_C7F6_154E_3CCA,
        0x2718_34CA_923A_BF71,
        0xEEF4_8CD2_0BC1_D3E2,
    ];
    assert_eq!(prints, recorded, "{prints:#018X?}");
}

/// IEEE 754 fixes the results of `+ - * /`, square root, rounding and comparison, and Rust neither
/// fuses nor reorders them. It fixes nothing about these functions, which a platform's library may
/// compute differently in the last bit.
#[test]
fn no_function_whose_last_bit_depends_on_the_platform_is_used() {
    const LOOSE: [&str; 18] = [
        ".sin(",
        ".cos(",
        ".tan(",
        ".sin_cos(",
        ".asin(",
        ".acos(",
        ".atan(",
        ".atan2(",
        ".exp(",
        ".exp2(",
        ".ln(",
        ".log",
        ".powf(",
        ".powi(",
        ".hypot(",
        ".cbrt(",
        ".mul_add(",
        "f32::sin",
    ];
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rendered");
    let mut read = 0;
    for entry in std::fs::read_dir(&room).expect("the room can be listed") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("source text");
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
        for name in LOOSE {
            assert!(!product.contains(name), "{} calls {name}", path.display());
        }
        read += 1;
    }
    assert!(read > 20, "only {read} files in {}", room.display());
}
