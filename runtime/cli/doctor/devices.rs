//! What is plugged in: cameras, serial ports, GPIO lines, LEDs, and the right to use them.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use andon_camera::v4l2;

use super::Finding;
use super::storage::names;
use crate::line::{Camera, StationFile};

/// Serial ports that a stack light or a PLC is found at.
const SERIAL: [&str; 6] = [
    "ttyACM",
    "ttyUSB",
    "ttyAMA",
    "ttyTHS",
    "ttymxc",
    "andon-light",
];

/// Groups that own the devices.
const GROUPS: [&str; 3] = ["video", "gpio", "dialout"];

pub(super) fn look(station: Option<&StationFile>) -> Vec<Finding> {
    let mut findings = cameras(station);
    let serial = names("/dev", |name| {
        SERIAL.iter().any(|start| name.starts_with(start))
    });
    findings.push(list(
        "serial",
        &serial,
        "no serial port that a stack light could be at",
    ));
    let chips = names("/dev", |name| name.starts_with("gpiochip"));
    findings.push(list(
        "gpio",
        &chips,
        "no GPIO chip; needed only for lines of this computer",
    ));
    let leds = names("/sys/class/leds", |_| true);
    findings.push(list(
        "leds",
        &leds,
        "no LED; needed only for lamps of this computer",
    ));
    if let Some(file) = station {
        findings.extend(named(file, &leds));
    }
    findings.push(groups());
    findings
}

fn list(subject: &'static str, names: &[String], none: &str) -> Finding {
    if names.is_empty() {
        return Finding::ok(subject, none);
    }
    Finding::ok(subject, names.join(" "))
}

fn cameras(station: Option<&StationFile>) -> Vec<Finding> {
    let wanted = station.and_then(|file| match &file.camera {
        Camera::V4l2 { device, .. } => Some(device.as_path()),
        Camera::Replay { .. } | Camera::Rendered { .. } => None,
    });
    let cameras = v4l2::list();
    let mut findings: Vec<Finding> = cameras.iter().map(camera).collect();
    if let Some(device) = wanted {
        let real = std::fs::canonicalize(device).ok();
        let is_there = cameras
            .iter()
            .any(|camera| Some(&camera.path) == real.as_ref());
        if !is_there {
            let found = format!(
                "{}: not there, or no camera that can be used",
                device.display()
            );
            let advice =
                "check its cable and camera.device; a name under /dev/v4l/by-id survives a replug";
            findings.push(Finding::fail("camera", found, advice));
        }
    } else if cameras.is_empty() {
        let found = "none";
        let advice = "plug a USB (UVC) camera in; cameras on a ribbon cable mostly need libcamera or \
                      Argus and are not read";
        findings.push(match station {
            Some(_) => Finding::ok("camera", "none; this station needs none"),
            None => Finding::warn("camera", found, advice),
        });
    }
    findings
}

fn camera(camera: &v4l2::DeviceInfo) -> Finding {
    let path = camera
        .stable_path
        .as_ref()
        .unwrap_or(&camera.path)
        .display();
    match &camera.details {
        Ok(details) => {
            let formats: Vec<&str> = details
                .formats
                .iter()
                .filter(|format| format.format.is_some())
                .map(|format| format.fourcc.as_str())
                .collect();
            let found = format!(
                "{path}: {} ({}), {}",
                details.name,
                details.driver,
                formats.join(" ")
            );
            if formats.is_empty() {
                let advice =
                    "it offers none of YUYV, MJPG, GREY, RGB3, BGR3, NV12: take another camera";
                return Finding::warn("camera", found.trim_end_matches([',', ' ']), advice);
            }
            Finding::ok("camera", found)
        }
        Err(error) => {
            let advice = "end the program that uses it, or put this user into the group video";
            Finding::warn("camera", format!("{path}: {error}"), advice)
        }
    }
}

/// What the station file names has to be there and open to this user.
fn named(file: &StationFile, leds: &[String]) -> Vec<Finding> {
    let to = &file.outputs;
    let mut ports: Vec<PathBuf> = Vec::new();
    ports.extend(to.light.as_ref().map(|light| light.port.clone()));
    ports.extend(to.text_port.as_ref().map(|text| text.port.clone()));
    let mut chips: Vec<PathBuf> = Vec::new();
    if let Some(gpio) = &to.gpio {
        chips.extend(gpio.outputs.values().map(|line| line.chip.clone()));
    }
    chips.extend(to.inputs.values().map(|input| input.at.chip.clone()));
    chips.sort();
    chips.dedup();
    let mut findings: Vec<Finding> = ports
        .iter()
        .map(|port| opens("serial", port, "dialout"))
        .chain(chips.iter().map(|chip| opens("gpio", chip, "gpio")))
        .collect();
    if let Some(names) = &to.leds {
        let lamps = [&names.red, &names.amber, &names.green, &names.blue];
        for led in lamps.into_iter().flatten() {
            if !leds.contains(led) {
                let advice = "take a name from /sys/class/leds, or correct outputs.leds";
                findings.push(Finding::fail("leds", format!("{led}: not there"), advice));
                continue;
            }
            let brightness = Path::new("/sys/class/leds").join(led).join("brightness");
            findings.push(opens("leds", &brightness, "gpio"));
        }
    }
    findings
}

fn opens(subject: &'static str, path: &Path, group: &str) -> Finding {
    let shown = path.display();
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Finding::ok(subject, format!("{shown}: this user may use it")),
        Err(error) => {
            let advice = format!(
                "check that it is plugged in, that the name is right, and that this user is in the \
                 group {group}; boards/60-andon.rules sets the rights"
            );
            Finding::fail(subject, format!("{shown}: {error}"), advice)
        }
    }
}

fn groups() -> Finding {
    if rustix::process::geteuid().is_root() {
        let advice = "run it as the user of the station: as root everything seems allowed";
        return Finding::warn("groups", "this is root", advice);
    }
    let mut mine: Vec<u32> = rustix::process::getgroups()
        .unwrap_or_default()
        .into_iter()
        .map(rustix::process::Gid::as_raw)
        .collect();
    mine.push(rustix::process::getegid().as_raw());
    let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let id = |name: &str| -> Option<u32> {
        let line = text
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    };
    let (has, lacks): (Vec<&str>, Vec<&str>) = GROUPS
        .into_iter()
        .partition(|name| id(name).is_some_and(|id| mine.contains(&id)));
    if lacks.is_empty() {
        return Finding::ok("groups", has.join(" "));
    }
    let advice = "if the station uses such devices: `sudo usermod -aG GROUP USER` and log in again";
    Finding::warn(
        "groups",
        format!("this user is not in {}", lacks.join(", ")),
        advice,
    )
}
