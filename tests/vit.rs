//! The built-in model in its engine against ONNX Runtime, and model files that nobody should trust.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use andon::image::{InputSize, Preparation};
use andon::vit::{
    Backbone, Engine, Grid, Kept, Manifest, Model, ModelError, TapKind, TapRequest, Taps, Threads,
};
use common::{graph_with_a_comment, model_files, write_model};
use image::RgbImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::Value;

/// `tests/reference/vit.json`; the script beside it says what the numbers are.
#[derive(Deserialize)]
struct Reference {
    model_sha256: String,
    runs: Vec<ReferenceRun>,
}

#[derive(Deserialize)]
struct ReferenceRun {
    width: usize,
    height: usize,
    /// Of the float source of the model.
    source: Vec<ReferenceTap>,
    /// Of the int8 file.
    file: Vec<ReferenceTap>,
}

#[derive(Deserialize)]
struct ReferenceTap {
    block: usize,
    tap: String,
    norm: f64,
    products: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/vit.json")).unwrap()
}

fn kind(name: &str) -> TapKind {
    match name {
        "query" => TapKind::Query,
        "key" => TapKind::Key,
        "value" => TapKind::Value,
        "tokens" => TapKind::Tokens,
        other => panic!("no tap is called {other:?}"),
    }
}

/// The picture that `picture` in `reference/vit.py` draws.
fn picture(width: u32, height: u32) -> RgbImage {
    let dark_x = width / 2..width / 2 + 30;
    let dark_y = height / 3..height / 3 + 40;
    RgbImage::from_fn(width, height, |x, y| {
        if dark_x.contains(&x) && dark_y.contains(&y) {
            return image::Rgb([20, 30, 40]);
        }
        image::Rgb([0, 1, 2].map(|channel| {
            let rings = (x * x + y * y * (2 + channel)) / 64 % 128;
            (rings + (x * (3 - channel) + y * channel) / 6 % 128) as u8
        }))
    })
}

