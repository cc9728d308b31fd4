//! A frame that is cut into tiles: each is an input of its own, and they are judged together.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use andon::image::{InputShape, Mask, Tiles};
use andon::inspect::Verdict;
use andon::pipeline::{FrontEnd, LearnSettings, Pipeline};
use andon::recipe::{LearnOptions, Place, Recipe, ViewSettings};
use andon::vit::{Backbone, Grid, Kept, Model, TapKind, TapRequest, Threads};
use common::{Run, SIZE, andon, good, inspect, learn_as, settings, write_good};
use image::{GrayImage, Luma, Rgb, RgbImage, imageops};

const TWO_BY_TWO: Tiles = Tiles {
    columns: 2,
    rows: 2,
};

/// How the parts of the line are seen through so many inputs.
fn view(tiles: Tiles) -> ViewSettings {
    ViewSettings {
        tiles,
        ..settings().view
    }
}

/// Learns five good parts.
fn learned(view: ViewSettings, place: Place) -> Recipe {
    let settings = LearnSettings {
        view,
        options: LearnOptions {
            place,
            ..LearnOptions::default()
        },
        ..settings()
    };
    learn_as(5, settings)
}

/// The picture after `change` of each pixel of a square of `side` pixels around `middle`.
fn changed(
    picture: &RgbImage,
    middle: [u32; 2],
    side: u32,
    change: impl Fn(&mut Rgb<u8>),
) -> RgbImage {
    let mut changed = picture.clone();
    let [x, y] = middle.map(|at| at - side / 2);
    for (x, y) in (x..x + side).flat_map(|x| (y..y + side).map(move |y| (x, y))) {
        change(changed.get_pixel_mut(x, y));
    }
    changed
}

/// The picture with a red square.
fn painted(picture: &RgbImage, middle: [u32; 2], side: u32) -> RgbImage {
    changed(picture, middle, side, |pixel| pixel.0 = [200, 30, 40])
}

/// The picture with a square at two fifths of its light.
fn darkened(picture: &RgbImage, middle: [u32; 2], side: u32) -> RgbImage {
    changed(picture, middle, side, |pixel| {
        pixel.0 = pixel.0.map(|level| (u16::from(level) * 2 / 5) as u8);
    })
}

#[test]
fn a_small_defect_that_one_input_misses_is_found_with_tiles_where_it_lies() {
    for place in [Place::DoesNot, Place::Counts] {
        let one = learned(view(Tiles::ONE), place);
        let tiled = learned(view(TWO_BY_TWO), place);
        let grid = Grid { rows: 16, cols: 16 };
        assert_eq!(tiled.normal.grid, grid);
        for recipe in [&one, &tiled] {
            let passed = inspect(recipe, &good(20));
            assert_eq!(passed.verdict, Verdict::Ok, "{place:?}: {}", passed.score);
        }
        // In two of the tiles, and where all four of them meet.
        for (middle, side) in [([90, 60], 6), ([230, 60], 8), ([160, 120], 6)] {
            let part = darkened(&good(20), middle, side);
            let missed = inspect(&one, &part);
            let found = inspect(&tiled, &part);
            assert_eq!(
                missed.verdict,
                Verdict::Ok,
                "{place:?} {middle:?}: {}",
                missed.score
            );
            assert_eq!(
                found.verdict,
                Verdict::Ng,
                "{place:?} {middle:?}: {}",
                found.score
            );
            let [x, y, width, height] = found.regions[0].bbox;
            let inside = |start: u32, length, at| (start..start + length).contains(&at);
            assert!(
                inside(x, width, middle[0]) && inside(y, height, middle[1]),
                "{place:?} {middle:?}: {}",
                found.regions[0]
            );
            assert!(width < 80 && height < 80, "{}", found.regions[0]);
        }
    }
}

