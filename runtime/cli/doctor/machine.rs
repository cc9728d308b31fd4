//! The computer itself: processor, memory, heat, clock.

use std::fs;
use std::path::Path;
use std::thread;

use super::Finding;
use crate::host;
use crate::vit::Kernels;

/// Least memory in MB that is free for the station before it starts.
const LEAST_MEMORY_MB: u64 = 1000;

/// From here on heat is worth a word, degrees Celsius; at [`host::HOT`] boards slow down.
const WARM: f64 = 75.0;

/// A clock before this year was never set.
const LEAST_YEAR: i16 = 2026;

macro_rules! features {
    ($detected:ident: $($name:tt)*) => {
        [$(($name, std::arch::$detected!($name)),)*]
    };
}

/// Processor features that the network's kernels make use of, as far as this processor has them.
pub(super) fn features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let all = features!(is_x86_feature_detected: "avx2" "fma" "avx512f" "avx512vnni");
    #[cfg(target_arch = "aarch64")]
    let all = features!(is_aarch64_feature_detected: "neon" "fp16" "dotprod" "i8mm");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let all: [(&str, bool); 0] = [];
    all.into_iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| name)
        .collect()
}

pub(super) fn look() -> Vec<Finding> {
    vec![cpu(), kernels(), memory(), heat(), clock()]
}

fn cpu() -> Finding {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let features = features();
    let found = format!(
        "{}, {cores} cores for this program, {}",
        std::env::consts::ARCH,
        features.join(" ")
    );
    if features.is_empty() {
        let advice = "no feature that quick kernels need: a part takes many times longer";
        return Finding::warn("processor", found.trim_end_matches([',', ' ']), advice);
    }
    Finding::ok("processor", found)
}

/// What the network runs on, as chosen for this processor.
fn kernels() -> Finding {
    Finding::ok("kernels", Kernels::detect().to_string())
}

fn memory() -> Finding {
    let Ok(text) = fs::read_to_string("/proc/meminfo") else {
        return Finding::warn(
            "memory",
            "unknown",
            "this system does not tell; see that 1 GB is free",
        );
    };
    let mb = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kb / 1000)
    };
    let (total, free) = (
        mb("MemTotal:").unwrap_or(0),
        mb("MemAvailable:").unwrap_or(0),
    );
    let found = format!("{free} of {total} MB available");
    if free < LEAST_MEMORY_MB {
        return Finding::warn(
            "memory",
            found,
            "end other programs, or take a board with more",
        );
    }
    Finding::ok("memory", found)
}

fn heat() -> Finding {
    let sensors = host::temperatures();
    let Some(hottest) = sensors
        .iter()
        .max_by(|a, b| a.celsius.total_cmp(&b.celsius))
    else {
        return Finding::ok("heat", "this computer has no sensor that the kernel knows");
    };
    let found = format!(
        "{} {:.0} °C, the hottest of {}",
        hottest.sensor,
        hottest.celsius,
        sensors.len()
    );
    if hottest.celsius >= host::HOT {
        return Finding::fail(
            "heat",
            found,
            "it slows down: cool it before it judges parts",
        );
    }
    if hottest.celsius >= WARM {
        return Finding::warn("heat", found, "close to slowing down: give it air or a fan");
    }
    Finding::ok("heat", found)
}

fn clock() -> Finding {
    let now = jiff::Timestamp::now();
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    let found = now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    if year < LEAST_YEAR {
        let advice = "set the clock: the record carries its time";
        return Finding::fail("clock", format!("{found}: it was never set"), advice);
    }
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Finding::ok("clock", format!("{found}, synchronised"));
    }
    let advice = "see `timedatectl`: without a time server, or a clock with a battery, the times in \
                  the record cannot be relied on (chrony and others are not seen here)";
    Finding::warn(
        "clock",
        format!("{found}, not known to be synchronised"),
        advice,
    )
}