/// The output of SplitMix64 for the state `index`: bit `k` is a sign in product `k`.
fn split_mix(index: u64) -> u64 {
    let mut z = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn products(values: &[f32], count: usize) -> Vec<f64> {
    let mut products = vec![0.0; count];
    for (index, &value) in (0..).zip(values) {
        let bits = split_mix(index);
        for (k, product) in products.iter_mut().enumerate() {
            *product += if (bits >> k) & 1 == 1 {
                f64::from(value)
            } else {
                -f64::from(value)
            };
        }
    }
    products
}

/// Length of the difference to a reference, relative to the length of the reference; an estimate,
/// to about one eighth.
fn error(taps: &Taps, reference: &ReferenceTap) -> f64 {
    let tap = taps.get(reference.block, kind(&reference.tap)).unwrap();
    let count = reference.products.len();
    let found = products(tap.rows(), count);
    let differences = found
        .iter()
        .zip(&reference.products)
        .map(|(a, b)| (a - b).powi(2));
    (differences.sum::<f64>() / count as f64).sqrt() / reference.norm
}

/// Runs the built-in model on the drawn picture.
fn run(width: usize, height: usize, request: &TapRequest) -> Taps {
    run_on(Engine::default(), width, height, request)
}

/// The same on an engine of choice.
fn run_on(engine: Engine, width: usize, height: usize, request: &TapRequest) -> Taps {
    let model = Model::embedded().unwrap();
    let backbone =
        Backbone::with_engine(&model, (width, height), request, &Threads::alone(), engine).unwrap();
    backbone.run(&input(&model, width, height)).unwrap()
}

fn input(model: &Model, width: usize, height: usize) -> Vec<f32> {
    let colours = &model.manifest().input;
    let size = InputSize { width, height };
    let preparation = Preparation::new(None, size, colours.mean, colours.std);
    preparation.normalise(&picture(width as u32, height as u32))
}

fn all_taps(run: &ReferenceRun) -> TapRequest {
    TapRequest::new(run.file.iter().map(|tap| (tap.block, kind(&tap.tap))))
}

/// The worst error that the model's maker measured over photographs, by tap and by what becomes of
/// the activations; the manifest has it.
fn worst_measured(tap: &str, activations: &str) -> f64 {
    let [manifest, _] = model_files();
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    let rows = manifest["figures"]["taps"].as_array().unwrap();
    rows.iter()
        .filter(|row| row["activations"] == activations)
        .map(|row| row["taps"][tap]["worst"].as_f64().unwrap())
        .fold(0.0, f64::max)
}

#[test]
fn the_reference_was_made_with_the_built_in_model() {
    let model = Model::embedded().unwrap();
    assert_eq!(
        reference().model_sha256,
        model.manifest().sha256,
        "run tests/reference/vit.py again"
    );
}

#[test]
fn every_tap_of_the_plain_engine_is_what_onnx_runtime_gives_for_the_same_file() {
    for run_of in reference().runs {
        let (width, height) = (run_of.width, run_of.height);
        let taps = run_on(Engine::Plain, width, height, &all_taps(&run_of));
        assert_eq!((taps.grid.cols, taps.grid.rows), (width / 14, height / 14));
        for tap in &run_of.file {
            let error = error(&taps, tap);
            // Two engines add in different orders; anything else would be off by far more.
            assert!(
                error < 1e-4,
                "{width} x {height}, {} of block {}: {error:.1e}",
                tap.tap,
                tap.block
            );
        }
    }
}

#[test]
fn every_tap_is_as_near_to_the_float_source_as_the_manifest_promises() {
    for (engine, activations) in [(Engine::Plain, "float"), (Engine::Fused, "u8 per token")] {
        for run in reference().runs {
            let taps = run_on(engine, run.width, run.height, &all_taps(&run));
            for tap in &run.source {
                let error = error(&taps, tap);
                // The manifest speaks of photographs; a drawn picture may be twice as far off.
                let allowed = 2.0 * worst_measured(&tap.tap, activations);
                assert!(
                    error < allowed,
                    "{engine:?}, {} x {}, {} of block {}: {error:.4}, allowed {allowed:.4}",
                    run.width,
                    run.height,
                    tap.tap,
                    tap.block
                );
            }
        }
    }
}

#[test]
fn a_run_gives_the_taps_that_were_asked_for_and_no_others() {
    let request = TapRequest::new([(5, TapKind::Key), (2, TapKind::Tokens), (5, TapKind::Key)]);
    let taps = run(112, 154, &request);
    let blocks: Vec<_> = taps.blocks.iter().map(|block| block.block).collect();
    assert_eq!(blocks, [2, 5]);
    assert!(taps.get(2, TapKind::Key).is_none() && taps.get(3, TapKind::Tokens).is_none());
    let key = taps.get(5, TapKind::Key).unwrap();
    assert_eq!(key.rows().len(), taps.grid.patches() * key.dim());
    assert_eq!(key.columns().shape(), (384, 8 * 11));
}

#[test]
fn a_tap_does_not_depend_on_what_else_is_asked_for_or_on_the_threads() {
    let model = Model::embedded().unwrap();
    let alone = TapRequest::tokens([5]);
    let among = TapRequest::new([
        (1, TapKind::Query),
        (5, TapKind::Tokens),
        (8, TapKind::Value),
    ]);
    let tap = |request: &TapRequest, threads| {
        let backbone =
            Backbone::new(&model, (112, 154), request, &Threads::new(threads).unwrap()).unwrap();
        let taps = backbone.run(&input(&model, 112, 154)).unwrap();
        taps.get(5, TapKind::Tokens).unwrap().rows().to_vec()
    };
    let expected = tap(&alone, 1);
    for found in [tap(&among, 1), tap(&alone, 2)] {
        let far = expected
            .iter()
            .zip(&found)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(far < 1e-3, "{far}");
    }
}

/// Every tap of blocks 1 and 2, of the kept patches only.
fn run_kept(engine: Engine, kept: Option<&Kept>) -> Taps {
    const KINDS: [TapKind; 4] = [
        TapKind::Query,
        TapKind::Key,
        TapKind::Value,
        TapKind::Tokens,
    ];
    let request = TapRequest::new([1, 2].into_iter().flat_map(|b| KINDS.map(|kind| (b, kind))));
    let model = Model::embedded().unwrap();
    let size = (112, 154);
    let backbone =
        Backbone::with_kept(&model, size, kept, &request, &Threads::alone(), engine).unwrap();
    backbone.run(&input(&model, size.0, size.1)).unwrap()
}

const GRID: Grid = Grid { rows: 11, cols: 8 };

#[test]
fn keeping_every_patch_changes_no_bit_of_any_tap() {
    let every = Kept::new(GRID, |_| true).unwrap();
    for engine in [Engine::Fused, Engine::Plain] {
        let (expected, found) = (run_kept(engine, None), run_kept(engine, Some(&every)));
        for (expected, found) in expected.blocks.iter().zip(&found.blocks) {
            for ((kind, expected), (_, found)) in expected.taps.iter().zip(&found.taps) {
                assert!(expected.rows() == found.rows(), "{engine:?} {kind:?}");
            }
        }
    }
}

#[test]
fn kept_patches_carry_what_they_carried_among_all_until_tokens_see_each_other() {
    let all = run_kept(Engine::Fused, None);
    // Every other patch, and a corner: rows of neither are in one piece.
    for keeps in [
        |p: &usize| p % 2 == 1,
        |p: &usize| p % GRID.cols > 4 && *p > 40,
    ] {
        let kept = Kept::new(GRID, keeps).unwrap();
        let some = run_kept(Engine::Fused, Some(&kept));
        assert_eq!((some.grid, some.kept.as_ref()), (GRID, Some(&kept)));
        let tap = |taps: &Taps, block, kind| taps.get(block, kind).unwrap().columns().into_owned();
        for kind in [TapKind::Query, TapKind::Key, TapKind::Value] {
            // Before any attention: token by token, so to the bit.
            let expected = tap(&all, 1, kind).select_columns(kept.patches());
            assert!(tap(&some, 1, kind) == expected, "{kind:?}");
        }
        let (alone, among) = (
            tap(&some, 1, TapKind::Tokens),
            tap(&all, 1, TapKind::Tokens),
        );
        assert_eq!(alone.shape(), (384, kept.patches().len()));
        let among = among.select_columns(kept.patches());
        let apart = (&alone - &among).norm() / among.norm();
        assert!(
            (1e-4..0.5).contains(&apart),
            "attention sees fewer: {apart}"
        );
    }
}

#[test]
fn a_single_patch_is_enough_and_the_engine_alone_agrees() {
    let kept = Kept::new(GRID, |patch| *patch == 50).unwrap();
    let [fused, plain] = [Engine::Fused, Engine::Plain].map(|engine| run_kept(engine, Some(&kept)));
    let rows = |taps: &Taps| taps.get(2, TapKind::Tokens).unwrap().columns().into_owned();
    let (fused, plain) = (rows(&fused), rows(&plain));
    assert_eq!(fused.shape(), (384, 1));
    assert!((&fused - &plain).norm() < 0.05 * plain.norm());
}

#[test]
fn patches_of_another_grid_are_refused_with_both_grids() {
    let model = Model::embedded().unwrap();
    let kept = Kept::new(GRID, |_| true).unwrap();
    let request = TapRequest::tokens([1]);
    let error = Backbone::with_kept(
        &model,
        (28, 14),
        Some(&kept),
        &request,
        &Threads::alone(),
        Engine::Fused,
    );
    let error = error.err().unwrap();
    assert!(matches!(error, ModelError::Kept { .. }), "{error:?}");
    says(&error, &["11 x 8 patches", "1 x 2 patches", "mask"]);
}

#[test]
fn a_size_that_cannot_be_cut_into_patches_is_refused_with_the_sizes_that_can() {
    let model = Model::embedded().unwrap();
    let request = TapRequest::tokens([1]);
    for size in [
        (0, 14),
        (14, 0),
        (13, 14),
        (112, 150),
        (2058, 14),
        (14, usize::MAX),
    ] {
        let error = Backbone::new(&model, size, &request, &Threads::alone())
            .err()
            .unwrap();
        assert!(matches!(error, ModelError::InputSize { .. }), "{error:?}");
        says(
            &error,
            &[
                &size.0.to_string(),
                &size.1.to_string(),
                "multiple of 14",
                "2044",
            ],
        );
    }
}

#[test]
fn a_tensor_of_another_length_is_refused() {
    let model = Model::embedded().unwrap();
    let backbone = Backbone::new(
        &model,
        (28, 14),
        &TapRequest::tokens([1]),
        &Threads::alone(),
    )
    .unwrap();
    for length in [0, 3 * 28 * 14 - 1, 3 * 28 * 14 + 1] {
        let error = backbone.run(&vec![0.0; length]).unwrap_err();
        says(&error, &["28 x 14", &length.to_string()]);
    }
    assert!(backbone.run(&[0.0; 3 * 28 * 14]).is_ok());
}

#[test]
fn a_block_that_the_model_does_not_have_is_refused() {
    let model = Model::embedded().unwrap();
    for block in [0, 13, usize::MAX] {
        let error = Backbone::new(
            &model,
            (28, 28),
            &TapRequest::tokens([5, block]),
            &Threads::alone(),
        );
        says(
            &error.err().unwrap(),
            &["blocks 1 to 12", &block.to_string()],
        );
    }
}

/// Checks an error's message.
#[track_caller]
fn says(error: &ModelError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
}

/// A copy of the shipped model in a folder of its own; gives manifest and graph.
fn copy(folder: &Path) -> [PathBuf; 2] {
    model_files().map(|path| {
        let to = folder.join(path.file_name().unwrap());
        std::fs::copy(path, &to).unwrap();
        to
    })
}

#[test]
fn a_truncated_model_file_is_refused_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let [manifest, graph] = copy(folder.path());
    let bytes = std::fs::read(&graph).unwrap();
    for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&graph, &bytes[..length]).unwrap();
        let error = Model::open(&manifest).unwrap_err();
        assert!(matches!(error, ModelError::Hash { .. }), "{error:?}");
        says(&error, &[".onnx", "damaged", "copy both again"]);
    }
}

