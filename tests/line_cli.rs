//! Commands around the line as their user meets them, without a station that runs: the record, the
//! status of nobody, the look at the computer.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use andon_journal::{Journal, Settings};
use common::{Run, andon};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A record with a good part, a bad part, an error and an event, as a station writes it.
struct Station {
    folder: TempDir,
}

impl Station {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("images");
        fs::create_dir(&images).unwrap();
        fs::write(images.join("a-00000002.png"), b"an image").unwrap();
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let settings = Settings::new("press 4");
        let start = at("2026-03-02T05:59:00Z");
        let (mut journal, _) =
            Journal::open(folder.path().join("journal"), settings, start).unwrap();
        for (time, kind, data) in [
            ("2026-03-02T06:00:00Z", "result", good()),
            ("2026-03-02T06:00:01Z", "result", bad()),
            ("2026-03-02T06:00:02Z", "event", event()),
            ("2026-03-03T06:00:00Z", "result", error()),
        ] {
            journal.append(at(time), kind, &data).unwrap();
        }
        drop(journal);
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn journal(&self, words: &[&str]) -> Run {
        let dir = self.path().to_str().unwrap();
        andon(["journal", words[0], dir].iter().chain(&words[1..]))
    }

    fn file(&self) -> PathBuf {
        let files = fs::read_dir(self.path().join("journal")).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        files
            .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .unwrap()
    }

    /// Changes a text in the journal's file behind its back.
    fn forge(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.file()).unwrap();
        assert!(text.contains(from));
        fs::write(self.file(), text.replacen(from, to, 1)).unwrap();
    }
}

fn part(number: u64, verdict: Value, score: Option<f64>) -> Value {
    json!({ "number": number, "part": null, "source": "input", "triggered_us": 1, "latency_us": 812_500,
            "verdict": verdict, "cause": null, "reason": null, "skipped": false, "score": score,
            "regions": 0, "recipe": 1, "frame": number, "alarm": "off", "challenge": null })
}

fn recipe() -> Value {
    json!({ "index": 1, "name": "bracket", "sha256": "ab".repeat(32) })
}

fn good() -> Value {
    json!({ "part": part(4710, json!("ok"), Some(0.4)), "file": null, "recipe": recipe(), "image": null,
            "inspection": { "verdict": "ok", "score": 0.4, "threshold": 1.0, "regions": [] } })
}

fn bad() -> Value {
    json!({ "part": part(4711, json!("ng"), Some(1.82)), "file": "parts/scratch.png",
            "recipe": recipe(), "image": "a-00000002.png",
            "inspection": { "verdict": "ng", "score": 1.82, "layout": 1.42, "threshold": 1.0, "regions": [
                { "bbox": [120, 40, 30, 22], "area_px": 500, "score": 1.82, "pathway": "what",
                  "what": 0.91, "where": 0.09, "blocks": [] },
                { "bbox": [5, 6, 7, 8], "area_px": 50, "score": 1.1, "pathway": "where",
                  "what": 0.2, "where": 0.8, "blocks": [] }] } })
}

fn event() -> Value {
    json!({ "event": "fault_raised", "fault": "camera_retrying", "count": 3 })
}

fn error() -> Value {
    let mut part = part(4712, json!({ "error": 2 }), None);
    part["cause"] = json!("no_frame");
    json!({ "part": part, "file": null, "recipe": recipe(), "inspection": null, "image": null })
}

#[track_caller]
fn holds(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.stdout.contains(word), "{word:?} is missing in: {run}");
    }
}

#[test]
fn show_answers_why_a_part_was_rejected() {
    let station = Station::new();
    let run = station.journal(&["show", "--part", "4711"]).exits(0);
    let image = station.path().join("images").join("a-00000002.png");
    holds(
        &run,
        &[
            "part 4711: NG",
            "score     1.820, the limit is 1.000",
            "layout    1.420 of its limit",
            "at 120,40 30 x 22 px, score 1.820, 91 % what",
            "at 5,6 7 x 8 px, score 1.100, 80 % where",
            "1 bracket",
            &"ab".repeat(32),
            "parts/scratch.png",
            image.to_str().unwrap(),
        ],
    );
    fs::remove_file(image).unwrap();
    let run = station.journal(&["show", "--part", "4711"]).exits(0);
    holds(&run, &["has made room"]);
}

#[test]
fn a_part_that_could_not_be_judged_says_why() {
    let run = Station::new().journal(&["show", "--part", "4712"]).exits(0);
    holds(
        &run,
        &["part 4712: ERROR", "error     2: no frame was captured"],
    );
}

