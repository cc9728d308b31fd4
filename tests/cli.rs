//! The program as its user meets it: what it prints, how it ends, what it says when asked for the
//! impossible.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ::image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use andon::image;
use andon::recipe::Recipe;
use common::{Run, andon, bad, good, line, model_files, write_good, write_model};
use serde_json::Value;
use tempfile::TempDir;

/// Parts 0 to 5 of the line as files, and the recipe learned from them.
struct Bench {
    good: PathBuf,
    recipe: PathBuf,
    learned: Run,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    // Cargo's own folder for tests: a folder in a static is never cleaned up.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    let _ = fs::remove_dir_all(&folder);
    let good = folder.join("good");
    write_good(&good, 0..6);
    let recipe = folder.join("line.andon");
    let learned = learn(&[&good], &recipe, &["--name", "bracket"]);
    Bench {
        good,
        recipe,
        learned,
    }
});

/// Words of a command line, from anything.
macro_rules! words {
    ($($word:expr),* $(,)?) => { [$(OsString::from($word)),*] };
}

/// Runs `andon learn --json` at the small size, unless `more` names another.
#[track_caller]
fn learn<P: AsRef<Path>>(good: &[P], recipe: &Path, more: &[&str]) -> Run {
    let mut arguments = words!["learn", "--json", "-o", recipe].to_vec();
    if !more.contains(&"--size") {
        arguments.extend(words!["--size", common::SIZE.to_string()]);
    }
    for path in good {
        arguments.extend(words!["--good", path.as_ref()]);
    }
    arguments.extend(more.iter().map(OsString::from));
    andon(arguments)
}

/// Runs `andon inspect --json` with the recipe of the bench.
#[track_caller]
fn inspect<P: AsRef<Path>>(images: &[P]) -> Run {
    let mut arguments = words!["inspect", "--json", "-r", &BENCH.recipe].to_vec();
    arguments.extend(images.iter().map(|path| path.as_ref().into()));
    andon(arguments)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A good and a bad part that were not learned, in a folder.
fn new_parts(folder: &Path) -> [PathBuf; 2] {
    let paths = ["a-good.png", "b-bad.png"].map(|name| folder.join(name));
    good(20).save(&paths[0]).unwrap();
    bad(21).image.save(&paths[1]).unwrap();
    paths
}

/// The picture in a file format, without its second half.
fn cut(picture: &RgbImage, format: ::image::ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    let mut bytes = file.into_inner();
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// Fields of an object, by name.
fn fields(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[track_caller]
fn number(object: &Value, field: &str) -> f64 {
    object[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field} is no number in {object}"))
}

#[track_caller]
fn whole(object: &Value, field: &str) -> u64 {
    object[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} is no whole number in {object}"))
}

#[track_caller]
fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text in {object}"))
}

#[track_caller]
fn list<'a>(object: &'a Value, field: &str) -> &'a [Value] {
    object[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} is no list in {object}"))
}

#[track_caller]
fn is_sha256(hash: &str) {
    assert!(
        hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
        "{hash}"
    );
}

/// Checks a line of `inspect --json` against its contract; `size` is that of the image.
#[track_caller]
fn keeps_the_contract(line: &Value, size: (u32, u32)) {
    is_sha256(text(line, "recipe"));
    is_sha256(text(line, "model"));
    assert_eq!(number(line, "threshold"), 1.0, "{line}");
    let regions = list(line, "regions");
    if text(line, "verdict") == "error" {
        assert!(text(line, "error").len() > 20, "{line}");
        assert!(regions.is_empty(), "{line}");
        return;
    }
    let expected = [
        "image",
        "model",
        "ms",
        "recipe",
        "regions",
        "score",
        "threshold",
        "verdict",
    ];
    let mut found = fields(line);
    // Only where place counts.
    if found.remove("layout") {
        assert!(number(line, "layout") > 0.0, "{line}");
    }
    assert_eq!(found, BTreeSet::from(expected));
    let ng = text(line, "verdict") == "ng";
    assert!(ng || text(line, "verdict") == "ok", "{line}");
    assert_eq!(number(line, "score") >= 1.0, ng, "{line}");
    assert_eq!(!regions.is_empty(), ng, "{line}");
    for region in regions {
        keeps_the_contract_of_regions(region, size);
    }
    let scores: Vec<_> = regions
        .iter()
        .map(|region| number(region, "score"))
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "highest first: {line}");
    let ms = &line["ms"];
    let stages = ["decode", "prepare", "backbone", "spectral", "regions"];
    let sum: f64 = stages.iter().map(|stage| number(ms, stage)).sum();
    assert!((sum - number(ms, "total")).abs() < 0.1, "{ms}");
    assert!(stages.iter().all(|stage| number(ms, stage) >= 0.0), "{ms}");
    assert_eq!(fields(ms).len(), stages.len() + 1, "{ms}");
}

