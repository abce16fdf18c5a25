#!/bin/bash
# Inside a rig: asks the machine outside to do something, and waits. `host-turn ARGUMENTS [< INPUT] [> ANSWER]`: the script that was
# given with --host runs there with these arguments, INPUT as its standard input; its output is ANSWER, its exit code ours.
# `host-turn plug-stick` and `host-turn unplug-stick` are the virtual machine's own: somebody stands before it with a USB stick.
set -euo pipefail
input=$(base64 -w 0)
printf '@HOST %s %s\n' "${input:--}" "$*" > /run/appliance/up
read -r word status answer < /run/appliance/down
[ "$word" = DONE ] || exit 97
printf %s "${answer:-}" | base64 -d
exit "$status"