#[test]
fn a_part_that_is_not_there_is_status_1() {
    let run = Station::new().journal(&["show", "--part", "9"]).exits(1);
    run.says(&["no record of part 9"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn show_picks_records_by_time_kind_and_from_the_end() {
    let station = Station::new();
    let count = |words: &[&str]| station.journal(words).exits(0).stdout.lines().count();
    assert_eq!(count(&["show"]), 5);
    assert_eq!(count(&["show", "--from", "2026-03-03"]), 1);
    assert_eq!(count(&["show", "--to", "2026-03-02T06:00:01Z"]), 2);
    assert_eq!(count(&["show", "--last", "2"]), 2);
    let run = station.journal(&["show", "--kind", "event"]).exits(0);
    holds(&run, &["fault raised", "camera retrying", "count 3"]);
    assert_eq!(run.stdout.lines().count(), 1);
    let records = station.journal(&["show", "--json", "--last", "1"]).exits(0);
    assert_eq!(records.object()["data"]["part"]["number"], 4712);
}

#[test]
fn a_time_that_makes_no_sense_is_refused_with_an_example() {
    let run = Station::new().journal(&["show", "--from", "yesterday"]);
    run.exits(2).says(&["2026-03-02T06:00"]);
}

#[test]
fn a_whole_record_gives_a_seal_that_holds_later() {
    let station = Station::new();
    let run = station.journal(&["verify"]).exits(0);
    holds(&run, &["\"press 4\"", "5 records"]);
    let seal = run
        .stdout
        .lines()
        .last()
        .unwrap()
        .strip_prefix("seal ")
        .unwrap();
    let run = station.journal(&["verify", "--seal", seal]).exits(0);
    holds(&run, &["record 4 is the one that was noted"]);

    // Cutting whole records off the end is what only the seal shows.
    let text = fs::read_to_string(station.file()).unwrap();
    let kept: Vec<&str> = text.split_inclusive('\n').take(3).collect();
    fs::write(station.file(), kept.concat()).unwrap();
    station.journal(&["verify"]).exits(0);
    let run = station.journal(&["verify", "--seal", seal]).exits(1);
    holds(&run, &["NOT WHOLE", "cut off"]);
}

#[test]
fn an_edited_record_is_named_and_those_before_it_still_count() {
    let station = Station::new();
    station.forge("\"ng\"", "\"ok\"");
    let run = station.journal(&["verify"]).exits(1);
    holds(
        &run,
        &["NOT WHOLE", "line 3", "record 2", "records up to 1"],
    );
    let object = station.journal(&["verify", "--json"]).exits(1).object();
    assert_eq!(object["whole"], false);
    let run = station.journal(&["show"]).exits(1);
    run.says(&["no sound record"]);
    assert_eq!(run.stdout.lines().count(), 4, "{run}");
}

#[test]
fn a_folder_without_a_journal_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    andon(["journal", "verify", nowhere.to_str().unwrap()]).refuses(&["nowhere"]);
    let table = folder.path().join("table.csv");
    let words = ["journal", "export", nowhere.to_str().unwrap(), "-o"];
    andon(words.into_iter().chain([table.to_str().unwrap()])).refuses(&["nowhere"]);
    assert!(!table.exists());
}

#[test]
fn the_table_has_one_row_a_record_and_the_worst_region_of_each_part() {
    let station = Station::new();
    let table = station.path().join("table.csv");
    let words = ["export", "--csv", "-o", table.to_str().unwrap()];
    station.journal(&words).exits(0).says(&["5 records"]);
    let mut table = csv::Reader::from_path(table).unwrap();
    let head = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    let cell = |row: usize, name: &str| {
        let column = head.iter().position(|column| column == name).unwrap();
        rows[row].get(column).unwrap().to_string()
    };
    for (name, value) in [
        ("part", "4711"),
        ("verdict", "NG"),
        ("score", "1.820"),
        ("limit", "1.000"),
        ("recipe_name", "bracket"),
        ("regions", "2"),
        ("worst_x", "120"),
        ("worst_y", "40"),
        ("worst_width", "30"),
        ("worst_height", "22"),
        ("worst_score", "1.820"),
        ("worst_pathway", "what"),
        ("latency_ms", "812.5"),
        ("image", "a-00000002.png"),
    ] {
        assert_eq!(cell(2, name), value, "{name}");
    }
    assert_eq!(
        (cell(3, "event"), cell(3, "part")),
        ("fault raised".into(), String::new())
    );
    assert_eq!(
        (cell(4, "verdict"), cell(4, "code")),
        ("ERROR".into(), "2".into())
    );
}

#[test]
fn without_a_station_status_and_orders_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let socket = socket.to_str().unwrap();
    andon(["status", "--socket", socket]).refuses(&["none.sock", "is it running"]);
    andon(["tell", "--socket", socket, "ack"]).refuses(&["none.sock"]);
}

#[test]
fn the_doctor_looks_at_everything_and_says_what_to_do() {
    let run = andon(["doctor", "--json"]);
    let findings = run.objects();
    let subjects: Vec<_> = findings
        .iter()
        .map(|f| f["subject"].as_str().unwrap())
        .collect();
    for subject in [
        "processor",
        "kernels",
        "memory",
        "heat",
        "clock",
        "board",
        "model",
        "serial",
        "record",
    ] {
        assert!(
            subjects.contains(&subject),
            "{subject} is missing in: {run}"
        );
    }
    for finding in &findings {
        let needs_advice = finding["level"] != "OK";
        assert_eq!(finding["advice"].is_string(), needs_advice, "{finding}");
    }
    let model = findings.iter().find(|f| f["subject"] == "model").unwrap();
    assert_eq!(model["level"], "OK", "{model}");
}

/// A station whose camera and recipe are not there.
const NOWHERE: &str = "\
    name = \"press 4\"\n[camera]\nsource = \"v4l2\"\ndevice = \"/dev/v4l/by-id/none\"\nwidth = 640\n\
    height = 480\n[trigger]\nfrom = \"input\"\n[[recipe]]\nindex = 1\nfile = \"bracket.andon\"\n\
    [record]\nfolder = \"record\"\n";

#[test]
fn the_doctor_fails_for_a_station_whose_camera_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    fs::write(&file, NOWHERE).unwrap();
    let run = andon(["doctor", "--station", file.to_str().unwrap()]).exits(1);
    holds(
        &run,
        &["FAIL  camera    /dev/v4l/by-id/none", "camera.device"],
    );
}

