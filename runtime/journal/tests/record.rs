//! Writing, reading back, exporting, making room.

mod common;

use andon_journal::{Filter, JournalError, export_csv, read, verify};
use common::{assert_sound, at, files, journal_of, last_file, lines, open, settings};
use serde_json::json;
use std::fs;
use std::process::Command;

#[test]
fn what_was_written_is_read_back_in_order_across_files_and_starts() {
    let folder = journal_of(30);
    let (mut journal, opened) = open(folder.path(), settings());
    assert_eq!(
        (opened.records, opened.torn, opened.damaged),
        (31, None, None)
    );
    journal
        .append(at(99), "event", &json!({"what": "start"}))
        .unwrap();
    assert!(files(folder.path()).len() > 2);

    let records: Vec<_> = read(folder.path(), Filter::default())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(records[0].kind, "journal.genesis");
    assert_eq!(records[0].data["station"], "press 4");
    assert!(
        records
            .iter()
            .zip(0..)
            .all(|(record, n)| record.number == n)
    );
    assert_eq!(
        records[7].data,
        json!({"part": 7, "verdict": "ok", "score": 0.25})
    );
    assert_eq!((records[7].at, records[31].at), (at(7), at(99)));
    let report = verify(folder.path()).unwrap();
    assert_eq!((report.records, report.fault), (32, None));
    assert_eq!(report.last, Some(journal.seal()));
    assert_eq!(report.station.as_deref(), Some("press 4"));
}

#[test]
fn a_filter_gives_a_span_of_time_without_its_end_and_only_its_kinds() {
    let folder = journal_of(20);
    let numbers = |filter| -> Vec<u64> {
        let records = read(folder.path(), filter).unwrap();
        records.map(|record| record.unwrap().number).collect()
    };
    let span = Filter {
        from: Some(at(5)),
        to: Some(at(8)),
        kinds: Vec::new(),
    };
    assert_eq!(numbers(span), [5, 6, 7]);
    let kind = Filter {
        kinds: vec!["journal.genesis".into()],
        ..Filter::default()
    };
    assert_eq!(numbers(kind), [0]);
}

#[test]
fn a_start_finds_the_last_record_of_each_kind_that_it_asks_for() {
    let folder = journal_of(0);
    let (mut journal, _) = open(folder.path(), settings());
    for part in 1..=40 {
        if part == 3 || part == 20 {
            journal
                .append(at(part), "counters", &json!({"triggers": part}))
                .unwrap();
        }
        journal.append(at(part), "result", &json!(part)).unwrap();
    }
    drop(journal);
    let mut wanted = settings();
    wanted.recall = vec!["counters".into(), "result".into(), "never".into()];
    let (_, opened) = open(folder.path(), wanted);
    assert_eq!(opened.last["counters"].data, json!({"triggers": 20}));
    assert_eq!(opened.last["result"].payload::<u32>().unwrap(), 40);
    assert!(!opened.last.contains_key("never"));
}

#[test]
fn two_programs_cannot_write_one_journal() {
    let folder = journal_of(1);
    let (journal, _) = open(folder.path(), settings());
    let second = andon_journal::Journal::open(folder.path(), settings(), at(0));
    assert!(matches!(second, Err(JournalError::Locked { .. })));
    drop(journal);
    open(folder.path(), settings());
}

#[test]
fn kinds_of_the_journal_and_payloads_that_are_no_line_are_refused_and_leave_no_trace() {
    let folder = journal_of(1);
    let (mut journal, _) = open(folder.path(), settings());
    let refused = journal.append(at(2), "journal.torn", &1).unwrap_err();
    assert!(matches!(refused, JournalError::ReservedKind { .. }));
    let refused = journal
        .append(at(2), "result", &"x".repeat(1 << 20))
        .unwrap_err();
    assert!(matches!(refused, JournalError::TooLong { .. }));
    let pretty = serde_json::value::RawValue::from_string("{\n}".into()).unwrap();
    let refused = journal.append(at(2), "result", &pretty).unwrap_err();
    assert!(refused.is_lasting());
    assert_eq!(journal.seal().number, 1);
    // A line break inside of a text is escaped, and therefore fine.
    journal.append(at(2), "note", &"two\nlines").unwrap();
    assert_sound(folder.path());
}

#[test]
fn a_hash_can_be_checked_with_the_tools_of_any_shell() {
    let folder = journal_of(3);
    let path = last_file(folder.path());
    let script = format!(
        r#"sed -n 3p '{}' | sed 's/,"sha256":"[0-9a-f]*"}}$//' | tr -d '\n' | sha256sum"#,
        path.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(lines(&path)[2].contains(&format!("\"sha256\":\"{}\"", &hash[..64])));
    assert!(lines(&path)[3].contains(&format!("\"before\":\"{}\"", &hash[..64])));
}

#[test]
fn the_oldest_files_make_room_and_the_rest_is_still_proved() {
    let folder = journal_of(0);
    let mut bounded = settings();
    bounded.max_bytes = 6000;
    let (mut journal, _) = open(folder.path(), bounded.clone());
    for part in 1..=200 {
        journal
            .append(at(part), "result", &json!({"part": part}))
            .unwrap();
        let size = |path: &std::path::PathBuf| fs::metadata(path).unwrap().len();
        let total: u64 = files(folder.path()).iter().map(size).sum();
        // The bound, one record and the record of the removal.
        assert!(total < 6000 + 800, "{total}");
    }
    let seal = journal.seal();
    drop(journal);
    let report = verify(folder.path()).unwrap();
    assert_eq!((report.fault, report.last), (None, Some(seal)));
    let removed = report.removed.unwrap().number;
    assert!(removed > 100);
    assert_eq!(report.records, seal.number - removed);
    assert_eq!(report.station.as_deref(), Some("press 4"));
    let (_, opened) = open(folder.path(), bounded);
    assert_eq!(opened.records, report.records);
}

#[test]
fn too_little_free_space_leaves_only_the_newest_file() {
    let folder = journal_of(100);
    let mut greedy = settings();
    greedy.min_free_bytes = u64::MAX;
    let (mut journal, _) = open(folder.path(), greedy);
    journal.append(at(101), "result", &json!({})).unwrap();
    assert!(files(folder.path()).len() <= 2);
    assert_sound(folder.path());
}

#[test]
fn a_table_has_a_column_for_each_field_of_any_payload() {
    let folder = journal_of(1);
    let (mut journal, _) = open(folder.path(), settings());
    let payload = json!({"who": "Ann, \"B\"", "regions": [1, 2]});
    journal.append(at(2), "challenge", &payload).unwrap();
    journal.append(at(3), "note", &"plain").unwrap();
    let mut table = Vec::new();
    let filter = Filter {
        from: Some(at(1)),
        ..Filter::default()
    };
    assert_eq!(export_csv(folder.path(), &filter, &mut table).unwrap(), 3);
    let expected = "\
number,at,kind,part,score,verdict,regions,who,data
1,2026-03-02T06:00:01Z,result,1,0.25,ok,,,
2,2026-03-02T06:00:02Z,challenge,,,,\"[1,2]\",\"Ann, \"\"B\"\"\",
3,2026-03-02T06:00:03Z,note,,,,,,plain
";
    assert_eq!(String::from_utf8(table).unwrap(), expected);
}
