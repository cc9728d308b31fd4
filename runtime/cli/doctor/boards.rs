//! Profiles of boards: what is known of a board before anybody has measured on it.

use std::fs;

use serde::Deserialize;

use super::machine;
use super::{Finding, threads};
use crate::line::StationFile;

const PROFILES: [&str; 4] = [
    include_str!("../../../boards/raspberry-pi-5.toml"),
    include_str!("../../../boards/orange-pi-5-plus.toml"),
    include_str!("../../../boards/jetson-orin-nano.toml"),
    // Fits whatever the others do not, so it is the last.
    include_str!("../../../boards/generic-x86-64.toml"),
];

/// One board.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Board {
    name: String,
    #[serde(rename = "match")]
    matches: Match,
    cpu: Cpu,
    camera: Note,
    lamps: Note,
    serial: Serial,
    cycle: Cycle,
}

/// How a board is recognised.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    /// `std::env::consts::ARCH`.
    arch: String,
    /// One of these is part of the device tree's model; any computer of the architecture if empty.
    #[serde(default)]
    device_tree: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cpu {
    /// Features that the network's kernels are quick with.
    features: Vec<String>,
    /// Cores for the network, one thread each, as `judging.cores` in the station file takes them.
    cores: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Serial {
    port: String,
    note: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle {
    cycle_time_ms: u32,
    /// Nobody has measured it on this board.
    estimate: bool,
    /// Where the figure comes from.
    basis: String,
}

impl Board {
    fn fits(&self, arch: &str, model: Option<&str>) -> bool {
        let names = &self.matches.device_tree;
        let named = || model.is_some_and(|model| names.iter().any(|n| model.contains(n)));
        self.matches.arch == arch && (names.is_empty() || named())
    }
}

/// All profiles that can be read; a test proves that these are all.
fn profiles() -> Vec<Board> {
    PROFILES
        .iter()
        .filter_map(|text| toml::from_str(text).ok())
        .collect()
}

pub(super) fn look(station: Option<&StationFile>) -> Vec<Finding> {
    let text = fs::read_to_string("/proc/device-tree/model").ok();
    let model = text
        .as_deref()
        .map(|text| text.trim_end_matches(['\0', '\n']));
    let boards = profiles();
    let Some(board) = boards
        .iter()
        .find(|b| b.fits(std::env::consts::ARCH, model))
    else {
        let name = model.unwrap_or(std::env::consts::ARCH);
        let advice = "measure the time of a part with `andon inspect --json` and set \
                      judging.deadline_ms with room to spare";
        let found = format!("{name}: no profile fits");
        let mut findings = vec![Finding::warn("board", found, advice)];
        findings.extend(station.map(|file| threads::look(&file.judging, None)));
        return findings;
    };
    let name = model.unwrap_or(&board.name);
    let kind = if board.cycle.estimate {
        "estimated, not measured"
    } else {
        "measured"
    };
    let found = format!(
        "{name} (profile {:?}): network on cores {:?}, about {} ms a part ({kind}: {})",
        board.name, board.cpu.cores, board.cycle.cycle_time_ms, board.cycle.basis
    );
    let mut findings = vec![Finding::ok("board", found)];
    let present = machine::features();
    let lacking: Vec<&str> = board
        .cpu
        .features
        .iter()
        .map(String::as_str)
        .filter(|name| !present.contains(name))
        .collect();
    if !lacking.is_empty() {
        let found = format!("{} not there", lacking.join(", "));
        let advice =
            "slower kernels are used; is this really that board, and not a virtual machine?";
        findings.push(Finding::warn("board", found, advice));
    }
    findings.push(Finding::ok(
        "board",
        format!("cameras: {}", board.camera.note),
    ));
    findings.push(Finding::ok("board", format!("lamps: {}", board.lamps.note)));
    let serial = format!("serial port {}: {}", board.serial.port, board.serial.note);
    findings.push(Finding::ok("board", serial));
    // A profile of whatever computer does not know how many cores this one has.
    let cores = (!board.matches.device_tree.is_empty()).then_some(&board.cpu.cores[..]);
    findings.extend(station.map(|file| threads::look(&file.judging, cores)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_can_be_read_and_none_claims_a_measured_time() {
        for text in PROFILES {
            let board: Board = toml::from_str(text).expect("a profile");
            assert!(
                board.cycle.estimate,
                "{}: say where it was measured",
                board.name
            );
            assert!(board.cycle.basis.len() > 40, "{}", board.name);
        }
    }

    #[test]
    fn the_station_that_the_package_brings_names_the_cores_of_each_board() {
        let station = include_str!("../../../boards/debian/station.toml");
        for board in profiles().iter().filter(|b| b.matches.arch == "aarch64") {
            let line = format!("{:<18} cores = {:?}\n", board.name, board.cpu.cores);
            assert!(station.contains(&line), "{line}");
        }
    }

    #[test]
    fn a_board_is_known_by_its_device_tree_and_a_pc_by_its_architecture() {
        let boards = profiles();
        let name = |arch, model| {
            let board = boards.iter().find(|board| board.fits(arch, model));
            board.map(|board| board.name.as_str())
        };
        let pi = name("aarch64", Some("Raspberry Pi 5 Model B Rev 1.0"));
        assert_eq!(pi, Some("Raspberry Pi 5"));
        let jetson = name("aarch64", Some("NVIDIA Jetson Orin Nano Developer Kit"));
        assert_eq!(jetson, Some("Jetson Orin Nano"));
        assert_eq!(name("x86_64", None), Some("x86-64 computer"));
        assert_eq!(name("aarch64", Some("Raspberry Pi 4 Model B")), None);
    }
}