#[track_caller]
fn keeps_the_contract_of_regions(region: &Value, (width, height): (u32, u32)) {
    let expected = [
        "area_px", "bbox", "blocks", "pathway", "score", "what", "where",
    ];
    assert_eq!(fields(region), BTreeSet::from(expected));
    let bbox: Vec<u64> = list(region, "bbox")
        .iter()
        .map(|v| v.as_u64().unwrap())
        .collect();
    let [x, y, w, h] = bbox[..] else {
        panic!("{region}")
    };
    assert!(w > 0 && h > 0, "{region}");
    assert!(
        x + w <= width.into() && y + h <= height.into(),
        "outside the image: {region}"
    );
    let area = whole(region, "area_px");
    assert!(area > 0 && area <= w * h, "{region}");
    assert!(number(region, "score") > 0.0, "{region}");
    let [what, place] = ["what", "where"].map(|share| number(region, share));
    // Each share has three digits.
    assert!(
        (what + place - 1.0).abs() < 0.0011 && what >= 0.0 && place >= 0.0,
        "{region}"
    );
    let larger = if what >= place { "what" } else { "where" };
    assert!(
        text(region, "pathway") == larger || (what - place).abs() < 0.0011,
        "{region}"
    );
    let blocks = list(region, "blocks");
    let numbers: Vec<_> = blocks.iter().map(|block| whole(block, "block")).collect();
    assert!(!numbers.is_empty() && numbers.is_sorted(), "{region}");
    let shares: Vec<_> = blocks.iter().map(|block| number(block, "share")).collect();
    assert!(
        shares.iter().all(|share| (0.0..=1.0).contains(share)),
        "{region}"
    );
    assert!(
        (shares.iter().sum::<f64>() - 1.0).abs() < 0.0021,
        "{region}"
    );
}

#[test]
fn the_layout_is_given_where_place_counts_and_only_there() {
    let folder = folder();
    let parts = folder.path().join("good");
    write_good(&parts, 0..6);
    let picture = folder.path().join("part.png");
    common::good(40).save(&picture).unwrap();
    let recipe = folder.path().join("line.andon");
    for (place, given) in [("yes", true), ("no", false)] {
        learn(&[&parts], &recipe, &["--place", place]).exits(0);
        let line = andon(words!["inspect", "--json", "-r", &recipe, &picture]).object();
        keeps_the_contract(&line, (320, 240));
        assert_eq!(
            line.get("layout").is_some(),
            given,
            "--place {place}: {line}"
        );
    }
}

// ---- learn

#[test]
fn learn_prints_one_object_with_what_it_made() {
    let run = &BENCH.learned;
    assert_eq!(run.status, Some(0), "{run}");
    let report = run.object();
    is_sha256(text(&report, "recipe"));
    let model: Value = serde_json::from_slice(&fs::read(&model_files()[0]).unwrap()).unwrap();
    assert_eq!(report["model"], model["sha256"]);
    assert_eq!(whole(&report, "parts"), 6);
    assert_eq!(list(&report, "skipped").len(), 0);
    let size: Vec<_> = list(&report, "size")
        .iter()
        .map(|side| side.as_u64().unwrap())
        .collect();
    assert_eq!(
        size,
        [112, 112],
        "what is nearly square becomes a square of whole patches"
    );
    assert!(
        list(&report, "blocks")
            .iter()
            .all(|block| (1..=12).contains(&block.as_u64().unwrap()))
    );
    assert!(whole(&report, "rank") > 0 && whole(&report, "memory") > 0);
    assert!(number(&report, "threshold") > 0.0);
    assert_eq!(number(&report, "false_reject"), 0.01);
    // None of six parts rejected: 1 - 0.05^(1/6).
    assert_eq!(number(&report, "false_reject_bound"), 0.393);
    assert_eq!(whole(&report, "parts_needed"), 299);
    assert_eq!(
        whole(&report, "bytes"),
        fs::metadata(&BENCH.recipe).unwrap().len()
    );
    assert!(number(&report, "seconds") > 0.0);
}

#[test]
fn learn_says_plainly_that_so_few_parts_cannot_promise_the_rate() {
    BENCH.learned.says(&[
        "39.3 %",
        "1.00 % was asked",
        "299 good parts",
        "is made all the same",
    ]);
}

#[test]
fn progress_and_notes_never_reach_stdout() {
    let learned = &BENCH.learned;
    assert_eq!(learned.stdout.lines().count(), 1, "{learned}");
    let folder = folder();
    let run = inspect(&new_parts(folder.path()));
    assert_eq!(run.objects().len(), 2, "{run}");
    // No terminal, so no bar either: a log file must stay readable.
    for stderr in [&learned.stderr, &run.stderr] {
        assert!(
            !stderr.contains('\u{1b}') && !stderr.contains('\r'),
            "{stderr:?}"
        );
    }
}

#[test]
fn an_empty_folder_is_an_error_that_says_what_was_looked_for() {
    let folder = folder();
    let empty = folder.path().to_str().unwrap();
    let recipe = folder.path().join("never.andon");
    learn(&[empty], &recipe, &[]).refuses(&[empty, "holds no images", "png"]);
    inspect(&[empty]).refuses(&[empty, "holds no images"]);
    assert!(!recipe.exists());
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let recipe = folder().path().join("never.andon");
    learn(&["no/such/folder"], &recipe, &[]).refuses(&["cannot open no/such/folder"]);
}

