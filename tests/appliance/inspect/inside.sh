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
    local name=${1//\//_} line expected found
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

# loosen LINE...: a drop-in of ours says so, and the service is started by it. tighten: it is gone, and systemd knows.
loosened=/etc/systemd/system/contactpointd.service.d/loosened.conf
loosen() {
    printf '%s\n' '[Service]' "$@" > $loosened
    restart
}
tighten() {
    rm $loosened
    systemctl daemon-reload
}

# lower NAME DO UNDO EXPECTED...: one bar, looked at, and put right again. In the machine a look takes seconds: there everything is lowered
# first, and `together` looks once.
lowered=0 undo='' awaited=()
lower() {
    local name=$1
    eval "$2"
    if in_machine; then
        lowered=$((lowered + 1)) undo="$3; $undo" awaited+=("${@:4}")
    else
        turns "$name" "${@:4}"
        eval "$3"
    fi
}
together() {
    if in_machine; then
        turns "$lowered bars together" "${awaited[@]}"
        eval "$undo"
    fi
}

# --- everything holds ------------------------------------------------------------------------------------------------------------------

# the rig's image leaves documents out, an appliance does not: the list of parts is among them
grep -lr path-exclude /etc/dpkg/dpkg.cfg.d | xargs -r rm
install_packages
attach_softhsm
hold_ceremony
get_certificates
# a folder that comes later would be a change after the start
mkdir -p /etc/systemd/system/contactpointd.socket.d /etc/udev/rules.d /etc/modprobe.d
step 'the service starts' systemctl start contactpointd.socket contactpointd.service
# as every package does that has a unit
systemctl daemon-reload

look good
# SoftHSM keeps keys in files, and inspect says so; the container has no SELinux, no udev, no list of modules and no
# controllers of its control groups.
allowed=('hsm.keys: an HSM; SoftHSM')
in_machine || allowed+=('process.context: ' 'process.limits: the control group' 'media.modules: none of' 'media.modules: the kernel' 'media.devices: systemd-udevd')
while read -r line; do
    known=
    for name in "${allowed[@]}"; do case $line in "$name"*) known=1 ;; esac; done
    [ -n "$known" ] || { shown good; fail "on the installed service this should hold: $line"; }
done < out/good
[ "$status" = 1 ] || fail "SoftHSM should give the exit status 1, not $status"
if ! in_machine; then
    contactpointctl inspect --rule B1 > /dev/null || fail 'rule B1 should hold: exit status 0'
    contactpointctl inspect --format oscal > out/oscal.json || true
    contactpointctl inspect > out/report.txt || true
fi
say "ok: $(jq '.observations | map(select(.verdict == "holds")) | length' out/good.json) looks hold; not: $(paste -sd '|' out/good)"

# --- bars around the process -----------------------------------------------------------------------------------------------------------

state=/var/lib/contactpoint settings=/etc/contactpoint/contactpointd.toml control=/run/contactpoint/control.sock
pin=/etc/credstore/contactpoint-hsm-pin shipped=/usr/share/contactpoint/attachments/usb.conf
barred=$(dpkg -L contactpoint | grep 'modprobe.d/.*conf$')
udevs=60-contactpoint-media.rules
addresses=/etc/systemd/system/contactpointd.socket.d/addresses.conf
install -d -m 0700 /etc/credstore

lower 'chmod 0755 on the state directory' "chmod 0755 $state" "chmod 0700 $state" 'files.state'
lower 'chmod 0644 contactpointd.toml' "chmod 0644 $settings" "chmod 0640 $settings" 'files.configuration: all'
lower 'chmod 0666 control.sock' "chmod 0666 $control" "chmod 0600 $control" "files.configuration: root's"
lower 'a PIN in clear' "echo 1234 > $pin" "rm $pin" 'files.configuration: the PIN'
lower 'a shipped file is changed' "echo '# changed' >> $shipped" "sed -i '\$d' $shipped" 'files.package'
in_machine || lower 'the modprobe rules are gone' "mv $barred rules" "mv rules $barred" 'files.package' 'media.modules: modprobe'
lower 'modprobe rules of the same name' "touch /etc/modprobe.d/${barred##*/}" "rm /etc/modprobe.d/${barred##*/}" 'media.modules: modprobe'
lower 'an install line that comes first' "echo 'install usb* /bin/true' > /etc/modprobe.d/a.conf" 'rm /etc/modprobe.d/a.conf' \
    'media.modules: modprobe'
