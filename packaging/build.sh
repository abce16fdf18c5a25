#!/usr/bin/env bash
# Builds the Debian packages: contactpoint, contactpoint-selinux, contactpoint-client.
#
#   packaging/build.sh                          release: builds the programs (cargo auditable) and packs them
#   packaging/build.sh --programs target/debug  packs programs that are built already, in seconds; for rigs and development
#       --release       packs them as a release is packed: with all notices, squeezed hard
#       --version V     another version than the changelog's, for tests of an upgrade
#       --output DIR    where the packages go (default target/packages)
#
# Everything is staged below target/packages, because dpkg wants debian/ at the root; the source tree is not touched.
# Needs: debhelper dpkg-dev selinux-policy-dev bzip2 jq; cargo-cyclonedx and, for a release, cargo-auditable (installed where missing).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

say() { printf 'packages: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

programs='' mode=development version='' output=$root/target/packages
while [ $# -gt 0 ]; do
    case $1 in
        --programs) programs=$(realpath "$2"); shift ;;
        --release) mode=release ;;
        --version) version=$2; shift ;;
        --output) mkdir -p "$2"; output=$(realpath "$2"); shift ;;
        *) die "unknown option $1; see the head of packaging/build.sh" ;;
    esac
    shift
done

umask 022
unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES DH_OPTIONS DH_INTERNAL_OPTIONS BZIP BZIP2 GZIP XZ_OPT XZ_DEFAULTS
export LC_ALL=C # what is sorted here goes into the packages

# The tools of a build, at the versions that releases are made with: what they write goes into the packages.
need_tool() { # name version
    PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    if [ "$(cargo install --list | grep "^$1 v")" != "$1 v$2:" ]; then
        say "installing $1 $2"
        CARGO_TARGET_DIR=$work/tool cargo install --quiet --locked "$1@$2"
    fi
}

# A copy of what the packages are made of, with debian/ where dpkg looks for it.
stage_sources() {
    rm -rf "$stage"
    mkdir -p "$stage"/{programs,man,completions,sbom}
    cp -r packaging/debian "$stage/debian"
    cp -r docs config packaging selinux "$stage/"
    # a page that is installed has no sources beside it: where it leads to them, it names them
    # shellcheck disable=SC2016 # the backticks are the page's
    find "$stage/docs" -name '*.md' -exec \
        sed -i -E 's#\[`?([^]`]*)`?\]\(\.\./\1\)#`\1`#g; s#\[`?([^]`]*)`?\]\(\.\./([^)]*)\)#\1 (`\2` of the sources)#g' {} +
    cp CHANGELOG.md "$stage/packaging/" # beside debian/ it would be taken for the Debian changelog
    if [ -n "$version" ]; then sed -i "1s/([^)]*)/($version)/" "$stage/debian/changelog"; fi
}

# A release's programs carry the list of what they are made of (cargo auditable, section .dep-v0).
build_programs() {
    need_tool cargo-auditable 0.7.7
    packaging/release-environment.sh cargo auditable build --release --locked --bins
    programs=$(cargo metadata --format-version 1 --no-deps --locked | jq -r .target_directory)/release
}

stage_programs() {
    local program
    for program in contactpointd contactpointctl contactpoint; do
        install -m 0755 "$programs/$program" "$stage/programs/$program"
    done
}

# What is really compiled in, by cargo's own resolution: "name version" a line.
real_parts() {
    cargo tree --locked --package contactpoint --edges normal,build --prefix none --format '{p}' |
        sed -nE 's/^([^ ]+) v([^ ]+).*/\1 \2/p' | sort -u
}

