#!/usr/bin/env bash
# Makes the daemon's root, an empty tree of mount points, from its list (packaging/systemd/root-tree): one line each,
# "d PATH  # reason" a folder, "f PATH" an empty file, "l PATH TARGET" a link.
#
#   packaging/root-tree.sh LIST FOLDER
set -euo pipefail

list=$1 root=$2
mkdir -p "$root"
sed 's/#.*//' "$list" | while read -r kind path target; do
    case $kind in
        d) mkdir -p "$root$path" ;;
        f) : > "$root$path" ;;
        l) ln -s "$target" "$root$path" ;;
        '') ;;
        *) echo "root-tree.sh: $list: no such kind: $kind" >&2; exit 1 ;;
    esac
done
