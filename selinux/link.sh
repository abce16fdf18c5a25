#!/usr/bin/env bash
# Links a policy module with Debian's own policy, as installing it would, and expands the whole to what a kernel loads: FOLDER/policy.
# Assertions (neverallow) are checked, ours and Debian's: one that is broken ends this with a status other than 0.
#
#   selinux/link.sh whole FOLDER MODULE     with each of the modules of selinux-policy-default: 20 s
#   selinux/link.sh base FOLDER MODULE      with the base policy and the modules that ours knows of: 1 s
#   selinux/link.sh expand FOLDER           once more without checking assertions: FOLDER/unchecked
#
# Needs: selinux-policy-default, semodule-utils, bzip2.
set -euo pipefail

debian=/usr/share/selinux/default
usage() { sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0"; exit 64; }

unpack() { # MODULE...
    local module
    for module in "$@"; do bunzip2 --stdout "$debian/$module.pp.bz2" > "$module.pp"; done
}

link() { # EXTENT MODULE
    local modules
    case $1 in
        whole) mapfile -t modules < <(cd "$debian" && printf '%s\n' *.pp.bz2 | sed 's/\.pp\.bz2$//' | grep -vx base) ;;
        base) modules=(pcscd) ;;
        *) usage ;;
    esac
    unpack base "${modules[@]}"
    semodule_link -o linked base.pp "${modules[@]/%/.pp}" "$2"
    rm base.pp "${modules[@]/%/.pp}"
}

[ $# -ge 2 ] || usage
mkdir -p "$2"
folder=$(realpath "$2")
if [ "$1" = expand ]; then
    semodule_expand -a "$folder/linked" "$folder/unchecked"
else
    [ $# -eq 3 ] || usage
    module=$(realpath "$3")
    cd "$folder"
    link "$1" "$module" > /dev/null
    semodule_expand linked policy
fi
