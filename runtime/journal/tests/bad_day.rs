//! A disk that is full, read-only or gone: records wait, the line does not.

mod common;

use andon_journal::{
    BACKLOG_RECORDS, Filter, ImageRing, ImageWriter, Journal, JournalError, Limits, Recorder,
    StoreError, TrySendError, Writer, read, verify,
};
use common::{Disk, assert_sound, at, open, settings};
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

fn fill(disk: &Disk) {
    let path = disk.path().join("ballast");
    let size = 1 << 20;
    assert!(
        fs::write(path, vec![1; size]).is_err(),
        "the disk took {size} bytes"
    );
}

#[test]
fn on_a_full_disk_records_wait_and_are_written_in_order_once_there_is_room() {
    let Some(disk) = Disk::of("256k") else { return };
    let folder = disk.path().join("journal");
    // Large files, so that a record can end on the last page that the disk has, half written.
    let mut large = settings();
    large.file_bytes = 1 << 20;
    let (mut recorder, opened) = Recorder::start(&folder, large, at(0));
    opened.unwrap();
    recorder
        .record(at(1), "result", &json!({"part": 1}))
        .unwrap();
    fill(&disk);
    let mut refused = 0;
    for part in 2..100 {
        match recorder.record(at(part), "result", &json!({"part": part})) {
            Ok(()) => {}
            Err(JournalError::Full { .. }) => {
                refused += 1;
                assert_sound(&folder);
            }
            Err(other) => panic!("{other}"),
        }
    }
    let health = recorder.health();
    assert!(
        refused > 50 && health.waiting == refused,
        "{refused} {health:?}"
    );
    assert!(health.fault.unwrap().contains("disk is full"));
    assert_sound(&folder);

    fs::remove_file(disk.path().join("ballast")).unwrap();
    recorder.poll(at(200)).unwrap();
    assert_eq!(recorder.health().fault, None);
    assert_sound(&folder);
    let results = Filter {
        kinds: vec!["result".into()],
        ..Filter::default()
    };
    let parts = read(&folder, results)
        .unwrap()
        .map(|record| record.unwrap().data["part"].as_i64());
    assert!(parts.eq((1..100).map(Some)));
}

#[test]
fn a_read_only_disk_is_told_by_name_and_the_record_begins_once_it_is_writable() {
    let Some(disk) = Disk::of("256k") else { return };
    disk.remount("ro");
    let folder = disk.path().join("journal");
    let (mut recorder, opened) = Recorder::start(&folder, settings(), at(0));
    assert!(matches!(opened, Err(JournalError::ReadOnly { .. })));
    assert!(recorder.record(at(1), "result", &1).is_err());
    assert!(recorder.poll(at(2)).is_err());
    let health = recorder.health();
    assert!(health.fault.unwrap().contains("may not be written"));
    let ring = ImageRing::open(
        disk.path().join("images"),
        Limits {
            max_bytes: 1,
            min_free_bytes: 0,
        },
    );
    assert!(matches!(ring, Err(StoreError::ReadOnly { .. })));

    disk.remount("rw");
    recorder.poll(at(3)).unwrap();
    assert_eq!(
        (recorder.health().waiting, recorder.health().written),
        (0, 1)
    );
    assert_sound(&folder);
}

#[test]
fn what_finds_no_room_in_memory_is_counted_and_the_count_is_recorded() {
    let place = common::folder();
    let folder = place.path().join("journal");
    // A file where the folder should be: nothing can be written there.
    fs::write(&folder, "").unwrap();
    let (mut recorder, opened) = Recorder::start(&folder, settings(), at(0));
    assert!(opened.is_err());
    for part in 0..BACKLOG_RECORDS as i64 + 7 {
        assert!(recorder.record(at(part), "result", &part).is_err());
    }
    assert_eq!(
        (recorder.health().waiting, recorder.health().lost),
        (BACKLOG_RECORDS, 7)
    );
    fs::remove_file(&folder).unwrap();
    recorder.poll(at(0)).unwrap();
    let records: Vec<_> = read(&folder, Filter::default())
        .unwrap()
        .flatten()
        .collect();
    let lost = records.last().unwrap();
    assert_eq!(
        (lost.kind.as_str(), &lost.data["records"]),
        ("journal.lost", &json!(7))
    );
    assert_eq!(lost.data["from"], at(BACKLOG_RECORDS as i64).to_string());
    assert_eq!(records.len(), BACKLOG_RECORDS + 2);
    assert_sound(&folder);
}

