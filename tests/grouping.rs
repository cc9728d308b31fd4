//! `andon group` as a user meets it, and what its passes cost.

// A failed expectation ends a test, wherever it stands.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use andon::group::{PathwayRows, Settings, group};
use andon::inspect::Pathway;
use andon_kernels::Pool;
use andon_shards::{Shard, ShardsWriter, open_folder};
use common::{andon, bad, learn, write_good};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn ids(groups: &Value) -> Vec<String> {
    let groups = groups["groups"].as_array().unwrap();
    groups
        .iter()
        .map(|g| g["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Groups a folder at a small size with two blocks.
fn small<'a>(parts: &'a Path, out: &'a Path, more: &[&'a str]) -> common::Run {
    let mut words = vec![
        "group",
        parts.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    words.extend(["--size", "112", "--blocks", "7-8", "--groups", "3"]);
    words.extend(more);
    andon(words)
}

#[test]
fn groups_have_sheets_a_page_and_ids_that_a_second_run_gives_again() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    write_good(&parts, 0..6);
    fs::write(parts.join("cut.png"), b"no image").unwrap();
    let out = folder.path().join("out");
    let run = small(&parts, &out, &[]).exits(2);
    run.says(&["cut.png", "6 images: 3 groups by what, 3 by where"]);
    let first = json(&out.join("groups.json"));
    for (word, number) in [("what", 1), ("what", 3), ("where", 2)] {
        assert!(out.join(format!("{word}-{number}.png")).is_file());
    }
    let page = fs::read_to_string(out.join("groups.html")).unwrap();
    assert!(page.contains("data:image/") && page.contains("cut.png"));
    for image in first["areas"].as_array().unwrap() {
        let shares = image["what"].as_array().unwrap().iter();
        let sum: f64 = shares.map(|s| s.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 0.01, "{image}");
    }
    let left = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name());
    assert!(
        left.map(|n| n.into_string().unwrap())
            .all(|n| !n.starts_with('.'))
    );

    let file = out.join("groups.safetensors");
    let name = ["group", "name", file.to_str().unwrap(), "2", "screw head"];
    andon(name).exits(0).says(&["screw head"]);
    small(&parts, &out, &["--threads", "1"]).exits(2);
    let second = json(&out.join("groups.json"));
    for pathway in ["what", "where"] {
        assert_eq!(ids(&first[pathway]), ids(&second[pathway]));
    }
    assert_eq!(second["what"]["groups"][1]["name"], "screw head");
}

#[test]
fn inspect_says_on_which_group_a_region_lies_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    write_good(&parts, 0..6);
    let out = folder.path().join("out");
    small(&parts, &out, &[]).exits(0);
    let file = out.join("groups.safetensors");
    for number in ["1", "2", "3"] {
        let called = format!("thing {number}");
        andon(["group", "name", file.to_str().unwrap(), number, &called]).exits(0);
    }
    let recipe = folder.path().join("line.andon");
    learn(6).write(&recipe).unwrap();
    let part = folder.path().join("bad.png");
    bad(21).image.save(&part).unwrap();
    let words = [
        "inspect",
        "-r",
        recipe.to_str().unwrap(),
        part.to_str().unwrap(),
    ];
    let with = ["--groups", file.to_str().unwrap()];
    let told = andon([&words[..], &with, &["--json"]].concat())
        .exits(1)
        .object();
    let region = &told["regions"][0];
    let what = &region["groups"]["what"];
    assert_eq!(
        what["name"],
        format!("thing {}", what["number"]),
        "{region}"
    );
    assert!(
        region["groups"]["where"]["share"].as_f64().unwrap() > 0.0,
        "{region}"
    );
    let text = andon([&words[..], &with].concat()).exits(1).stdout;
    assert!(text.contains(", on thing "), "{text}");
    // Without groups nothing changes.
    let plain = andon([&words[..], &["--json"]].concat()).exits(1).object();
    assert_eq!(plain["score"], told["score"]);
    assert!(plain["regions"][0].get("groups").is_none());
}

