# The parts of a small ARM machine with Debian's own kernel, for the scripts that boot one. Sourced by
# them, with `skip WHY` defined, which leaves the script.

# depmod and modprobe, for whoever is not root.
PATH=$PATH:/usr/sbin:/sbin
work=${CARGO_TARGET_DIR:-$PWD/target}/vm
# The kernel these tests were written with. A newer one that Debian has put in its place does as
# well: apt checks either against Debian's signature, and this one against the sum as well.
KERNEL=linux-image-6.1.0-56-arm64
KERNEL_FILE=${KERNEL}_6.1.192-2_arm64.deb
KERNEL_SHA256=6f4ed2d1cb9106bc977c2b1960008f175e2eed5740340634b7894e65ef5acc82

have() { command -v "$1" >/dev/null 2>&1; }

# Two serial ports on this machine came with QEMU 9.1.
has_machine() {
    have qemu-system-aarch64 || return 1
    local version
    version=$(qemu-system-aarch64 --version | sed -n '1s/.*version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ "${version% *}" -gt 9 ] || { [ "${version% *}" = 9 ] && [ "${version#* }" -ge 1 ]; }
}

# What a machine needs besides; root on Debian gets it.
get_tools() {
    local tool
    has_machine || skip 'no QEMU 9.1 or later for ARM; firmware/test installs one as root on Debian'
    have apt-get || skip 'no apt-get, which brings the kernel'
    for tool in dtc:device-tree-compiler cpio:cpio modprobe:kmod; do
        if ! have "${tool%:*}"; then
            [ "$(id -u)" = 0 ] && apt-get install -qq -y --no-install-recommends "${tool#*:}" >/dev/null 2>&1
            have "${tool%:*}" || skip "no ${tool%:*} (package ${tool#*:})"
        fi
    done
}

# Debian's packages for ARM, through lists of their own: the machine's stay as they are.
arm_apt() {
    local command=$1
    shift
    "$command" -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o Dir::State="$work/apt" -o Dir::State::status="$work/apt/status" \
        -o Dir::Cache="$work/apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User= "$@"
}

# fetch PACKAGE: into $work/packages
fetch() {
    (cd "$work/packages" && ls "$1"_*.deb >/dev/null 2>&1 || arm_apt apt-get download "$1")
}

# The kernel and a shell, into $work/kernel; `release` is the kernel's.
get_kernel() {
    local package
    mkdir -p "$work"/{packages,apt/lists/partial,apt/cache/archives/partial}
    touch "$work/apt/status"
    if ! ls "$work"/packages/linux-image-*.deb "$work"/packages/busybox-static_*.deb >/dev/null 2>&1; then
        arm_apt apt-get update >"$work/apt.log" 2>&1 || skip "apt has no lists for arm64, see $work/apt.log"
        if ! fetch "$KERNEL" >>"$work/apt.log" 2>&1; then
            KERNEL=$(arm_apt apt-cache depends linux-image-arm64 \
                | sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -1)
            { [ -n "$KERNEL" ] && fetch "$KERNEL" >>"$work/apt.log" 2>&1; } \
                || skip "apt has no kernel for arm64, see $work/apt.log"
        fi
        fetch busybox-static >>"$work/apt.log" 2>&1 || skip "apt has no busybox, see $work/apt.log"
    fi
    package=$(basename "$(ls "$work"/packages/linux-image-*.deb | head -1)")
    if [ "$package" = "$KERNEL_FILE" ]; then
        (cd "$work/packages" && sha256sum --quiet -c - <<<"$KERNEL_SHA256  $KERNEL_FILE") || exit 1
    fi
    if [ ! -e "$work/kernel/$package" ]; then
        rm -rf "$work/kernel"
        mkdir -p "$work/kernel"
        dpkg-deb -x "$work/packages/$package" "$work/kernel"
        dpkg-deb -x "$work"/packages/busybox-static_*.deb "$work/kernel"
        touch "$work/kernel/$package"
    fi
    release=$(basename "$work"/kernel/lib/modules/*)
    printf 'Debian kernel %s\n' "$release"
}

# An empty root with a shell, at $root.
make_root() {
    local busybox name
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,modules}
    busybox=$(find "$work/kernel" -path '*bin/busybox' | head -1)
    cp "$busybox" "$root/bin/busybox"
    for name in sh mount insmod stty cut echo poweroff; do
        ln -s busybox "$root/bin/$name"
    done
}

# pack_root FILE MODULE...: the modules and what they need go into $root, and that into FILE.
pack_root() {
    local file=$1 module
    shift
    depmod -b "$work/kernel" "$release"
    for module in "$@"; do
        modprobe -d "$work/kernel" -S "$release" --show-depends "$module" \
            | awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++' | while read -r module; do
        cp "$module" "$root/modules/"
        basename "$module" >>"$root/modules/order"
    done
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$file"
}
