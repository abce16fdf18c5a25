#!/usr/bin/env bash
# Lives in the programs of a release: everything that a rig can show of them, one after the other, and how long each took. The look-up and
# the attacks take target/packages as they are; the first hour and the inspection pack the same programs anew, in seconds.
#
#   tests/appliance/all.sh container    the first hour, the look-up and the attacks, the inspection; without SELinux
#   tests/appliance/all.sh machine      the first hour, the look-up, the sticks and the attacks, the inspection; with SELinux enforcing
#
# BUILT    where the programs are (target/release); target/packages holds the packages made of them (make deb)
# Needs: root; make rigs; contactpoint-prisoner, which is in no package, is built here where it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILT=${BUILT:-target/release}
cargo build --quiet --locked -p contactpoint-prisoner

played() { # TITLE COMMAND...: the output is shown where it fails, and its last line where it does not
    local title=$1 from=$SECONDS log
    shift
    log=$(mktemp)
    if ! "$@" > "$log" 2>&1; then
        cat "$log"
        printf 'FAILED: %s, after %d s\n' "$title" "$((SECONDS - from))" >&2
        exit 1
    fi
    tail -n 1 "$log"
    printf '%s: as it should be, %d s\n' "$title" "$((SECONDS - from))"
    rm -f "$log"
}

case ${1:-} in
    container)
        tests/appliance/image.sh tree
        played 'the first hour' tests/appliance/first-hour.sh
        played 'look-up and attacks in the container' tests/appliance/run.sh container
        played 'inspection in the container' tests/appliance/inspect.sh container
        ;;
    machine)
        tests/appliance/image.sh disk
        played 'the first hour in the machine' tests/appliance/first-hour.sh --vm
        played 'look-up, sticks and attacks in the machine' tests/appliance/run.sh vm
        played 'inspection in the machine' tests/appliance/inspect.sh vm
        ;;
    *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0"; exit 64 ;;
esac
