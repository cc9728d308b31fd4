//! `andon eval --stress` as its user meets it.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::{andon, bad, learn, write_good};
use tempfile::TempDir;

/// A recipe of the small line, with a folder of good parts that it has not seen and one of bad ones.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        learn(6).write(&folder.path().join("line.andon")).unwrap();
        write_good(&folder.path().join("good"), 20..23);
        std::fs::create_dir(folder.path().join("bad")).unwrap();
        let part = bad(30).image;
        part.save(folder.path().join("bad/part-30.png")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `andon eval` on it, with more words behind.
    fn eval(&self, more: &[&str]) -> common::Run {
        let mut arguments = vec!["eval".into()];
        for (flag, name) in [("-r", "line.andon"), ("--good", "good"), ("--bad", "bad")] {
            arguments.extend([flag.into(), self.path(name).into_os_string()]);
        }
        arguments.extend(more.iter().map(Into::into));
        andon(arguments)
    }
}

#[test]
fn every_stress_and_level_has_a_row_beside_the_images_as_they_came() {
    let bench = Bench::new();
    let page = bench.path("report.html");
    let words = ["--json", "--report", page.to_str().unwrap()];
    let stress = ["--stress", "brightness=-95", "rotation=0,3"];
    let figures = bench
        .eval(&[&words[..], &stress].concat())
        .exits(0)
        .object();
    let rows = figures["stress"].as_array().unwrap();
    let named: Vec<_> = rows
        .iter()
        .map(|row| (row["stress"].as_str(), row["level"].as_f64()))
        .collect();
    let expected = [
        (None, None),
        (Some("brightness"), Some(-95.0)),
        (Some("rotation"), Some(0.0)),
        (Some("rotation"), Some(3.0)),
    ];
    assert_eq!(named, expected);
    for row in rows {
        assert_eq!(row["false_reject"]["of"], 3, "{row}");
        assert_eq!(row["miss"]["of"], 1, "{row}");
        assert_eq!(row["errors"], 0, "{row}");
    }
    // The first row and a turn by nothing are the plain evaluation again.
    for row in [&rows[0], &rows[2]] {
        assert_eq!(row["image_auroc"], figures["image_auroc"], "{row}");
        let rejected = row["false_reject"]["count"].as_f64().unwrap() / 3.0;
        assert_eq!(Some(rejected), figures["false_reject"].as_f64(), "{row}");
    }
    // In the dark no part looks like a good one.
    assert_eq!(rows[1]["false_reject"]["count"], 3, "{}", rows[1]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Under stress") && page.contains("-95 %"));
}

#[test]
fn without_stress_nothing_is_said_about_it_and_an_unknown_one_is_refused() {
    let bench = Bench::new();
    let run = bench.eval(&["--json"]).exits(0);
    assert!(run.object().get("stress").is_none(), "{run}");
    bench
        .eval(&["--stress", "dust"])
        .refuses(&["\"dust\"", "motion-blur"]);
    bench
        .eval(&["--stress", "jpeg=0"])
        .refuses(&["from 1 to 100"]);
}
