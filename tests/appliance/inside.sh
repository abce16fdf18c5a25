#!/usr/bin/env bash
# Inside a rig, as root: the story that run.sh tells, in the order of an operator's first hour, and then the attacks. Parts of it are in
# inside/. Works in both rigs; what only the machine has (SELinux, audit, udev, USB) is asked by `in_machine`.
set -euo pipefail
cd /run/appliance
# shellcheck source=/dev/null
. ./rig
# shellcheck source-path=SCRIPTDIR
. inside/telling.sh
# shellcheck source-path=SCRIPTDIR
. inside/living.sh
# shellcheck source-path=SCRIPTDIR
. inside/addresses.sh
# shellcheck source-path=SCRIPTDIR
. inside/media.sh
# shellcheck source-path=SCRIPTDIR
. inside/matrix.sh

began=$EPOCHREALTIME
# what a log-in would have made for root: where the officer's session waits
export XDG_RUNTIME_DIR=/run/user/0
install -d -m 0755 /run/user
install -d -m 0700 $XDG_RUNTIME_DIR
trap 'last_words $?' EXIT
if in_machine; then stick_without_the_package; fi
mark 'living begins'
install_packages
attach_softhsm
hold_ceremony
get_certificates
start_service
let_a_client_look_a_child_up
only_listed_addresses_are_answered
stop_service
mark 'living ends'
if in_machine; then stick_with_the_package; fi
lay_out_prison
measure_all
start_again
no_errors_in_the_journal
if in_machine; then no_denials; fi
say "inside: all done in $(since "$began") s"
