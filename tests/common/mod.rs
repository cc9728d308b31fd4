//! What the integration tests share: the built program as a user runs it, and parts of a small
//! rendered line.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]
// A failed expectation ends a test, wherever it stands.
#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use andon::camera::rendered::{DefectKind, LineConfig, RenderedLine, RenderedPart};
use andon::image::{InputShape, InputSize, Tiles};
use andon::inspect::Inspection;
use andon::pipeline::{BLOCKS, LearnSettings, Lesson, Pipeline};
use andon::recipe::{LearnOptions, PartRecord, Place, Recipe, ViewSettings};
use andon::vit::{Model, Threads};
use image::RgbImage;
use serde_json::Value;

/// Side of the network's input that the tests use, in pixels: small, so that they are quick.
pub const SIZE: usize = 112;

/// What a run of the program gave.
pub struct Run {
    /// What was run, for messages.
    command: String,
    /// Exit status; `None` when a signal ended the program.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `andon` with these arguments and waits for it. Whatever is asked of it, it must not panic.
#[track_caller]
pub fn andon<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
    run(command.args(arguments))
}

/// Runs a prepared command and waits for it.
#[track_caller]
pub fn run(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let run = Run {
        command: format!("{command:?}"),
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!run.stderr.contains("panicked"), "{run}");
    run
}

impl Run {
    /// Checks the exit status.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }

    /// Checks that the program refused with one error line that holds all of these, and that
    /// nothing came on stdout; gives the line.
    #[track_caller]
    pub fn refuses(self, words: &[&str]) -> String {
        let run = self.exits(2);
        assert_eq!(run.stdout, "", "{run}");
        let errors: Vec<_> = run
            .stderr
            .lines()
            .filter(|l| l.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{run}");
        run.says(words);
        errors[0].to_string()
    }

    /// Checks that stderr holds all of these.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in: {self}");
        }
        self
    }

    /// The lines of stdout as JSON objects; nothing else may stand there.
    #[track_caller]
    pub fn objects(&self) -> Vec<Value> {
        let object = |line| match serde_json::from_str(line) {
            Ok(value @ Value::Object(_)) => value,
            other => panic!("{line:?} is no JSON object ({other:?}) in: {self}"),
        };
        self.stdout.lines().map(object).collect()
    }

    /// The one line of stdout as a JSON object.
    #[track_caller]
    pub fn object(&self) -> Value {
        let mut objects = self.objects();
        assert_eq!(objects.len(), 1, "{self}");
        objects.remove(0)
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            command,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\nstatus {status:?}\nstdout:\n{stdout}\nstderr:\n{stderr}"
        )
    }
}

/// A rendered line with small frames.
pub fn line() -> RenderedLine {
    let config = LineConfig {
        width: 320,
        height: 240,
        ..LineConfig::default()
    };
    RenderedLine::new(config).unwrap()
}

/// A good part of the line.
pub fn good(index: u64) -> RgbImage {
    line().part(index, None).image
}

/// A part of the line that nobody would pass, even at the small size: it lost its label.
pub fn bad(index: u64) -> RenderedPart {
    line().part(index, Some(DefectKind::MissingLabel))
}

/// Writes good parts as `part-NN.png` into a folder, which is made.
pub fn write_good(folder: &Path, parts: std::ops::Range<u64>) -> Vec<PathBuf> {
    std::fs::create_dir_all(folder).unwrap();
    let write = |index| {
        let path = folder.join(format!("part-{index:02}.png"));
        good(index).save(&path).unwrap();
        path
    };
    parts.map(write).collect()
}

/// Settings for learning the line at a small size.
pub fn settings() -> LearnSettings {
    let model = Model::embedded().unwrap();
    let patch = model.manifest().architecture.patch;
    LearnSettings {
        name: "rendered line".into(),
        view: ViewSettings {
            roi: None,
            input: InputSize::for_content(SIZE, patch, (320, 240)),
            shape: InputShape::Common,
            tiles: Tiles::ONE,
            kept: None,
        },
        blocks: BLOCKS.into(),
        options: LearnOptions::default(),
        created: "2026-01-01T00:00:00Z".into(),
    }
}

/// A recipe of the first parts of the line, learned in this process; it is not yet written.
pub fn learn(parts: u64) -> Recipe {
    learn_where(parts, Place::default())
}

/// The same, and said whether place counts.
pub fn learn_where(parts: u64, place: Place) -> Recipe {
    let mut settings = settings();
    settings.options.place = place;
    learn_as(parts, settings)
}

/// The same with other settings.
pub fn learn_as(parts: u64, settings: LearnSettings) -> Recipe {
    let mut lesson = Lesson::new(&Model::embedded().unwrap(), settings, &Threads::alone()).unwrap();
    for index in 0..parts {
        let file = format!("part-{index:02}.png");
        let record = PartRecord {
            file,
            sha256: andon::hash::sha256(good(index).as_raw()),
        };
        lesson.add(record, &good(index)).unwrap();
    }
    lesson.finish(|_, _| {}).unwrap()
}

/// Judges a picture as a station would: by a recipe whose golden inputs gave their scores again.
pub fn inspect(recipe: &Recipe, picture: &RgbImage) -> Inspection {
    let pipeline = Pipeline::new(&Model::embedded().unwrap(), recipe, &Threads::alone()).unwrap();
    for (number, golden) in (1..).zip(&recipe.golden) {
        pipeline.replay(golden, number).unwrap();
    }
    pipeline.inspect(picture).unwrap().inspection
}

/// Manifest and graph of the shipped model.
pub fn model_files() -> [PathBuf; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    ["json", "onnx"].map(|kind| folder.join(format!("dinov2-vits14-int8.{kind}")))
}

/// Writes a model of these bytes into a folder, with a manifest that states their true hash and
/// is otherwise the shipped one after `change`; gives the path of the manifest.
pub fn write_model(folder: &Path, graph: &[u8], change: impl FnOnce(&mut Value)) -> PathBuf {
    let [manifest, _] = model_files();
    let mut json: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
    json["name"] = "other".into();
    json["file"] = "other.onnx".into();
    json["sha256"] = andon::hash::sha256(graph).into();
    change(&mut json);
    std::fs::write(folder.join("other.onnx"), graph).unwrap();
    let path = folder.join("other.json");
    std::fs::write(&path, json.to_string()).unwrap();
    path
}

/// A graph that works like the shipped one and has another hash: a comment is added to it.
pub fn graph_with_a_comment() -> Vec<u8> {
    let [_, graph] = model_files();
    let mut bytes = std::fs::read(graph).unwrap();
    // Field 6 of an ONNX model is its `doc_string`: tag, length, text.
    bytes.extend([(6 << 3) | 2, 5]);
    bytes.extend(b"other");
    bytes
}
