//! Drift on images: loss of light, defocus and a camera that was pushed are each named, and a line
//! that runs well raises nothing. The images here set no tolerance and no limit.

use std::path::{Path, PathBuf};

use andon_camera::rendered::{Finish, LineConfig, RenderedLine};
use andon_station::{Bands, DriftSettings, DriftWatch, Event, Grey, Meter, Quantity, Thumbnail};
use image::GrayImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A part's image and what it is measured as.
fn grey(image: &GrayImage) -> Grey<'_> {
    Grey::new(
        image.as_raw(),
        image.width() as usize,
        image.height() as usize,
    )
    .expect("images are as large as they say")
}

/// 30 % less light, as a sensor with a straight tone curve sees it.
fn darker(image: &GrayImage) -> GrayImage {
    let mut out = image.clone();
    out.iter_mut()
        .for_each(|level| *level = (f32::from(*level) * 0.7).round() as u8);
    out
}

/// 30 % less light behind a tone curve of gamma 2.2, as web cameras have.
fn darker_behind_gamma(image: &GrayImage) -> GrayImage {
    let mut out = image.clone();
    let gain = 0.7_f32.powf(1.0 / 2.2);
    out.iter_mut()
        .for_each(|level| *level = (f32::from(*level) * gain).round() as u8);
    out
}

/// Each point of light becomes a disc of 3 px radius.
fn defocused(image: &GrayImage) -> GrayImage {
    const RADIUS: i64 = 3;
    let offsets: Vec<(i64, i64)> = (-RADIUS..=RADIUS)
        .flat_map(|y| (-RADIUS..=RADIUS).map(move |x| (x, y)))
        .filter(|(x, y)| x * x + y * y <= RADIUS * RADIUS)
        .collect();
    moved(image, &offsets)
}

/// Everything 10 px to the right; the left edge repeats.
fn pushed(image: &GrayImage) -> GrayImage {
    moved(image, &[(-10, 0)])
}

/// Mean of the image moved by each offset.
fn moved(image: &GrayImage, offsets: &[(i64, i64)]) -> GrayImage {
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let pixels = image.as_raw();
    GrayImage::from_fn(image.width(), image.height(), |x, y| {
        let sum: u32 = offsets
            .iter()
            .map(|(dx, dy)| {
                let x = (i64::from(x) + dx).clamp(0, width - 1);
                let y = (i64::from(y) + dy).clamp(0, height - 1);
                u32::from(pixels[(y * width + x) as usize])
            })
            .sum();
        image::Luma([((sum as f32) / offsets.len() as f32).round() as u8])
    })
}

/// What is named over these parts.
fn named(watch: &mut DriftWatch, meter: &Meter, parts: &[GrayImage]) -> Vec<Quantity> {
    let mut named = Vec::new();
    for part in parts {
        for event in watch.handle_part(true, 0.5, &meter.measure(&grey(part))) {
            if let Event::DriftEntered { quantity, .. } = event {
                named.push(quantity);
            }
        }
    }
    named
}

type Harm = fn(&GrayImage) -> GrayImage;

/// What is done to the images, and what must be named.
const HARMS: [(&str, Harm, Quantity); 4] = [
    ("30 % less light", darker, Quantity::Lighting),
    (
        "30 % less light behind gamma",
        darker_behind_gamma,
        Quantity::Lighting,
    ),
    ("3 px defocus", defocused, Quantity::Focus),
    ("10 px shift", pushed, Quantity::ShiftX),
];

/// Learns from some parts and watches the others, then each harm on the last 40 of these.
fn check(
    name: &str,
    learned: &[GrayImage],
    normal: &[GrayImage],
    harms: &[(&str, Harm, Quantity)],
) {
    let meter = Meter::new(Thumbnail::of(&grey(&learned[0])));
    let measures: Vec<_> = learned
        .iter()
        .map(|part| meter.measure(&grey(part)))
        .collect();
    let bands = Bands::of_parts(&measures);
    let mut watch = DriftWatch::new(DriftSettings::default(), &bands);
    assert_eq!(
        named(&mut watch, &meter, normal),
        [],
        "{name}: normal parts"
    );
    for (harm, change, quantity) in harms {
        let last = &normal[normal.len() - 40..];
        let parts: Vec<_> = last.iter().map(change).collect();
        let mut watch = watch.clone();
        let result = named(&mut watch, &meter, &parts);
        println!("{name}, {harm}: {result:?}, {:?}", watch.status(*quantity));
        assert_eq!(result, [*quantity], "{name}, {harm}");
    }
}

