#!/usr/bin/env bash
# contactpointctl inspect on the installed service: everything holds, then bars are lowered, and each turns its own verdict and no other. In
# the container one at a time; in the machine, where a look takes seconds, many at once, and exactly theirs turn. Last the unit is put right,
# and the process, started while it was loosened, is told all the same. What a test without systemd can lower is in tests/inspect.rs.
#
#   tests/appliance/inspect.sh container    on this machine's kernel, without SELinux; under a minute once the root tree is there
#   tests/appliance/inspect.sh vm           in a machine with SELinux enforcing; four or five minutes, half of them for the policy
#
# BUILT    where the programs are (target/debug: cargo build --workspace --bins); they are packed first, in seconds
# Needs: root; what packaging/build.sh and container.sh or vm.sh need. The reports stay in target/appliance/inspect-RIG.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
rig=${1:-}
case $rig in
    container) start=("$here/container.sh" --timeout 1200) ;;
    vm) start=("$here/vm.sh" run --timeout 2400) ;;
    *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 64 ;;
esac
built=$(cd "$repository" && realpath "${BUILT:-target/debug}")
for program in contactpointd contactpointctl contactpoint contactpoint-synthesise; do
    [ -x "$built/$program" ] || { echo "inspect.sh: $built/$program is missing: cargo build --workspace --bins" >&2; exit 97; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/all" "$work/packages" "$work/outside"
"$repository/packaging/build.sh" --programs "$built" --output "$work/all" > "$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 97; }
cp "$work"/all/contactpoint_*.deb "$work/packages/"
[ "$rig" = container ] || cp "$work"/all/contactpoint-selinux_*.deb "$work/packages/"
echo "rig=$rig" > "$work/rig"

# The authority that signs inside's certificate request (outside.sh); no client is needed, so no port is forwarded.
export CONTACTPOINT_OUTSIDE=$work/outside CONTACTPOINT_BUILT=$built CONTACTPOINT_PORT=0
results=$repository/target/appliance/inspect-$rig
rm -rf "$results"
"${start[@]}" --file "$work/packages" --file "$work/rig" --file "$here/inside" --file "$here/inspect" --host "$here/outside.sh" \
    --out "$results" "$here/inspect/inside.sh"
