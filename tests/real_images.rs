//! The main job on real images, as a user does it: learn good parts, measure others. Figures over
//! all images and several draws come from `cargo bench --bench scoring`; this holds the floor.

#![allow(clippy::unwrap_used)]

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use common::{Run, andon};
use serde_json::Value;

/// The images are not part of the repository; the folder that should hold them lies beside it.
fn data(set: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = root.join(set);
    if !folder.is_dir() {
        // Straight to the terminal: the test harness keeps what a passing test prints.
        use std::io::Write;
        let note = format!(
            "\n*** SKIPPED: {} is not there, so nothing was measured on real images ***\n\n",
            folder.display()
        );
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return None;
    }
    Some(folder)
}

/// Runs the program with the words of a line, then with paths, each behind its flag if it has one.
#[track_caller]
fn andon_with(line: &str, paths: &[(&str, &Path)]) -> Run {
    let mut arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    for (flag, path) in paths {
        arguments.extend(
            Some(flag)
                .filter(|flag| !flag.is_empty())
                .map(OsString::from),
        );
        arguments.push(path.into());
    }
    andon(arguments)
}

/// Files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

#[track_caller]
fn figure(figures: &Value, name: &str) -> f64 {
    figures[name]
        .as_f64()
        .unwrap_or_else(|| panic!("no {name} in {figures}"))
}

#[test]
fn stations_with_missing_screws_are_told_from_good_ones_after_eight_parts() {
    let Some(screws) = data("screws") else { return };
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("screws.andon");
    let good = screws.join("good");
    let learn = "learn --take 8 --seed 1 --size 448 --json";
    let learned = andon_with(learn, &[("--good", &good), ("-o", &recipe)])
        .exits(0)
        .object();
    assert_eq!(learned["parts"], 8);
    let bad: Vec<_> = files(&screws.join("bad")).into_iter().step_by(4).collect();
    let mut paths = vec![("-r", recipe.as_path()), ("--good", &good)];
    paths.extend(bad.iter().map(|path| ("--bad", path.as_path())));
    let figures = andon_with("eval --json", &paths).exits(0).object();
    eprintln!("{figures}");
    assert_eq!(figures["left_out"], 8, "{figures}");
    assert_eq!(figures["good"], files(&good).len() - 8, "{figures}");
    assert_eq!(figures["bad"], bad.len(), "{figures}");
    assert!(figure(&figures, "image_auroc") >= 0.9, "{figures}");
    // The digits of a name say which of the four screws are there: without any, nobody may pass.
    let none = ["10_0000.jpg", "93_0000.jpg"].map(|name| screws.join("bad").join(name));
    let paths = [("-r", recipe.as_path()), ("", &none[0]), ("", &none[1])];
    let lines = andon_with("inspect --json", &paths).exits(1).objects();
    assert!(
        lines.iter().all(|line| line["verdict"] == "ng"),
        "{lines:?}"
    );
}

#[test]
fn defects_of_boards_are_found_with_nothing_but_their_own_template() {
    let Some(pcb) = data("pcb") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut recalls = Vec::new();
    // One board of each design.
    for board in ["00041000", "20085000", "50600000"] {
        let name = format!("{board}.jpg");
        let recipe = folder.path().join(board);
        let template = pcb.join("good").join(&name);
        andon_with(
            "learn --place yes",
            &[("--good", &template), ("-o", &recipe)],
        )
        .exits(0);
        let paths = [
            ("-r", recipe.as_path()),
            ("--bad", &pcb.join("bad").join(&name)),
            ("--boxes", &pcb.join("boxes")),
        ];
        let figures = andon_with("eval --json", &paths).exits(0).object();
        eprintln!("{board}: {figures}");
        assert_eq!(figure(&figures, "miss"), 0.0, "{board}: {figures}");
        recalls.push(figure(&figures, "region_recall"));
    }
    let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
    assert!(mean >= 0.6, "{recalls:?}");
}

#[test]
fn tiles_find_more_of_the_defects_of_boards_than_one_input_of_as_many_patches() {
    let Some(pcb) = data("pcb") else { return };
    let folder = tempfile::tempdir().unwrap();
    let recall = |input: &str| {
        let boards = ["00041000", "20085000"];
        let of_board = |board: &str| {
            let name = format!("{board}.jpg");
            let recipe = folder.path().join(board);
            let paths = [
                ("--good", pcb.join("good").join(&name)),
                ("-o", recipe.clone()),
            ];
            let paths = paths.each_ref().map(|(flag, path)| (*flag, path.as_path()));
            andon_with(&format!("learn --place yes {input}"), &paths).exits(0);
            let paths = [
                ("-r", recipe.as_path()),
                ("--bad", &pcb.join("bad").join(&name)),
                ("--boxes", &pcb.join("boxes")),
            ];
            let figures = andon_with("eval --json", &paths).exits(0).object();
            eprintln!("{input}, {board}: {figures}");
            figure(&figures, "region_recall")
        };
        boards.iter().map(|board| of_board(board)).sum::<f64>() / boards.len() as f64
    };
    let (one, tiles) = (recall("--size 448"), recall("--size 224 --tiles 2x2"));
    assert!(tiles > one && tiles >= 0.9, "{one} and {tiles}");
}