fn rendered(finish: Finish) {
    let config = LineConfig {
        finish,
        seed: 11,
        ..LineConfig::default()
    }
    .good_only();
    let line = RenderedLine::new(config).expect("default settings");
    let parts: Vec<GrayImage> = (0..230)
        .map(|part| image::imageops::grayscale(&line.part(part, None).image))
        .collect();
    check(&format!("{finish:?}"), &parts[..30], &parts[30..], &HARMS);
}

#[test]
fn drift_of_rendered_metal_parts_is_named_and_200_normal_ones_raise_nothing() {
    rendered(Finish::BrushedMetal);
}

#[test]
fn drift_of_rendered_polymer_parts_is_named_and_200_normal_ones_raise_nothing() {
    rendered(Finish::MouldedPolymer);
}

/// Images of a folder beside the repository, by name; `None` where it is absent.
fn folder(name: &str) -> Option<Vec<GrayImage>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(entries) = root.join(name).read_dir() else {
        eprintln!("SKIPPED: there are no images in ../shared/data/{name} beside the repository");
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let open = |path: &PathBuf| image::open(path).expect("they are images").to_luma8();
    Some(paths.iter().map(open).collect())
}

/// A camera that stands over this scene: 230 frames with flicker of 2 %, noise of 2 levels and
/// parts that lie within a pixel.
fn fixed_camera(scene: &GrayImage, seed: u64) -> Vec<GrayImage> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    (0..230)
        .map(|_| {
            let gain: f32 = dice.random_range(0.98..1.02);
            let at = (dice.random_range(-1..=1), dice.random_range(-1..=1));
            let mut frame = moved(scene, &[at]);
            for level in frame.iter_mut() {
                let noise: f32 = (0..4).map(|_| dice.random_range(-1.73..1.73)).sum();
                *level = (f32::from(*level) * gain + noise).round() as u8;
            }
            frame
        })
        .collect()
}

fn real_scenes(name: &str, count: usize) {
    let Some(images) = folder(name) else { return };
    for (seed, scene) in (0..).zip(images.iter().step_by(images.len() / count).take(count)) {
        let frames = fixed_camera(scene, seed);
        check(
            &format!("{name} {seed}"),
            &frames[..30],
            &frames[30..],
            &HARMS,
        );
    }
}

#[test]
fn drift_of_a_fixed_camera_over_real_screws_is_named() {
    real_scenes("screws/good", 3);
}

#[test]
fn drift_of_a_fixed_camera_over_real_boards_is_named() {
    real_scenes("pcb/good", 3);
}

#[test]
fn drift_of_a_fixed_camera_over_real_tiles_is_named() {
    real_scenes("tiles/good", 4);
}

/// Hand-held pictures and tiles of all sizes vary more than a small shift: there only light and
/// sharpness can be told, and only as far as their own spread allows.
fn varied(name: &str, harms: &[(&str, Harm, Quantity)]) {
    let Some(images) = folder(name) else { return };
    // Three of four are learned; the others come again and again until 200 have passed.
    let (mut learned, mut others) = (Vec::new(), Vec::new());
    for (k, image) in images.into_iter().enumerate() {
        if k % 4 == 3 {
            others.push(image);
        } else {
            learned.push(image);
        }
    }
    let normal: Vec<_> = others.iter().cycle().take(200).cloned().collect();
    check(name, &learned, &normal, harms);
}

#[test]
fn loss_of_light_is_named_on_hand_held_pictures() {
    varied("screws/good", &HARMS[..1]);
}

#[test]
fn loss_of_light_and_defocus_are_named_on_tiles_of_all_sizes() {
    varied("tiles/good", &[HARMS[0], HARMS[2]]);
}

#[test]
fn a_shift_of_a_real_image_is_measured_to_a_pixel_on_each_of_them() {
    for name in ["screws/good", "pcb/good", "tiles/good"] {
        let Some(images) = folder(name) else { return };
        let mut worst = 0.0_f32;
        let mut none = 0;
        for image in &images {
            let meter = Meter::new(Thumbnail::of(&grey(image)));
            match meter.measure(&grey(&pushed(image))).shift_x_px {
                Some(shift) => worst = worst.max((shift - 10.0).abs()),
                None => none += 1,
            }
        }
        println!(
            "{name}: {} images, worst {worst} px, {none} without",
            images.len()
        );
        assert!(worst < 1.5, "{name}: off by {worst} px");
        assert!(none == 0, "{name}: {none} without a shift");
    }
}
