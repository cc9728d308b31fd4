//! A recipe on its way through a file: what was learned comes back, and nothing else is believed.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use andon::image::{InputShape, Roi};
use andon::inspect::Verdict;
use andon::pipeline::{Pipeline, PipelineError, ReplayError};
use andon::recipe::{Place, Recipe, RecipeError};
use andon::vit::{Model, Threads};
use common::{
    andon, bad, good, graph_with_a_comment, learn, learn_where, model_files, run, write_model,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A recipe as it was learned, and its file.
static LEARNED: LazyLock<(Recipe, Vec<u8>)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = learn(5);
    let length = recipe.write(&path).unwrap();
    let bytes = fs::read(path).unwrap();
    assert_eq!(length, bytes.len() as u64);
    (recipe, bytes)
});

/// Writes a copy of the recipe after a change.
fn write_changed(path: &Path, change: impl FnOnce(&mut Recipe)) -> Recipe {
    let mut recipe = LEARNED.0.clone();
    change(&mut recipe);
    recipe.write(path).unwrap();
    recipe
}

/// What a folder holds.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    names.sort();
    names
}

/// Checks that bytes are refused, with the name of the file and words for a person.
#[track_caller]
fn refused(bytes: &[u8], what: &str) -> RecipeError {
    match Recipe::from_bytes(bytes, "shelf/line.andon") {
        Ok(_) => panic!("{what}: accepted"),
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.contains("shelf/line.andon") && text.len() > 40,
                "{what}: {text}"
            );
            error
        }
    }
}

#[test]
fn a_recipe_that_is_read_back_equals_the_one_that_was_learned() {
    let (recipe, bytes) = &*LEARNED;
    assert_eq!(&Recipe::from_bytes(bytes, "line.andon").unwrap(), recipe);
    assert_eq!(recipe.origin.parts.len(), 5);
    assert_eq!(recipe.golden.len(), 2);
}

#[test]
fn writing_a_recipe_again_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.andon");
    let mut again = Recipe::from_bytes(&LEARNED.1, "line.andon").unwrap();
    again.write(&path).unwrap();
    assert_eq!(fs::read(path).unwrap(), LEARNED.1);
}

#[test]
fn learning_the_same_parts_again_gives_the_same_recipe() {
    let mut again = learn(5);
    again.id.clone_from(&LEARNED.0.id);
    assert!(again == LEARNED.0);
}

#[test]
fn a_recipe_keeps_to_its_promises_of_size() {
    assert!(LEARNED.1.len() < 3_000_000, "{} bytes", LEARNED.1.len());
}

#[test]
fn every_flipped_byte_is_refused() {
    let bytes = &LEARNED.1;
    let mut dice = ChaCha8Rng::seed_from_u64(11);
    let start = 0..64;
    let header = length_of(bytes);
    let in_header: Vec<usize> = (0..150).map(|_| dice.random_range(8..8 + header)).collect();
    let anywhere: Vec<usize> = (0..150)
        .map(|_| dice.random_range(0..bytes.len()))
        .collect();
    let mut changed = bytes.clone();
    for at in start
        .chain(in_header)
        .chain(anywhere)
        .chain([bytes.len() - 1])
    {
        let flip = dice.random_range(1..=255);
        changed[at] ^= flip;
        refused(&changed, &format!("byte {at} flipped by {flip:#04x}"));
        changed[at] ^= flip;
    }
}