#[test]
fn a_text_file_among_images_is_named_and_the_images_are_learned() {
    let folder = folder();
    let mut paths = write_good(folder.path(), 0..2);
    let note = folder.path().join("notes.txt");
    fs::write(&note, "wash before use").unwrap();
    let run = learn(&[folder.path()], &folder.path().join("line.andon"), &[]).exits(0);
    run.says(&[&format!(
        "skipped {}: not an image by its name",
        note.display()
    )]);
    assert_eq!(whole(&run.object(), "parts"), 2);
    // It is no error of `inspect`, either: nobody asked for that file.
    let run = inspect(&[folder.path()]);
    run.says(&["notes.txt"]);
    assert_eq!(run.objects().len(), 2, "{run}");
    assert_ne!(run.status, Some(2), "{run}");
    // But here somebody did.
    paths.push(note);
    let run = inspect(&paths).exits(2);
    assert_eq!(run.objects().len(), 3, "{run}");
}

#[test]
fn a_text_file_that_is_named_like_an_image_is_skipped_by_learn_and_an_error_of_inspect() {
    let folder = folder();
    write_good(folder.path(), 0..2);
    let lie = folder.path().join("lie.png");
    fs::write(&lie, "not a picture").unwrap();
    let run = learn(&[folder.path()], &folder.path().join("line.andon"), &[]).exits(0);
    run.says(&["skipped", "lie.png", "cannot decode"]);
    let report = run.object();
    assert_eq!(whole(&report, "parts"), 2);
    assert_eq!(list(&report, "skipped"), [lie.display().to_string()]);
    let lines = inspect(&[&lie]).exits(2).objects();
    assert!(text(&lines[0], "error").contains("lie.png"), "{lines:?}");
}

#[test]
fn a_truncated_image_is_named_and_the_others_are_still_learned_and_inspected() {
    use ::image::ImageFormat as F;
    let folder = folder();
    let whole_ones = write_good(folder.path(), 0..3);
    let kinds = [
        (F::Png, "png"),
        (F::Jpeg, "jpg"),
        (F::Bmp, "bmp"),
        (F::Tiff, "tif"),
        (F::WebP, "webp"),
        (F::Pnm, "ppm"),
    ];
    for (format, ending) in kinds {
        let path = folder.path().join(format!("cut.{ending}"));
        fs::write(path, cut(&good(7), format)).unwrap();
    }
    let run = learn(&[folder.path()], &folder.path().join("line.andon"), &[]).exits(0);
    let report = run.object();
    assert_eq!(whole(&report, "parts"), 3, "{run}");
    assert_eq!(list(&report, "skipped").len(), kinds.len(), "{run}");
    let run = inspect(&[folder.path()]).exits(2);
    let lines = run.objects();
    assert_eq!(lines.len(), whole_ones.len() + kinds.len());
    for line in &lines {
        keeps_the_contract(line, (320, 240));
        let is_cut = text(line, "image").contains("cut.");
        assert_eq!(text(line, "verdict") == "error", is_cut, "{line}");
        if is_cut {
            assert!(text(line, "error").contains(text(line, "image")), "{line}");
        }
    }
}

#[test]
fn without_one_good_part_there_is_no_recipe() {
    let folder = folder();
    fs::write(folder.path().join("lie.png"), "not a picture").unwrap();
    let recipe = folder.path().join("never.andon");
    learn(&[folder.path()], &recipe, &[]).refuses(&["none of the 1 images can be read"]);
    // With a region of interest nobody looks at the files' sizes first.
    learn(&[folder.path()], &recipe, &["--roi", "0,0,10,10"]).refuses(&[
        "lie.png",
        "no good part could be learned",
        "at least one",
    ]);
    learn(&[&BENCH.good], &recipe, &["--take", "0"]).exits(2);
    assert!(!recipe.exists());
}

#[test]
fn one_good_part_is_enough_for_a_recipe_that_says_how_little_it_promises() {
    let folder = folder();
    let recipe = folder.path().join("one.andon");
    let report = learn(&[&BENCH.good], &recipe, &["--take", "1"])
        .exits(0)
        .object();
    assert_eq!(whole(&report, "parts"), 1);
    assert_eq!(number(&report, "false_reject_bound"), 0.95);
    let part = Recipe::read(&recipe).unwrap().origin.parts.remove(0).file;
    let arguments = words!["inspect", "--json", "-r", recipe, BENCH.good.join(part)];
    assert_eq!(andon(arguments).exits(0).object()["verdict"], "ok");
}

