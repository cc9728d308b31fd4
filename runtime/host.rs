//! The computer that the program runs on, as far as a station must know it: how hot it is, and how
//! much room its disk has.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// From here on boards slow down to save themselves, degrees Celsius.
pub const HOT: f64 = 85.0;

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Temperature {
    /// What the kernel calls the sensor.
    pub sensor: String,
    /// Degrees Celsius.
    pub celsius: f64,
}

/// All thermal zones of the kernel; none where the system has none.
pub fn temperatures() -> Vec<Temperature> {
    zones(Path::new("/sys/class/thermal"))
}

/// Whether any sensor is at [`HOT`] or above.
pub fn is_hot() -> bool {
    temperatures().iter().any(|t| t.celsius >= HOT)
}

/// Bytes that this user may still write on the file system that holds `path`.
///
/// # Errors
/// `path` is not there, or the system does not tell.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(path)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

fn zones(folder: &Path) -> Vec<Temperature> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let zone = |entry: fs::DirEntry| {
        let folder = entry.path();
        let millidegrees: f64 = fs::read_to_string(folder.join("temp"))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let sensor = fs::read_to_string(folder.join("type")).ok()?;
        Some(Temperature {
            sensor: sensor.trim().into(),
            celsius: millidegrees / 1000.0,
        })
    };
    let mut found: Vec<_> = entries.flatten().filter_map(zone).collect();
    found.sort_by(|a, b| a.sensor.cmp(&b.sensor));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_in_millidegrees_and_others_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        for (zone, kind, temp) in [("zone1", "cpu", "61250\n"), ("zone0", "gpu", "no number")] {
            let zone = folder.path().join(zone);
            fs::create_dir(&zone).expect("a zone");
            fs::write(zone.join("type"), kind).expect("a type");
            fs::write(zone.join("temp"), temp).expect("a temperature");
        }
        let found = zones(folder.path());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].sensor.as_str(), found[0].celsius), ("cpu", 61.25));
    }
}