#[test]
fn release_names_the_lamp_that_cannot_show_host_lost_and_needs_no_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    fs::write(&file, NOWHERE).unwrap();
    let arguments = ["release", "--station", file.to_str().unwrap()];
    andon(arguments).exits(0);
    let text = format!("{NOWHERE}[outputs.leds]\nred = \"andon-test:nowhere\"\n");
    fs::write(&file, text).unwrap();
    let run = andon(arguments).exits(2);
    assert!(run.stderr.contains("LED andon-test:nowhere"), "{run}");
}

#[test]
fn the_bench_tells_stages_the_plain_network_and_a_whole_station() {
    let words = "bench --size 112 --images 3 --threads 1 --against plain --json";
    let report = andon(words.split(' ')).exits(0).object();
    let measured = &report["measured"][0];
    assert_eq!(measured["input"], json!([112, 112]));
    let of = |path: &str| {
        let value = measured.pointer(path).and_then(Value::as_f64);
        value.unwrap_or_else(|| panic!("{path} is missing in {report}"))
    };
    let parts = ["prepare", "spectral", "regions"].map(|s| of(&format!("/stages/{s}/ms")));
    assert!(parts.iter().all(|ms| *ms > 0.0));
    assert!(of("/stages/whole/ms") > of("/stages/network_ms"));
    assert!(of("/against_plain/ratio") > 0.0);
    assert_eq!(of("/station/parts"), 3.0);
    assert!(of("/station/output_ms/median") > of("/station/network_ms/median"));
    assert!(of("/station/beyond_of_network/median") > 0.0);
    andon(["bench", "--size", "3", "--images", "1"]).refuses(&["one patch"]);
}

#[test]
fn the_station_file_of_the_manual_is_one() {
    let manual = include_str!("../docs/line.md");
    let (_, text) = manual.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    fs::write(&file, text).unwrap();
    let run = andon(["doctor", "--station", file.to_str().unwrap()]);
    holds(&run, &["OK    station   \"press 4\""]);
}

#[test]
fn the_station_file_of_the_package_is_one_with_and_without_the_cores_of_a_board() {
    let package = include_str!("../boards/debian/station.toml");
    assert!(package.contains("\n#cores = "));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    let doctor = |text: &str| {
        fs::write(&file, text).unwrap();
        let run = andon(["doctor", "--station", file.to_str().unwrap()]);
        holds(&run, &["OK    station   \"press 4\""]);
        run
    };
    let free = doctor(package);
    holds(&free, &["threads", "bound to no core"]);
    let bound = doctor(&package.replace("#cores", "cores"));
    holds(&bound, &["3 threads, on cores [1, 2, 3]"]);
}

#[test]
fn the_doctor_fails_for_a_core_that_is_not_there_and_names_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("station.toml");
    fs::write(&file, format!("{NOWHERE}[judging]\ncores = [1023]\n")).unwrap();
    let run = andon(["doctor", "--station", file.to_str().unwrap()]).exits(1);
    holds(
        &run,
        &["FAIL  threads   the station asks for 1 thread, on cores [1023]"],
    );
    holds(&run, &["correct judging.cores: this program may use ["]);
}
