//! Verifies the built-in model against its manifest and embeds the source revision, so that a
//! program never ships with a model that is not the one it names.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo:rerun-if-changed=models");
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/refs/heads");
    if let Err(reason) = verify(Path::new("models/dinov2-vits14-int8.json")) {
        eprintln!("error: {reason}");
        std::process::exit(1);
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo:rustc-env=ANDON_VERSION={version}{}", revision());
}

/// Checks hash and size of the file that a manifest describes.
fn verify(manifest: &Path) -> Result<(), String> {
    let read =
        |path: &Path| fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()));
    let fields: serde_json::Value = serde_json::from_slice(&read(manifest)?)
        .map_err(|e| format!("{} is not JSON: {e}", manifest.display()))?;
    let text = |name: &str| {
        fields[name]
            .as_str()
            .ok_or_else(|| format!("{} has no field {name:?}", manifest.display()))
    };
    let file = manifest.with_file_name(text("file")?);
    let bytes = read(&file)?;
    let found = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    if found != text("sha256")? || Some(bytes.len() as u64) != fields["bytes"].as_u64() {
        return Err(format!(
            "{} is not the file that {} describes: check both out again",
            file.display(),
            manifest.display()
        ));
    }
    Ok(())
}

/// ` (1a2b3c4d5e6f)` when built from a checkout,
/// nothing when built from a package.
fn revision() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_string())
    };
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        Some(hash) if !hash.is_empty() => format!(" ({hash})"),
        _ => String::new(),
    }
}
