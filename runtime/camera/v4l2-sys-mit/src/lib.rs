//! Raw bindings of `linux/videodev2.h` for the crate `v4l`: the structures, constants and names
//! that bindgen makes, as `v4l2-sys-mit` 0.3 makes them, but made once and checked in. So a build
//! needs no libclang, and a cross build no headers of the target.
//!
//! `generate.sh` wrote `bindings.rs` from the headers of Linux 6.1. It does so for x86_64 and for
//! aarch64 and fails when the two differ: they do not, as both are little-endian LP64 targets and
//! the header uses no type whose size depends on anything else. Every structure's size, alignment
//! and offsets are also asserted when the crate is compiled, on whichever target that is.

#![no_std]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
#![allow(missing_docs, clippy::all)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("these bindings are for 64-bit targets: run generate.sh for another one");

include!("bindings.rs");