#[test]
fn a_flipped_byte_in_the_arrays_is_said_to_be_damage_and_what_to_do() {
    let mut changed = LEARNED.1.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let error = refused(&changed, "last byte");
    assert!(matches!(error, RecipeError::Checksum { .. }), "{error:?}");
    let text = error.to_string();
    for word in [
        "damaged",
        "copy the file again",
        "learn it again",
        &LEARNED.0.id,
    ] {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = &LEARNED.1;
    let mut dice = ChaCha8Rng::seed_from_u64(12);
    let few = 0..32;
    let anywhere: Vec<usize> = (0..150)
        .map(|_| dice.random_range(0..bytes.len()))
        .collect();
    for length in few.chain(anywhere).chain([bytes.len() - 1]) {
        refused(&bytes[..length], &format!("{length} bytes"));
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    for extra in [&[0][..], b"\n", &LEARNED.1] {
        refused(&[&LEARNED.1, extra].concat(), "longer");
    }
}

#[test]
fn files_that_never_were_recipes_are_refused() {
    let [manifest, graph] = model_files();
    for path in [manifest, graph] {
        refused(&fs::read(&path).unwrap(), &path.display().to_string());
    }
    let length_bomb = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    let empty_header = [&2u64.to_le_bytes()[..], b"{}"].concat();
    for bytes in [
        &b""[..],
        b"{}",
        b"not a recipe",
        &[0; 4096],
        &length_bomb,
        &empty_header,
    ] {
        refused(bytes, &format!("{bytes:?}"));
    }
}

/// The same file with another text in its header and a checksum that is right again, as somebody
/// would make it who knows how.
fn forged(from: &str, to: &str) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let (recipe, bytes) = &*LEARNED;
    let length = length_of(bytes);
    let header = std::str::from_utf8(&bytes[8..8 + length]).unwrap();
    assert!(header.contains(from), "{from} is not in {header}");
    let blank = "0".repeat(64);
    let mut header = header
        .replacen(from, to, 1)
        .replace(&recipe.id, &blank)
        .trim_end()
        .to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let whole = |header: &str| {
        let stated = (header.len() as u64).to_le_bytes();
        [&stated[..], header.as_bytes(), &bytes[8 + length..]].concat()
    };
    let digest = andon::hash::hex(&Sha256::digest(whole(&header)));
    whole(&header.replace(&blank, &digest))
}

/// Length of the header, which follows the eight bytes that state it.
fn length_of(bytes: &[u8]) -> usize {
    u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize
}

#[test]
fn a_forged_file_is_still_asked_whether_it_makes_sense() {
    let text = |path: &str| path.replace('\'', "\\\"");
    assert!(
        Recipe::from_bytes(&forged("rendered line", "Rendered Line"), "line.andon").is_ok(),
        "the forgery itself is sound"
    );
    for (from, to) in [
        ("'rows':8", "'rows':9"),
        ("'rows':8", "'rows':0"),
        ("'rows':8", "'rows':4000000000"),
        ("'blocks':[5,6,7,8]", "'blocks':[5,6,7,9]"),
        ("'blocks':[5,6,7,8]", "'blocks':[]"),
        ("'blocks':[5,6,7,8]", "'blocks':[5,6,7,8,5]"),
        ("'image':", "'image':-"),
        ("'image':", "'image':0.0,'x':"),
        ("'golden_scores':[", "'golden_scores':[1.0,"),
        ("'view':", "'glance':"),
    ] {
        let bytes = forged(&text(from), &text(to));
        let error = refused(&bytes, &format!("{from} -> {to}"));
        assert!(
            matches!(error, RecipeError::Format { .. }),
            "{from} -> {to}: {error}"
        );
    }
}

#[test]
fn a_forged_view_is_refused_when_the_pipeline_is_put_together() {
    let model = Model::embedded().unwrap();
    for (width, height) in [(0, 0), (15, 14), (usize::MAX, 14), (140, 140)] {
        let mut recipe = LEARNED.0.clone();
        recipe.view.input.width = width;
        recipe.view.input.height = height;
        match Pipeline::new(&model, &recipe, &Threads::alone()) {
            Err(error) => assert!(error.to_string().len() > 40, "{error}"),
            // A size that fits the model and not the recipe shows at the first look.
            Ok(pipeline) => {
                let error = pipeline.inspect(&good(20)).err().unwrap().to_string();
                assert!(error.len() > 40, "{error}");
            }
        }
    }
}

#[test]
fn another_layout_is_refused_with_the_program_that_wrote_it() {
    let error = refused(&forged("\\\"layout\\\":1", "\\\"layout\\\":7"), "layout 7");
    assert!(
        matches!(error, RecipeError::Version { found: 7, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains(&LEARNED.0.origin.program),
        "{error}"
    );
}

#[test]
fn a_recipe_of_another_model_is_refused_with_the_hashes_of_both() {
    let folder = tempfile::tempdir().unwrap();
    let graph = graph_with_a_comment();
    let other = Model::open(&write_model(folder.path(), &graph, |_| ())).unwrap();
    let error = Pipeline::new(&other, &LEARNED.0, &Threads::alone())
        .err()
        .unwrap();
    assert!(
        matches!(error, PipelineError::Recipe(RecipeError::OtherModel { .. })),
        "{error:?}"
    );
    let text = error.to_string();
    let here = &other.manifest().sha256[..12];
    let made = &LEARNED.0.origin.model_sha256[..12];
    for word in [
        here,
        made,
        "rendered line",
        "dinov2-vits14-int8",
        "learn",
        "--model",
    ] {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

#[test]
fn the_program_refuses_a_recipe_of_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    fs::write(&path, &LEARNED.1).unwrap();
    let manifest = write_model(folder.path(), &graph_with_a_comment(), |_| ());
    let picture = folder.path().join("part.png");
    good(9).save(&picture).unwrap();
    let path = path.to_str().unwrap();
    let manifest = manifest.to_str().unwrap();
    andon([
        "inspect",
        "-r",
        path,
        "--model",
        manifest,
        picture.to_str().unwrap(),
    ])
    .refuses(&[
        path,
        "rendered line",
        &LEARNED.0.origin.model_sha256[..12],
        "learn the recipe again",
    ]);
}

#[test]
fn a_write_that_cannot_be_done_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.andon");
    fs::write(&old, "old").unwrap();
    let mut recipe = LEARNED.0.clone();

    // Below a file there can be no folder.
    let below = old.join("new.andon");
    let error = recipe.write(&below).unwrap_err();
    assert!(matches!(error, RecipeError::Write { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains(&below.display().to_string()) && text.contains("as it was"),
        "{text}"
    );

    // A folder cannot be replaced by a file: this fails at the last step, behind the writing.
    let taken = folder.path().join("taken.andon");
    fs::create_dir(&taken).unwrap();
    assert!(matches!(
        recipe.write(&taken),
        Err(RecipeError::Write { .. })
    ));

    assert_eq!(fs::read(&old).unwrap(), b"old");
    assert_eq!(
        names(folder.path()),
        [old, taken],
        "no half-written file is left"
    );
}

#[test]
fn a_disk_that_is_full_half_way_through_a_recipe_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("good");
    common::write_good(&parts, 0..5);
    let path = folder.path().join("line.andon");
    fs::write(&path, &LEARNED.1).unwrap();
    // What the shell calls blocks has 512 or 1024 bytes; features of the parts take less room
    // than the recipe, so the recipe is what meets the end of the disk.
    let script = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";
    let limited = |blocks: &str| {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            script,
            "sh",
            blocks,
            env!("CARGO_BIN_EXE_andon"),
            "learn",
        ]);
        command
            .args(["--size", "112", "--threads", "1", "--good"])
            .arg(&parts);
        run(command.arg("-o").arg(&path))
    };
    let failed = limited("1000");
    let error = failed.refuses(&["cannot write recipe", "is left as it was"]);
    assert!(error.contains(&path.display().to_string()), "{error}");
    assert_eq!(fs::read(&path).unwrap(), LEARNED.1);
    assert_eq!(
        names(folder.path()),
        [parts.clone(), path.clone()],
        "no half-written file is left"
    );
    limited("unlimited").exits(0);
    assert_ne!(fs::read(&path).unwrap(), LEARNED.1);
}

#[test]
fn folders_on_the_way_are_made_and_an_old_recipe_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/line.andon");
    write_changed(&path, |_| ());
    let renamed = write_changed(&path, |recipe| recipe.origin.name = "another".into());
    assert_eq!(Recipe::read(&path).unwrap(), renamed);
    assert_ne!(renamed.id, LEARNED.0.id);
}

#[test]
fn golden_inputs_score_here_what_they_scored_when_they_were_learned() {
    let (recipe, _) = &*LEARNED;
    let pipeline = Pipeline::new(&Model::embedded().unwrap(), recipe, &Threads::alone()).unwrap();
    let scores: Vec<f32> = (1..)
        .zip(&recipe.golden)
        .map(|(number, golden)| pipeline.replay(golden, number).unwrap())
        .collect();
    // The first is a good part, the second a damaged one.
    assert!(scores[0] < 1.0 && scores[1] > scores[0], "{scores:?}");
}

#[test]
fn a_golden_input_with_an_altered_score_is_a_mismatch_that_says_both() {
    let model = Model::embedded().unwrap();
    let mut recipe = LEARNED.0.clone();
    let pipeline = Pipeline::new(&model, &recipe, &Threads::alone()).unwrap();
    for change in [-0.03, 0.03, 1.0, f32::NAN] {
        recipe.golden[0].score = LEARNED.0.golden[0].score + change;
        let error = pipeline.replay(&recipe.golden[0], 1).unwrap_err();
        assert!(
            matches!(error, ReplayError::Mismatch(_)),
            "{change}: {error:?}"
        );
        let text = error.to_string();
        let expected = format!("{:.4}", recipe.golden[0].score);
        assert!(
            text.contains("golden input 1") && text.contains(&expected),
            "{text}"
        );
    }
    recipe.golden[1].png.truncate(100);
    assert!(matches!(
        pipeline.replay(&recipe.golden[1], 2),
        Err(ReplayError::Image(_))
    ));
}

#[test]
fn a_forged_view_is_refused_where_each_picture_has_an_input_of_its_own_shape_too() {
    let model = Model::embedded().unwrap();
    for (width, height) in [(0, 0), (15, 14), (usize::MAX, 14)] {
        let mut recipe = LEARNED.0.clone();
        recipe.view.shape = InputShape::Own;
        recipe.view.input.width = width;
        recipe.view.input.height = height;
        let error = Pipeline::new(&model, &recipe, &Threads::alone())
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(&width.to_string()), "{error}");
    }
}

