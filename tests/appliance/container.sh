#!/usr/bin/env bash
# Runs a test in a throw-away container whose PID 1 is systemd: a second to start, where vm.sh takes a minute. It has its own network,
# processes and mounts, and this machine's kernel: no SELinux, no audit, no udev.
#
#   tests/appliance/container.sh [options] TEST    runs TEST (a bash script) as root inside, in /run/appliance
#
#   --deb FILE        installs FILE with dpkg first (repeatable; one dpkg call has all, so they may depend on each other)
#   --file FILE       places FILE or folder beside the test, in /run/appliance (repeatable)
#   --forward H:G     forwards 127.0.0.1:H out here to port G inside, where the caller is 10.0.2.2 (repeatable)
#   --host SCRIPT     runs SCRIPT out here each time the test inside calls `host-turn ARGUMENTS [< INPUT] [> ANSWER]`
#   --out DIR         copies what the test leaves in /run/appliance/out to DIR
#   --timeout SECONDS limit for the whole run (120)
#
# The root tree is image.sh's (built when it is not there); it is never changed, the container writes to a tmpfs laid over it.
# Exit code: the test's own; 96 dpkg failed, 97 the rig had trouble, 124 timeout.
# Needs: root (with CAP_SYS_ADMIN), util-linux, python3, and what image.sh needs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)/target/appliance/tree
rig=container
# shellcheck source-path=SCRIPTDIR
. "$here/rig.sh"
read_options 120 "$@"
[ "$(id -u)" = 0 ] || die 'needs root'
"$here/image.sh" tree

# --- the folder, the control group, and leaving nothing behind -----------------------------------------------------------------------

began=$EPOCHREALTIME
folder=$(mktemp -d)
init='' outer='' group='' helpers=() mounted=''
# shellcheck disable=SC2317 # called by the trap
leave() {
    local process
    [ -z "$init" ] || kill -KILL "$init" 2> /dev/null || true # PID 1 of its namespace: all go
    for process in ${outer:+"$outer"} ${helpers[@]+"${helpers[@]}"}; do kill "$process" 2> /dev/null || true; done
    wait 2> /dev/null || true
    for _ in $(seq 50); do
        if [ -z "$group" ] || [ ! -d "$group" ]; then break; fi
        find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.1
    done
    [ -z "$mounted" ] || umount "$mounted" 2> /dev/null || true
    rm -rf "$folder"
}
trap leave EXIT

groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$groups" ]; then
    groups=$folder/cgroup
    mkdir "$groups"
    mount -t cgroup2 cgroup2 "$groups" || die 'no cgroup2 here'
    mounted=$groups
fi
group=$groups/contactpoint-appliance-$$
mkdir "$group"

mkdir -p "$folder/work/out" "$folder/root"
lay_in "$folder/work"
cp "$here/guest/host-turn.sh" "$folder/host-turn"
chmod 755 "$folder/host-turn"
mkfifo "$folder/work/up" "$folder/work/down"
cat > "$folder/driver.service" << 'UNIT'
[Unit]
Description=Test driver
After=multi-user.target

[Service]
ExecStart=/bin/bash -c 'bash /run/appliance/run-test.sh > /run/appliance/up 2>&1 < /dev/null'
UNIT

# --- the container -------------------------------------------------------------------------------------------------------------------

cat > "$folder/enter" << 'ENTER'
set -eu
echo 0 > "$group/cgroup.procs"
exec unshare --mount --pid --ipc --uts --net --cgroup --fork --propagation private bash -euc '
    mount -t tmpfs tmpfs "$folder/root"
    mkdir "$folder/root/upper" "$folder/root/work" "$folder/root/merged"
    root=$folder/root/merged
    mount -t overlay overlay -o "lowerdir=$tree,upperdir=$folder/root/upper,workdir=$folder/root/work" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm" "$root/run/appliance"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    for node in null zero full random urandom tty; do
        touch "$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount --bind "$folder/work" "$root/run/appliance"
    mkdir -p "$root/usr/local/bin" "$root/etc/systemd/system/multi-user.target.wants"
    cp "$folder/host-turn" "$root/usr/local/bin/host-turn"
    cp "$folder/driver.service" "$root/etc/systemd/system/appliance-driver.service"
    ln -sf ../appliance-driver.service "$root/etc/systemd/system/multi-user.target.wants/"
    for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
        auditd.service systemd-journald-audit.socket console-getty.service apt-daily.timer apt-daily-upgrade.timer fstrim.timer \
        e2scrub_all.timer dpkg-db-backup.timer; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    ln -sf multi-user.target "$root/etc/systemd/system/default.target"
    echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
    printf "127.0.0.1 localhost appliance\n" > "$root/etc/hosts"
    echo update_initramfs=no > "$root/etc/initramfs-tools/update-initramfs.conf"
    hostname appliance
    cd "$root"
    mkdir -p mnt
    pivot_root . mnt
    umount -l /mnt
    mount --make-rshared / # systemd expects it; credentials come up empty without
    # as in the virtual machine: who comes in through --forward comes from 10.0.2.2, to 10.0.2.15
    ip link set lo up
    ip address add 10.0.2.15/32 dev lo
    ip address add 10.0.2.2/32 dev lo
    exec env -i container=appliance PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --show-status=false --log-target=journal < /dev/null'
ENTER
export folder tree group
timeout -s KILL "$limit" bash "$folder/enter" > "$folder/init.log" 2>&1 &
outer=$!
for _ in $(seq 100); do # the container's PID 1, as seen from here
    unshared=$(pgrep -P "$outer" unshare || true)
    [ -z "$unshared" ] || init=$(pgrep -P "$unshared" || true)
    [ -z "$init" ] || break
    sleep 0.1
done
[ -n "$init" ] || { cat "$folder/init.log" >&2; die 'the container did not start'; }

# --- the way in from outside -----------------------------------------------------------------------------------------------------------

for way in ${ways_in[@]+"${ways_in[@]}"}; do
    python3 - "$init" "${way%:*}" "${way#*:}" << 'PYTHON' &
import ctypes, os, socket, sys, threading

container, outside, inside = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
listener = socket.create_server(("127.0.0.1", outside))
CLONE_NEWNET = 0x40000000
if ctypes.CDLL(None, use_errno=True).setns(os.open(f"/proc/{container}/ns/net", os.O_RDONLY), CLONE_NEWNET):
    sys.exit("container: setns failed")


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


while True:
    caller, _ = listener.accept()
    try:
        # nobody in there answers for five seconds: then nobody is there
        service = socket.create_connection(("10.0.2.15", inside), 5, ("10.0.2.2", 0))
    except OSError:
        caller.close()
        continue
    service.settimeout(None)
    for source, sink in ((caller, service), (service, caller)):
        threading.Thread(target=copy, args=(source, sink), daemon=True).start()
PYTHON
    helpers+=($!)
done

# --- following the test ------------------------------------------------------------------------------------------------------------------

next_line() { # what came of a line before the container ended or paused is kept
    local part
    line=''
    until IFS= read -r -t 1 -u "$up" part; do
        line+=$part
        kill -0 "$outer" 2> /dev/null || return 1
    done
    line+=$part
}
send_in() { printf '%s\n' "$1" > "$folder/work/down"; }
own_turn() { return 1; }
lost() {
    status=0
    wait "$outer" 2> /dev/null || status=$?
    if [ "$status" = 137 ]; then status=124; say "timeout after $limit s"; else status=97; cat "$folder/init.log" >&2; fi
}

exec {up}<> "$folder/work/up"
follow
