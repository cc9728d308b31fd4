//! A region of interest of any shape: what a mask leaves out is neither computed nor judged.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use andon::image::{InputShape, Mask};
use andon::inspect::Verdict;
use andon::normal::Centre;
use andon::pipeline::LearnSettings;
use andon::recipe::{LearnOptions, Place, Recipe};
use andon::vit::{Grid, Kept};
use common::{Run, andon, bad, good, inspect, learn_as, settings, write_good};
use image::{GrayImage, Luma, Rgb, RgbImage};

/// Where the label lies on the parts of the line, with room around it: whole patches of the input,
/// `[left, top, right, bottom]` in pixels.
const LABEL: [u32; 4] = [40, 90, 200, 210];

/// White where `white` says so, as large as the pictures.
fn mask(white: impl Fn(bool) -> bool) -> GrayImage {
    GrayImage::from_fn(320, 240, |x, y| {
        let [left, top, right, bottom] = LABEL;
        let on_label = (left..right).contains(&x) && (top..bottom).contains(&y);
        Luma([if white(on_label) { 255 } else { 0 }])
    })
}

/// Learns five good parts with a mask.
fn learned(mask: GrayImage, options: LearnOptions) -> Recipe {
    let LearnSettings { view, .. } = settings();
    let view = view.with_mask(&Mask::new(mask), 14, "mask.png").unwrap();
    let settings = LearnSettings {
        view,
        options,
        ..settings()
    };
    learn_as(5, settings)
}

/// The picture with a square in the middle of the label painted.
fn painted(picture: &RgbImage, colour: [u8; 3]) -> RgbImage {
    let mut painted = picture.clone();
    for (x, y) in (110..150).flat_map(|x| (130..170).map(move |y| (x, y))) {
        painted.put_pixel(x, y, Rgb(colour));
    }
    painted
}

#[test]
fn a_defect_under_the_mask_passes_and_one_beside_it_does_not_however_it_is_learned() {
    let part = bad(21);
    let [x, y, width, height] = part.defects[0].bbox;
    let [left, top, right, bottom] = LABEL;
    assert!(x > left && y > top && x + width < right && y + height < bottom);
    let image = LearnOptions {
        centre: Some(Centre::Image),
        ..LearnOptions::default()
    };
    let place = LearnOptions {
        place: Place::Counts,
        ..LearnOptions::default()
    };
    for options in [LearnOptions::default(), image, place] {
        let without_label = learned(mask(|on_label| !on_label), options);
        let passed = inspect(&without_label, &part.image);
        assert_eq!(passed.verdict, Verdict::Ok, "{options:?}: {}", passed.score);
        // Nothing of what is left out reaches a score, a mean or another patch.
        let other = inspect(&without_label, &painted(&part.image, [255, 0, 255]));
        assert_eq!(passed, other, "{options:?}");

        let only_label = learned(mask(|on_label| on_label), options);
        let failed = inspect(&only_label, &part.image);
        assert_eq!(failed.verdict, Verdict::Ng, "{options:?}: {}", failed.score);
        for region in &failed.regions {
            let [x, y, width, height] = region.bbox;
            let inside = x >= left && y >= top && x + width <= right && y + height <= bottom;
            assert!(inside, "{options:?}: {region}");
        }
        // The golden input that is damaged is damaged where it is looked at.
        assert!(only_label.golden[1].score > 1.0, "{options:?}");
        let kept = only_label.view.kept.as_ref().unwrap();
        assert_eq!(failed.map.kept.as_ref(), Some(kept));
        let passed = inspect(&only_label, &good(20));
        assert_eq!(passed.verdict, Verdict::Ok, "{options:?}: {}", passed.score);
    }
}

#[test]
fn a_mask_that_keeps_everything_judges_like_none() {
    let masked = learned(mask(|_| true), LearnOptions::default());
    let plain = common::learn(5);
    for picture in [good(20), bad(21).image] {
        let (found, expected) = (inspect(&masked, &picture), inspect(&plain, &picture));
        assert_eq!(found.score.to_bits(), expected.score.to_bits());
        assert_eq!(found.regions, expected.regions);
    }
}

