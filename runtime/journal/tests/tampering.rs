//! Whatever is done to the files by hand, the first record concerned is named.

mod common;

use andon_journal::{Fault, Journal, JournalError, Record, verify, verify_against};
use common::{at, fault, files, journal_of, last_file, lines, open, settings, write_lines};
use std::fs;

#[test]
fn any_flipped_bit_of_any_byte_is_named_with_its_record() {
    let folder = journal_of(4);
    let path = last_file(folder.path());
    let sound = fs::read(&path).unwrap();
    for place in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (place % 8);
        fs::write(&path, &bytes).unwrap();
        let number = sound[..place].iter().filter(|byte| **byte == b'\n').count() as u64;
        match fault(folder.path()) {
            Some(Fault::Edited { number: named, .. }) => assert_eq!(named, number, "byte {place}"),
            // The last newline alone is what a crash leaves out.
            Some(Fault::Truncated { .. }) if place + 1 == sound.len() => {}
            other => panic!("byte {place}: {other:?}"),
        }
    }
}

#[test]
fn a_removed_line_is_missing() {
    let folder = journal_of(30);
    let path = &files(folder.path())[1];
    let mut all = lines(path);
    all.remove(2);
    write_lines(path, &all);
    let report = verify(folder.path()).unwrap();
    let before = report.last.unwrap().number;
    let expected = Fault::Missing {
        path: path.clone(),
        line: 3,
        first: before + 1,
        last: before + 1,
    };
    assert_eq!(report.fault, Some(expected));
}

#[test]
fn swapped_lines_are_reordered() {
    let folder = journal_of(5);
    let path = last_file(folder.path());
    let mut all = lines(&path);
    all.swap(2, 3);
    write_lines(&path, &all);
    let expected = Fault::Reordered {
        path,
        line: 3,
        number: 2,
        found: 3,
    };
    assert_eq!(fault(folder.path()), Some(expected));
}

#[test]
fn a_repeated_line_is_reordered() {
    let folder = journal_of(5);
    let path = last_file(folder.path());
    let mut all = lines(&path);
    all.insert(3, all[2].clone());
    write_lines(&path, &all);
    assert!(matches!(
        fault(folder.path()),
        Some(Fault::Reordered {
            line: 4,
            number: 3,
            found: 2,
            ..
        })
    ));
}

#[test]
fn a_removed_file_is_missing_wherever_it_stood() {
    let folder = journal_of(40);
    let all = files(folder.path());
    for path in &all[..all.len() - 1] {
        let record: Record = serde_json::from_str(&lines(path)[0]).unwrap();
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let found = fault(folder.path());
        let is_named =
            matches!(found, Some(Fault::Missing { line: 1, first, .. }) if first == record.number);
        assert!(is_named, "{found:?}");
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_record_written_anew_with_a_right_hash_breaks_the_chain_behind_it() {
    let folder = journal_of(5);
    let forged = journal_of(0);
    let (mut journal, _) = open(forged.path(), settings());
    for part in 1..=3 {
        journal.append(at(part), "result", &"forged").unwrap();
    }
    let path = last_file(folder.path());
    let mut all = lines(&path);
    all[3] = lines(&last_file(forged.path()))[3].clone();
    write_lines(&path, &all);
    assert!(matches!(
        fault(folder.path()),
        Some(Fault::Replaced {
            line: 4,
            number: 3,
            ..
        })
    ));
}

#[test]
fn a_cut_off_end_and_a_rewritten_journal_show_against_a_noted_seal() {
    let folder = journal_of(5);
    let seal = verify(folder.path()).unwrap().last.unwrap();
    assert_eq!(verify_against(folder.path(), &seal).unwrap().fault, None);
    let path = last_file(folder.path());
    let mut all = lines(&path);
    all.truncate(4);
    write_lines(&path, &all);
    assert_eq!(fault(folder.path()), None);
    let report = verify_against(folder.path(), &seal).unwrap();
    let cut = Fault::CutOff {
        last: Some(3),
        known: 5,
    };
    assert_eq!(report.fault, Some(cut));

    let (mut journal, _) = open(folder.path(), settings());
    for part in 4..=6 {
        journal.append(at(part), "result", &"other").unwrap();
    }
    let report = verify_against(folder.path(), &seal).unwrap();
    assert_eq!(report.fault, Some(Fault::Rewritten { known: 5 }));
}

#[test]
fn files_removed_by_hand_are_not_excused_by_an_anchor_made_by_hand() {
    let folder = journal_of(40);
    let all = files(folder.path());
    let up_to: Record = serde_json::from_str(lines(&all[0]).last().unwrap()).unwrap();
    fs::remove_file(&all[0]).unwrap();
    let anchor = serde_json::json!({"station": "press 4", "removed": up_to.seal()});
    fs::write(folder.path().join("anchor.json"), anchor.to_string()).unwrap();
    let number = up_to.number;
    assert_eq!(fault(folder.path()), Some(Fault::Unconfirmed { number }));
}

#[test]
fn an_edited_record_in_the_middle_is_kept_and_told_at_the_next_start() {
    let folder = journal_of(5);
    let path = last_file(folder.path());
    let mut all = lines(&path);
    all[2] = all[2].replace("\"ok\"", "\"ng\"");
    write_lines(&path, &all);
    let (mut journal, opened) = open(folder.path(), settings());
    assert_eq!(opened.damaged, Some((path.clone(), 3)));
    assert_eq!(opened.torn, None);
    assert_eq!(journal.append(at(9), "event", &1).unwrap().number, 6);
    assert!(lines(&path)[2].contains("\"ng\""));
    assert!(matches!(
        fault(folder.path()),
        Some(Fault::Edited { number: 2, .. })
    ));
}

#[test]
fn a_folder_without_one_sound_record_is_refused_and_left_alone() {
    let folder = journal_of(60);
    for path in &files(folder.path()) {
        fs::write(path, "rubbish\n").unwrap();
    }
    let refused = Journal::open(folder.path(), settings(), at(0)).unwrap_err();
    assert!(
        matches!(refused, JournalError::Unreadable { .. }),
        "{refused}"
    );
    assert_eq!(
        fs::read_to_string(last_file(folder.path())).unwrap(),
        "rubbish\n"
    );
}

#[test]
fn an_empty_folder_is_no_sound_journal() {
    let folder = common::folder();
    assert!(matches!(fault(folder.path()), Some(Fault::Empty { .. })));
}