#[test]
fn images_that_are_too_small_for_the_region_of_interest_are_named_with_both_sizes() {
    let folder = folder();
    write_good(folder.path(), 0..2);
    let small = folder.path().join("small.png");
    RgbImage::new(100, 100).save(&small).unwrap();
    let recipe = folder.path().join("roi.andon");
    let run = learn(&[folder.path()], &recipe, &["--roi", "40,30,200,150"]).exits(0);
    run.says(&["small.png", "40,30,200,150", "100 x 100 px"]);
    assert_eq!(
        list(&run.object(), "skipped"),
        [small.display().to_string()]
    );
    let run = andon(words!["inspect", "--json", "-r", &recipe, folder.path()]).exits(2);
    for line in run.objects() {
        let is_small = text(&line, "image").ends_with("small.png");
        assert_eq!(text(&line, "verdict") == "error", is_small, "{line}");
        keeps_the_contract(&line, (320, 240));
    }
    // Larger than every part: nothing is left to learn.
    learn(&[folder.path()], &recipe, &["--roi", "0,0,4000,3000"]).refuses(&[
        "0,0,4000,3000",
        "320 x 240 px",
        "no good part could be learned",
    ]);
}

#[test]
fn a_region_of_interest_bounds_what_is_judged() {
    let folder = folder();
    let recipe = folder.path().join("roi.andon");
    learn(&[&BENCH.good], &recipe, &["--roi", "40,30,200,150"]).exits(0);
    let mut part = good(20);
    let black = |part: &mut RgbImage, x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
        for (x, y) in y.flat_map(|y| x.clone().map(move |x| (x, y))) {
            part.put_pixel(x, y, Rgb([0, 0, 0]));
        }
    };
    black(&mut part, 250..320, 190..240);
    let outside = folder.path().join("outside.png");
    part.save(&outside).unwrap();
    black(&mut part, 90..170, 70..130);
    let inside = folder.path().join("inside.png");
    part.save(&inside).unwrap();
    let run = andon(words!["inspect", "--json", "-r", recipe, outside, inside]).exits(1);
    let lines = run.objects();
    assert_eq!(lines[0]["verdict"], "ok", "{run}");
    assert_eq!(lines[1]["verdict"], "ng", "{run}");
    for region in list(&lines[1], "regions") {
        let bbox: Vec<_> = list(region, "bbox")
            .iter()
            .map(|v| v.as_u64().unwrap())
            .collect();
        assert!(bbox[0] >= 40 && bbox[0] + bbox[2] <= 240, "{bbox:?}");
        assert!(bbox[1] >= 30 && bbox[1] + bbox[3] <= 180, "{bbox:?}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let recipe = folder().path().join("never.andon");
    for (arguments, word) in [
        (["--false-reject", "0"], "--false-reject"),
        (["--false-reject", "0.7"], "--false-reject"),
        (["--false-reject", "nan"], "--false-reject"),
        (["--size", "0"], "--size 0 is less than one patch"),
        (["--size", "100000"], "at most 2044"),
        (["--roi", "1,2,3"], "X,Y,WIDTH,HEIGHT"),
        (["--roi", "0,0,0,5"], "X,Y,WIDTH,HEIGHT"),
        (["--place", "maybe"], "maybe"),
        (["--seed", "4"], "--take"),
        (["--model", "no-such.json"], "no-such.json"),
    ] {
        let run = learn(&[&BENCH.good], &recipe, &arguments).exits(2);
        assert_eq!(run.stdout, "", "{run}");
        run.says(&["error", word]);
    }
    assert!(!recipe.exists());
}

/// A recipe without what may differ between two times of learning.
fn timeless(path: &Path) -> Recipe {
    let mut recipe = Recipe::read(path).unwrap();
    recipe.origin.created.clear();
    recipe.id.clear();
    recipe
}

#[test]
fn a_draw_of_parts_repeats_with_its_seed() {
    let folder = folder();
    let learned = |name: &str, seed: &str| {
        let path = folder.path().join(name);
        let more = ["--name", "drawn", "--take", "3", "--seed", seed];
        learn(&[&BENCH.good], &path, &more).exits(0);
        timeless(&path)
    };
    let first = learned("first.andon", "4");
    assert_eq!(first.origin.parts.len(), 3);
    assert!(
        learned("again.andon", "4") == first,
        "the same seed gives another recipe"
    );
    assert_ne!(learned("other.andon", "5").origin.parts, first.origin.parts);
}

#[test]
fn neither_the_order_of_parts_nor_the_number_of_cores_changes_a_verdict() {
    let folder = folder();
    let mut parts: Vec<_> = (0..6)
        .map(|i| BENCH.good.join(format!("part-{i:02}.png")))
        .collect();
    parts.reverse();
    let backwards = folder.path().join("backwards.andon");
    learn(&parts, &backwards, &[]).exits(0);
    let two_cores = folder.path().join("two.andon");
    learn(&[&BENCH.good], &two_cores, &["--threads", "2"]).exits(0);
    let one_core = folder.path().join("one.andon");
    learn(&[&BENCH.good], &one_core, &["--threads", "1"]).exits(0);
    let new = new_parts(folder.path());
    let judged = |recipe: &Path, threads: &str| -> Vec<(String, f64)> {
        let arguments = words![
            "inspect",
            "--json",
            "--threads",
            threads,
            "-r",
            recipe,
            &new[0],
            &new[1]
        ];
        let line = |line: &Value| (text(line, "verdict").to_string(), number(line, "score"));
        andon(arguments)
            .exits(1)
            .objects()
            .iter()
            .map(line)
            .collect()
    };
    let expected = judged(&one_core, "1");
    let near = |found: Vec<(String, f64)>, allowed: f64| {
        for (a, b) in expected.iter().zip(found) {
            assert_eq!(a.0, b.0);
            assert!(
                (a.1 - b.1).abs() <= allowed * a.1,
                "{} instead of {}",
                b.1,
                a.1
            );
        }
    };
    near(judged(&one_core, "2"), 0.005);
    near(judged(&two_cores, "1"), 0.005);
    // Which patches are remembered depends on where the search begins; the verdict does not.
    near(judged(&backwards, "1"), 0.1);
}

// ---- inspect

#[test]
fn a_good_part_passes_and_a_bad_one_does_not_and_the_exit_status_says_so() {
    let folder = folder();
    let [ok, ng] = new_parts(folder.path());
    let run = inspect(&[&ok]).exits(0);
    assert_eq!(run.object()["verdict"], "ok", "{run}");
    keeps_the_contract(&run.object(), (320, 240));
    let run = inspect(&[&ng]).exits(1);
    assert_eq!(run.object()["verdict"], "ng", "{run}");
    keeps_the_contract(&run.object(), (320, 240));
    let missing = folder.path().join("gone.png");
    inspect(&[&ng, &missing]).exits(2);
    // A folder is judged in the order of its names.
    let lines = inspect(&[folder.path()]).exits(1).objects();
    let images: Vec<_> = lines.iter().map(|line| text(line, "image")).collect();
    assert_eq!(images, [ok.to_str().unwrap(), ng.to_str().unwrap()]);
    assert_eq!(lines[0]["recipe"], BENCH.learned.object()["recipe"]);
}

#[test]
fn the_flagged_region_lies_on_the_defect() {
    let folder = folder();
    let part = bad(21);
    let path = folder.path().join("bad.png");
    part.image.save(&path).unwrap();
    let report = inspect(&[&path]).exits(1).object();
    let bbox: Vec<_> = list(&list(&report, "regions")[0], "bbox").to_vec();
    let [x, y, w, h] = [0, 1, 2, 3].map(|i| bbox[i].as_u64().unwrap() as u32);
    let (x, y) = (x + w / 2, y + h / 2);
    let [left, top, width, height] = part.defects[0].bbox;
    assert!(
        (left..left + width).contains(&x) && (top..top + height).contains(&y),
        "centre {x},{y} of the first region is not in {:?}",
        part.defects[0].bbox
    );
}

#[test]
fn without_json_a_person_reads_verdict_score_place_and_a_sum() {
    let folder = folder();
    let parts = new_parts(folder.path());
    let empty = folder.path().join("empty.png");
    fs::write(&empty, "").unwrap();
    let run = andon(words![
        "inspect",
        "-r",
        &BENCH.recipe,
        &parts[0],
        &parts[1],
        &empty
    ])
    .exits(2);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("OK") && lines[0].contains("a-good.png"),
        "{run}"
    );
    assert!(
        lines[1].starts_with("NG") && lines[1].contains("b-bad.png"),
        "{run}"
    );
    assert!(
        lines[2].contains(" at ") && lines[2].contains(" px, score "),
        "{run}"
    );
    assert!(
        lines.last().unwrap().starts_with("ERROR") && run.stdout.contains("is empty"),
        "{run}"
    );
    run.says(&["1 OK, 1 NG, 1 errors"]);
}