#[test]
fn a_recipe_keeps_its_mask_in_a_layout_that_older_programs_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = learned(mask(|on_label| on_label), LearnOptions::default());
    recipe.write(&path).unwrap();
    assert_eq!(Recipe::read(&path).unwrap(), recipe);
    let kept = recipe.view.kept.clone().unwrap();
    // Columns 1 to 4 and rows 3 to 6, as the area of the label says.
    assert_eq!(kept.to_string(), "16 of 8 x 8 patches");
    assert_eq!(recipe.normal.kept, Some(kept));
    let header = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    assert!(header(&path).contains("\\\"layout\\\":2") && header(&path).contains(".####..."));

    // One without a mask is as it always was.
    let mut plain = common::learn(5);
    plain.write(&path).unwrap();
    assert!(header(&path).contains("\\\"layout\\\":1") && !header(&path).contains("kept"));
}

#[test]
fn a_recipe_whose_mask_does_not_fit_its_grid_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = common::learn(5);
    let mut refused = |shape, grid, words: [&str; 2]| {
        recipe.view.shape = shape;
        recipe.view.kept = Kept::new(grid, |patch| *patch > 0);
        recipe.write(&path).unwrap();
        let error = Recipe::read(&path).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    let (grid, other) = (Grid { rows: 8, cols: 8 }, Grid { rows: 8, cols: 7 });
    refused(
        InputShape::Common,
        other,
        ["8 x 7 patches", "8 x 8 patches"],
    );
    refused(InputShape::Own, grid, ["mask", "own shape"]);
}

/// Runs `andon learn --json` on a folder of good parts.
fn learn(good: &Path, recipe: &Path, more: &[&str]) -> Run {
    let paths = [good, recipe].map(|path| path.to_str().unwrap());
    let fixed = [
        "learn", "--json", "--size", "112", "--good", paths[0], "-o", paths[1],
    ];
    andon(fixed.iter().chain(more))
}

#[test]
fn the_commands_learn_show_judge_and_time_with_a_mask() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let recipe = folder.path().join("line.andon");
    write_good(&folder.path().join("good"), 0..5);
    // Of another size than the pictures: it is stretched over them.
    let small = GrayImage::from_fn(16, 16, |_, y| Luma([if y < 6 { 200 } else { 90 }]));
    small.save(at("mask.png")).unwrap();
    let run = learn(
        &folder.path().join("good"),
        &recipe,
        &["--mask", &at("mask.png")],
    )
    .exits(0);
    assert_eq!(run.object()["mask"]["kept"], 24, "{run}");
    assert_eq!(run.object()["mask"]["patches"], 64, "{run}");
    run.says(&["24 of 8 x 8 patches"]);

    let recipe = recipe.to_str().unwrap();
    let shown = andon(["recipe", "show", recipe]).exits(0);
    assert!(shown.stdout.contains("24 of 8 x 8 patches"), "{shown}");
    andon(["recipe", "verify", "-r", recipe]).exits(0);
    bad(21).image.save(at("bad.png")).unwrap();
    let overlays = at("overlays");
    // The label lies below.
    andon([
        "inspect",
        "-r",
        recipe,
        &at("bad.png"),
        "--overlay",
        &overlays,
    ])
    .exits(0);
    let bench = [
        "bench",
        "-r",
        recipe,
        "--images",
        "2",
        "--against",
        "plain",
        "--no-station",
    ];
    let bench = andon(bench.iter().chain(&["--json"])).exits(0);
    assert!(bench.object()["measured"].is_array(), "{bench}");
}

#[test]
fn masks_that_cannot_be_used_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let good = folder.path().join("good");
    write_good(&good, 0..1);
    mask(|_| false).save(at("black.png")).unwrap();
    mask(|_| true).save(at("white.png")).unwrap();
    fs::write(at("text.png"), "no picture").unwrap();
    let recipe = folder.path().join("never.andon");
    let refused = |mask: &str, more: &[&str], words: &[&str]| {
        let mask = at(mask);
        learn(&good, &recipe, &[&["--mask", mask.as_str()], more].concat()).refuses(words);
    };
    refused("black.png", &[], &["black.png", "keeps nothing", "white"]);
    refused("text.png", &[], &["cannot use the mask", "text.png"]);
    refused("none.png", &[], &["cannot use the mask", "none.png"]);
    refused(
        "white.png",
        &["--shape", "own"],
        &["a mask needs one shape", "--shape own"],
    );
    assert!(!recipe.exists());
}
