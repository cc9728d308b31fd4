//! Where the record goes: may it be written, and is there room?

use std::fs;
use std::path::Path;

use super::Finding;
use crate::host;
use crate::line::StationFile;

/// Where the service keeps its record unless a station file says otherwise.
const USUAL: &str = "/var/lib/andon";

/// Free megabytes from which nobody needs to think about it for the journal alone.
const ROOM_MB: u64 = 1000;

pub(super) fn look(station: Option<&StationFile>) -> Vec<Finding> {
    let folder = station.map_or(Path::new(USUAL), |file| &file.record.folder);
    let shown = folder.display();
    // The station makes its folder; then its parent has to let it.
    let there = folder.ancestors().find(|folder| folder.is_dir());
    let Some(there) = there else {
        let advice = "make the folder, or correct record.folder";
        return vec![Finding::fail(
            "record",
            format!("{shown}: not there"),
            advice,
        )];
    };
    let mut findings = Vec::new();
    match tempfile::NamedTempFile::new_in(there) {
        Ok(_) if there == folder => {
            findings.push(Finding::ok("record", format!("{shown}: can be written")))
        }
        Ok(_) => findings.push(Finding::ok(
            "record",
            format!("{shown}: not there yet, can be made"),
        )),
        Err(error) => {
            let found = format!("{}: {error}", there.display());
            let advice = "run as the user of the station, or give it the folder: \
                          `sudo install -d -o andon -g andon /var/lib/andon`";
            findings.push(match station {
                Some(_) => Finding::fail("record", found, advice),
                None => Finding::warn("record", found, advice),
            });
        }
    }
    findings.push(space(there, station));
    findings
}

fn space(there: &Path, station: Option<&StationFile>) -> Finding {
    let Ok(free) = host::free_bytes(there) else {
        let advice = "look with `df` that there is room";
        return Finding::warn("disk", "free space unknown", advice);
    };
    let free = free / 1_000_000;
    let keep = station.map_or(0, |file| file.record.leave_free_mb);
    let found = format!("{free} MB free at {}", there.display());
    if free < keep {
        let advice =
            format!("no image is kept below {keep} MB: make room, or lower record.leave_free_mb");
        return Finding::fail("disk", found, advice);
    }
    if free < keep.saturating_add(ROOM_MB) {
        return Finding::warn("disk", found, "make room, or few images are kept");
    }
    Finding::ok("disk", found)
}

/// Names that a folder holds, in order; none if it is not there.
pub(super) fn names(folder: &str, wants: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| wants(name)).collect();
    names.sort();
    names
}
