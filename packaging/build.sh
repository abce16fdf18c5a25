#!/usr/bin/env bash
# Builds the Debian packages: contactpoint, contactpoint-selinux, contactpoint-client.
#
#   packaging/build.sh                          release: builds the programs (cargo auditable) and packs them
#   packaging/build.sh --programs target/debug  packs programs that are built already, in seconds; for rigs and development
#       --version V     another version than the changelog's, for tests of an upgrade
#       --output DIR    where the packages go (default target/packages)
#
# Everything is staged below target/packages, because dpkg wants debian/ at the root; the source tree is not touched.
# Needs: debhelper dpkg-dev selinux-policy-dev bzip2 jq; for a release cargo-auditable and cargo-cyclonedx as well (installed where missing).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

say() { printf 'packages: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

programs='' version='' output=$root/target/packages
while [ $# -gt 0 ]; do
    case $1 in
        --programs) programs=$(realpath "$2"); shift ;;
        --version) version=$2; shift ;;
        --output) mkdir -p "$2"; output=$(realpath "$2"); shift ;;
        *) die "unknown option $1; see the head of packaging/build.sh" ;;
    esac
    shift
done

umask 022
unset DEB_BUILD_OPTIONS DEB_BUILD_PROFILES DH_OPTIONS DH_INTERNAL_OPTIONS

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
    cp -r README.md docs config packaging "$stage/"
    cp CHANGELOG.md "$stage/packaging/" # beside debian/ it would be taken for the Debian changelog
    if [ -d selinux ]; then cp -r selinux "$stage/"; fi
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

# The list of parts (CycloneDX), one for each program. Made in a copy, because the tool writes beside the sources; the copy's path is taken
# out of the names of our own crates.
stage_parts_lists() {
    local copy=$work/parts program
    need_tool cargo-cyclonedx 0.5.9
    mkdir "$copy"
    cp -r --parents Cargo.toml Cargo.lock src tests/support "$copy/"
    (cd "$copy" && "$root/packaging/release-environment.sh" cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries)
    cmp "$copy/Cargo.lock" Cargo.lock || die 'Cargo.lock is behind Cargo.toml: run cargo check'
    for program in contactpointd contactpointctl contactpoint; do
        sed "s|path+file://$copy|path+file:///contactpoint|g" "$copy/${program}_bin.cdx.json" > "$stage/sbom/$program.cdx.json"
    done
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

# Not everything is written yet: what is missing is left out, and said.
leave_out_what_is_missing() {
    local list line kept
    for list in "$stage"/debian/*.install "$stage"/debian/*.manpages "$stage"/debian/*.docs; do
        kept=$(while read -r line; do
            if compgen -G "$stage/${line%% *}" > /dev/null || [[ $line = selinux/*.pp.bz2* && -e $stage/selinux/contactpointd.te ]]; then printf '%s\n' "$line"; else say "MISSING, left out: $line"; fi
        done < "$list")
        printf '%s\n' "$kept" > "$list"
    done
    if [ ! -e "$stage/selinux/contactpointd.te" ]; then
        say 'MISSING, left out: contactpoint-selinux'
        sed -i 's/^override_dh_auto_build:/override_dh_auto_build:\nnever:/' "$stage/debian/rules"
        export DH_OPTIONS=-Ncontactpoint-selinux
    fi
}

pack() {
    local squeeze=-Zxz
    if [ "$mode" = development ]; then squeeze='-Zgzip -z1'; fi
    (cd "$stage" && SQUEEZE=$squeeze "$root/packaging/release-environment.sh" debian/rules binary > "$output/build.log" 2>&1) || { cat "$output/build.log" >&2; die 'dpkg refused'; }
    mv "$stage"/../*.deb "$output/"
}

mkdir -p "$output"
work=$(mktemp -d "$output/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
stage=$work/contactpoint

mode=development
if [ -z "$programs" ]; then
    mode=release
    build_programs
fi
stage_sources
stage_programs
stage_parts_lists
stage_manuals
leave_out_what_is_missing
rm -f "$output"/contactpoint*.deb
pack
ls "$output"/*.deb