#[test]
fn a_journal_removed_under_the_writer_is_noticed_and_begun_anew() {
    let place = common::folder();
    let folder = place.path().join("journal");
    let (mut journal, _) = open(&folder, settings());
    fs::remove_dir_all(&folder).unwrap();
    let error = journal.append(at(1), "result", &1).unwrap_err();
    assert!(matches!(error, JournalError::Vanished { .. }));
    drop(journal);

    let (mut recorder, _) = Recorder::start(&folder, settings(), at(0));
    fs::remove_dir_all(&folder).unwrap();
    assert!(recorder.record(at(1), "result", &1).is_err());
    recorder.poll(at(2)).unwrap();
    assert_eq!(verify(&folder).unwrap().records, 2);
}

#[test]
fn the_front_never_waits_and_counts_what_it_drops() {
    let place = common::folder();
    let (recorder, _) = Recorder::start(place.path(), settings(), at(0));
    let writer = Writer::spawn(recorder, 4).unwrap();
    let begun = Instant::now();
    let mut dropped = 0;
    for part in 0..2000 {
        match writer.try_send(at(part), "result", &part) {
            Ok(()) => {}
            Err(TrySendError::Dropped(_)) => dropped += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(writer.health().dropped, dropped);
    assert!(writer.finish(Duration::from_secs(10)));
    let report = verify(place.path()).unwrap();
    assert_eq!((report.fault, report.records), (None, 2001 - dropped));
}

#[test]
fn a_full_disk_loses_old_images_and_never_more_than_it_must() {
    let Some(disk) = Disk::of("256k") else { return };
    let limits = Limits {
        max_bytes: 1 << 30,
        min_free_bytes: 64 << 10,
    };
    let mut ring = ImageRing::open(disk.path(), limits).unwrap();
    for part in 0..20 {
        ring.store(&format!("{part:03}-ng.jpg"), &vec![7; 20 << 10])
            .unwrap();
    }
    assert!((6..=9).contains(&ring.len()), "{}", ring.len());
    assert_eq!(ring.names().last(), Some("019-ng.jpg"));
    // Others fill the disk: old images go first, then there is nothing left to give.
    let before = ring.len();
    fill(&disk);
    ring.store("020-ng.jpg", &[1; 100]).unwrap();
    assert!(ring.len() < before);
    fs::write(disk.path().join("more"), vec![1; 1 << 20]).unwrap_err();
    ring.make_room(1 << 20).unwrap();
    fs::write(disk.path().join("even more"), vec![1; 1 << 20]).unwrap_err();
    let refused = ring.store("021-ng.jpg", &[1; 100]).unwrap_err();
    assert!(matches!(refused, StoreError::NoRoom { .. }), "{refused}");
    fs::remove_file(disk.path().join("ballast")).unwrap();
    ring.store("021-ng.jpg", &[1; 100]).unwrap();
}

#[test]
fn images_are_stored_by_their_own_thread() {
    let place = common::folder();
    let limits = Limits {
        max_bytes: 1000,
        min_free_bytes: 0,
    };
    let images = ImageWriter::spawn(ImageRing::open(place.path(), limits).unwrap(), 8).unwrap();
    images.try_store("a.png".into(), vec![1; 10]).unwrap();
    assert!(images.finish(Duration::from_secs(5)));
    assert_eq!(fs::read(place.path().join("a.png")).unwrap(), [1; 10]);
}

#[test]
fn a_journal_under_a_file_is_no_panic() {
    let place = common::folder();
    fs::write(place.path().join("file"), "").unwrap();
    let error = Journal::open(place.path().join("file/journal"), settings(), at(0)).unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
}
