#!/usr/bin/env bash
# The first hour of an operator, as docs/operations.md tells it: takes the marked blocks out of the page and plays them, in order, on a
# Debian 12 with systemd as PID 1, from the installation to the purge, with the refusals on the way.
#
#   tests/appliance/first-hour.sh            in the container rig (container.sh): no SELinux; about two minutes
#   tests/appliance/first-hour.sh --vm       in the machine (vm.sh): SELinux enforcing; some minutes
#
# BUILT    where the three programs are (target/debug); they are packed twice, as 0.1.0 and as the version of the changelog
# Needs: root; what packaging/build.sh and the rigs need.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
built=$(cd "$repository" && realpath "${BUILT:-target/debug}")

rig=("$here/container.sh" --timeout 1200)
case ${1:-} in
    '') ;;
    --vm) rig=("$here/vm.sh" run --timeout 2400) ;;
    *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 64 ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each block "```sh first-hour NAME" or "```json first-hour FILE" becomes a file; blocks/order has the names of what is typed.
cp -r "$here/first-hour" "$work/first-hour"
mkdir "$work/first-hour/blocks"
cp "$repository/docs/operations.md" "$work/first-hour/"
awk -v folder="$work/first-hour/blocks/" '
    /^```(sh|json) first-hour / { name = $3; if ($1 == "```sh") print name > (folder "order"); next }
    /^```/ { name = ""; next }
    name != "" { print > (folder name) }
' "$repository/docs/operations.md"
[ -s "$work/first-hour/blocks/order" ] || { echo 'first-hour: docs/operations.md has no marked blocks' >&2; exit 1; }

packages=$work/packages
mkdir -p "$packages"/{old,new,client}
"$repository/packaging/build.sh" --programs "$built" --version 0.1.0 --output "$packages/old" > /dev/null
"$repository/packaging/build.sh" --programs "$built" --output "$packages/new" > /dev/null
rm -f "$packages"/old/contactpoint-client_*.deb "$packages"/*/build.log
mv "$packages"/new/contactpoint-client_*.deb "$packages/client/"

"${rig[@]}" --file "$work/first-hour" --file "$packages" "$here/first-hour/inside.sh"
