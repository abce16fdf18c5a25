#!/usr/bin/env bash
# Prints the licence texts and copyright notices of everything that is linked into the programs, each text once, under the crates that have
# it: most licences ask that they go along with the program.
#
#   packaging/notices.sh PARTS      PARTS: "name version" of each crate, a line each
set -euo pipefail
shopt -s nullglob
export LC_ALL=C # what is sorted here goes into the packages
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# "name version folder" of each crate of others.
cargo metadata --locked --format-version 1 |
    jq -r '.packages[] | select(.source != null) | "\(.name) \(.version) \(.manifest_path | rtrimstr("/Cargo.toml"))"' |
    sort > "$work/folders"

# Each text by its digest, and beside it who has it.
while read -r name version; do
    folder=$(awk -v n="$name" -v v="$version" '$1 == n && $2 == v { $1 = $2 = ""; sub(/^ */, ""); print }' "$work/folders")
    if [ -z "$folder" ]; then continue; fi # our own
    # the crate's own folder, and the libraries in C that it brings along
    folders=("$folder")
    for bundled in sqlcipher aws-lc; do
        if [ -d "$folder/$bundled" ]; then folders+=("$folder/$bundled"); fi
    done
    find "${folders[@]}" -maxdepth 1 -type f -iregex '.*/\(licen[cs]e\|copying\|copyright\|notice\|unlicense\)[^/]*' |
        sort -u | while IFS= read -r text; do
            digest=$(sha256sum < "$text" | cut -c1-64)
            cp "$text" "$work/$digest.text"
            printf '%s %s\n' "$name" "$version" >> "$work/$digest.who"
        done
done < "$1"

rule=$(printf '%0120d' 0 | tr 0 -)
echo 'Licences and notices of what is linked into the programs of contactpoint. Each text stands under the crates that it comes with.'
for who in "$work"/*.who; do
    printf '%s\t%s\n' "$(head -n 1 "$who")" "$who"
done | sort | while IFS=$'\t' read -r _ who; do
    printf '\n%s\n' "$rule"
    sort -u "$who" | paste -sd, | sed 's/,/, /g' | fold -sw 120
    printf '%s\n\n' "$rule"
    tr -d '\r' < "${who%.who}.text"
done