#[test]
fn a_flipped_bit_in_a_model_file_is_refused_with_both_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let [manifest, graph] = copy(folder.path());
    let mut bytes = std::fs::read(&graph).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&graph, &bytes).unwrap();
    let expected = Model::embedded().unwrap().manifest().sha256.clone();
    let error = Model::open(&manifest).unwrap_err();
    says(&error, &[&expected, &andon::hash::sha256(&bytes)]);
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let [manifest, graph] = copy(folder.path());
    std::fs::remove_file(&graph).unwrap();
    says(
        &Model::open(&manifest).unwrap_err(),
        &["cannot read", &graph.display().to_string()],
    );
    std::fs::remove_file(&manifest).unwrap();
    says(
        &Model::open(&manifest).unwrap_err(),
        &[&manifest.display().to_string()],
    );
}

#[test]
fn a_manifest_of_another_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [_, graph] = model_files();
    let manifest = write_model(folder.path(), &graph_with_a_comment(), |_| ());
    assert!(Model::open(&manifest).is_ok());
    std::fs::copy(graph, folder.path().join("other.onnx")).unwrap();
    let error = Model::open(&manifest).unwrap_err();
    says(&error, &["other.onnx", "belongs to another manifest"]);
}

#[test]
fn a_manifest_with_impossible_sizes_is_refused_before_the_graph_is_read() {
    let [manifest, _] = model_files();
    let shipped: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    let huge = Value::from(u64::MAX);
    let cases: &[(&str, Value)] = &[
        ("/architecture/patch", 0.into()),
        ("/architecture/patch", huge.clone()),
        ("/architecture/patch", (-14).into()),
        ("/architecture/dim", 0.into()),
        ("/architecture/dim", huge.clone()),
        ("/architecture/heads", 0.into()),
        ("/architecture/heads", 5.into()),
        ("/architecture/blocks", 0.into()),
        ("/architecture/blocks", huge.clone()),
        ("/architecture/native_grid", 0.into()),
        ("/architecture/native_grid", huge.clone()),
        ("/architecture/class_tokens", huge),
        ("/input/std/1", 0.0.into()),
        ("/input/std/1", (-0.2).into()),
        ("/input/mean/0", 1e300.into()),
        ("/input/mean", Value::from(vec![0.5; 4])),
        ("/file", "../secret.onnx".into()),
        ("/schema", 2.into()),
        ("/taps/key", Value::Null),
    ];
    for (place, value) in cases {
        let mut changed = shipped.clone();
        *changed.pointer_mut(place).unwrap() = value.clone();
        let text = changed.to_string();
        match Manifest::parse(text.as_bytes(), "line-3.json") {
            Err(error @ ModelError::Manifest { .. }) => says(&error, &["line-3.json"]),
            other => panic!("{place} = {value}: {other:?}"),
        }
    }
    for text in ["", "[]", "{}", "{\"schema\":1", "\u{0}"] {
        let error = Manifest::parse(text.as_bytes(), "line-3.json").unwrap_err();
        says(&error, &["line-3.json"]);
    }
}

