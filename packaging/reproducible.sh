#!/usr/bin/env bash
# Builds the release packages twice and compares them byte for byte: here, and from a copy of the source in another folder, with cargo's own
# folder under another path, another time zone, language, umask and user's home, and with options for the compressors in the environment.
# Exit status 0: the same; 1: not, and it says which file.
#
#   packaging/reproducible.sh [--keep]
#
# The first build shares target/release with `make build` and `make deb`; the second starts from nothing and takes as long as the first
# ever took. Neither touches target/packages. --keep leaves both builds' folder there, to look into.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=
case ${1:-} in
    '') ;;
    --keep) keep=1 ;;
    *) echo "reproducible.sh: unknown option $1" >&2; exit 64 ;;
esac

elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/contactpoint-built-elsewhere.XXXXXX")
trap '[ -n "$keep" ] || rm -rf "$elsewhere"' EXIT
source=$elsewhere/a/deeper/folder/contactpoint
here=$elsewhere/from-here
there=$elsewhere/packages

# What a clone would have: tracked files as they are now, and new ones that are not ignored.
copy_source() {
    mkdir -p "$source"
    if [ -e .git ]; then
        git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
            if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
        done | tar --null --files-from=- -c | tar -x -C "$source"
    else
        tar --exclude=./target -c . | tar -x -C "$source"
    fi
}

build_elsewhere() {
    ln -s "${CARGO_HOME:-$HOME/.cargo}" "$elsewhere/cargo"
    mkdir "$elsewhere/home"
    (
        cd "$source"
        umask 027
        env -u CARGO_TARGET_DIR CARGO_HOME="$elsewhere/cargo" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" HOME="$elsewhere/home" \
            TZ=Pacific/Auckland LC_ALL=C BZIP2=-1 GZIP=-1 XZ_OPT=-0 packaging/build.sh --output "$there"
    )
}

# Names the first file inside that differs, where there is one.
explain() { # package
    if command -v diffoscope > /dev/null; then
        diffoscope "$here/$1" "$there/$1" || true
        return
    fi
    mkdir -p "$elsewhere/x/here" "$elsewhere/x/there"
    dpkg-deb -R "$here/$1" "$elsewhere/x/here"
    dpkg-deb -R "$there/$1" "$elsewhere/x/there"
    diff -rq "$elsewhere/x/here" "$elsewhere/x/there" || true
}

copy_source
packaging/build.sh --output "$here"
build_elsewhere

different=0
for package in "$here"/*.deb; do
    name=${package##*/}
    if cmp -s "$package" "$there/$name"; then
        printf 'the same      %s  %s\n' "$(sha256sum "$package" | cut -c1-64)" "$name"
    else
        printf 'NOT the same  %s\n' "$name"
        explain "$name"
        different=1
    fi
done
exit "$different"