#[test]
fn each_tile_has_on_the_grid_of_the_frame_what_it_has_as_a_picture_of_its_own() {
    let model = Model::embedded().unwrap();
    let front = |tiles| {
        let request = TapRequest::new([(2, TapKind::Key)]);
        FrontEnd::with_taps(&model, &view(tiles), &[1, 3], &request, &Threads::alone()).unwrap()
    };
    let tiles = Tiles {
        columns: 2,
        rows: 3,
    };
    let side = SIZE as u32;
    let frame = imageops::crop_imm(&good(3), 20, 10, 2 * side, 2 * side).to_image();
    let frame = imageops::resize(&frame, 2 * side, 3 * side, imageops::FilterType::Triangle);
    let seen = front(tiles).see(&frame).unwrap();
    let grid = Grid { rows: 24, cols: 16 };
    assert_eq!(
        (seen.features.grid, seen.crop.dimensions()),
        (grid, (2 * side, 3 * side))
    );
    let taps = seen.taps.unwrap();
    let alone = front(Tiles::ONE);
    for (column, row) in (0..2).flat_map(|column| (0..3).map(move |row| (column, row))) {
        let (x, y) = (column * side, row * side);
        let tile = imageops::crop_imm(&frame, x, y, side, side).to_image();
        let expected = alone.see(&tile).unwrap();
        let patches =
            (0..64).map(|p| (row as usize * 8 + p / 8) * 16 + column as usize * 8 + p % 8);
        let patches: Vec<usize> = patches.collect();
        assert_eq!(
            seen.features.total.select_columns(&patches),
            expected.features.total,
            "tile {column}, {row}"
        );
        let keys = taps.get(2, TapKind::Key).unwrap().columns();
        let expected = expected.taps.unwrap();
        let expected = expected.get(2, TapKind::Key).unwrap().columns();
        assert_eq!(keys.select_columns(&patches), expected);
    }
}

#[test]
fn one_tile_is_what_the_network_gives_for_the_picture() {
    let model = Model::embedded().unwrap();
    let view = view(Tiles::ONE);
    let front = FrontEnd::new(&model, &view, &[2], &Threads::alone()).unwrap();
    let seen = front.see(&good(1)).unwrap();
    let request = TapRequest::tokens([2]);
    let backbone = Backbone::new(&model, (SIZE, SIZE), &request, &Threads::alone()).unwrap();
    let taps = backbone
        .run(&front.preparation().normalise(&seen.crop))
        .unwrap();
    let mut expected = taps.get(2, TapKind::Tokens).unwrap().columns().into_owned();
    expected.column_iter_mut().for_each(|mut column| {
        let length = column.norm();
        column.scale_mut(1.0 / length);
    });
    assert_eq!(seen.features.total, expected);
}

#[test]
fn a_mask_over_tiles_leaves_out_what_it_blackens_and_tiles_with_nothing_in_them() {
    // The left half of the frame, and a strip of the tile at the lower right.
    let mask = GrayImage::from_fn(320, 240, |x, y| {
        Luma([if x < 160 || y > 210 { 255 } else { 0 }])
    });
    let view = view(TWO_BY_TWO)
        .with_mask(&Mask::new(mask), 14, "mask.png")
        .unwrap();
    let kept = view.kept.clone().unwrap();
    assert_eq!(kept.to_string(), "144 of 16 x 16 patches");
    for place in [Place::DoesNot, Place::Counts] {
        let recipe = learned(view.clone(), place);
        let passed = inspect(&recipe, &good(20));
        assert_eq!(passed.verdict, Verdict::Ok, "{place:?}: {}", passed.score);
        assert_eq!(passed.map.kept.as_ref(), Some(&kept));
        // Nothing of what is left out reaches a score, also in a tile that is looked at in part.
        for middle in [[230, 60], [230, 160]] {
            let other = inspect(&recipe, &painted(&good(20), middle, 60));
            assert_eq!(passed, other, "{place:?} {middle:?}");
        }
        let failed = inspect(&recipe, &painted(&good(20), [80, 60], 30));
        assert_eq!(failed.verdict, Verdict::Ng, "{place:?}: {}", failed.score);
        assert!(recipe.golden[1].score > 1.0, "{place:?}");
    }
}

#[test]
fn a_recipe_keeps_its_tiles_in_a_layout_that_older_programs_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = learned(view(TWO_BY_TWO), Place::DoesNot);
    recipe.write(&path).unwrap();
    assert_eq!(Recipe::read(&path).unwrap(), recipe);
    let header = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    assert!(header(&path).contains("\\\"layout\\\":3"));
    // The damaged golden input is one tile where it does not matter which patch lies where.
    let side = SIZE as u32;
    let sizes = [0, 1].map(|number: usize| {
        let picture = image::load_from_memory(&recipe.golden[number].png).unwrap();
        (picture.width(), picture.height())
    });
    assert_eq!(sizes, [(2 * side, 2 * side), (side, side)]);
    assert!(recipe.golden[1].score > 1.0);

    // One without tiles is as it always was.
    let mut plain = common::learn(5);
    plain.write(&path).unwrap();
    assert!(header(&path).contains("\\\"layout\\\":1") && !header(&path).contains("tiles"));
}

