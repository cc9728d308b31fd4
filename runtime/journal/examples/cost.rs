//! What a journal costs in a folder: a record with and without bringing it to the disk, a start
//! with a full newest file, and a verification.
//! `cargo run --release -p andon-journal --example cost -- FOLDER`

use std::path::{Path, PathBuf};
use std::time::Instant;

use andon_journal::{Journal, JournalError, Settings, Sync, verify};
use jiff::Timestamp;

fn main() -> Result<(), JournalError> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let place = folder.join(format!("andon-journal-cost-{}", std::process::id()));
    let outcome = measure(&place);
    // Only what this program made.
    let _ = std::fs::remove_dir_all(&place);
    outcome
}

fn measure(place: &Path) -> Result<(), JournalError> {
    let settings = |sync: Sync| Settings {
        sync,
        min_free_bytes: 0,
        ..Settings::new("cost")
    };
    for (sync, records) in [(Sync::Each, 500), (Sync::Kernel, 40_000)] {
        let name = format!("{sync:?}");
        let (mut journal, _) = Journal::open(place, settings(sync), Timestamp::now())?;
        let mut micros = Vec::new();
        for part in 0..records {
            let payload = ("ok", part, 0.25, "a".repeat(150));
            let begun = Instant::now();
            journal.append(Timestamp::now(), "result", &payload)?;
            micros.push(begun.elapsed().as_micros());
        }
        micros.sort_unstable();
        let at = |share: usize| micros.get(micros.len() * share / 100).copied().unwrap_or(0);
        println!(
            "Sync::{name}: median {} us, 99 % within {} us a record",
            at(50),
            at(99)
        );
    }
    let begun = Instant::now();
    let (journal, opened) = Journal::open(place, settings(Sync::Each), Timestamp::now())?;
    println!(
        "start: {:?} with {} records",
        begun.elapsed(),
        opened.records
    );
    let begun = Instant::now();
    let report = verify(journal.folder())?;
    let seconds = begun.elapsed().as_secs_f64();
    let rate = report.records as f64 / seconds;
    println!(
        "verify: {rate:.0} records a second, fault {:?}",
        report.fault
    );
    Ok(())
}