#[test]
fn pictures_of_every_kind_are_judged_like_the_same_picture_in_plain_colour() {
    let folder = folder();
    let part = good(20);
    let grey: GrayImage = ::image::imageops::grayscale(&part);
    let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(320, 240, |x, y| {
        Luma([u16::from(grey.get_pixel(x, y).0[0]) * 257])
    });
    let clear = RgbaImage::from_fn(320, 240, |x, y| {
        let Rgb([r, g, b]) = *part.get_pixel(x, y);
        Rgba([r, g, b, 255])
    });
    let pairs = [
        (
            "colour.png",
            DynamicImage::from(part.clone()),
            "alpha.png",
            DynamicImage::from(clear),
        ),
        (
            "grey.png",
            DynamicImage::from(grey),
            "grey16.png",
            DynamicImage::from(deep),
        ),
    ];
    for (plain, picture, odd, odd_picture) in pairs {
        let paths = [folder.path().join(plain), folder.path().join(odd)];
        picture.save(&paths[0]).unwrap();
        odd_picture.save(&paths[1]).unwrap();
        let lines = inspect(&paths).objects();
        keeps_the_contract(&lines[1], (320, 240));
        assert_eq!(lines[0]["score"], lines[1]["score"], "{odd}");
        assert_eq!(lines[0]["regions"], lines[1]["regions"], "{odd}");
    }
}