# The libraries in C that crates bring along, as JSON: no list of crates names them, and advisories are about them.
bundled_parts() {
    local sqlcipher awslc folders
    folders=$(cargo metadata --locked --format-version 1 |
        jq -r '.packages[] | select(.name == "libsqlite3-sys" or .name == "aws-lc-sys").manifest_path')
    sqlcipher=$(dirname "$(grep libsqlite3-sys <<< "$folders")")/sqlcipher/sqlite3.c
    awslc=$(dirname "$(grep aws-lc-sys <<< "$folders")")/aws-lc/include/openssl/base.h
    defined() { sed -nE "s/^#[[:space:]]*define $1[[:space:]]+\"?([0-9.]+).*/\1/p" "$2" | head -n 1; }
    jq -n --arg sqlite "$(defined SQLITE_VERSION "$sqlcipher")" --arg sqlcipher "$(defined CIPHER_VERSION_NUMBER "$sqlcipher")" \
        --arg awslc "$(defined AWSLC_VERSION_NUMBER_STRING "$awslc")" \
        '[{name: "sqlcipher", version: $sqlcipher, crate: "libsqlite3-sys", licence: "BSD-3-Clause"},
          {name: "sqlite", version: $sqlite, crate: "libsqlite3-sys", licence: "blessing"},
          {name: "aws-lc", version: $awslc, crate: "aws-lc-sys", licence: "ISC AND (Apache-2.0 OR ISC)"}]
         | if any(.version == "") then error("a version was not found") else . end'
}

# The list of parts (CycloneDX), one for each program. Made in a copy, because the tool writes beside the sources; the copy's path is taken
# out of the names of our own crates.
stage_parts_lists() {
    local copy=$work/parts program real bundled
    real=$(real_parts)
    bundled=$(bundled_parts)
    need_tool cargo-cyclonedx 0.5.9
    mkdir "$copy"
    tar --exclude=target --exclude=.git -c . | tar -x -C "$copy"
    (cd "$copy" && "$root/packaging/release-environment.sh" cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries)
    cmp "$copy/Cargo.lock" Cargo.lock || die 'Cargo.lock is behind Cargo.toml: run cargo check'
    for program in contactpointd contactpointctl contactpoint; do
        jq --arg real "$real" --argjson bundled "$bundled" -f packaging/parts.jq "$copy/${program}_bin.cdx.json" |
            sed "s|path+file://$copy|path+file:///contactpoint|g" > "$stage/sbom/$program.cdx.json"
    done
    if [ "$mode" = release ]; then printf '%s\n' "$real" > "$work/real"; else : > "$work/real"; fi # their texts take a while
    packaging/notices.sh "$work/real" > "$stage/sbom/third-party-notices.txt"
}

# Man pages and completions as the programs themselves tell them, and the hand-written pages.
stage_manuals() {
    local program page completions=$stage/completions
    for program in contactpointctl contactpoint; do
        "$stage/programs/$program" manual --list > "$work/pages"
        while read -r page; do
            "$stage/programs/$program" manual "$page" > "$stage/man/$page"
        done < "$work/pages"
        mkdir -p "$completions/$program"
        "$stage/programs/$program" completions bash > "$completions/$program/$program"
        "$stage/programs/$program" completions zsh > "$completions/$program/_$program"
        "$stage/programs/$program" completions fish > "$completions/$program/$program.fish"
    done
    cp packaging/man/* "$stage/man/"
}

pack() {
    local squeeze=-Zxz
    if [ "$mode" = development ]; then squeeze='-Zgzip -z1'; fi
    if ! (cd "$stage" && SQUEEZE=$squeeze "$root/packaging/release-environment.sh" debian/rules binary > "$output/build.log" 2>&1); then
        cat "$output/build.log" >&2
        die "debhelper refused: see above, and $output/build.log"
    fi
    mv "$stage"/../*.deb "$output/"
}

mkdir -p "$output"
work=$(mktemp -d "$output/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
stage=$work/contactpoint

if [ -z "$programs" ]; then
    mode=release
    build_programs
fi
stage_sources
stage_programs
stage_parts_lists
stage_manuals
rm -f "$output"/contactpoint*.deb
pack
ls "$output"/*.deb
