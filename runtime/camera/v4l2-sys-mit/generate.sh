#!/bin/sh
# Writes src/bindings.rs again, for both targets, and fails when these differ.
#
# Needs bindgen 0.72 (`cargo install bindgen-cli --version 0.72.1 --locked`), libclang and its
# resource headers (Debian: libclang1-16 libclang-common-16-dev), the kernel's headers
# (linux-libc-dev) and, for the comparison, those for aarch64 (linux-libc-dev-arm64-cross
# libc6-dev-arm64-cross).
set -eu
cd "$(dirname "$0")"

# What the v4l crate names, with the enumerations and flags that go with it.
types='time_t|timeval|v4l2_(audio|audioout|buffer|capability|captureparm|control|crop|cropcap|edid'
types="$types|enc_idx|encoder_cmd|exportbuffer|ext_controls?|fmtdesc|format|fract|framebuffer"
types="$types|frequency|frmivalenum|frmivaltypes|frmsizeenum|frmsizetypes|input|jpegcompression"
types="$types|modulator|output|outputparm|pix_format|query_ext_ctrl|queryctrl|querymenu"
types="$types|requestbuffers|sliced_vbi_cap|standard|std_id|streamparm|tuner)"

bindings() {
    target=$1
    shift
    # Parameters of codecs are only pointed at and change from kernel to kernel: opaque.
    bindgen wrapper.h --use-core --no-doc-comments --rust-target 1.82 \
        --allowlist-type "$types" --allowlist-var 'V4L2_(CTRL|BUF|CAP|CID)_.*' \
        --blocklist-type 'v4l2_ctrl_.*' \
        --raw-line 'pub type v4l2_ctrl_opaque = ::core::ffi::c_void;' \
        -- --target="$target" "$@" |
        sed -E 's/\*mut v4l2_ctrl_[a-z0-9_]+/*mut v4l2_ctrl_opaque/' | rustfmt --edition 2021
}

bindings x86_64-linux-gnu > src/bindings.rs
bindings aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include | diff src/bindings.rs -
