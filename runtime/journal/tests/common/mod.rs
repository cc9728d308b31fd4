//! A journal in a folder of its own, and the ways of damaging it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use andon_journal::{Fault, Journal, Opened, Settings, Sync, verify};
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

/// A folder in memory where there is one: the tests bring thousands of records to the disk, and none
/// of them is about the power failing.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// Second `second` of a test's time.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_431_200 + second).unwrap()
}

/// Small files, nothing removed, no waiting for the disk.
pub fn settings() -> Settings {
    Settings {
        file_bytes: 2000,
        min_free_bytes: 0,
        sync: Sync::Kernel,
        ..Settings::new("press 4")
    }
}

pub fn open(folder: &Path, settings: Settings) -> (Journal, Opened) {
    Journal::open(folder, settings, at(0)).unwrap()
}

/// A journal of `count` results after its genesis, closed.
pub fn journal_of(count: u32) -> TempDir {
    let folder = folder();
    let (mut journal, _) = open(folder.path(), settings());
    for part in 1..=count {
        let result = json!({"part": part, "verdict": "ok", "score": 0.25});
        journal.append(at(part.into()), "result", &result).unwrap();
    }
    folder
}

/// The files of records, oldest first.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    files
}

pub fn last_file(folder: &Path) -> PathBuf {
    files(folder).pop().unwrap()
}

pub fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

pub fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

pub fn fault(folder: &Path) -> Option<Fault> {
    verify(folder).unwrap().fault
}

pub fn assert_sound(folder: &Path) {
    let report = verify(folder).unwrap();
    assert_eq!(report.fault, None, "{report:?}");
}

/// A tiny file system of its own, unmounted at the end.
pub struct Disk(TempDir);

impl Disk {
    /// `None`, said loudly, where this user may not mount.
    pub fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let option = format!("size={size}");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &option, "none"])
            .arg(folder.path())
            .output();
        if done.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("SKIPPED: a small file system cannot be mounted here; run as root");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn remount(&self, option: &str) {
        let option = format!("remount,{option}");
        let done = Command::new("mount")
            .args(["-o", &option])
            .arg(self.path())
            .status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