#[test]
fn pictures_of_any_size_and_shape_are_judged_or_refused_by_name() {
    let folder = folder();
    let sizes = [(1, 1), (1, 900), (4000, 3), (14, 14), (641, 479)];
    let paths = sizes.map(|(width, height)| {
        let path = folder.path().join(format!("{width}x{height}.png"));
        let grain = |x, y| Rgb([(x * 7 + y * 3) as u8, (x * y) as u8, 128]);
        RgbImage::from_fn(width, height, grain).save(&path).unwrap();
        path
    });
    let run = inspect(&paths);
    let lines = run.objects();
    assert_eq!(lines.len(), sizes.len(), "{run}");
    for (line, size) in lines.iter().zip(sizes) {
        keeps_the_contract(line, size);
        assert_ne!(
            line["verdict"], "ok",
            "nothing of that is a good part: {line}"
        );
    }
}

#[test]
fn every_kind_of_size_and_shape_can_be_learned() {
    let folder = folder();
    for (width, height) in [(1, 1), (4000, 3)] {
        let path = folder.path().join(format!("{width}x{height}.png"));
        RgbImage::from_fn(width, height, |x, _| Rgb([x as u8; 3]))
            .save(&path)
            .unwrap();
        let recipe = folder.path().join("odd.andon");
        learn(&[&path], &recipe, &[]).exits(0);
        let run = andon(words!["inspect", "--json", "-r", recipe, path]);
        keeps_the_contract(&run.object(), (width, height));
    }
}

#[test]
fn an_overlay_is_written_of_every_image_that_was_judged() {
    let folder = folder();
    let parts = new_parts(folder.path());
    let broken = folder.path().join("broken.png");
    fs::write(&broken, "").unwrap();
    let out = folder.path().join("a/b/out");
    let arguments = words![
        "inspect",
        "-r",
        &BENCH.recipe,
        &parts[0],
        &parts[1],
        broken,
        "--overlay",
        &out
    ];
    andon(arguments).exits(2);
    let mut names: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a-good.png.png", "b-bad.png.png"]);
    let overlay = image::read(&out.join("b-bad.png.png")).unwrap();
    // The original and the heat side by side.
    assert!(
        overlay.width() >= 2 * 320 && overlay.height() >= 240,
        "{:?}",
        overlay.dimensions()
    );
}

#[test]
fn images_of_one_name_from_two_folders_both_keep_their_overlay() {
    let folder = folder();
    let paths = ["one", "two"].map(|name| {
        let part = folder.path().join(name).join("part.png");
        fs::create_dir(part.parent().unwrap()).unwrap();
        part
    });
    good(20).save(&paths[0]).unwrap();
    bad(21).image.save(&paths[1]).unwrap();
    let out = folder.path().join("out");
    let arguments = words![
        "inspect",
        "-r",
        &BENCH.recipe,
        &paths[0],
        &paths[1],
        "--overlay",
        &out
    ];
    andon(arguments).exits(1);
    assert_eq!(
        fs::read_dir(&out).unwrap().count(),
        2,
        "one overwrote the other"
    );
}

