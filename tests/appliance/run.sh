#!/usr/bin/env bash
# The proof by living in it: installs the packages in a rig, holds the ceremony, starts the service, lets a client outside look a child up
# over mutual TLS, and then tries the bars: every attack under every layer on its own, held cell by cell against matrix.tsv.
#
#   tests/appliance/run.sh container    on this machine's kernel, without SELinux; under a minute once the root tree is there
#   tests/appliance/run.sh vm           in a machine with SELinux enforcing and sticks to plug in; eight minutes or so
#
# BUILT    where the programs are (target/debug); the prisoner, which is in no package, is always that of target/debug
# Needs: root; the packages in target/packages (packaging/build.sh), the programs (cargo build --workspace --bins), and what container.sh
# or vm.sh needs. What was measured stays in target/appliance/RIG: measured.tsv, journal, and for the machine denials.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
rig=${1:-}
case $rig in
    container | vm) ;;
    *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit 64 ;;
esac
built=$(cd "$repository" && realpath "${BUILT:-target/debug}")
prisoner=$repository/target/debug/contactpoint-prisoner
for program in "$built/contactpoint" "$built/contactpoint-synthesise" "$prisoner"; do
    [ -x "$program" ] || { echo "run.sh: $program is missing: cargo build --workspace --bins" >&2; exit 97; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages" "$work/outside"
cp "$repository"/target/packages/contactpoint_*.deb "$work/packages/"
[ "$rig" = container ] || cp "$repository"/target/packages/contactpoint-selinux_*.deb "$work/packages/"
echo "rig=$rig" > "$work/rig"

# What outside.sh finds when the test inside asks for something.
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)) && (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
    echo "$port"
}
port=$(free_port)
export CONTACTPOINT_OUTSIDE=$work/outside CONTACTPOINT_BUILT=$built CONTACTPOINT_PORT=$port

results=$repository/target/appliance/$rig
rm -rf "$results"
case $rig in
    container) start=("$here/container.sh" --timeout 1200) ;;
    vm) start=("$here/vm.sh" run --timeout 2400) ;;
esac
status=0
"${start[@]}" --file "$work/packages" --file "$work/rig" --file "$here/inside" --file "$prisoner" \
    --forward "$port:8443" --host "$here/outside.sh" --out "$results" "$here/inside.sh" || status=$?
[ $status -eq 0 ] || { echo "run.sh: the test inside ended with $status" >&2; exit "$status"; }
"$prisoner" judge "$here/matrix.tsv" "$results/measured.tsv" --rig "$rig" --abi "$(cat "$results/abi")"
echo "All as it should be, in $SECONDS s."
