#!/usr/bin/env bash
# Runs a command in the environment of a release build: the programs come out the same, byte for byte, wherever the source and cargo's
# folder lie. `make build` and packaging/build.sh both build through this, so that they share what is compiled in target/release.
#
#   packaging/release-environment.sh cargo build --release --locked
#
# What was found out (Rust 1.95, by building the same tree in two folders with two CARGO_HOMEs and comparing with cmp):
# - Places of panics hold the path of each dependency below CARGO_HOME: --remap-path-prefix takes it out. Members of the workspace are
#   named by relative paths already; the second mapping is for what a build script may generate.
# - The mapping is not part of the hash in symbols' names (-C metadata), so that it may differ from machine to machine.
# - The C code of AWS-LC maps its own paths, SQLCipher's holds none; dates are in neither.
set -euo pipefail

root=$(realpath "$(dirname "$0")/..")
cargo_home=${CARGO_HOME:-$HOME/.cargo} # as cargo names it, not resolved

if [ -n "${CARGO_ENCODED_RUSTFLAGS:-}" ]; then
    echo 'release-environment.sh: CARGO_ENCODED_RUSTFLAGS is set: a release has its own flags and no others' >&2
    exit 1
fi
# Encoded, because a folder may have a blank in its name.
unset RUSTFLAGS
# Debhelper and the compressors would take options from these.
unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES DH_OPTIONS DH_INTERNAL_OPTIONS BZIP BZIP2 GZIP XZ_OPT XZ_DEFAULTS
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f%s' "--remap-path-prefix=$cargo_home=/cargo" "--remap-path-prefix=$root=/contactpoint")
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$root/packaging/debian/changelog" -S Timestamp)
export CARGO_ENCODED_RUSTFLAGS SOURCE_DATE_EPOCH CARGO_INCREMENTAL=0 LC_ALL=C.UTF-8 TZ=UTC

exec "$@"
