#!/usr/bin/env bash
# Inside a rig, as root: installs, holds the ceremony, starts, looks; then lowers one bar after the other (tests/appliance/inspect.sh).
set -euo pipefail
cd /run/appliance
# shellcheck source=/dev/null
. ./rig
# shellcheck source=tests/appliance/inside/telling.sh
. inside/telling.sh
# shellcheck source=tests/appliance/inside/living.sh
. inside/living.sh
mkdir -p out
trap 'last_words $?' EXIT

# --- looking ---------------------------------------------------------------------------------------------------------------------------

# look NAME: a report in out/NAME.json, and in out/NAME the looks that do not hold, "check: what is expected", a line each.
look() {
    status=0
    contactpointctl inspect --format json > "out/$1.json" || status=$?
    jq -r '.observations[] | select(.verdict != "holds") | .check + ": " + .expected' "out/$1.json" | sort -u > "out/$1"
}

# What was seen of the looks that turned, for somebody who reads why.
shown() { # NAME
    jq -c '.observations[] | select(.verdict != "holds") | {verdict, check, expected, evidence}' "out/$1.json"
}

# turns NAME EXPECTED...: exactly the looks that begin so do not hold now and did before.
turns() {
    local name=$1 line expected found
    shift
    look "$name"
    comm -13 out/good "out/$name" > turned
    while read -r line; do
        found=
        for expected in "$@"; do case $line in "$expected"*) found=1 ;; esac; done
        [ -n "$found" ] || { shown "$name"; fail "$name: '$line' should have held"; }
    done < turned
    for expected in "$@"; do
        grep -qF -- "$expected" turned || { cat turned; shown "$name"; fail "$name: '$expected' should have turned"; }
    done
    [ $# = 0 ] || [ $status = 1 ] || fail "$name: the exit status should be 1, not $status"
    say "ok: $name turns $(wc -l < turned): $(cut -c1-60 turned | paste -sd '|')"
}

# More starts in ten minutes than the unit allows itself (StartLimitBurst=).
restart() {
    systemctl daemon-reload
    systemctl reset-failed contactpointd.service
    systemctl restart contactpointd.service
}

# with_drop_in NAME LINES EXPECTED...: the service with a drop-in of ours, looked at, and without it again.
with_drop_in() {
    local name=$1 lines=$2 file=/etc/systemd/system/contactpointd.service.d/loosened.conf
    shift 2
    printf '[Service]\n%s\n' "$lines" > $file
    restart
    turns "$name" 'unit.drop_ins: no drop-in but' "$@"
    rm $file
    restart
}

# --- everything holds ------------------------------------------------------------------------------------------------------------------

# the rig's image leaves documents out, an appliance does not: the list of parts is among them
grep -lr path-exclude /etc/dpkg/dpkg.cfg.d | xargs -r rm
install_packages
attach_softhsm
hold_ceremony
get_certificates
step 'the service starts' systemctl start contactpointd.socket contactpointd.service

look good
# SoftHSM keeps keys in files, and inspect says so; the container's kernel has no SELinux and this machine's devices.
allowed=('hsm.keys: an HSM; SoftHSM')
in_machine || allowed+=('process.context: ' 'media.')
while read -r line; do
    known=
    for name in "${allowed[@]}"; do case $line in "$name"*) known=1 ;; esac; done
    [ -n "$known" ] || { shown good; fail "on the installed service this should hold: $line"; }
done < out/good
[ "$status" = 1 ] || fail "SoftHSM should give the exit status 1, not $status"
contactpointctl inspect --rule F1 > /dev/null || fail 'every look at rule F1 should hold: exit status 0'
contactpointctl inspect --format oscal > out/oscal.json || true
contactpointctl inspect > out/report.txt || true
say "ok: $(jq '.observations | map(select(.verdict == "holds")) | length' out/good.json) looks hold; not: $(paste -sd '|' out/good)"

# --- one bar after the other -----------------------------------------------------------------------------------------------------------

with_drop_in 'NoNewPrivileges=no' 'NoNewPrivileges=no' 'unit.drop_ins: each directive' 'unit.exposure'
net=('unit.drop_ins: each directive' 'unit.exposure' 'process.namespaces: another net')
in_machine && net+=('process.namespaces: no network interface')
with_drop_in 'PrivateNetwork=no' 'PrivateNetwork=no' "${net[@]}"
with_drop_in 'PrivateUsers=no' 'PrivateUsers=no' 'unit.drop_ins: each directive' 'unit.exposure' 'process.namespaces: another user'
with_drop_in 'ProtectHostname=no' 'ProtectHostname=no' 'unit.drop_ins: each directive' 'process.namespaces: another uts'
# In the machine this daemon does not start at all: it lowers the limit itself, and SELinux lets no limit of the domain be changed.
in_machine || with_drop_in 'LimitCORE=infinity' 'LimitCORE=infinity' 'unit.drop_ins: each directive'
with_drop_in 'a folder that is written' 'BindPaths=/srv:/tmp/out' 'process.mounts'

chmod 0755 /var/lib/contactpoint
turns 'chmod 0755 on the state directory' 'files.state'
chmod 0700 /var/lib/contactpoint
chmod 0644 /etc/contactpoint/contactpointd.toml
turns 'chmod 0644 contactpointd.toml' 'files.configuration: all'
chmod 0640 /etc/contactpoint/contactpointd.toml
chmod 0666 /run/contactpoint/control.sock
turns 'chmod 0666 control.sock' "files.configuration: root's"
chmod 0600 /run/contactpoint/control.sock
install -d -m 0700 /etc/credstore
echo 1234 > /etc/credstore/contactpoint-hsm-pin
turns 'a PIN in clear' 'files.configuration: the PIN'
rm /etc/credstore/contactpoint-hsm-pin
rules=$(dpkg -L contactpoint | grep 'modprobe.d/.*conf$')
mv "$rules" rules
turns 'the modprobe rules are gone' 'files.package' 'media.modules: modprobe'
mv rules "$rules"
echo '# changed' >> /usr/share/contactpoint/attachments/usb.conf
turns 'a shipped file is changed' 'files.package'
sed -i '$d' /usr/share/contactpoint/attachments/usb.conf
if in_machine; then
    setenforce 0
    turns 'setenforce 0' 'process.context: 1'
    setenforce 1
    prlimit --pid "$(systemctl show --property=MainPID --value contactpointd)" --core=unlimited
    turns 'prlimit --core=unlimited' 'process.limits'
    restart
fi
turns 'nothing lowered any more'
systemctl stop contactpointd.service contactpointd.socket
look stopped
contactpointctl inspect --rule F1 > /dev/null && fail 'a service that does not run holds nothing'
[ "$(wc -l < out/stopped)" -gt 30 ] || fail 'most looks should be unseen where the service does not run'
say 'ok: a service that does not run holds nothing'