lower "udev's rules are masked" "ln -s /dev/null /etc/udev/rules.d/$udevs" "rm /etc/udev/rules.d/$udevs" 'media.devices: udev reads'
lower 'a rule that authorises again' "echo 'SUBSYSTEM==\"usb\", ATTR{authorized}=\"1\"' > /etc/udev/rules.d/99-back.rules" \
    'rm /etc/udev/rules.d/99-back.rules' 'media.devices: no other rule'
# which addresses may connect is the machine's own matter: nothing turns
lower 'a list of addresses' "cp /usr/share/contactpoint/attachments/addresses.conf $addresses; systemctl daemon-reload" \
    "rm -f $addresses; systemctl daemon-reload"
lower 'a socket for everybody, and one more' \
    "printf '[Socket]\nSocketMode=0666\nListenStream=9443\n' > ${addresses%/*}/wider.conf; systemctl daemon-reload" \
    "rm ${addresses%/*}/wider.conf; systemctl daemon-reload" "unit.drop_ins: each directive of the package's socket" 'unit.drop_ins: no drop-in of the socket'
raise_core_limit() { prlimit --pid "$(systemctl show --property=MainPID --value contactpointd)" --core=unlimited; }
if in_machine; then
    lower 'setenforce 0' 'setenforce 0' 'setenforce 1' 'process.context: 1'
    lower 'prlimit --core=unlimited' raise_core_limit : \
        'process.limits: Max core' 'process.limits: no limit'
fi
together

# --- bars of the unit ------------------------------------------------------------------------------------------------------------------

# Directives, and what turns beside the looks at drop-ins and directives: lines, and looks between bars.
unit=('unit.drop_ins: no drop-in but' 'unit.drop_ins: each directive of the cage')
loose=(
    'NoNewPrivileges=no|unit.exposure'
    'PrivateNetwork=no|unit.exposure|process.namespaces: another net'
    'PrivateUsers=no|unit.exposure|process.namespaces: another user'
    'ProtectHostname=no|process.namespaces: another uts'
    'BindPaths=/srv:/tmp/out|process.mounts: file systems'
    'SystemCallFilter=mount|unit.exposure'
    'RestrictRealtime=no'
    'WatchdogSec=70'
)
# What leaves a trace in the process alone once the unit is put right.
traces=(RestrictSUIDSGID=no UMask=0022 LimitSTACK=infinity InaccessiblePaths= NoExecPaths= SupplementaryGroups=daemon)
traced=('unit.drop_ins: the process was started' 'process.seccomp: as many' 'process.limits: a umask' 'process.limits: no limit'
    'process.user: no group' 'process.mounts: the unit')
# In the machine the daemon does not start with a limit of its own to lower: SELinux lets no limit of the domain be changed.
in_machine || loose+=('LimitCORE=infinity')
in_machine && loose[1]+='|process.namespaces: no network interface'

if in_machine; then
    all=() kept=()
    for row in "${loose[@]}"; do
        IFS='|' read -ra words <<< "$row"
        all+=("${words[0]}") unit+=("${words[@]:1}")
        for word in "${words[@]:1}"; do case $word in process.*) kept+=("$word") ;; esac; done
    done
    loosen "${all[@]}" "${traces[@]}"
    turns 'every directive at once' "${unit[@]}"
    tighten
    # the interval of the watchdog is the process's own until it ends
    turns 'the unit put right, the process not' "${traced[@]}" "${kept[@]}" 'unit.drop_ins: each directive of the cage'
else
    for row in "${loose[@]}"; do
        IFS='|' read -ra words <<< "$row"
        loosen "${words[0]}"
        turns "${words[0]}" "${unit[@]}" "${words[@]:1}"
        tighten
        restart
    done
    loosen "${traces[@]}"
    tighten
    turns 'the unit put right, the process not' "${traced[@]}"
fi
restart
turns 'nothing lowered any more'

# --- nothing runs ----------------------------------------------------------------------------------------------------------------------

systemctl stop contactpointd.service contactpointd.socket
look stopped
in_machine || ! contactpointctl inspect --rule B1 > /dev/null || fail 'a service that does not run holds nothing'
[ "$(wc -l < out/stopped)" -gt 30 ] || fail 'most looks should be unseen where the service does not run'
say 'ok: a service that does not run holds nothing'
