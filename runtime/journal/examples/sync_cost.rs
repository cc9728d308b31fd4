//! What one record costs in a folder, with and without bringing it to the disk:
//! `cargo run --release --example sync_cost -- FOLDER`

use std::path::PathBuf;
use std::time::Instant;

use andon_journal::{Journal, JournalError, Settings, Sync};
use jiff::Timestamp;

fn main() -> Result<(), JournalError> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    for sync in [Sync::Each, Sync::Kernel] {
        let place = folder.join(format!("andon-sync-cost-{}", std::process::id()));
        let settings = Settings {
            sync: sync.clone(),
            min_free_bytes: 0,
            ..Settings::new("cost")
        };
        let (mut journal, _) = Journal::open(&place, settings, Timestamp::now())?;
        let mut micros = Vec::new();
        for part in 0..500_u32 {
            let begun = Instant::now();
            journal.append(Timestamp::now(), "result", &part)?;
            micros.push(begun.elapsed().as_micros());
        }
        micros.sort_unstable();
        println!(
            "{sync:?}: median {} us, slowest {} us a record",
            micros[250], micros[499]
        );
        drop(journal);
        // Only what this program made.
        let _ = std::fs::remove_dir_all(&place);
    }
    Ok(())
}
