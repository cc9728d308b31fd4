//! Puts the memory layout where the linker looks for it.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::copy("memory.x", Path::new(&out).join("memory.x"))?;
    println!("cargo:rustc-link-search={}", Path::new(&out).display());
    println!("cargo:rerun-if-changed=memory.x");
    Ok(())
}
