# Inside a rig: puts the prisoner under each layer on its own, and under all of them, and writes what came of each attack to
# out/measured.tsv: attack, layer, verdict.
# shellcheck shell=bash

# not below /run, where nothing is executed
prisoner=/usr/local/sbin/contactpoint-prisoner
in_place=/usr/local/sbin/prisoner-in-place
in_place_of=/usr/sbin/contactpointd
# The sockets that are handed over: one as the daemon has it, and one for each attack that leaves it useless (prisoner/prison.rs).
listeners=(127.0.0.1:8443 127.0.0.2:8443 127.0.0.3:8443)

# What the attacks aim at (prisoner/prison.rs), so that without a lock each of them succeeds.
lay_out_prison() {
    systemctl stop contactpointd.socket # its port is the prison's now
    lay_out_files
    lay_out_company
    install -m 0755 contactpoint-prisoner $prisoner
    # The prisoner takes the daemon's place, so that the unit is the daemon's to the letter but for what is started.
    cp $prisoner $in_place
    if in_machine; then chcon --reference=$in_place_of $in_place; fi
    $prisoner abi > out/abi
    : > out/measured.tsv
}

lay_out_files() {
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
}

# Who else is there: a process of root's, somebody who listens outside, and somebody who calls in and, once the call is over, again.
lay_out_company() {
    sleep infinity &
    victim=$!
    python3 -c 'import socket
listener = socket.create_server(("10.0.2.15", 18080))
while True: listener.accept()[0].close()' &
    listener=$!
    python3 -c 'import socket, time
while True:
    try:
        with socket.create_connection(("127.0.0.1", 8443)) as call: call.recv(1)
    except OSError: pass
    time.sleep(0.05)' &
    caller=$!
    for _ in $(seq 100); do
        if (exec 3<> /dev/tcp/10.0.2.15/18080) 2> /dev/null; then break; fi
        kill -0 "$listener" || fail 'nobody listens outside'
        sleep 0.1
    done
}

enforce() { if in_machine; then setenforce "$1"; fi; }

record() { # LAYER: lines of attack and verdict, from standard input
    awk -F '\t' -v OFS='\t' -v layer="$1" '{ print $1, layer, $2 }' >> out/measured.tsv
    rm -f /srv/prisoner /mnt/stick/prisoner /var/lib/contactpoint/prisoner-device
}

# watch LAYER LOCKS [COMMAND...]: the attacks from one process, each in a child of its own. Started at the first call, as the daemon is.
watch() {
    local layer=$1 locks=$2
    shift 2
    SYSTEMD_LOG_LEVEL=warning systemd-socket-activate "${listeners[@]/#/--listen=}" \
        "$@" $prisoner watch --disk "$disk" --victim "$victim" ${locks:+--locks "$locks"} 2>&1 | record "$layer"
}

# The attacks from a unit: each is a start of its own, and how it ended says what came of it; the cage may forbid everything else.
each_attack() { # LOCKS [ATTACK...]
    local locks=$1 attack attacks=("${@:2}")
    [ $# -gt 1 ] || mapfile -t attacks < <($prisoner list | cut -f 1)
    printf '%s\n' '[Service]' Type=oneshot RemainAfterExit=yes
    for attack in "${attacks[@]}"; do
        echo "ExecStart=-$in_place_of try --disk $disk --victim $victim ${locks:+--locks $locks} $attack"
    done
}
ends() { # UNIT: lines of attack, how, status
    systemctl show --property=ExecStart "$1" |
        sed -nE 's/^ExecStart=.* argv\[\]=[^;]* ([a-z-]+) ; .* code=([a-z]+) ; status=([0-9]+).*/\1 \2 \3/p'
}
told_by() { # UNIT: lines of attack and verdict
    systemctl daemon-reload
    systemctl start "$1.socket"
    systemctl start "$1.service" || { journalctl -u "$1" --no-pager | tail -n 20; fail "$1 did not start"; }
    ends "$1.service" | $prisoner told
    # the socket first: one that an attack has shut down is a fault to systemd as soon as the service lets go of it
    systemctl stop "$1.socket"
    systemctl stop "$1.service"
}

lay_out_socket() { # UNIT: the daemon's socket, with the prison's listeners
    local socket=/run/systemd/system/$1.socket
    sed '/^ListenStream=/d' /lib/systemd/system/contactpointd.socket > "$socket"
    mkdir -p "$socket.d"
    { echo '[Socket]'; printf 'ListenStream=%s\n' "${listeners[@]}"; } > "$socket.d/listeners.conf"
}

lay_out_unit() { # UNIT: the daemon's, its drop-ins, without what starts, stops and supervises the daemon
    local unit=/run/systemd/system/$1.service
    sed -E '/^(OnFailure|Requires|After|StartLimit.*|Type|NotifyAccess|ExecStart|ExecReload|WatchdogSec|Restart.*|WantedBy|Also)=/d' \
        /lib/systemd/system/contactpointd.service > "$unit"
    mkdir -p "$unit.d"
    cp /etc/systemd/system/contactpointd.service.d/*.conf "$unit.d/"
}

in_the_unit() { # LAYER LOCKS: the daemon's unit, and the prisoner in it
    lay_out_socket contactpoint-prison
    lay_out_unit contactpoint-prison
    each_attack "$2" > /run/systemd/system/contactpoint-prison.service.d/prisoner.conf
    told_by contactpoint-prison | record "$1"
}

# The domain alone: root with every capability, and no other lock than contactpointd_t. The state is root's meanwhile: the domain does not
# let root past file modes, and it is the file's label that is asked here.
in_the_domain() {
    lay_out_socket contactpoint-domain
    each_attack '' > /run/systemd/system/contactpoint-domain.service
    chown root:root /var/lib/contactpoint /var/lib/contactpoint/prisoner
    told_by contactpoint-domain | record selinux
    chown contactpoint:contactpoint /var/lib/contactpoint /var/lib/contactpoint/prisoner
}

# A list of addresses on the socket, in which the one outside is not: whatever the unit leaves open to the handed-over sockets, nothing of
# theirs gets there. Nobody refuses either, so the attack ends when the kernel no longer tries.
behind_a_list() {
    local tries open refused
    lay_out_socket contactpoint-listed
    lay_out_unit contactpoint-listed
    printf '%s\n' '[Socket]' IPAddressDeny=any IPAddressAllow=localhost > /run/systemd/system/contactpoint-listed.socket.d/addresses.conf
    each_attack '' duty-accept turn-around turn-around-fast-open turn-listener turn-listener-fast-open \
        > /run/systemd/system/contactpoint-listed.service.d/prisoner.conf
    tries=$(sysctl -n net.ipv4.tcp_syn_retries)
    sysctl -qw net.ipv4.tcp_syn_retries=1
    told_by contactpoint-listed > out/behind-a-list
    sysctl -qw net.ipv4.tcp_syn_retries="$tries"
    open=$(awk -F '\t' '$2 == "SUCCEEDED" { print $1 }' out/behind-a-list)
    refused=$(grep -c 'denied: ETIMEDOUT' out/behind-a-list)
    [ "$open $refused" = 'duty-accept 4' ] || fail "behind a list of addresses: $(cat out/behind-a-list)"
    say 'ok: behind a list of addresses no handed-over socket calls out'
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
    behind_a_list
    umount $in_place_of
    enforce 1
    kill "$victim" "$listener" "$caller"
    rm -f /var/lib/contactpoint/prisoner /var/tmp/contactpoint-prison
    umount /mnt/stick
    say "ok: $(wc -l < out/measured.tsv) attacks were tried ($(since "$from") s)"
}