#[test]
fn too_little_memory_is_refused_with_what_would_do() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    write_good(&parts, 0..2);
    let out = folder.path().join("out");
    let run = small(&parts, &out, &["--memory", "12M"]);
    run.refuses(&["--memory", "2 blocks need", "1 block"]);
    assert!(!out.exists());
}

#[test]
fn shards_that_are_kept_can_be_read_and_are_not_mixed_with_others() {
    let folder = tempfile::tempdir().unwrap();
    let parts = folder.path().join("parts");
    write_good(&parts, 0..3);
    let [out, shards] = ["out", "shards"].map(|name| folder.path().join(name));
    let keep = ["--shards", shards.to_str().unwrap()];
    small(&parts, &out, &keep).exits(0);
    let kept = open_folder(&shards).unwrap();
    assert_eq!(kept.iter().map(Shard::images).sum::<usize>(), 3);
    assert_eq!(kept[0].schema().columns().count(), 6);
    small(&parts, &out, &keep).refuses(&["holds shards already"]);
}

/// Images a shard, of those that the passes are timed on.
const A_SHARD: usize = 10;

/// Prints a table; takes minutes. `cargo test --test grouping -- --ignored --nocapture`.
#[test]
#[ignore = "measures, for docs/what-and-where.md"]
fn time_of_the_passes_against_the_number_of_images() {
    let folder = tempfile::tempdir().unwrap();
    let [parts, out, kept, cut] =
        ["parts", "out", "kept", "cut"].map(|name| folder.path().join(name));
    write_good(&parts, 0..60);
    let words = [
        "group",
        parts.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    let more = [
        "--size",
        "224",
        "--groups",
        "6",
        "--threads",
        "1",
        "--shards",
    ];
    andon([&words[..], &more, &[kept.to_str().unwrap()]].concat()).exits(0);
    let network = json(&out.join("groups.json"))["seconds"]["network"]
        .as_f64()
        .unwrap();
    println!("network: {:.2} s an image over 60 images", network / 60.0);
    let few = again(&kept, &cut);
    println!("| images | what, s | where, s | most memory above start, MB |");
    for images in [10, 30, 100, 300, 1000] {
        let shards: Vec<PathBuf> = few.iter().cycle().take(images / A_SHARD).cloned().collect();
        let before = memory("VmRSS:");
        // Makes VmHWM begin anew (proc(5)).
        let _ = fs::write("/proc/self/clear_refs", "5");
        let seconds = [Pathway::What, Pathway::Where].map(|pathway| {
            let rows = PathwayRows {
                pathway,
                blocks: vec![5, 6, 7, 8],
            };
            let settings = Settings {
                groups: Some(6),
                workers: 1,
                pool: &Pool::alone(),
            };
            let start = Instant::now();
            group(&shards, &rows, settings, &|| ()).unwrap();
            start.elapsed().as_secs_f64()
        });
        let peak = memory("VmHWM:") - before;
        println!(
            "| {images} | {:.1} | {:.1} | {peak:.0} |",
            seconds[0], seconds[1]
        );
    }
}

/// The same features in shards of [`A_SHARD`] images.
fn again(from: &Path, to: &Path) -> Vec<PathBuf> {
    fs::create_dir(to).unwrap();
    let shards = open_folder(from).unwrap();
    let schema = shards[0].schema().clone();
    let columns: Vec<_> = schema.columns().collect();
    let rows = A_SHARD * schema.patches();
    let mut writer = ShardsWriter::new(to, schema, rows).unwrap();
    for image in shards.iter().flat_map(|shard| shard.iter(&columns)) {
        let image = image.unwrap();
        let of = |column| {
            let at = columns.iter().position(|c| *c == column).unwrap();
            &image.features[at][..]
        };
        writer.write(&image.name, of).unwrap();
    }
    writer.finish().unwrap()
}

/// An entry of this process's status, in MB.
fn memory(entry: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(entry)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}