#[test]
fn a_recipe_whose_tiles_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let sound = common::learn(5);
    let refused = |change: &dyn Fn(&mut Recipe), words: &[&str]| {
        let mut recipe = sound.clone();
        change(&mut recipe);
        recipe.write(&path).unwrap();
        let error = Recipe::read(&path).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    let tiles =
        |columns, rows| move |recipe: &mut Recipe| recipe.view.tiles = Tiles { columns, rows };
    refused(&tiles(0, 1), &["0x1 tiles", "8 x 8 patches"]);
    refused(&tiles(1, 3), &["1x3 tiles", "8 x 8 patches"]);
    refused(&tiles(usize::MAX, 1), &["tiles", "8 x 8 patches"]);
    let own = |recipe: &mut Recipe| {
        tiles(2, 2)(recipe);
        recipe.view.shape = InputShape::Own;
    };
    refused(&own, &["tiles", "own shape"]);
    let large = |recipe: &mut Recipe| {
        tiles(2, 2)(recipe);
        recipe.normal.grid = Grid {
            rows: 256,
            cols: 256,
        };
    };
    let without_places = |recipe: &mut Recipe| {
        large(recipe);
        recipe.normal.gate = None;
        recipe.composition = None;
    };
    refused(
        &without_places,
        &["2x2 tiles", "256 x 256 patches", "16384"],
    );
}

#[test]
fn views_with_forged_tiles_are_refused_before_anything_is_prepared() {
    let model = Model::embedded().unwrap();
    let mut recipe = common::learn(5);
    for (columns, rows) in [(0, 1), (1, 0), (5, 40), (usize::MAX, usize::MAX)] {
        recipe.view.tiles = Tiles { columns, rows };
        let error = Pipeline::new(&model, &recipe, &Threads::alone())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("16384 patches"), "{error}");
    }
    // A mask of another frame.
    recipe.view.tiles = TWO_BY_TWO;
    recipe.view.kept = Kept::new(Grid { rows: 8, cols: 8 }, |_| true);
    let error = Pipeline::new(&model, &recipe, &Threads::alone())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("16 x 16 patches") && error.contains("8 x 8 patches"),
        "{error}"
    );
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
fn the_commands_learn_show_judge_and_time_with_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let recipe = folder.path().join("line.andon");
    let good = folder.path().join("good");
    write_good(&good, 0..5);
    // 320 x 240 px hold no third column or row of 112 px.
    let run = learn(&good, &recipe, &["--tiles", "auto"]).exits(0);
    assert_eq!(run.object()["tiles"], serde_json::json!([2, 2]), "{run}");
    run.says(&["2x2 inputs of 112 x 112 px", "4 times the time"]);
    assert!(!run.stderr.contains("enlarging"), "{run}");
    let run = learn(&good, &recipe, &["--tiles", "3x2", "--place", "no"]).exits(0);
    assert_eq!(run.object()["tiles"], serde_json::json!([3, 2]), "{run}");
    run.says(&["3x2 inputs", "320 x 240 px", "--tiles auto"]);

    let recipe = recipe.to_str().unwrap();
    let shown = andon(["recipe", "show", recipe]).exits(0);
    assert!(
        shown
            .stdout
            .contains("3x2 tiles of 112 x 112 px, 16 x 24 patches"),
        "{shown}"
    );
    andon(["recipe", "verify", "-r", recipe]).exits(0);
    painted(&common::good(20), [230, 60], 24)
        .save(at("bad.png"))
        .unwrap();
    let overlays = at("overlays");
    let bad = at("bad.png");
    andon(["inspect", "-r", recipe, &bad, "--overlay", &overlays]).exits(1);
    let eval = [
        "eval",
        "-r",
        recipe,
        "--good",
        good.to_str().unwrap(),
        "--bad",
        &bad,
        "--json",
    ];
    andon(eval).exits(0);
    let bench = [
        "bench",
        "-r",
        recipe,
        "--images",
        "2",
        "--against",
        "plain",
        "--json",
    ];
    let bench = andon(bench).exits(0).object();
    assert_eq!(
        bench["measured"][0]["tiles"],
        serde_json::json!([3, 2]),
        "{bench}"
    );
}

#[test]
fn tiles_that_cannot_be_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    write_good(&good, 0..1);
    let recipe = folder.path().join("never.andon");
    let refused = |more: &[&str], words: &[&str]| {
        learn(&good, &recipe, more).refuses(words);
    };
    for tiles in ["0x2", "2", "2x", "-1x1", "many"] {
        let tiles = format!("--tiles={tiles}");
        refused(&[&tiles], &["COLUMNSxROWS", "auto"]);
    }
    for tiles in ["129x1", "20x20", "99999999999x99999999999"] {
        refused(
            &["--tiles", tiles],
            &[tiles, "16384 patches", "fewer tiles"],
        );
    }
    let own = ["--tiles", "2x2", "--shape", "own"];
    refused(&own, &["--tiles needs one shape", "--shape own"]);
    assert!(!recipe.exists());
}
