# Inside a rig: puts the prisoner under each layer on its own, and under all of them, and writes what came of each attack to
# out/measured.tsv: attack, layer, verdict.
# shellcheck shell=bash

# not below /run, where nothing is executed
prisoner=/usr/local/sbin/contactpoint-prisoner
in_place=/usr/local/sbin/prisoner-in-place
in_place_of=/usr/sbin/contactpointd

# What the attacks aim at (prisoner/prison.rs), so that without a lock each of them succeeds.
lay_out_prison() {
    install -o contactpoint -g contactpoint -m 0600 /dev/null /var/lib/contactpoint/prisoner
    install -m 0666 /dev/null /var/tmp/contactpoint-prison
    mkdir -p /mnt/stick
    if in_machine; then
        disk=/dev/vdc
        mount /dev/vdc /mnt/stick
        [ -e /dev/bus/usb/001/001 ] || fail 'there is no USB device to try'
    else
        # a container has no devices but these, and none is ever written
        disk=/dev/loop0
        mknod -m 0660 $disk b 7 0
        mknod -m 0640 /dev/mem c 1 1
        mkdir -p /dev/bus/usb/001
        mknod -m 0664 /dev/bus/usb/001/001 c 189 0
        mount -t tmpfs tmpfs /mnt/stick
    fi
    chmod 1777 /mnt/stick
    sleep infinity &
    victim=$!
    python3 -c 'import socket
listener = socket.create_server(("127.0.0.1", 18080))
while True: listener.accept()[0].close()' &
    listener=$!
    for _ in $(seq 100); do
        if (exec 3<> /dev/tcp/127.0.0.1/18080) 2> /dev/null; then break; fi
        kill -0 "$listener" || fail 'nobody listens outside'
        sleep 0.1
    done
    install -m 0755 contactpoint-prisoner $prisoner
    # The prisoner takes the daemon's place, so that the unit is the daemon's to the letter but for what is started.
    cp $prisoner $in_place
    if in_machine; then chcon --reference=$in_place_of $in_place; fi
    $prisoner abi > out/abi
    : > out/measured.tsv
}

enforce() { if in_machine; then setenforce "$1"; fi; }

record() { # LAYER: lines of attack and verdict, from standard input
    awk -F '\t' -v OFS='\t' -v layer="$1" '{ print $1, layer, $2 }' >> out/measured.tsv
    rm -f /srv/prisoner /mnt/stick/prisoner /var/lib/contactpoint/prisoner-device
}

# watch LAYER LOCKS [COMMAND...]: the attacks from one process, each in a child of its own.
watch() {
    local layer=$1 locks=$2
    shift 2
    "$@" $prisoner watch --disk "$disk" --victim "$victim" ${locks:+--locks "$locks"} 2>&1 | record "$layer"
}

# The attacks from a unit: each is a start of its own, and how it ended says what came of it; the cage may forbid everything else.
each_attack() { # LOCKS
    local attack
    for attack in $($prisoner list | cut -f 1); do
        echo "ExecStart=-$in_place_of try --disk $disk --victim $victim ${1:+--locks $1} $attack"
    done
}
ends() { # UNIT: lines of attack, how, status
    systemctl show --property=ExecStart "$1" |
        sed -nE 's/^ExecStart=.* argv\[\]=[^;]* ([a-z-]+) ; .* code=([a-z]+) ; status=([0-9]+).*/\1 \2 \3/p'
}
from_unit() { # LAYER UNIT
    systemctl daemon-reload
    systemctl start "$2" || { journalctl -u "$2" --no-pager | tail -n 20; fail "$2 did not start"; }
    ends "$2" | $prisoner told | record "$1"
    systemctl stop "$2"
}

in_the_unit() { # LAYER LOCKS: the daemon's unit, its drop-ins, and the prisoner in it
    local unit=/run/systemd/system/contactpoint-prison.service
    mkdir -p $unit.d
    # without what starts, stops and supervises the daemon
    sed -E '/^(OnFailure|Requires|After|StartLimit.*|Type|NotifyAccess|ExecStart|ExecReload|WatchdogSec|Restart.*|WantedBy|Also)=/d' \
        /lib/systemd/system/contactpointd.service > $unit
    cp /etc/systemd/system/contactpointd.service.d/*.conf $unit.d/
    { echo '[Service]'; echo 'Type=oneshot'; echo 'RemainAfterExit=yes'; each_attack "$2"; } > $unit.d/prisoner.conf
    from_unit "$1" contactpoint-prison.service
}

# The domain alone: root with every capability, and no other lock than contactpointd_t. The state is root's meanwhile: the domain does not
# let root past file modes, and it is the file's label that is asked here.
in_the_domain() {
    { echo '[Service]'; echo 'Type=oneshot'; echo 'RemainAfterExit=yes'; each_attack ''; } > /run/systemd/system/contactpoint-domain.service
    chown root:root /var/lib/contactpoint /var/lib/contactpoint/prisoner
    from_unit selinux contactpoint-domain.service
    chown contactpoint:contactpoint /var/lib/contactpoint /var/lib/contactpoint/prisoner
}

measure_all() {
    local from=$EPOCHREALTIME
    enforce 0
    watch none ''
    watch landlock landlock
    watch seccomp seccomp
    watch user '' setpriv --reuid contactpoint --regid contactpoint --clear-groups --
    mount --bind $in_place $in_place_of # which the policy does not let even root do
    in_the_unit unit ''
    enforce 1
    if in_machine; then in_the_domain; fi
    in_the_unit all landlock,seccomp
    enforce 0
    umount $in_place_of
    enforce 1
    kill "$victim" "$listener"
    rm -f /var/lib/contactpoint/prisoner /var/tmp/contactpoint-prison
    umount /mnt/stick
    say "ok: $(wc -l < out/measured.tsv) attacks were tried ($(since "$from") s)"
}