#[test]
fn no_command_judges_with_a_recipe_whose_golden_score_was_altered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("altered.andon");
    write_changed(&path, |recipe| recipe.golden[0].score += 0.1);
    let picture = folder.path().join("part.png");
    good(9).save(&picture).unwrap();
    let (path, picture) = (path.to_str().unwrap(), picture.to_str().unwrap());
    let words = ["golden input 1", "do not judge parts with it"];
    andon(["recipe", "verify", "-r", path])
        .exits(2)
        .says(&words);
    andon(["inspect", "-r", path, picture]).refuses(&words);
    andon(["eval", "-r", path, "--good", picture]).refuses(&words);
}

#[test]
fn what_was_read_back_judges_as_what_was_learned() {
    let model = Model::embedded().unwrap();
    let (learned, bytes) = &*LEARNED;
    let read = Recipe::from_bytes(bytes, "line.andon").unwrap();
    let [first, second] =
        [learned, &read].map(|r| Pipeline::new(&model, r, &Threads::alone()).unwrap());
    for picture in [good(30), bad(31).image] {
        let expected = first.inspect(&picture).unwrap().inspection;
        assert_eq!(second.inspect(&picture).unwrap().inspection, expected);
    }
    let judged = first.inspect(&bad(31).image).unwrap().inspection;
    assert_eq!(judged.verdict, Verdict::Ng);
}