/// Opens a model and prepares it; nobody who judges parts gets further than this with a bad one.
fn prepare(manifest: &Path) -> Result<Backbone, ModelError> {
    let model = Model::open(manifest)?;
    Backbone::new(
        &model,
        (28, 28),
        &TapRequest::tokens([1, 5]),
        &Threads::alone(),
    )
}

#[test]
fn a_manifest_that_contradicts_its_graph_is_refused_by_the_name_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let graph = graph_with_a_comment();
    let cases: &[(&str, Value)] = &[
        ("/architecture/patch", 7.into()),
        ("/architecture/dim", 192.into()),
        ("/architecture/native_grid", 16.into()),
        ("/architecture/class_tokens", 0.into()),
        ("/input/name", "pixels".into()),
        ("/position_embedding/initializer", "places".into()),
        ("/taps/tokens", "layer{block}.out".into()),
        // The table of positions is no output of a node.
        ("/taps/tokens", "position_embedding".into()),
    ];
    for (place, value) in cases {
        let manifest = write_model(folder.path(), &graph, |json| {
            *json.pointer_mut(place).unwrap() = value.clone();
        });
        match prepare(&manifest) {
            Err(error @ (ModelError::Layout { .. } | ModelError::Engine { .. })) => {
                says(&error, &["model other"]);
            }
            Err(error) => panic!("{place} = {value}: {error}"),
            Ok(_) => panic!("{place} = {value}: accepted"),
        }
    }
}