#[test]
fn a_recipe_that_cannot_be_read_is_refused_with_its_path() {
    let folder = folder();
    let path = folder.path().join("shelf.andon");
    let [part, _] = new_parts(folder.path());
    let inspect = || andon(words!["inspect", "-r", &path, &part]);
    let name = path.to_str().unwrap();
    inspect().refuses(&["cannot read recipe", name]);
    let mut bytes = fs::read(&BENCH.recipe).unwrap();
    let middle = bytes.len() / 2;
    fs::write(&path, &bytes[..middle]).unwrap();
    inspect().refuses(&[name, "not a usable recipe", "cut off"]);
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    inspect().refuses(&[name, "damaged", "copy the file again"]);
    fs::write(&path, "").unwrap();
    inspect().refuses(&[name]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    inspect().refuses(&[name]);
}

#[test]
fn a_model_that_cannot_be_trusted_is_refused_before_it_is_used() {
    let folder = folder();
    let manifest = write_model(folder.path(), b"not a graph", |_| ());
    let verify = || andon(words!["model", "verify", "--model", &manifest]);
    verify().refuses(&["model other"]);
    fs::write(folder.path().join("other.onnx"), "another file").unwrap();
    verify().refuses(&["other.onnx", "sha256", "damaged"]);
    fs::write(&manifest, "{}").unwrap();
    verify().refuses(&["other.json", "not readable"]);
}

// ---- eval

/// Evaluates the recipe of the bench and gives the object.
#[track_caller]
fn eval(more: &[OsString]) -> Value {
    let mut arguments = words!["eval", "--json", "-r", &BENCH.recipe].to_vec();
    arguments.extend_from_slice(more);
    andon(arguments).exits(0).object()
}

#[test]
fn eval_gives_every_figure_and_leaves_learned_parts_out() {
    let folder = folder();
    let [good_ones, bad_ones, boxes, masks] =
        ["good", "bad", "boxes", "masks"].map(|name| folder.path().join(name));
    // Parts 3, 4 and 5 were learned, whatever they are called now.
    write_good(&good_ones, 3..9);
    fs::rename(good_ones.join("part-04.png"), good_ones.join("renamed.png")).unwrap();
    for path in [&bad_ones, &boxes, &masks] {
        fs::create_dir(path).unwrap();
    }
    for index in 20..23 {
        let part = bad(index);
        part.image
            .save(bad_ones.join(format!("{index}.png")))
            .unwrap();
        part.mask.save(masks.join(format!("{index}.png"))).unwrap();
        let line = |[x, y, w, h]: [u32; 4]| format!("{x} {y} {} {} 1\n", x + w, y + h);
        let lines: String = part
            .defects
            .iter()
            .map(|defect| line(defect.bbox))
            .collect();
        fs::write(boxes.join(format!("{index}.txt")), lines).unwrap();
    }
    let both = words!["--good", &good_ones, "--bad", &bad_ones];

    let figures = eval(&both);
    assert_eq!(whole(&figures, "good"), 3, "{figures}");
    assert_eq!(whole(&figures, "bad"), 3);
    assert_eq!(whole(&figures, "left_out"), 3);
    assert_eq!(whole(&figures, "errors"), 0);
    assert_eq!(number(&figures, "image_auroc"), 1.0, "{figures}");
    assert_eq!(number(&figures, "miss"), 0.0);
    for share in ["false_reject", "regions_per_good"] {
        assert!(number(&figures, share) >= 0.0, "{figures}");
    }
    for figure in ["ms_median", "rss_mb"] {
        assert!(number(&figures, figure) > 0.0, "{figures}");
    }
    for figure in ["pixel_auroc", "pro", "region_recall"] {
        assert!(
            figures[figure].is_null(),
            "{figure} without its ground truth: {figures}"
        );
        assert!(fields(&figures).contains(figure));
    }

    let figures = eval(&[&both[..], &words!["--masks", &masks]].concat());
    for figure in ["pixel_auroc", "pro"] {
        assert!((0.5..=1.0).contains(&number(&figures, figure)), "{figures}");
    }
    assert_eq!(number(&figures, "region_recall"), 1.0, "{figures}");

    let figures = eval(&[&both[..], &words!["--boxes", &boxes]].concat());
    assert!(figures["pixel_auroc"].is_null(), "{figures}");
    assert_eq!(number(&figures, "region_recall"), 1.0, "{figures}");

    let figures = eval(&words!["--good", &good_ones, "--with-learned"]);
    assert_eq!(
        (whole(&figures, "good"), whole(&figures, "left_out")),
        (6, 0)
    );
    assert!(
        figures["image_auroc"].is_null() && figures["miss"].is_null(),
        "{figures}"
    );
}

#[test]
fn eval_writes_a_page_that_needs_nothing_else() {
    let folder = folder();
    let [ok, ng] = new_parts(folder.path());
    let page = folder.path().join("report.html");
    let arguments = words![
        "eval",
        "-r",
        &BENCH.recipe,
        "--good",
        ok,
        "--bad",
        ng,
        "--report",
        &page
    ];
    let run = andon(arguments).exits(0);
    assert!(run.stdout.contains("image AUROC        1.000"), "{run}");
    let html = fs::read_to_string(page).unwrap();
    assert!(html.contains("bracket") && html.contains("b-bad.png"));
    for outside in ["src=\"http", "href=\"http", "url(http", "@import", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn eval_counts_images_that_cannot_be_judged_and_ends_in_error() {
    let folder = folder();
    let [ok, ng] = new_parts(folder.path());
    let cut_one = folder.path().join("cut.jpg");
    fs::write(&cut_one, cut(&good(7), ::image::ImageFormat::Jpeg)).unwrap();
    let arguments = words![
        "eval",
        "--json",
        "-r",
        &BENCH.recipe,
        "--good",
        ok,
        "--good",
        cut_one,
        "--bad",
        ng
    ];
    let run = andon(arguments).exits(2);
    run.says(&["error: ", "cut.jpg"]);
    let figures = run.object();
    assert_eq!(
        (whole(&figures, "errors"), whole(&figures, "good")),
        (1, 1),
        "{figures}"
    );
    andon(words!["eval", "-r", &BENCH.recipe]).refuses(&["nothing to evaluate", "--good"]);
}

// ---- recipe, model, demo

#[test]
fn recipe_show_tells_what_was_learned_and_from_what() {
    let run = andon(words!["recipe", "show", &BENCH.recipe]).exits(0);
    let recipe = Recipe::read(&BENCH.recipe).unwrap();
    let first = fs::read(BENCH.good.join("part-00.png")).unwrap();
    for word in [
        "bracket",
        &recipe.id,
        &recipe.origin.model_sha256,
        "112 x 112 px",
        "part-05.png",
        &andon::hash::sha256(&first),
    ] {
        assert!(run.stdout.contains(word), "{word:?} is missing in: {run}");
    }
    assert_eq!(run.stderr, "", "{run}");
}

#[test]
fn recipe_verify_replays_the_golden_inputs() {
    let run = andon(words!["recipe", "verify", "-r", &BENCH.recipe]).exits(0);
    for word in ["checksum is right", "golden 1", "golden 2"] {
        assert!(run.stdout.contains(word), "{word:?} is missing in: {run}");
    }
}

#[test]
fn model_info_and_verify_name_the_model_its_hash_and_its_licences() {
    let run = andon(["model", "info"]).exits(0);
    let manifest: Value = serde_json::from_slice(&fs::read(&model_files()[0]).unwrap()).unwrap();
    for word in [
        text(&manifest, "sha256"),
        "12 blocks",
        "384 wide",
        "Apache-2.0",
        "MIT",
    ] {
        assert!(run.stdout.contains(word), "{word:?} is missing in: {run}");
    }
    let run = andon(["model", "verify"]).exits(0);
    assert!(
        run.stdout.contains("sha256 is right; 12 blocks ran"),
        "{run}"
    );
}

#[test]
fn the_demo_learns_judges_sums_up_and_writes_its_page() {
    let folder = folder();
    let page = folder.path().join("demo.html");
    let arguments = words![
        "demo", "--learn", "4", "--parts", "4", "--seed", "3", "-o", &page
    ];
    let run = andon(arguments).exits(0);
    for word in [
        "learned   4 good parts",
        "judged    4 parts",
        "bad ",
        "good ",
    ] {
        assert!(run.stdout.contains(word), "{word:?} is missing in: {run}");
    }
    run.says(&[page.to_str().unwrap()]);
    assert!(fs::read_to_string(page).unwrap().contains("data:image/"));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        &["learn"][..],
        &["inspect"],
        &["eval"],
        &["demo"],
        &["recipe", "show"],
        &["recipe", "verify"],
        &["model", "info"],
        &["model", "verify"],
    ] {
        let run = andon(command.iter().chain(&["--help"])).exits(0);
        let example = format!("andon {}", command.join(" "));
        assert!(run.stdout.contains(&example), "{run}");
    }
    let run = andon(["--version"]).exits(0);
    assert!(
        run.stdout.starts_with("andon ") && run.stdout.lines().count() == 1,
        "{run}"
    );
}

#[test]
fn the_rendered_parts_of_these_tests_are_what_they_are_taken_for() {
    assert!(line().part(20, None).is_good());
    assert!(!bad(21).is_good());
}

#[test]
fn explain_writes_pictures_a_page_and_one_line_an_image() {
    let folder = folder();
    let image = folder.path().join("part.png");
    good(0).save(&image).unwrap();
    let out = folder.path().join("out");
    let cut = folder.path().join("cut.png");
    fs::write(&cut, &fs::read(&image).unwrap()[..200]).unwrap();
    let size = [
        "--size", "112", "--blocks", "7-8", "--groups", "3", "--json",
    ];
    let run = andon(
        words!["explain", &image, &cut, "-o", &out]
            .into_iter()
            .chain(size.iter().map(OsString::from)),
    )
    .exits(2);
    let lines = run.objects();
    let told = lines
        .iter()
        .find(|l| l["image"] == image.to_str().unwrap())
        .unwrap();
    assert!(told.get("error").is_none_or(Value::is_null), "{told}");
    assert!(
        fs::read_to_string(out.join("explain.html"))
            .unwrap()
            .contains("data:image/")
    );
    assert!(
        out.join("part.png.groups.png").is_file()
            && out.join("part.png.eigenvectors.png").is_file()
    );
    run.says(&["cut.png"]);
}

#[test]
fn the_manual_has_a_page_a_command_and_completions_for_three_shells() {
    let folder = folder();
    andon([OsString::from("manual"), folder.path().into()]).exits(0);
    let pages = folder.path().join("man/man1");
    for page in ["andon.1", "andon-learn.1", "andon-recipe-show.1"] {
        let text = fs::read_to_string(pages.join(page)).unwrap();
        assert!(
            text.starts_with(".ie"),
            "{page} is no man page: {text:.100}"
        );
    }
    let inspect = fs::read_to_string(pages.join("andon-inspect.1")).unwrap();
    assert!(inspect.contains("Judge images by a recipe"), "{inspect}");
    for (file, word) in [
        ("bash-completion/completions/andon", "--overlay"),
        ("zsh/site-functions/_andon", "#compdef andon"),
        ("fish/vendor_completions.d/andon.fish", "-c andon"),
    ] {
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(text.contains(word), "{word} is missing in {file}");
    }
}

#[test]
fn the_model_says_which_kernels_this_processor_gets() {
    let run = andon(["model", "info", "--graph"]).exits(0);
    let part = run
        .stdout
        .split("kernels on this processor")
        .nth(1)
        .unwrap();
    for word in ["fused operators", "products in f32", "used here"] {
        assert!(part.contains(word), "{word} is missing in: {run}");
    }
}
