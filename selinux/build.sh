#!/usr/bin/env bash
# Builds the policy module as Debian builds modules: FOLDER/contactpointd.pp, the same bytes wherever it is built.
#
#   selinux/build.sh FOLDER [MORE]     MORE: a file whose lines are added to the module (the tests' negative controls)
#
# Needs: selinux-policy-dev.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0"; exit 64; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
cp "$here"/contactpointd.{te,fc,if} "$1/"
[ -z "${2:-}" ] || cat "$2" >> "$1/contactpointd.te"
make --silent --directory="$1" --file=/usr/share/selinux/devel/Makefile NAME=default contactpointd.pp