#[test]
fn a_hostile_file_whose_hash_is_right_is_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let graph = graph_with_a_comment();
    let mut dice = ChaCha8Rng::seed_from_u64(5);
    let noise: Vec<u8> = (0..4096).map(|_| dice.random()).collect();
    let length_bomb = vec![0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let mut files = vec![
        Vec::new(),
        vec![0; 64],
        b"not a graph".to_vec(),
        noise,
        length_bomb,
    ];
    // Deeply nested: graph in graph attribute in graph.
    files.push((0..300).fold(Vec::new(), |inner, _| {
        field(7, &field(1, &field(5, &field(6, &inner))))
    }));
    for part in [0.001, 0.02, 0.3, 0.9] {
        files.push(graph[..(graph.len() as f64 * part) as usize].to_vec());
    }
    for bytes in files {
        let manifest = write_model(folder.path(), &bytes, |_| ());
        match prepare(&manifest) {
            Err(error @ (ModelError::Layout { .. } | ModelError::Engine { .. })) => {
                says(&error, &["model other"]);
            }
            Err(error) => panic!("{} bytes: {error}", bytes.len()),
            Ok(_) => panic!("{} bytes: accepted", bytes.len()),
        }
    }
}

#[test]
fn bytes_flipped_in_the_structure_of_a_graph_never_bring_the_program_down() {
    let folder = tempfile::tempdir().unwrap();
    let graph = graph_with_a_comment();
    let mut dice = ChaCha8Rng::seed_from_u64(6);
    // Nodes come first in the file and weights behind them.
    let structure = 45_000;
    for _ in 0..12 {
        let mut bytes = graph.clone();
        for _ in 0..8 {
            let at = dice.random_range(0..structure);
            bytes[at] = dice.random();
        }
        let manifest = write_model(folder.path(), &bytes, |_| ());
        if let Err(error) = prepare(&manifest) {
            says(&error, &["model other"]);
        }
    }
}

#[test]
fn a_graph_that_keeps_data_in_other_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.bin"), [0; 64]).unwrap();
    // A second graph field is merged into the first: the shipped graph and one more tensor.
    let entry = [field(1, b"location"), field(2, b"secret.bin")].concat();
    let outside = [vec![14 << 3, 1], field(13, &entry)].concat();
    let tensor = [vec![1 << 3, 4, 2 << 3, 1], field(8, b"extra"), outside].concat();
    let graph = [graph_with_a_comment(), field(7, &field(5, &tensor))].concat();
    let manifest = write_model(folder.path(), &graph, |_| ());
    let error = prepare(&manifest).err().unwrap();
    says(&error, &["model other", "\"extra\"", "another file"]);
}

/// A length-delimited field of a protocol buffer.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![(number << 3) | 2];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(content);
    bytes
}