#[test]
fn a_recipe_for_which_place_counts_keeps_the_composition_and_an_older_one_judges_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = learn_where(5, Place::Counts);
    assert!(recipe.composition.is_some());
    recipe.write(&path).unwrap();
    assert_eq!(Recipe::read(&path).unwrap(), recipe);

    let model = Model::embedded().unwrap();
    let judged = |recipe: &Recipe| {
        let pipeline = Pipeline::new(&model, recipe, &Threads::alone()).unwrap();
        pipeline.inspect(&bad(31).image).unwrap().inspection
    };
    let with = judged(&recipe);
    assert!(with.layout.unwrap() >= 1.0, "{:?}", with.layout);
    assert!(with.layout_note().unwrap().contains("of its limit"));

    // As a program wrote it that knew no composition.
    recipe.composition = None;
    recipe.write(&path).unwrap();
    let without = judged(&Recipe::read(&path).unwrap());
    assert_eq!((without.layout, without.layout_note()), (None, None));
    assert_eq!(
        (without.verdict, without.score, without.regions),
        (with.verdict, with.score, with.regions)
    );
}

#[test]
fn a_recipe_for_which_place_does_not_count_has_no_composition_and_none_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line.andon");
    let mut recipe = learn_where(5, Place::DoesNot);
    assert!(recipe.composition.is_none());
    recipe.composition = learn_where(5, Place::Counts).composition;
    recipe.write(&path).unwrap();
    let error = Recipe::read(&path).unwrap_err();
    assert!(matches!(error, RecipeError::Format { .. }), "{error:?}");
    assert!(error.to_string().contains("composition"), "{error}");
}

#[test]
fn a_region_that_was_cut_out_before_is_judged_like_the_whole_picture() {
    let model = Model::embedded().unwrap();
    let mut recipe = LEARNED.0.clone();
    let roi = Roi {
        x: 24,
        y: 10,
        width: 280,
        height: 210,
    };
    recipe.view.roi = Some(roi);
    let pipeline = Pipeline::new(&model, &recipe, &Threads::alone()).unwrap();
    let picture = bad(31).image;
    let area = pipeline.area(picture.width(), picture.height()).unwrap();
    assert_eq!(area, roi);
    let inside =
        image::imageops::crop_imm(&picture, roi.x, roi.y, roi.width, roi.height).to_image();
    let found = pipeline.inspect_region(&inside, area).unwrap().inspection;
    assert_eq!(found, pipeline.inspect(&picture).unwrap().inspection);
    assert!(
        pipeline.area(100, 100).is_err(),
        "it does not hold the region"
    );
}
